"""An open notebook as its reader has it: `Notebook`, and under it `Cell`.

Cells are code cells, counted from 0 (-1 is the last). Every wait has a deadline and says what it saw last.
"""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from nbformat import NotebookNode
from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Locator, Page
from playwright.sync_api import Error as PlaywrightError

from .client import Attached
from .controls import Checkbox, Dropdown, Slider, TextBox, labelled
from .files import read_notebook
from .waiting import until

if TYPE_CHECKING:
    from .lab import App, Lab

T = TypeVar("T")

_NO_KERNEL = "Cannot read properties of null (reading 'kernel')"
"""The widget extension says so of every notebook that is opened without a kernel."""

_NOISE = (
    "Could not restore the debugger state",  # JupyterLab, of a kernel that restarts or a page that reloads at the wrong moment
)

_NOTEBOOK_7 = (
    "reading 'schema'",  # at every start, also of a notebook without any extension
    "Command 'filebrowser:open-path' not registered",  # at some starts
)

DEAD = ("Error displaying widget", "Error creating widget", "Loading widget")


class Image(NamedTuple):
    """0 × 0 is a picture that is not shown."""

    width: int
    height: int
    alt: str


class Video(NamedTuple):
    """`ready` is the browser's readyState: from 2 on, a frame can be seen."""

    ready: int
    width: int
    duration: float


class CellError(NamedTuple):
    """An error output."""

    ename: str
    evalue: str
    traceback: str


