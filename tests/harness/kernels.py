"""Kernels without a front end: `Kernel` over sockets, and notebooks run by nbclient and by papermill."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from jupyter_client.manager import KernelManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from .files import notebook_of, read_notebook
from .messages import Event, Model, Output, Run, Shell
from .waiting import Late

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")

_FIRST_CELL = 30.0  # seconds
_STARTS = 3


class Kernel:
    """A real kernel, and a client that treats it as JupyterLab does. A context manager."""

    def __init__(self, *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        """`env` is added to the test's environment. `cwd`: its folder (default: the test's)."""
        self._env = dict(os.environ) | dict(env or {})
        self._cwd = str(cwd or Path.cwd())
        self._manager: KernelManager
        self.shell: Shell

    def __enter__(self) -> Self:
        for _ in range(_STARTS):
            self._manager = KernelManager(kernel_name="python3")
            self._start()
            if self._runs_cells():
                return self
            self.close()
        raise AssertionError(f"of {_STARTS} kernels none ran its first cell")

    def _runs_cells(self) -> bool:
        """Of ipykernel 7.1 to 7.3, one kernel in fifty to ninety never runs its first cell, whatever that is, and with nothing
        of ours loaded (Python 3.10, 3.13). A person restarts it."""
        first = self.shell.send("pass", silent=True)
        try:
            self.until(lambda: first.done, _FIRST_CELL)
        except Late:
            return False
        self.shell.events.clear()
        return True

    def _start(self) -> None:
        self._manager.start_kernel(env=self._env, cwd=self._cwd)
        client = self._manager.blocking_client()
        client.start_channels(hb=False)
        self.shell = Shell(client)
        try:
            self.shell.connect(alive=self._manager.is_alive)
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        self.shell.disconnect()
        self.shell.client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    # -- cells

    def run(
        self,
        code: str,
        *,
        allow_stdin: bool = False,
        answers: Sequence[str] = (),
        timeout: float = 60,
        check: bool = False,
    ) -> Run:
        """Run a cell and wait. `answers` are typed into `input()`. `check=True`: an error fails the test."""
        run = self.wait(self.send(code, allow_stdin=allow_stdin or bool(answers), answers=answers), timeout)
        assert not (check and run.error), run.error
        return run

    def send(self, code: str, *, allow_stdin: bool = False, answers: Sequence[str] = ()) -> Run:
        """Send a cell and do not wait."""
        return self.shell.send(code, allow_stdin=allow_stdin, answers=answers)

    def queue(self, codes: Sequence[str], *, timeout: float = 60, allow_stdin: bool = False) -> list[Run]:
        """Send cells at once, as Run All does, and wait for all of them."""
        runs = [self.send(code, allow_stdin=allow_stdin) for code in codes]
        for run in runs:
            self.wait(run, timeout)
        return runs

    def wait(self, run: Run, timeout: float = 60) -> Run:
        """Wait until a run is done."""
        self.until(lambda: run.done, timeout, lambda: f"the end of {run.code!r}; so far:\n{run.text}")
        return run

    def until(self, condition: Callable[[], T], timeout: float = 30, what: str | Callable[[], str] = "the condition") -> T:
        """Read messages until the condition is true; its value."""
        return self.shell.until(condition, timeout, what, self._manager.is_alive)

    def interrupt(self) -> None:
        """SIGINT to the kernel's process group, as JupyterLab's server sends it."""
        self._manager.interrupt_kernel()

    # -- widgets

    @property
    def models(self) -> list[Model]:
        """The widget models that are open."""
        return [model for model in self.shell.models.values() if model.open]

    def model(self, **state: Any) -> Model:
        """The youngest open widget with this state, such as `description="Go"`."""
        return self.shell.model(**state)

    def click(self, description: str) -> None:
        """Click a button; the kernel handles it when it can."""
        model = self.shell.model(description=description, _model_name="ButtonModel")
        self.shell.comm_message(model, {"method": "custom", "content": {"event": "click"}})

    def move(self, description: str, value: Any, *, name: str = "value") -> None:
        """Set a widget's value as its view does."""
        model = self.shell.model(description=description)
        model.state[name] = value
        self.shell.comm_message(model, {"method": "update", "state": {name: value}, "buffer_paths": []})

    # -- the process

    @property
    def pid(self) -> int:
        provisioner = self._manager.provisioner
        assert provisioner is not None
        return int(getattr(provisioner, "pid", 0) or 0)

    def kill(self) -> None:
        """SIGKILL, as the system does when there is no memory left."""
        os.kill(self.pid, signal.SIGKILL)

    @property
    def events(self) -> list[Event]:
        """Every message that was read, in order."""
        return self.shell.events

    @property
    def lost_updates(self) -> list[dict[str, Any]]:
        """Updates of displays that no output has."""
        return self.shell.lost_updates


def nbclient_run(
    source: NotebookNode | Sequence[str] | Path,
    *,
    cwd: Path | None = None,
    timeout: int = 120,
    allow_errors: bool = False,
) -> NotebookNode:
    """Run a notebook as nbclient and nbconvert do; it is returned with its outputs, and not changed on disk."""
    if isinstance(source, Path):
        notebook = read_notebook(source)
    else:
        notebook = source if isinstance(source, NotebookNode) else notebook_of(source)
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        allow_errors=allow_errors,
        resources={"metadata": {"path": str(cwd or Path.cwd())}},
    )
    client.execute()
    return notebook


def papermill_run(
    path: Path, out: Path | None = None, *, parameters: Mapping[str, Any] | None = None, timeout: int = 120
) -> NotebookNode:
    """Run a file with papermill in its own folder; what papermill wrote."""
    import papermill

    out = out or path.with_name(f"{path.stem}-out.ipynb")
    papermill.execute_notebook(
        path,
        out,
        parameters=dict(parameters or {}),
        kernel_name="python3",
        cwd=path.parent,
        progress_bar=False,
        execution_timeout=timeout,
    )
    return read_notebook(out)


def outputs_of(notebook: NotebookNode, index: int) -> list[Output]:
    """The outputs of a code cell of a notebook, in the form that `Kernel` gives."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [
        Output(
            output.output_type,
            text="\n".join(output.traceback) if output.output_type == "error" else output.get("text", ""),
            name=output.get("name", ""),
            data=dict(output.get("data", {})),
            metadata=dict(output.get("metadata", {})),
        )
        for output in cells[index].outputs
    ]
