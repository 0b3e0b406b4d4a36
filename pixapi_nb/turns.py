"""Whose turn it is to speak to the server: one job alone, or many jobs that share one pace. On the I/O thread."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

import anyio

from pixapi_nb.errors import PixapiError, RateLimited, UsageError
from pixapi_nb.pace import Pace, Questions
from pixapi_nb.polling import LONGEST, SHORTEST, wished

__all__ = ["NOT_SENT", "Alone", "Shared", "Turns", "Withdrawn"]


NOT_SENT = "it was not sent."


class Withdrawn(UsageError):
    """A job was given up before anything was sent."""


class Turns(Protocol):
    """What a job asks before it speaks, and tells when it was answered."""

    async def pay(self) -> float:
        """Wait until a paid request may be sent; returns the time, by which `answered` knows it again."""

    def unsent(self) -> None:
        """It is not sent after all."""

    def answered(self, sent: float, error: PixapiError | None) -> None:
        """What became of it; None: accepted."""

    async def pause(self, seconds: float) -> None:
        """Wait before the paid request is sent again; shorter, where nothing is to be sent any more."""

    async def ask(self, wait: float, *, first: bool = False) -> None:
        """Wait `wait` seconds, or longer, before a question about a task; `first`: nothing is known of it yet."""

    def told(self, error: PixapiError | None) -> None:
        """How the question was answered."""


class Alone:
    """The turns of a job by itself."""

    async def pay(self) -> float:
        return 0.0

    def unsent(self) -> None:
        pass

    def answered(self, sent: float, error: PixapiError | None) -> None:
        pass

    async def pause(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def ask(self, wait: float, *, first: bool = False) -> None:
        await anyio.sleep(wait)

    def told(self, error: PixapiError | None) -> None:
        pass


class Shared:
    """The turns of many jobs: `pace` for what is paid, `questions` for the rest. `typical` is a job's length so far."""

    def __init__(self) -> None:
        self.pace, self.questions = Pace(), Questions()
        self.typical: float | None = None
        self._closed = False
        self._change = asyncio.Event()
        self._in_line = asyncio.Lock()

    async def pay(self) -> float:
        async with self._in_line:  # first come, first served
            while not self._closed and (delay := self.pace.delay(time.monotonic())) != 0.0:
                await self._wait(delay)
            if self._closed:
                raise Withdrawn(NOT_SENT)
            now = time.monotonic()
            self.pace.sent(now)
            return now

    def unsent(self) -> None:
        self.pace.unsent()
        self._change.set()

    def answered(self, sent: float, error: PixapiError | None) -> None:
        if error is None:
            self.pace.accepted(sent, time.monotonic())
        elif isinstance(error, RateLimited):
            self.pace.refused(sent, time.monotonic(), error.retry_after)
        else:
            self.pace.over()
        self._change.set()

    async def pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._closed and (left := end - time.monotonic()) > 0:
            await self._wait(left)

    async def room(self, under_way: Callable[[], int]) -> None:
        """Wait until one more job may begin."""
        while not self._closed and not self.pace.has_room(under_way()):
            await self._wait(None)

    def ended(self) -> None:
        """A job has ended: there may be room."""
        self._change.set()

    def close(self) -> None:
        """Nothing paid is sent any more. What was accepted goes on."""
        self._closed = True
        self._change.set()

    async def _wait(self, seconds: float | None) -> None:
        self._change.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._change.wait(), seconds)

    async def ask(self, wait: float, *, first: bool = False) -> None:
        if first and self.typical is not None:
            wait = min(LONGEST, max(SHORTEST, self.typical))
        await anyio.sleep(wait)
        await anyio.sleep(self.questions.slot(time.monotonic()))

    def told(self, error: PixapiError | None) -> None:
        if isinstance(error, RateLimited):
            self.questions.refused(time.monotonic(), wished(error.retry_after))
        elif error is None:
            self.questions.answered()

    def learn(self, seconds: float, *, at_once: bool) -> None:
        """A job was seen to be done so long after it was sent; `at_once`: by the first question, so it took less."""
        if self.typical is None:
            self.typical = seconds
        else:
            self.typical *= 0.97 if at_once else 0.8 + 0.2 * seconds / self.typical
