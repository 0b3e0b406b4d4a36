"""Cells that await: how a cell magic, which IPython calls synchronously, can let the kernel go on meanwhile.

IPython has no asynchronous magics. A transformer that runs after IPython's own sees the call which that has written for a
`%%pixapi` cell, and puts an `await` before it. Only for the outermost cell of a kernel: magics that wrap a cell run it
synchronously, and a terminal would answer an interrupt with a stack of asyncio.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Awaiting"]

_PLAIN = "get_ipython().run_cell_magic('pixapi', "
_AWAITED = "await get_ipython().run_cell_magic('pixapi_awaited', "
_EMPTY, _BLANK = ", '')\n", ", '\\n')\n"  # IPython refuses an empty body in words that would name the wrong magic


class Awaiting:
    """The transformer, and the events by which it knows whether a cell is running."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._running = 0

    def install(self) -> None:
        self._shell.events.register("pre_run_cell", self._before)
        self._shell.events.register("post_run_cell", self._after)
        self._shell.input_transformers_post.append(self.transform)

    def remove(self) -> None:
        self._shell.events.unregister("pre_run_cell", self._before)
        self._shell.events.unregister("post_run_cell", self._after)
        self._shell.input_transformers_post.remove(self.transform)

    def _before(self, _info: Any) -> None:
        self._running += 1

    def _after(self, _result: Any) -> None:
        self._running = max(0, self._running - 1)  # the cell that loads the extension ends without having begun

    def transform(self, lines: list[str]) -> list[str]:
        """Put the `await` where it can be."""
        if not lines or not lines[0].startswith(_PLAIN):
            return lines
        first = lines[0].removesuffix(_EMPTY) + _BLANK if lines[0].endswith(_EMPTY) else lines[0]
        return [_AWAITED + first.removeprefix(_PLAIN) if self._possible() else first, *lines[1:]]

    def _possible(self) -> bool:
        shell = self._shell
        asynchronous = str(shell.loop_runner) == "asyncio"
        return getattr(shell, "kernel", None) is not None and shell.autoawait and asynchronous and not self._running
