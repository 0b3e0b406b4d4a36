"""The one course that every job takes: intent → submit → poll → download → files. It runs on the I/O thread.

Paid work is POSTed again only where `polling.may_repeat` says that the server cannot have accepted it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio

from pixapi_nb.errors import (
    APIError,
    DownloadFailed,
    EndpointMissing,
    InternalError,
    ModelUnavailable,
    PixapiError,
    RateLimited,
    TaskFailed,
    UnexpectedAnswer,
    Unreachable,
)
from pixapi_nb.events import Completed, Delivered, Event, Processing, Retrying, Sending, Stopped, Submitted, Trouble
from pixapi_nb.jobs import Job
from pixapi_nb.media import Media
from pixapi_nb.models import Failed, ImageRequest, MediaItem, Request
from pixapi_nb.outputs import Expired, Outputs, fetched, file_stem
from pixapi_nb.polling import backoff, may_repeat, next_poll
from pixapi_nb.wire import Wire

__all__ = ["Course"]

_TRIES = 5  # of a paid POST that the server refused for now
_PATIENCE = 2 * 3600.0  # seconds of trouble in a row while asking about a task
_ODD_ANSWERS = 5  # unreadable answers in a row about one task
_FRESH_URLS = 3  # how often new URLs are asked for


@dataclass
class Course:
    """Carries out one job on one server.

    `synchronous` uses the endpoint without a task; `task_id` comes back to a task instead of sending anything.
    `record` writes an event down before it is told to anybody; `intend` writes down that money is about to be spent, and
    may refuse. Both may block, and run in a worker thread. `finish` completes the files, `explain` an error's way on.
    """

    job: Job
    wire: Wire
    folder: Path
    synchronous: bool = False
    task_id: str | None = None
    intend: Callable[[], None] = lambda: None
    record: Callable[[Event], None] = lambda event: None
    explain: Callable[[PixapiError], None] = lambda error: None
    finish: Callable[[tuple[Media, ...]], None] = lambda media: None
    _chance: random.Random = field(default_factory=random.Random)

    async def run(self) -> None:
        """From the beginning to Delivered or Stopped. Never raises."""
        try:
            if self.task_id is None:
                self.job.request = await self._with_bytes(self.job.request)
                await asyncio.to_thread(self.intend)
                state: Submitted | Processing | Completed = await self._pay()
            else:
                self.job.task_id = self.task_id
                state = await self._retrieve(self.task_id)
                if not isinstance(state, Completed):
                    await self._tell(state)
            done = state if isinstance(state, Completed) else await self._poll(state.id)
            await self._tell(done)
            media = await self._fetch(done)
            await asyncio.to_thread(self.finish, media)
            await self._tell(Delivered(media, done.credits))
        except PixapiError as error:
            await self._stop(error)
        except Exception as error:  # noqa: BLE001  # a fault of ours: it must not leave a cell waiting for ever
            fault = PixapiError(f"pixapi_nb failed: {type(error).__name__}.", hint="Please report this.")
            fault.__cause__ = error
            await self._stop(fault)

    async def _with_bytes(self, request: Request) -> Request:
        """An edit is sent with its pictures: those given by URL are fetched first. (A video's start image may be a URL.)"""
        if not isinstance(request, ImageRequest) or all(image.data is not None for image in request.images):
            return request
        return replace(request, images=tuple([await fetched(self.wire, image) for image in request.images]))

    async def _stop(self, error: PixapiError) -> None:
        task_id = self.job.task_id
        if task_id and not isinstance(error, (TaskFailed, DownloadFailed)):
            error.hint = f"Task {task_id} goes on at the server. Come back to it with %pixapi resume {task_id}"
        if isinstance(error, InternalError) and error.hint is None:
            error.hint = "Nothing was charged, as far as the API's documents say. Run the cell again a little later."
        self.explain(error)
        await self._tell(Stopped(error))

    async def _tell(self, event: Event) -> None:
        await asyncio.to_thread(self.record, event)
        self.job.publish(event)

    async def _pay(self) -> Submitted | Completed:
        """Send the paid request, again only where that cannot pay twice."""
        for attempt in range(1, _TRIES + 1):
            await self._tell(Sending(attempt))
            try:
                return await self._post()
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
                await anyio.sleep(wait)
        raise AssertionError("unreachable")

    async def _post(self) -> Submitted | Completed:
        request = self.job.request
        if self.synchronous or (self.wire.without_async and isinstance(request, ImageRequest)):
            return await self.wire.generate(request)
        try:
            accepted = await self.wire.submit(request)
        except EndpointMissing:
            if not isinstance(request, ImageRequest):
                raise
            self.wire.without_async = True
            self.job.notes.append("this server has no asynchronous endpoints; the synchronous one was used")
            return await self.wire.generate(request)
        await self._tell(accepted)
        return accepted

    async def _poll(self, task_id: str) -> Completed:
        """Ask about the task until it is done."""
        while True:
            await anyio.sleep(next_poll(self.job.seen, self.job.seconds))
            status = await self._retrieve(task_id)
            if isinstance(status, Completed):
                return status
            await self._tell(status)

    async def _retrieve(self, task_id: str) -> Submitted | Processing | Completed:
        """The state of the task, through any trouble on the way. Raises TaskFailed."""
        failures, odd, since = 0, 0, time.monotonic()
        while True:
            try:
                status = await self.wire.retrieve_task(task_id)
            except (RateLimited, InternalError, ModelUnavailable, Unreachable, UnexpectedAnswer) as error:
                trouble: PixapiError = error
                odd += isinstance(error, UnexpectedAnswer)
            except APIError as error:
                if error.status < 500:
                    raise
                trouble = error
            else:
                if isinstance(status, Failed):
                    raise TaskFailed(task_id, status.reason, code=status.code)
                return status
            failures += 1
            if odd >= _ODD_ANSWERS or time.monotonic() - since > _PATIENCE:
                raise trouble
            wait = backoff(failures, self._chance.random(), retry_after=getattr(trouble, "retry_after", None))
            await self._tell(Trouble(failures, max(0.25, wait), trouble))
            await anyio.sleep(max(0.25, wait))

    async def _fetch(self, done: Completed) -> tuple[Media, ...]:
        """All media as files. One that cannot be had does not cost the others; none at all raises DownloadFailed."""
        job, items, received = self.job, done.items, list[Media]()
        for index in range(len(items)):
            media, items = await self._fetch_one(items, index)
            if media is not None:
                received.append(media)
            elif index == len(items) - 1 and not received:
                raise DownloadFailed(_missing(items[index], index, len(items)), task_id=job.task_id)
            else:
                job.notes.append(_missing(items[index], index, len(items)))
        return tuple(received)

    async def _fetch_one(self, items: tuple[MediaItem, ...], index: int) -> tuple[Media | None, tuple[MediaItem, ...]]:
        """Item `index`, and the items as they are now: a URL that has ended is asked for again through the task."""
        outputs, job = Outputs(self.folder, self._tell), self.job
        stem = file_stem(job.request.prompt, job.created, job.id, index, len(items))
        for _ in range(_FRESH_URLS):
            with contextlib.suppress(Expired):
                return await outputs.receive(self.wire, items[index], stem, index, len(items)), items
            if job.task_id is None:
                break
            items = await self._fresh_items(job.task_id, items)
        return None, items

    async def _fresh_items(self, task_id: str, items: tuple[MediaItem, ...]) -> tuple[MediaItem, ...]:
        await anyio.sleep(0.5)
        status = await self._retrieve(task_id)
        fresh = status.items if isinstance(status, Completed) else ()
        return fresh if len(fresh) == len(items) else items


def _missing(item: MediaItem, index: int, count: int) -> str:
    which = f"{index + 1} of {count} " if count > 1 else ""
    what = "the server gives no address for it" if item.url is None else "its address does not work any more"
    return f"result {which}cannot be fetched: {what}."
