"""One real JupyterLab and one real Chromium for a whole test session.

The server's folders, settings and kernels are its own: nothing of the user's Jupyter is read or written, and no news,
update or kernel dialog comes up. Both start when the first notebook is opened. `Lab.open` gives a `Notebook`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal, NoReturn

import httpx
import pytest
from ipykernel.kernelspec import get_kernel_dict
from nbformat import NotebookNode
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from .files import KERNELSPEC, notebook_of, read_notebook, write_notebook
from .notebook import Notebook
from .waiting import until

App = Literal["lab", "notebook"]

LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_OPTIONS = [
    "--no-sandbox",  # root has no other way
    "--disable-gpu",
    "--disable-dev-shm-usage",  # /dev/shm of a container is small
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
_ABANDONED = 1800  # seconds: a server whose tests were killed ends itself
_SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},  # a file changes when a test saves it
}


class NoBrowser(Exception):
    """There is no Chromium that Playwright could drive."""


class Lab:
    """JupyterLab and Chromium. `room` is a folder of its own, for everything that they write."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.root = room / "root"
        self.notebooks: list[Notebook] = []
        """Those that are open; `close_notebooks()` closes them."""
        self._server: subprocess.Popen[bytes] | None = None
        self._url = ""
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._opened = 0

    # -- what tests use

    def open(
        self,
        source: Sequence[str] | Path | NotebookNode,
        *,
        name: str = "notebook",
        env: Mapping[str, str] | None = None,
        files: Mapping[str, bytes | str | Path] | None = None,
        kernel: bool = True,
        trusted: bool = True,
        app: App = "lab",
        theme: str = LIGHT,
        width: int = 1280,
        height: int = 1600,
        timeout: float = 90,
    ) -> Notebook:
        """Open a notebook in a fresh folder and a fresh browser profile, ready to be used.

        `source`: the code of its cells, a notebook in memory, or a file to copy. `env`: for its kernel, on top of the
        PIXAPI_* variables that the test has now. `files`: put beside it (contents, or a file to copy).
        `kernel=False`: opened as it is, without a kernel. `trusted=False`: outputs that it brings are not trusted.
        """
        self._opened += 1
        folder = self.root / f"{self._opened:03}-{name}"
        folder.mkdir(parents=True)
        for file, content in (files or {}).items():
            if isinstance(content, Path):
                shutil.copy(content, folder / file)
            else:
                (folder / file).write_bytes(content.encode() if isinstance(content, str) else content)
        path = folder / f"{name}.ipynb"
        write_notebook(_notebook(source, trusted), path)
        variables = {key: value for key, value in os.environ.items() if key.startswith("PIXAPI_")} | dict(env or {})
        notebook = Notebook(self, path, app=app, env=variables, theme=theme, viewport=(width, height))
        return self._show(notebook, kernel, timeout)

    def reopen(self, notebook: Notebook, with_kernel: bool = True, *, timeout: float = 90, **look: Any) -> Notebook:
        """Open the notebook's file once more, as a reader who comes back; its tab is closed first if it is open.

        `with_kernel=True`: the kernel that still runs, or a new one. `False`: none; one that still runs is shut down.
        `look` may change `theme`, `width` and `height`.
        """
        notebook.close_tab()
        if not with_kernel:
            notebook.shutdown_kernel()
        width, height = notebook.viewport
        again = Notebook(
            self,
            notebook.path,
            app=notebook.app,
            env=notebook.env,
            theme=look.get("theme", notebook.theme),
            viewport=(look.get("width", width), look.get("height", height)),
        )
        return self._show(again, with_kernel, timeout)

    def sessions(self) -> list[dict[str, Any]]:
        """The server's notebooks with a kernel: `path`, `id`, `kernel`."""
        sessions: list[dict[str, Any]] = self.ask("GET", "/api/sessions").json()
        return sessions

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request to Jupyter's REST API; an error status raises."""
        return httpx.request(method, self.url + path, timeout=30, **options).raise_for_status()

    @property
    def url(self) -> str:
        """Where JupyterLab is served; starts it."""
        if self._server is None:
            self._start_server()
        return self._url

    @property
    def log(self) -> str:
        """What the server and its kernels printed."""
        log = self.room / "jupyter.log"
        return log.read_text("utf-8", "replace") if log.exists() else ""

    # -- life

    def start_browser(self) -> None:
        """Start Chromium if it does not run. Raises NoBrowser if there is none."""
        if self._browser is not None:
            return
        self._playwright = sync_playwright().start()
        chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
        try:
            self._browser = self._playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_OPTIONS)
        except PlaywrightError as error:
            self.park()
            raise NoBrowser(
                f"no Chromium could be started ({chromium or 'none of ' + ', '.join(CHROMIUMS)}, nor Playwright's own): "
                f"install one (Debian: apt-get install chromium). {error.message.splitlines()[0]}"
            ) from None

    def close_notebooks(self) -> list[str]:
        """Close all tabs and shut all kernels down; the problems that the notebooks had."""
        notebooks, self.notebooks = self.notebooks, []
        for notebook in notebooks:
            notebook.close_tab()
        if self._server is not None:
            for session in self.sessions():
                self.ask("DELETE", f"/api/sessions/{session['id']}")
        return [problem for notebook in notebooks for problem in notebook.problems]

    def park(self) -> None:
        """End the browser; the next notebook starts it again.

        While Playwright runs, its event loop counts as the main thread's running loop, and `asyncio.run` is refused.
        """
        browser, self._browser = self._browser, None
        playwright, self._playwright = self._playwright, None
        if browser is not None:
            browser.close()
        if playwright is not None:
            playwright.stop()

    def close(self) -> None:
        """End browser and server."""
        self.park()
        server, self._server = self._server, None
        if server is not None:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()

    def context(self, notebook: Notebook, kernel: bool) -> BrowserContext:
        """A browser profile that nobody used before."""
        self.start_browser()
        assert self._browser is not None
        width, height = notebook.viewport
        context = self._browser.new_context(viewport={"width": width, "height": height}, locale="en-US")
        context.set_default_timeout(20_000)
        here = Path(__file__).parent
        context.add_init_script(path=here / "lab.js")
        if not kernel:
            context.add_init_script(path=here / "no_kernel.js")
        return context

    def address(self, notebook: Notebook) -> str:
        """The URL of a notebook. In JupyterLab every notebook has a workspace of its own, so that a reload restores it."""
        path = notebook.path.relative_to(self.root).as_posix()
        workspace = path.split("/")[0]
        return self.url + {"lab": f"/lab/workspaces/{workspace}/tree/{path}", "notebook": f"/notebooks/{path}"}[notebook.app]

    def give_kernel(self, env: Mapping[str, str]) -> None:
        """Set the variables of the kernels that start from now on."""
        folder = self.room / "path" / "kernels" / "python3"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "kernel.json").write_text(json.dumps(get_kernel_dict() | {"env": dict(env)}), "utf-8")

    def connection_file(self, kernel_id: str) -> Path:
        return self.room / "runtime" / f"kernel-{kernel_id}.json"

    def _show(self, notebook: Notebook, kernel: bool, timeout: float) -> Notebook:
        self.notebooks.append(notebook)
        notebook.show(kernel, timeout)
        return notebook

    def _start_server(self) -> None:
        for folder in ("root", "config", "data", "runtime", "settings", "workspaces", "ipython", "path"):
            (self.room / folder).mkdir(parents=True, exist_ok=True)
        for plugin, values in _SETTINGS.items():
            file = self.room / "settings" / f"{plugin}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values), "utf-8")
        self.give_kernel({})
        env = {key: value for key, value in os.environ.items() if not key.startswith(("PIXAPI_", "JUPYTER"))} | {
            "JUPYTER_CONFIG_DIR": str(self.room / "config"),
            "JUPYTER_DATA_DIR": str(self.room / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.room / "runtime"),
            "JUPYTER_PATH": str(self.room / "path"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.room / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.room / "workspaces"),
            "IPYTHONDIR": str(self.room / "ipython"),
        }
        for _ in range(3):  # another process may take the free port first
            if self._launch(_free_port(), env):
                return
        raise RuntimeError(f"JupyterLab did not start:\n{self.log[-3000:]}")

    def _launch(self, port: int, env: Mapping[str, str]) -> bool:
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"]
        command += ["--JupyterNotebookApp.expose_app_in_browser=True"]
        command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.root}"]
        command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"]
        command += ["--ServerApp.terminals_enabled=False", "--LabApp.news_url=", "--LabApp.extension_manager=readonly"]
        command += [f"--ServerApp.shutdown_no_activity_timeout={_ABANDONED}"]
        command += [f"--MappingKernelManager.cull_idle_timeout={_ABANDONED}", "--MappingKernelManager.cull_connected=True"]
        with (self.room / "jupyter.log").open("ab") as log:
            server = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root, env=env, start_new_session=True
            )
        url = f"http://127.0.0.1:{port}"
        until(lambda: server.poll() is not None or _answers(url), 90, lambda: f"JupyterLab's start:\n{self.log[-3000:]}")
        if server.poll() is not None:
            return False
        self._server, self._url = server, url
        return True


def require_browser(error: NoBrowser) -> NoReturn:
    """Without a browser: skip if PIXAPI_TESTS_NO_BROWSER=1 allows it, fail otherwise."""
    if os.environ.get("PIXAPI_TESTS_NO_BROWSER") == "1":
        pytest.skip(str(error))
    pytest.fail(f"{error} (PIXAPI_TESTS_NO_BROWSER=1 skips the browser tests)", pytrace=False)


def _notebook(source: Sequence[str] | Path | NotebookNode, trusted: bool) -> NotebookNode:
    if isinstance(source, Path):
        notebook = read_notebook(source)
    else:
        notebook = deepcopy(source) if isinstance(source, NotebookNode) else notebook_of(source)
    notebook.metadata["kernelspec"] = dict(KERNELSPEC)  # without one, JupyterLab asks for a kernel
    if not trusted:
        notebook.metadata["unsigned"] = time.time_ns()  # the signature is over everything, and nobody signed this
    return notebook


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/status", timeout=1).is_success
    except httpx.HTTPError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
