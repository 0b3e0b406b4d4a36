"""The I/O thread: one asyncio loop for all HTTP of a process, and how synchronous code waits for it.

The thread is a daemon, starts when first needed, and goes on while the kernel computes. Work that blocks goes through
`asyncio.to_thread`: anyio's own worker threads would keep the interpreter from ending while the loop runs.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import nest_asyncio2
from anyio.from_thread import BlockingPortal, start_blocking_portal

__all__ = ["left_alone", "run", "wait"]

T = TypeVar("T")

_TURN = 0.15  # seconds; without it an interrupt took 5 s and more (measured)

_lock = threading.Lock()
_running: tuple[int, BlockingPortal, object] | None = None


def _portal() -> BlockingPortal:
    global _running
    with _lock:
        # A forked child has the object and not the thread: it starts its own.
        if _running is None or _running[0] != os.getpid():
            opened = start_blocking_portal("asyncio", name="pixapi-io")
            _running = (os.getpid(), opened.__enter__(), opened)  # collecting `opened` would stop the thread
            atexit.register(_stop, os.getpid(), opened)
        return _running[1]


def _stop(pid: int, opened: AbstractContextManager[BlockingPortal]) -> None:
    """At the end of the process. What is under way at the server goes on there."""
    if pid == os.getpid():
        with contextlib.suppress(asyncio.CancelledError):
            opened.__exit__(asyncio.CancelledError, asyncio.CancelledError(), None)


def run(work: Callable[..., Awaitable[T]], *args: Any) -> Future[T]:
    """Run `work(*args)` on the I/O thread."""
    return _portal().start_task_soon(work, *args)


def wait(future: Future[T], timeout: float | None = None) -> T:
    """The future's result, from synchronous code; raises TimeoutError after `timeout` seconds.

    Inside a running loop (a notebook cell) the loop is made re-entrant, so that the user's other tasks go on meanwhile.
    A loop that cannot be patched (uvloop) is simply blocked. Leaving the wait does not stop the work.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        loop = None
    try:
        if future.done() or not isinstance(loop, asyncio.BaseEventLoop):
            return future.result(timeout)
        nest_asyncio2.apply(loop, run_close_loop=True)  # as asyncio.run does by itself
        waiting = loop.create_task(asyncio.wait_for(left_alone(future, loop), timeout))
        try:
            return loop.run_until_complete(waiting)
        finally:
            waiting.cancel()  # an interrupt leaves it behind, and asyncio would print what becomes of it
    except (asyncio.TimeoutError, FutureTimeout):  # three classes on Python 3.10, one later
        if future.done():
            raise
        raise TimeoutError(f"no result within {timeout:g} s; the work goes on.") from None


def left_alone(future: Future[T], loop: asyncio.AbstractEventLoop) -> asyncio.Future[T]:
    """The future, to be awaited on `loop`; cancelling the wait does not cancel the work, and the loop may close before.

    Meanwhile the loop turns: ipykernel cancels a waiting cell from a signal handler, which an idle loop does not notice.
    """
    awaited: asyncio.Future[T] = loop.create_future()

    def pass_on() -> None:
        if awaited.done():
            return
        if future.cancelled():
            awaited.cancel()
        elif (error := future.exception()) is not None:
            awaited.set_exception(error)
        else:
            awaited.set_result(future.result())

    def tell(_: Future[T]) -> None:
        with contextlib.suppress(RuntimeError):  # closed meanwhile: nobody waits there any more
            loop.call_soon_threadsafe(pass_on)

    def turn() -> None:
        if not awaited.done():
            loop.call_later(_TURN, turn)

    if future.done():
        pass_on()
    else:
        future.add_done_callback(tell)
        turn()
    return awaited
