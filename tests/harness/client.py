"""A second client on a notebook's kernel: what a test asks the kernel without the notebook noticing."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from jupyter_client.blocking.client import BlockingKernelClient

from .messages import Run, Shell

if TYPE_CHECKING:
    from typing_extensions import Self


class Attached:
    """A context manager over the connection file of a running kernel."""

    def __init__(self, connection_file: Path) -> None:
        self._client = BlockingKernelClient(connection_file=str(connection_file))
        self._client.load_connection_file()
        self._shell = Shell(self._client)

    def __enter__(self) -> Self:
        self._client.start_channels(hb=False)
        self._shell.connect("control")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._shell.disconnect()
        self._client.stop_channels()

    def execute(self, code: str, value: str = "", *, beside: bool, timeout: float) -> Run:
        """Run silently and wait; on a subshell if `beside`. Raises RuntimeError if the code fails."""
        subshell = self._shell.create_subshell() if beside else None
        run = self._shell.send(code, silent=True, value=value, subshell=subshell)
        self._shell.wait(run, timeout)
        if subshell:
            self._shell.delete_subshell(subshell)
        if run.error:
            raise RuntimeError(f"{run.error.ename}: {run.error.evalue}\n{run.error.traceback}")
        return run
