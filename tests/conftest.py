"""Fixtures for all tests: isolation from the machine, and the real things of `harness`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness.kernels import Kernel
    from tests.harness.lab import Lab
    from tests.harness.notebook import Notebook
    from tests.harness.pixapi import PixapiServer
    from tests.harness.terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # so that `tests.harness` is found; an editable install of the project has it there already
    sys.path.append(str(ROOT))

_run = asyncio.run
_lab: pytest.StashKey[Lab] = pytest.StashKey()


# -- isolation


@pytest.fixture(scope="session", autouse=True)
def _own_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Jupyter, IPython and the keyring of these tests are not the user's."""
    room = tmp_path_factory.mktemp("machine")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("PIXAPI_", "JUPYTER", "IPYTHON"))]:
            if name != "PIXAPI_TESTS_NO_BROWSER":
                patch.delenv(name)
        for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            patch.setenv(variable, str(room / variable.lower()))
        for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            patch.setenv(variable, str(room / variable.lower()))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        yield


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has its own working directory and ledger; no key and no server come from outside."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "pixapi-home"
    home.mkdir()
    monkeypatch.setenv("PIXAPI_HOME", str(home))


@pytest.fixture(autouse=True)
def _own_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before Python 3.12, nest_asyncio2 makes `asyncio.run` leave its loop open, and some later test would be warned of it."""
    monkeypatch.setattr(asyncio, "run", _run)


# -- order: the browser comes last, and never stands beside a test without one


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def _no_loop_of_playwright(request: pytest.FixtureRequest) -> None:
    """While Playwright runs, `asyncio.run` is refused; a test without a browser is to find none."""
    lab = request.config.stash.get(_lab, None)
    if lab is not None and request.node.get_closest_marker("browser") is None:
        lab.park()


# -- the real things


@pytest.fixture(scope="session")
def _lab_of_session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    from tests.harness.lab import Lab

    lab = Lab(tmp_path_factory.mktemp("lab"))
    request.config.stash[_lab] = lab
    yield lab
    lab.close()


@pytest.fixture
def lab(_lab_of_session: Lab) -> Iterator[Lab]:
    """JupyterLab and Chromium, one of each for all tests. What a test opened is closed after it, and had no problems."""
    from tests.harness.lab import NoBrowser, require_browser

    try:
        _lab_of_session.start_browser()
    except NoBrowser as error:
        require_browser(error)
    yield _lab_of_session
    problems = _lab_of_session.close_notebooks()
    assert not problems, "problems in the browser: " + "\n".join(problems)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A kernel with the test's environment and folder."""
    from tests.harness.kernels import Kernel

    with Kernel() as running:
        yield running


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """IPython in a terminal, at its prompt."""
    from tests.harness.terminal import Terminal

    with Terminal() as opened:
        yield opened


@pytest.fixture(scope="session")
def _pixapi_of_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PixapiServer]:
    from tests.harness.pixapi import PixapiServer

    server = PixapiServer(tmp_path_factory.mktemp("pixapi") / "state")
    yield server
    server.close()


@pytest.fixture
def pixapi_server(_pixapi_of_session: PixapiServer, monkeypatch: pytest.MonkeyPatch) -> PixapiServer:
    """The embedded Pixapi as if new; PIXAPI_BASE_URL and PIXAPI_KEY of the test lead to it, in its kernels too."""
    _pixapi_of_session.begin()
    for name, value in _pixapi_of_session.env.items():
        monkeypatch.setenv(name, value)
    return _pixapi_of_session


# -- what a failing browser test shows


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    lab = item.config.stash.get(_lab, None)
    if report.failed and report.when == "call" and lab is not None:
        for notebook in lab.notebooks:
            if notebook.is_open:
                report.sections.append((f"notebook {notebook.path.name}", _evidence(notebook)))
    return report


def _evidence(notebook: Notebook) -> str:
    from playwright.sync_api import Error as PlaywrightError

    try:
        picture = str(notebook.screenshot(notebook.folder / "failed.png"))
    except PlaywrightError as error:
        picture = f"(no picture: {error})"
    return f"{notebook.describe()}\n{picture}"
