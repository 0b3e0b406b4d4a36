"""What an import costs and does: no notebook machinery, no threads, no files, no network, no configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import pixapi_nb

PROBE = """
import json, os, socket, sys, threading
def refused(*a, **k): raise AssertionError("touched the network")
socket.socket.connect = socket.getaddrinfo = refused
before = set(sys.modules)
{code}
print(json.dumps({{
    "modules": sorted(set(sys.modules) - before),
    "threads": [t.name for t in threading.enumerate()],
    "files": [os.path.join(at, name) for at, _, names in os.walk(".") for name in names],
    "loaded": "IPython" in sys.modules or "ipywidgets" in sys.modules or "traitlets" in sys.modules,
}}))
"""


def probe(code, **environment):
    given = {name: value for name, value in os.environ.items() if not name.startswith("PIXAPI_")} | environment
    process = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE.format(code=code)], env=given, capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""
    return json.loads(process.stdout)


@pytest.mark.parametrize(
    "code",
    [
        "import pixapi_nb",
        "from pixapi_nb import Client, AsyncClient, PixapiError",
        "import pixapi_nb.client, pixapi_nb.session, pixapi_nb.ledger, pixapi_nb.show",
        "from pixapi_nb import Client; repr(Client()); Client(api_key='sk_x', base_url='https://x')",
    ],
)
@pytest.mark.parametrize("home", ["missing/home", "/proc/nowhere"])
def test_importing_does_nothing_but_import(code, home, tmp_path):
    found = probe(code, PIXAPI_HOME=home, PIXAPI_BASE_URL="nonsense")
    assert not found["loaded"], "IPython and ipywidgets belong to the face"
    assert found["threads"] == ["MainThread"]
    assert found["files"] == []
    assert "pixapi_nb.local" not in found["modules"], "the embedded Pixapi is a process of its own"


def test_the_package_itself_is_light():
    modules = probe("import pixapi_nb")["modules"]
    assert not {"httpx", "anyio", "PIL", "sqlite3", "numpy"} & set(modules)
    assert "numpy" not in probe("import pixapi_nb.client")["modules"], "it is the embedded Pixapi's"


def test_what_is_exported_is_there_and_in_order():
    assert pixapi_nb.__all__ == sorted(pixapi_nb.__all__)
    for name in pixapi_nb.__all__:
        assert name == "__version__" or getattr(pixapi_nb, name).__module__.startswith("pixapi_nb")
    with pytest.raises(AttributeError, match="no attribute 'client_'"):
        _ = pixapi_nb.client_
    assert pixapi_nb.__version__