class Notebook:
    """One notebook in one tab. `Lab.open` makes it."""

    def __init__(
        self, lab: Lab, path: Path, *, app: App, env: Mapping[str, str], theme: str, viewport: tuple[int, int]
    ) -> None:
        self.lab = lab
        self.path = path
        """The file."""
        self.app = app
        self.env = dict(env)
        self.theme = theme
        self.viewport = viewport
        self.problems: list[str] = []
        """Page errors, errors on the console, and dialogs of the browser. A test's end asserts that there are none: one
        that expects some clears the list."""
        self._context: BrowserContext | None = None
        self._page: Page | None = None
        self._kernel = True

    @property
    def page(self) -> Page:
        """Playwright's page, for what this class lacks."""
        assert self._page is not None, "the tab is closed"
        return self._page

    @property
    def folder(self) -> Path:
        """The notebook's folder, which is its kernel's working directory."""
        return self.path.parent

    @property
    def is_open(self) -> bool:
        return self._page is not None

    # -- cells

    def cell(self, index: int) -> Cell:
        return Cell(self, index)

    @property
    def cells(self) -> list[Cell]:
        return [Cell(self, index) for index in range(self._ask("harness.count()"))]

    def run(self, index: int, *, wait: bool = False, timeout: float = 60) -> Cell:
        """Run one cell; `wait=False` comes back when its request is on the way."""
        self._ask("index => harness.runCell(index)", index)
        if wait:
            self.wait_idle(timeout)
        return self.cell(index)

    def run_all(self, *, wait: bool = False, timeout: float = 60) -> None:
        """Queue all cells at once, as Run All does; with `wait=True`, wait until they have run."""
        self._ask("harness.run('notebook:run-all-cells')")
        if wait:
            self.wait_idle(timeout)

    def wait_idle(self, timeout: float = 60) -> None:
        """Wait until nothing runs and nothing is queued."""
        self.wait(lambda _: self._ask("harness.idle()"), timeout, "an idle notebook")

    def wait(self, condition: Callable[[Notebook], T], timeout: float = 30, what: str = "the condition") -> T:
        """The first true value of `condition(notebook)`."""
        return until(lambda: condition(self), timeout, lambda: f"{what}\n{self.describe()}", self.pause)

    def set_slider(self, index: int, label: str, value: float | str) -> None:
        """Move a slider under a cell with the keyboard."""
        self.cell(index).slider(label).set(value)

    # -- the kernel

    def interrupt(self) -> float:
        """Press Interrupt; the time (`time.monotonic()`) just before."""
        pressed = time.monotonic()
        self.command("notebook:interrupt-kernel")
        return pressed

    def restart(self, timeout: float = 60) -> None:
        """Restart the kernel."""
        self._ask("harness.panel().sessionContext.restartKernel().then(() => null)")
        self._wait_ready(timeout)

    def shutdown_kernel(self) -> None:
        """End the kernel if there is one; the tab may be closed."""
        for session in self._sessions():
            self.lab.ask("DELETE", f"/api/sessions/{session['id']}")

    def execute(self, code: str, *, beside: bool = False, timeout: float = 30) -> str:
        """What `code` prints, run in the notebook's kernel and unseen by the notebook. Raises RuntimeError if it fails.

        It waits for its turn behind running cells; with `beside=True` it runs on a subshell of its own meanwhile
        (ipykernel 7). The tab may be closed.
        """
        with self._attached() as client:
            return client.execute(code, beside=beside, timeout=timeout).stdout

    def value(self, expression: str, *, beside: bool = False, timeout: float = 30) -> Any:
        """The value of an expression in the notebook's kernel, by way of JSON."""
        with self._attached() as client:
            text = client.execute("", f"__import__('json').dumps({expression})", beside=beside, timeout=timeout).value
            return json.loads(ast.literal_eval(text))

    @property
    def kernel_id(self) -> str:
        sessions = self._sessions()
        assert sessions, f"{self.path.name} has no kernel"
        return str(sessions[0]["kernel"]["id"])

    def model_count(self) -> int:
        """How many live widget models the page holds."""
        count = self._ask("harness.models()")
        assert count is not None, "there is no widget manager (no kernel?)"
        return int(count)

    # -- the document

    def save(self, timeout: float = 30) -> NotebookNode:
        """Save, and give what is in the file then."""
        self.command("docmanager:save")
        self.wait(lambda _: not self.dirty, timeout, "the notebook to be saved")
        return read_notebook(self.path)

    @property
    def dirty(self) -> bool:
        """Whether there is something to save."""
        return bool(self._ask("harness.panel().context.model.dirty"))

    def reload(self, timeout: float = 90) -> None:
        """Reload the page. The kernel lives on; outputs that were not saved are gone."""
        self.page.reload()
        self._wait_ready(timeout)

    def close_tab(self) -> None:
        """Close the tab. The kernel lives on."""
        context, self._context, self._page = self._context, None, None
        if context is not None:
            context.close()

    def command(self, name: str, args: Mapping[str, object] | None = None) -> None:
        """Run a command of JupyterLab, as a menu does, and wait until it has run."""
        self._ask("([name, args]) => harness.command(name, args)", [name, dict(args or {})])

    def dialog(self) -> str:
        """The text of JupyterLab's dialog box, if one is open."""
        box = self.page.locator(".jp-Dialog")
        return box.first.inner_text() if box.count() else ""

    def screenshot(self, path: Path) -> Path:
        """A picture of the window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        return path

    def describe(self) -> str:
        """What a failing test shows: the state of each cell, problems, dialogs."""
        try:
            lines = [f"{cell.index} [{cell.state}] {' ⏎ '.join(cell.text().split(chr(10)))[:300]}" for cell in self.cells]
            lines += [f"dialog: {self.dialog()}"] if self.dialog() else []
        except (PlaywrightError, AssertionError) as error:
            lines = [f"(the page cannot be asked: {str(error).splitlines()[0]})"]
        return "\n".join([*lines, *(f"problem: {problem}" for problem in self.problems)])

    def pause(self) -> None:
        """Let the browser go on for a moment."""
        if self._page is None:
            time.sleep(0.03)
        else:
            self._page.wait_for_timeout(30)

    # -- opening

    def show(self, kernel: bool, timeout: float) -> None:
        """Open the tab, and wait until the notebook could be used by a person (`Lab.open`, `Lab.reopen`)."""
        self._kernel = kernel
        address = self.lab.address(self)  # starts the server, whose kernels have no variables yet
        self.lab.give_kernel(self.env)
        self._context = self.lab.context(self, kernel)
        self._page = page = self._context.new_page()
        page.on("pageerror", self._failed)
        page.on("console", self._heard)
        page.on("dialog", self._asked)
        page.goto(address)
        self._wait_ready(timeout)
        self._wear(self.theme)

    def _wait_ready(self, timeout: float) -> None:
        missing = "the page"

        def ready() -> bool:
            nonlocal missing
            with suppress(PlaywrightError):  # while the page loads, questions get lost
                missing = self._ask("kernel => window.harness ? harness.missing(kernel) : 'the page'", self._kernel)
                return missing is None
            return False

        until(ready, timeout, lambda: f"{self.path.name} to be ready; missing: {missing}\n{self.describe()}", self.pause)

    def _wear(self, theme: str) -> None:
        if self._ask("document.body.dataset.jpThemeName") != theme:
            self.command("apputils:change-theme", {"theme": theme})
        self.wait(lambda _: self._ask("document.body.dataset.jpThemeName") == theme, 20, theme)

    def _failed(self, error: PlaywrightError) -> None:
        own = self.app == "notebook" and any(noise in error.message for noise in _NOTEBOOK_7)
        if not own and (self._kernel or _NO_KERNEL not in error.message):
            self.problems.append(f"page error: {error.message}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(noise in message.text for noise in _NOISE):
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _asked(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":  # a reload with unsaved changes
            dialog.accept()
        else:
            self.problems.append(f"dialog: {dialog.message}")
            dialog.dismiss()

    def _ask(self, script: str, argument: object = None) -> Any:
        return self.page.evaluate(script, argument)

    def _sessions(self) -> list[dict[str, Any]]:
        path = self.path.relative_to(self.lab.root).as_posix()
        return [session for session in self.lab.sessions() if session["path"] == path]

    def _attached(self) -> Attached:
        return Attached(self.lab.connection_file(self.kernel_id))


class Cell:
    """A code cell and what is under it, as it is at the moment of asking."""

    def __init__(self, notebook: Notebook, index: int) -> None:
        self.notebook = notebook
        self.index = index

    @property
    def locator(self) -> Locator:
        """The cell on the page."""
        return self.notebook.page.locator(".jp-Notebook .jp-CodeCell").nth(self.index)

    @property
    def output(self) -> Locator:
        """Its output area."""
        return self.locator.locator(".jp-OutputArea").first

    def wait(self, condition: Callable[[Cell], T], timeout: float = 30, what: str = "the condition") -> T:
        """The first true value of `condition(cell)`."""
        return self.notebook.wait(lambda _: condition(self), timeout, f"cell {self.index}: {what}")

    # -- as it is seen

    def text(self) -> str:
        """The visible text below the cell."""
        return str(self._seen["text"]).replace("\u200b", "").strip()

    def images(self) -> list[Image]:
        return [Image(*image) for image in self._seen["images"]]

    def videos(self) -> list[Video]:
        return [Video(*video) for video in self._seen["videos"]]

    def bars(self) -> list[float | None]:
        """The progress bars that are shown, in percent; None is one that shows no measure."""
        return list(self._seen["bars"])

    def buttons(self) -> list[str]:
        """What is written on the buttons that are shown."""
        return list(self._seen["buttons"])

    @property
    def dead(self) -> bool:
        """Whether there is a widget without its model ("Error displaying widget", "Loading widget…")."""
        return any(sign in self.text() for sign in DEAD)

    # -- as the document has it

    @property
    def state(self) -> str:
        """`running` (or queued) or `idle`."""
        return str(self._model["state"])

    @property
    def execution_count(self) -> int | None:
        count: int | None = self._model["count"]
        return count

    @property
    def source(self) -> str:
        return str(self._model["source"])

    def outputs(self) -> list[dict[str, Any]]:
        """Its outputs in nbformat's form."""
        return list(self._model["outputs"])

    def stream(self, name: str) -> str:
        """What is under it of `stdout` or `stderr`."""
        return "".join(output["text"] for output in self.outputs() if output.get("name") == name)

    def errors(self) -> list[CellError]:
        return [
            CellError(output["ename"], output["evalue"], "\n".join(output["traceback"]))
            for output in self.outputs()
            if output["output_type"] == "error"
        ]

    # -- what a person does

    def click(self, text: str) -> None:
        """Press the button with this text."""
        self.output.get_by_role("button", name=text).first.click()

    def slider(self, label: str) -> Slider:
        return Slider(labelled(self.output, label, ".widget-hslider, .widget-vslider"))

    def dropdown(self, label: str) -> Dropdown:
        return Dropdown(labelled(self.output, label, ".widget-dropdown"))

    def textbox(self, label: str) -> TextBox:
        return TextBox(labelled(self.output, label, ".widget-text, .widget-textarea"))

    def checkbox(self, label: str) -> Checkbox:
        return Checkbox(labelled(self.output, label, ".widget-checkbox"))

    def screenshot(self, path: Path) -> Path:
        """A picture of the cell with its output."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.locator.screenshot(path=path)
        return path

    @property
    def _seen(self) -> dict[str, Any]:
        seen: dict[str, Any] = self.notebook.page.evaluate("index => harness.seen(index)", self.index)
        return seen

    @property
    def _model(self) -> dict[str, Any]:
        model: dict[str, Any] = self.notebook.page.evaluate("index => harness.state(index)", self.index)
        return model

    def __repr__(self) -> str:
        return f"Cell({self.index})"
