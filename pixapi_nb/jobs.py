"""A Job: one paid request, from the intent to the files. It stands for its result, and waits when it must.

What happens to it is one stream of typed events (`events`); everything that watches a job reads that stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, overload

from pixapi_nb import portal, show
from pixapi_nb.errors import Interrupted, PixapiError, clean
from pixapi_nb.events import (
    Completed,
    Delivered,
    Downloading,
    Event,
    Processing,
    Retrying,
    Sending,
    Stopped,
    Submitted,
)
from pixapi_nb.media import Media
from pixapi_nb.models import Request
from pixapi_nb.polling import Seen
from pixapi_nb.pricing import Price, free_here
from pixapi_nb.wire import LOCAL

__all__ = ["Job"]

_log = logging.getLogger("pixapi_nb")


class Job(Sequence[Media]):
    """One paid request. `len(job)`, `job[0]`, `for picture in job` wait for the result; `await job` and `job.result()` too.

    Attributes: `request` (as sent), `server` (its name), `estimate` (a Price, before), `credits` (charged, after; None
    while unknown), `task_id` (None before acceptance and for synchronous requests), `seconds` it has taken so far,
    `notes` worth showing beside the result.
    """

    def __init__(self, request: Request, *, server: str, estimate: Price, job_id: str | None = None) -> None:
        self.id = job_id or uuid.uuid4().hex[:12]
        self.request = request
        self.server = server
        self.estimate = estimate
        self.created = time.time()
        self.task_id: str | None = None
        self.credits: float | None = None
        self.notes: list[str] = []
        self.reused = False  # answered from an earlier identical request
        self.synchronous = False  # there is no task to come back to
        self.seen: list[Seen] = []
        self._started = time.monotonic()
        self._ended: float | None = None
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._watchers: list[Callable[[Event], None]] = []
        self._future: Future[Job] = Future()
        self._future.set_running_or_notify_cancel()  # whoever stops waiting does not stop the work
        self._media: tuple[Media, ...] = ()

    # -- what it is doing ------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return self._future.done()

    @property
    def error(self) -> PixapiError | None:
        """What it ended with, None while it runs and when it ended well."""
        found = self._future.exception() if self._future.done() else None
        return found if isinstance(found, PixapiError) else None

    @property
    def status(self) -> str:
        """`sending`, `submitted`, `processing`, `downloading`, `completed` or `failed`."""
        for event in reversed(self._events):
            if isinstance(event, Delivered):
                return "completed"
            if isinstance(event, Stopped):
                return "failed"
            if isinstance(event, (Completed, Downloading)):
                return "downloading"
            if isinstance(event, Processing):
                return "processing"
            if isinstance(event, Submitted):
                return "submitted"
            if isinstance(event, (Sending, Retrying)):
                return "sending"
        return "sending"

    @property
    def progress(self) -> float:
        """0 to 100, as the server said last."""
        return 100.0 if self.status == "completed" else self.seen[-1].progress if self.seen else 0.0

    @property
    def seconds(self) -> float:
        """How long it has taken, so far or in all."""
        return (self._ended or time.monotonic()) - self._started

    @property
    def price(self) -> str:
        """In words: what the server charged, and the estimate where it was another one; or the estimate alone."""
        if self.reused:
            return "from the earlier run, 0 credits"
        if self.server == LOCAL:
            return free_here(self.estimate if self.credits is None else Price.of(self.credits))
        if self.credits is None:
            return f"{self.estimate} estimated, the server names no price" if self.done else str(self.estimate)
        charged = Price.of(self.credits)
        return f"{charged}, as estimated" if charged == self.estimate else f"{charged}, estimated {self.estimate}"

    # -- its result ------------------------------------------------------------------------------------------------

    def result(self, timeout: float | None = None) -> Job:
        """Wait until the media are here, and return this job. Raises what it ended with; TimeoutError after `timeout` s.

        The wait may be left at any time: the job goes on. An interrupt raises Interrupted, a KeyboardInterrupt that says so.
        """
        try:
            return portal.wait(self._future, timeout)
        except KeyboardInterrupt:
            raise Interrupted(self.task_id, hint=self.way_back) from None

    @property
    def way_back(self) -> str:
        """How to come back to it."""
        if self.synchronous and self.task_id is None:
            return "There is no task to come back to: it arrives only while this kernel lives."
        return f"Come back to it at any time: %pixapi resume {self.task_id or self.id}"

    def __await__(self) -> Generator[Any, None, Job]:
        return portal.left_alone(self._future, asyncio.get_running_loop()).__await__()

    @property
    def media(self) -> tuple[Media, ...]:
        """What has been received so far; empty until the end. Does not wait."""
        return self._media

    @property
    def data(self) -> tuple[Media, ...]:
        """The result as a tuple (OpenAI's name for it). Waits."""
        return self.result().media

    def save(self, folder: str | Path) -> list[Path]:
        """Copy all media into a folder, which is made if missing; returns the paths. Waits."""
        return [one.save(f"{folder}/") for one in self]

    def __len__(self) -> int:
        return len(self.result().media)

    @overload
    def __getitem__(self, index: int) -> Media: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Media]: ...
    def __getitem__(self, index: int | slice) -> Media | Sequence[Media]:
        return self.result().media[index]

    def __bool__(self) -> bool:
        return True  # asking whether there is a job must not wait for its result

    def renew(self) -> None:
        """Become another job: what it was to be answered from cannot be had. For whoever carries it out."""
        self.id, self.created = uuid.uuid4().hex[:12], time.time()
        self.task_id, self.credits = None, None
        self.seen.clear()

    # -- its events ------------------------------------------------------------------------------------------------

    def watch(self, watcher: Callable[[Event], None]) -> None:
        """Call `watcher` with every event, those that have been first. It runs on the I/O thread and must be quick."""
        with self._lock:
            for event in self._events:
                watcher(event)
            if not self._future.done():
                self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[Event], None]) -> None:
        """Undo `watch`."""
        with self._lock:
            if watcher in self._watchers:
                self._watchers.remove(watcher)

    def events(self) -> Iterator[Event]:
        """Every event from the first to the last (Delivered or Stopped), waiting for those to come."""
        waiting: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.watch(waiting.put)
        try:
            while True:
                event = waiting.get()
                yield event
                if isinstance(event, (Delivered, Stopped)):
                    return
        finally:
            self.unwatch(waiting.put)

    async def aevents(self) -> AsyncIterator[Event]:
        """The same for `async for`."""
        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[Event] = asyncio.Queue()

        def pass_on(event: Event) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed while it watched
                loop.call_soon_threadsafe(waiting.put_nowait, event)

        self.watch(pass_on)
        try:
            while True:
                event = await waiting.get()
                yield event
                if isinstance(event, (Delivered, Stopped)):
                    return
        finally:
            self.unwatch(pass_on)

    def publish(self, event: Event) -> None:
        """Append an event to the stream: for whoever carries the job out, on the I/O thread."""
        ended = isinstance(event, (Delivered, Stopped))
        with self._lock:
            self._note(event)
            self._events.append(event)
            watchers = list(self._watchers)
            if ended:
                self._watchers.clear()
                self._settle(event)
        for watcher in watchers:
            try:
                watcher(event)
            except Exception:  # noqa: BLE001, PERF203  # one that fails does not keep the event from the others
                _log.exception("a watcher of %r failed", self)

    def _note(self, event: Event) -> None:
        now = self.seconds
        if isinstance(event, (Submitted, Processing)):
            self.task_id = event.id
            self.seen.append(Seen(now, event.progress))
        elif isinstance(event, Completed):
            self.task_id = event.id or self.task_id
            self.credits = event.credits
        elif isinstance(event, Delivered):
            self._media = event.media
            self.credits = 0.0 if self.reused else event.credits

    def _settle(self, event: Event) -> None:
        self._ended = time.monotonic()
        if isinstance(event, Stopped):
            self._future.set_exception(event.error)
        else:
            self._future.set_result(self)

    # -- how it shows ----------------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        what = self.task_id or f"job {self.id}"
        count = f", {len(self._media)} {self.request.kind}{'s' if len(self._media) != 1 else ''}" if self._media else ""
        return f"<Job {clean(self.request.model, 60)}: {self.status}{count}, {clean(what, 60)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        if not self._media:
            return {"text/plain": repr(self)}
        here = Path.cwd()  # files beneath it are linked, and named by their relative path
        return show.result(self._media, prompt=self.request.prompt, beside=here) | {"text/plain": repr(self)}
