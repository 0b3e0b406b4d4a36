"""Generating while sliding: only where the person has switched it on, after a pause, and one at a time."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import anyio
import ipywidgets as w

from pixapi_nb import portal
from pixapi_nb.jobs import Job
from pixapi_nb.widgets.panel import Order

__all__ = ["Live"]

_PAUSE = 0.8  # seconds without a movement


class Live:
    """`box` is its checkbox. Every stop costs as much as a press of Generate; whatever goes wrong switches it off."""

    def __init__(
        self,
        order: Callable[[], Order],
        carry_out: Callable[[Order], Awaitable[Job | None]],
        telling: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._order, self._carry_out, self._telling = order, carry_out, telling
        self._lock = threading.Lock()
        self._moves = 0
        self._running = False
        self._last: Order | None = None
        self.box = w.Checkbox(
            value=False,
            description="generate while sliding (each stop is a request)",
            indent=False,
            layout=w.Layout(width="auto"),
        )
        self.box.observe(lambda change: self.moved() if change.new else None, "value")

    def moved(self) -> None:
        """A control has moved."""
        with self._lock:
            self._moves += 1
            if not self.box.value or self._running:
                return
            self._running = True
        portal.run(self._follow)

    def stop(self) -> None:
        """Follow no longer."""
        self.box.value = False

    async def _follow(self) -> None:
        """Until the controls rest where the last generation was."""
        while True:
            seen = self._moves
            await anyio.sleep(_PAUSE)
            if seen != self._moves and self.box.value:
                continue
            if not await self._generate() or seen == self._moves:
                with self._lock:
                    if seen == self._moves or not self.box.value:
                        self._running = False
                        return

    async def _generate(self) -> bool:
        order = None
        if self.box.value:
            with self._telling():
                order = self._order()
        if order is None or order == self._last:
            return False
        self._last = order
        job = await self._carry_out(order)
        if job is None or job.error is not None:
            self.box.value = False
        return True
