"""The one course that every job takes: intent → submit → poll → download → files. It runs on the I/O thread.

Paid work is POSTed again only where `polling.may_repeat` says that the server cannot have accepted it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import anyio

from pixapi_nb.errors import (
    APIError,
    DownloadFailed,
    EndpointMissing,
    InternalError,
    PixapiError,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
    clean,
)
from pixapi_nb.events import Completed, Delivered, Event, Processing, Retrying, Sending, Stopped, Submitted, Trouble
from pixapi_nb.jobs import Job
from pixapi_nb.media import Media
from pixapi_nb.models import Failed, ImageRequest, MediaItem, Request
from pixapi_nb.outputs import Expired, Outputs, fetched, file_stem
from pixapi_nb.polling import backoff, may_repeat, next_poll, wished
from pixapi_nb.turns import Alone, Turns
from pixapi_nb.wire import Wire

__all__ = ["Course"]

_log = logging.getLogger("pixapi_nb")

T = TypeVar("T")

_TRIES = 5  # of a paid POST that the server refused for now
_PATIENCE = 2 * 3600.0  # seconds of trouble in a row while asking about a task
_LEAST_TRIES = 30  # before that patience ends: a laptop that slept has lost hours, and tried once
_ODD_ANSWERS = 5  # unreadable answers in a row about one task
_PASSING = (408, 425, 429)  # refusals of a question that are over in a while
_GONE_ANSWERS = 3  # "no such task" in a row, before it is believed: a server may know a new task a little late
_ADDRESS_TRIES = 6  # of a medium whose address does not work: a CDN may lag some seconds behind
_LASTING = (Submitted, Completed, Delivered, Stopped)  # what is written down; the others need no worker thread


@dataclass
class Course:
    """Carries out one job on one server.

    `synchronous` uses the endpoint without a task; `task_id` comes back to a task instead of sending anything, or with
    `make_anew` before: where the task cannot give its media again, that is called with the error, which it may raise, and
    the request is sent. `earlier` finds the result of an identical request, once the bytes of all inputs are known.
    `record` writes an event down before it is told to anybody; `intend` writes down that money is about to be spent, and
    may refuse; of a task that comes back, that the server knows it. Both may block, and run in a worker thread. `finish`
    completes the files, `explain` an error's way on.
    `turns` says when it may speak to the server, where many jobs share one pace.
    """

    job: Job
    wire: Wire
    folder: Path
    synchronous: bool = False
    task_id: str | None = None
    make_anew: Callable[[PixapiError], None] | None = None
    earlier: Callable[[Request], Job | None] = lambda request: None
    intend: Callable[[], None] = lambda: None
    record: Callable[[Event], None] = lambda event: None
    explain: Callable[[PixapiError], None] = lambda error: None
    finish: Callable[[tuple[Media, ...]], None] = lambda media: None
    turns: Turns = field(default_factory=Alone)
    _chance: random.Random = field(default_factory=random.Random)

    async def run(self) -> None:
        """From the beginning to Delivered or Stopped. Never raises."""
        try:
            if self.task_id is None:
                await self._make()
            elif self.make_anew is None:
                await self._come_back(self.task_id)
            else:
                await self._make_unless_there(self.task_id, self.make_anew)
        except PixapiError as error:
            await self._stop(error)
        except Exception as error:  # noqa: BLE001  # a fault of ours: it must not leave a cell waiting for ever
            fault = PixapiError(f"pixapi_nb failed: {type(error).__name__}.", hint="Please report this.")
            fault.__cause__ = error
            await self._stop(fault)

    async def _make(self) -> None:
        asked = self.job.request
        self.job.request = await self._with_bytes(asked)
        found = await asyncio.to_thread(self.earlier, self.job.request) if self.job.request is not asked else None
        if found is None:
            await self._deliver(await self._pay())
            return
        self.job.reused, self.job.task_id = True, found.task_id
        await self._tell(Delivered(found.media))

    async def _come_back(self, task_id: str, *, whole: bool = False) -> None:
        self.job.task_id = task_id
        await self.turns.ask(0.0)
        state = await self._retrieve(task_id)
        if self.make_anew is None:
            await asyncio.to_thread(self.intend)
        if not isinstance(state, Completed):
            await self._tell(state)
        await self._deliver(state, whole=whole)

    async def _make_unless_there(self, task_id: str, make_anew: Callable[[PixapiError], None]) -> None:
        self.job.reused = True
        try:
            await self._come_back(task_id, whole=True)
        except (TaskNotFound, TaskFailed, DownloadFailed) as error:
            await self._write_down(Stopped(error))
            make_anew(error)
            self.job.reused = False
            await self._make()

    async def _deliver(self, state: Submitted | Processing | Completed, *, whole: bool = False) -> None:
        """To the end. `whole`: all media or none. Raises what befalls it."""
        done = state if isinstance(state, Completed) else await self._poll(state)
        await self._tell(done)
        media = await self._fetch(done, whole=whole)
        await self._finish(media)
        await self._tell(Delivered(media, done.credits, len(done.items) - len(media)))

    async def _with_bytes(self, request: Request) -> Request:
        """An edit is sent with its pictures: those given by URL are fetched first. (A video's start image may be a URL.)"""
        if not isinstance(request, ImageRequest) or all(image.data is not None for image in request.images):
            return request
        return replace(request, images=tuple([await fetched(self.wire, image) for image in request.images]))

    async def _stop(self, error: PixapiError) -> None:
        task_id = self.job.task_id
        if task_id and not isinstance(error, (TaskFailed, TaskNotFound, DownloadFailed)):
            first = "Set the key with %pixapi login. " if isinstance(error, Unauthorized) else ""
            state = "is kept by" if isinstance(error, UnexpectedAnswer) else "goes on at"
            error.hint = f"{first}Task {task_id} {state} the server. Come back to it with %pixapi resume {task_id}"
        if isinstance(error, InternalError) and error.hint is None:
            error.hint = "Nothing was charged, as far as the API's documents say. Run the cell again a little later."
        try:
            self.explain(error)
        except Exception:  # noqa: BLE001  # an error without its explanation is still one
            _log.exception("an error could not be explained")
        await self._tell(Stopped(error))

    async def _tell(self, event: Event) -> None:
        """Write an event down, then tell it. What is paid for is not given up because either did not work."""
        await self._write_down(event)
        self.job.publish(event)

    async def _write_down(self, event: Event) -> None:
        try:
            if isinstance(event, _LASTING):
                await asyncio.to_thread(self.record, event)
        except RuntimeError:  # the interpreter is ending, and starts no more threads
            with contextlib.suppress(Exception):
                self.record(event)
        except Exception as error:  # noqa: BLE001
            self._note(f"the ledger took no note of it ({type(error).__name__}: {clean(error, 200)})")

    async def _finish(self, media: tuple[Media, ...]) -> None:
        try:
            await asyncio.to_thread(self.finish, media)
        except Exception as error:  # noqa: BLE001  # the media are here: nothing that is done to them may cost them
            self._note(f"no recipe was written ({type(error).__name__})")

    def _note(self, text: str) -> None:
        if text not in self.job.notes:
            self.job.notes.append(text)

    async def _pay(self) -> Submitted | Completed:
        """Send the paid request, again only where that cannot pay twice."""
        for attempt in range(1, _TRIES + 1):
            sent = await self.turns.pay()
            if attempt == 1:
                await self._intend()
            await self._tell(Sending(attempt))
            try:
                return await self._post(sent)
            except (APIError, Unreachable) as error:
                if isinstance(error, APIError):
                    error.attempts = attempt
                if not may_repeat(error):
                    raise
                if attempt == _TRIES:
                    error.message += f" (sent {attempt} times; the server accepted none of them)"
                    raise
                wait = backoff(attempt, self._chance.random(), retry_after=getattr(error, "retry_after", None))
                await self._tell(Retrying(attempt, wait, error))
                await self.turns.pause(wait)
        raise AssertionError("unreachable")

    async def _intend(self) -> None:
        """Last of all: of what was only going to be sent, nobody has to wonder what became of it."""
        try:
            await asyncio.to_thread(self.intend)
        except BaseException:
            self.turns.unsent()
            raise

    async def _post(self, sent: float) -> Submitted | Completed:
        request = self.job.request
        if self.synchronous or (self.wire.async_missed > 1 and isinstance(request, ImageRequest)):
            self.job.synchronous = True
            return await self._answered(sent, self.wire.generate(request))
        try:
            accepted = await self._answered(sent, self.wire.submit(request))
        except EndpointMissing:
            if not isinstance(request, ImageRequest):
                raise
            self.job.synchronous = True
            done = await self._answered(await self.turns.pay(), self.wire.generate(request))
            if not self.wire.async_missed:
                self.job.notes.append("this server has no asynchronous endpoints; the synchronous one was used")
            self.wire.async_missed += 1
            return done
        await self._tell(accepted)
        return accepted

    async def _answered(self, sent: float, answer: Awaitable[T]) -> T:
        """The answer to a paid request; whoever sets the pace hears of it first."""
        try:
            found = await answer
        except BaseException as error:
            self.turns.answered(sent, error if isinstance(error, PixapiError) else PixapiError("lost"))
            raise
        self.turns.answered(sent, None)
        return found

    async def _poll(self, state: Submitted | Processing) -> Completed:
        """Ask about the task until it is done."""
        while True:
            wait = next_poll(self.job.seen, self.job.seconds, retry_after=state.retry_after)
            await self.turns.ask(wait, first=len(self.job.seen) < 2 and state.retry_after is None)
            status = await self._retrieve(state.id)
            if isinstance(status, Completed):
                return status
            state = status
            await self._tell(state)

    async def _retrieve(self, task_id: str) -> Submitted | Processing | Completed:
        """The state of the task, through any trouble on the way. Raises TaskFailed."""
        failures, odd, gone, since = 0, 0, 0, time.monotonic()
        while True:
            try:
                status = await self.wire.retrieve_task(task_id)
                self.turns.told(None)
            except (Unreachable, UnexpectedAnswer) as error:
                trouble: PixapiError = error
                odd, gone = (odd + 1 if isinstance(error, UnexpectedAnswer) else 0), 0
            except APIError as error:
                gone = gone + 1 if isinstance(error, TaskNotFound) else 0
                passing = error.status >= 500 or error.status in _PASSING
                if gone >= _GONE_ANSWERS or (error.documented and not passing and not gone):
                    raise
                # What the API does not document is a gateway's, or the login page of a hotel.
                trouble, odd = error, (0 if passing or gone else odd + 1)
            else:
                if isinstance(status, Failed):
                    raise TaskFailed(task_id, status.reason, code=status.code)
                return status
            self.turns.told(trouble)
            failures += 1
            if odd >= _ODD_ANSWERS or (failures >= _LEAST_TRIES and time.monotonic() - since > _PATIENCE):
                raise trouble
            wish = wished(getattr(trouble, "retry_after", None))
            wait = backoff(failures, self._chance.random(), retry_after=wish)
            await self._tell(Trouble(failures, max(0.25, wait), trouble))
            await self.turns.ask(max(0.25, wait))

    async def _fetch(self, done: Completed, *, whole: bool) -> tuple[Media, ...]:
        """All media as files. One that cannot be had does not cost the others, unless `whole`: then, and where there is none
        at all, DownloadFailed is raised."""
        job, items, received, missing = self.job, done.items, list[Media](), list[str]()
        worst: PixapiError | None = None
        for index in range(len(items)):
            try:
                media, items = await self._fetch_one(items, index)
            except PixapiError as error:  # of this medium's download, or of its task when a new address was asked for
                media, why = None, error.message
                worst = worst or error
            else:
                why = _why_missing(items[index])
            if media is not None:
                received.append(media)
            else:
                which = f"{index + 1} of {len(items)} " if len(items) > 1 else ""
                missing.append(f"result {which}cannot be fetched: {why}")
        if not received and worst is not None and not isinstance(worst, DownloadFailed):
            raise worst
        if not received or (whole and missing):
            raise DownloadFailed(missing[-1], task_id=job.task_id)
        job.notes += missing
        if len(items) < job.request.n:
            self._note(f"the server made {len(items)} of {job.request.n}")
        return tuple(received)

    async def _fetch_one(self, items: tuple[MediaItem, ...], index: int) -> tuple[Media | None, tuple[MediaItem, ...]]:
        """Item `index`, and the items as they are now: a URL that has ended is asked for again through the task."""
        outputs, job = Outputs(self.folder, self._tell, again=self.task_id is not None), self.job
        stem = file_stem(job.request.prompt, job.created, job.id, index, len(items))
        for failures in range(_ADDRESS_TRIES):
            if failures:
                await anyio.sleep(max(0.25, backoff(failures, self._chance.random())))
                if job.task_id is not None:
                    items = await self._fresh_items(job.task_id, items)
            with contextlib.suppress(Expired):
                return await outputs.receive(self.wire, items[index], stem, index, len(items)), items
            if job.task_id is None and items[index].url is None:
                break
        return None, items

    async def _fresh_items(self, task_id: str, items: tuple[MediaItem, ...]) -> tuple[MediaItem, ...]:
        status = await self._retrieve(task_id)
        fresh = status.items if isinstance(status, Completed) else ()
        return fresh if len(fresh) == len(items) else items


def _why_missing(item: MediaItem) -> str:
    return "the server gives no address for it." if item.url is None else "its address does not work any more."
