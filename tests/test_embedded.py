"""Starting the embedded Pixapi: a child process that ends with this one, and is started again if it dies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from pixapi_nb import embedded as embedded_module
from pixapi_nb.client import Client
from pixapi_nb.embedded import Embedded
from pixapi_nb.errors import LocalServerError
from pixapi_nb.models import Completed
from tests.harness.waiting import until

pytest_plugins = ["tests.fixtures"]


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXAPI_LOCAL_OPTIONS", "--seconds 0.05")
    made = Embedded(tmp_path / "home")
    yield made
    made.stop()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123  # a zombie is no longer alive
        return file.read().rpartition(")")[2].split()[0] != "Z"


def test_it_starts_when_it_is_needed_and_again_when_it_has_died(embedded, tmp_path):
    assert not embedded.running
    assert not (tmp_path / "home").exists()
    first = embedded.address()
    assert embedded.address() == first
    assert httpx.get(first + "/v1/models", headers={"Authorization": "Bearer sk_x"}).status_code == 200
    process = embedded._process
    process.kill()
    process.wait(10)
    assert not embedded.running
    second = embedded.address()
    assert second == first, "jobs ask there"
    assert httpx.get(second + "/v1/models", headers={"Authorization": "Bearer sk_x"}).status_code == 200
    embedded.stop()
    embedded.stop()
    embedded.revive()
    assert not embedded.running, "it was not that it had died"
    assert process.stdin.closed, "of the one that died, too"
    assert process.stdout.closed


def test_where_its_port_is_taken_meanwhile_it_takes_another(embedded):
    first = embedded.address()
    embedded.stop()
    with socket.create_server(("127.0.0.1", int(first.rpartition(":")[2]))):
        second = embedded.address()
        assert second != first
        assert httpx.get(second + "/v1/models", headers={"Authorization": "Bearer sk_x"}).status_code == 200


def test_an_interrupt_of_the_kernel_does_not_reach_it(embedded):
    embedded.address()
    assert os.getpgid(embedded._process.pid) != os.getpgid(0)


def test_one_that_does_not_stop_is_ended(embedded):
    embedded.address()
    pid = embedded._process.pid
    os.kill(pid, signal.SIGSTOP)
    original = embedded._process.wait
    embedded._process.wait = lambda timeout=None: original(0.1 if timeout else None)
    embedded.stop()
    assert not is_alive(pid)


@pytest.mark.parametrize("options", ["--no-such-option", "--seconds nonsense"])
def test_one_that_cannot_start_says_why(tmp_path, monkeypatch, options):
    monkeypatch.setenv("PIXAPI_LOCAL_OPTIONS", options)
    made = Embedded(tmp_path)
    with pytest.raises(LocalServerError, match=r"no-such-option|nonsense") as caught:
        made.address()
    assert "pixapi-nb[local]" in str(caught.value)
    assert not made.running


def test_what_is_said_before_it_is_ready_may_be_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("pixapi_nb.embedded.sys.executable", "/bin/true")
    with pytest.raises(LocalServerError, match="did not say why"):
        Embedded(tmp_path).address()


def test_one_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    sleeper = tmp_path / "python"
    sleeper.write_text("#!/bin/sh\nexec sleep 60\n")
    sleeper.chmod(0o755)
    monkeypatch.setattr("pixapi_nb.embedded.sys.executable", str(sleeper))
    monkeypatch.setattr(embedded_module, "_START", 0.2)
    with pytest.raises(LocalServerError):
        Embedded(tmp_path / "home").address()


CODE = """
import json, threading
from pixapi_nb import Client
from pixapi_nb.session import current
job = Client().images.generate(model="nano-banana", prompt="a red cup", size="64x64")
print(json.dumps([job.server, current().embedded._process.pid, str(job[0].path), repr(job.price)]), flush=True)
"""


@pytest.mark.parametrize("end", ["", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], ids=["normally", "killed"])
def test_it_ends_with_the_process_that_started_it_in_whatever_way(tmp_path, end):
    environment = os.environ | {"PIXAPI_BASE_URL": "local", "PIXAPI_LOCAL_OPTIONS": "--seconds 0.05"}
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        environment[name] = "http://127.0.0.1:9"  # nobody is there
    environment.pop("PIXAPI_KEY", None)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE + end],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
    )
    server, pid, path, price = json.loads(run.stdout)
    assert server == "local"
    assert "2 credits" in price
    assert path.startswith(str(tmp_path / "pixapi_out"))
    until(lambda: not is_alive(pid), 10)
    if not end:
        assert (run.returncode, run.stderr) == (0, "")


def test_its_tasks_outlive_it(session, monkeypatch):
    monkeypatch.setenv("PIXAPI_LOCAL_OPTIONS", "--seconds 0.05")
    client = Client(base_url="local", session=session)
    job = client.images.generate(model="nano-banana", prompt="a cup", size="64x64")
    assert (job.server, job.task_id is None) == ("local", False)
    session.embedded.stop()
    again = client.tasks.retrieve(str(job.task_id))
    assert isinstance(again, Completed)


def test_a_job_under_way_outlives_it(session, monkeypatch):
    """As when there is no memory left, on Binder: nobody has to run another cell."""
    monkeypatch.setenv("PIXAPI_LOCAL_OPTIONS", "--seconds 1")
    client = Client(base_url="local", session=session)
    job = client.images.generate(model="nano-banana", prompt="a cup", size="64x64", wait=False)
    until(lambda: job.task_id, 10)
    process = session.embedded._process
    process.kill()
    process.wait(10)
    assert len(job.result(30)) == 1
    assert session.embedded._process is not process
