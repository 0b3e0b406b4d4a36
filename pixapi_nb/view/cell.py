"""One job beneath one cell: progress, then the result, and how a cell waits for it."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

import anyio

from pixapi_nb import portal, show, show_parts
from pixapi_nb.errors import Detached, PixapiError, clean
from pixapi_nb.events import Delivered, Event, Stopped
from pixapi_nb.jobs import Job
from pixapi_nb.view.line import describe
from pixapi_nb.view.progress import Progress
from pixapi_nb.wire import LOCAL

__all__ = ["CellView", "await_view", "wait_for_view"]

T = TypeVar("T")

_TICK = 0.5  # seconds between two looks at the clock
_WAKE = 0.15  # an interrupt is only noticed by a loop that turns (measured: 5 s and more on an idle one)


class CellView:
    """Shows a job in a `Progress` until it ends, then its result. `shown` is settled when the result stands there."""

    def __init__(self, job: Job, *, embed: show.Embed, beside: Path, alone: bool = False) -> None:
        self.job = job
        self.left = alone  # whether no cell waits: then errors are told here
        self.shown: Future[None]
        self._progress: Progress
        self._embed: show.Embed = embed
        self._beside = beside
        self._last: Event | None = None

    def leave(self) -> None:
        """No cell waits any more, by a click or an interrupt; the result still arrives."""
        self.left = True
        self._progress.leave()

    def open(self, progress: Progress) -> None:
        """Show the progress beneath the cell that is running, and start to keep it up to date."""
        self._progress = progress
        self._progress.open(describe(self.job, None))
        self.shown = portal.run(self._live)

    async def _live(self) -> None:
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()

        def note(event: Event) -> None:
            self._last = event
            loop.call_soon_threadsafe(changed.set)

        self.job.watch(note)
        while not isinstance(self._last, (Delivered, Stopped)):
            with anyio.move_on_after(_TICK):
                await changed.wait()
            changed.clear()
            if not isinstance(self._last, (Delivered, Stopped)):
                with contextlib.suppress(Exception):  # a front end that is gone: the work is not, nor is the wait for it
                    self._progress.update(describe(self.job, self._last))
        bundle = await asyncio.to_thread(self.bundle)
        await asyncio.to_thread(self._progress.close, bundle)

    def bundle(self) -> dict[str, Any]:
        """What stays beneath the cell."""
        job = self.job
        if job.error is not None or not job.media:
            said = _in_one_line(job.error) if self.left and job.error else ""
            return show_parts.stopped(describe(job, self._last).text, said)
        return show.result(
            job.media,
            prompt=job.request.prompt,
            caption=caption(job),
            embed=self._embed,
            beside=self._beside,
            inputs=[(image.name, image.data) for image in job.request.inputs if image.data],
        )


def caption(job: Job) -> show.Caption:
    """The line beneath a result."""
    return show.Caption(
        model=clean(job.request.model, 80),
        size=job.request.size,
        seconds=job.seconds,
        credits=job.price,
        note="; ".join(job.notes) or None,
        local=job.server == LOCAL,
    )


def _in_one_line(error: PixapiError) -> str:
    return " ".join(line if line.endswith((".", "!", "?", ":")) else f"{line}." for line in str(error).splitlines())


def _detached(job: Job) -> Detached:
    return Detached(job.task_id, hint=f"It arrives beneath this cell. {job.way_back}")


def _not_sent() -> PixapiError:
    return PixapiError("interrupted; nothing was sent.", hint="Nothing was charged. Run the cell again.")


async def await_start(ready: Future[T]) -> T:
    """What has to be known before anything is sent, in an awaited cell. Raises PixapiError when interrupted."""
    try:
        return await portal.left_alone(ready, asyncio.get_running_loop())
    except asyncio.CancelledError:
        raise _not_sent() from None


def wait_for_start(ready: Future[T]) -> T:
    """The same where the cell cannot await."""
    try:
        return portal.wait(ready)
    except KeyboardInterrupt:
        raise _not_sent() from None


async def await_view(view: CellView) -> Job:
    """Wait in an awaited cell. Raises what the job ended with, or Detached when interrupted."""
    shown = portal.left_alone(view.shown, asyncio.get_running_loop())
    try:
        while not shown.done() and not view.left:
            await asyncio.wait([shown], timeout=_WAKE)
    except asyncio.CancelledError:
        view.leave()
        raise _detached(view.job) from None
    if view.left and not shown.done():
        return view.job
    await shown
    return view.job.result()


def wait_for_view(view: CellView) -> Job:
    """The same where the cell cannot await."""
    try:
        portal.wait(view.shown)
    except KeyboardInterrupt:
        view.leave()
        raise _detached(view.job) from None
    return view.job.result()
