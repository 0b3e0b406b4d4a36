"""The course of a sweep: its places, each a job, under one pace. It runs on the I/O thread and writes the board."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

from pixapi_nb import contact, portal
from pixapi_nb.errors import (
    BudgetExceeded,
    InsufficientCredits,
    MissingKey,
    NotSent,
    OutcomeUnknown,
    PixapiError,
    TaskFailed,
    Unauthorized,
)
from pixapi_nb.events import Completed, Event, Processing, Sending, Submitted
from pixapi_nb.jobs import Job
from pixapi_nb.ledger import Entry
from pixapi_nb.media import Media
from pixapi_nb.preview import UnreadableError
from pixapi_nb.session import Options, Session
from pixapi_nb.sweep_cells import Board, coordinates
from pixapi_nb.sweep_plan import Plan
from pixapi_nb.turns import Shared, Withdrawn
from pixapi_nb.wire import Server

__all__ = ["SweepCourse"]

_log = logging.getLogger("pixapi_nb")

# What befalls one would befall all that follow.
_FOR_ALL = (BudgetExceeded, InsufficientCredits, MissingKey, NotSent, Unauthorized)
_MANY_UNKNOWN = 5  # unknown outcomes in a row, with no acceptance between them: the line is bad, and each may cost money


class SweepCourse:
    """Carries out what waits on a board. `options` hold for what is sent from then on; `edge` is a thumbnail's, in pixels."""

    def __init__(
        self, sweep_id: str, plan: Plan, own: Session, server: Server, options: Options, board: Board, edge: int
    ) -> None:
        self.options = options
        self.stopping = False
        self._id, self._plan, self._session, self._server, self._board, self._edge = sweep_id, plan, own, server, board, edge
        self._under_way = 0
        self._unknown_in_a_row = 0
        self._shared: Shared | None = None
        self._drawing = asyncio.Semaphore(2)  # pictures that are decoded at once

    def stop(self) -> None:
        """Send no more; from any thread. What was accepted goes on."""
        self.stopping = True
        portal.run(self._close)

    async def _close(self) -> None:
        if self._shared is not None:
            self._shared.close()

    async def run(self) -> None:
        """Until nothing is under way any more. What fails is on the board."""
        self._shared = shared = Shared()
        if self.stopping:
            shared.close()
        running: set[asyncio.Task[None]] = set()
        for index in self._order():
            if self._board.cells[index].state == "waiting":
                await shared.room(lambda: self._under_way)
                if self.stopping or self._board.stopped:
                    break
            self._under_way += 1
            task = asyncio.create_task(self._one(index, shared))
            running.add(task)
            task.add_done_callback(running.discard)
        while running:
            await asyncio.wait(running)

    def _order(self) -> list[int]:
        """What was accepted is brought home first."""
        cells = self._board.cells
        earlier = [i for i in sorted(self._board.entries) if cells[i].state in ("running", "done")]
        return [*earlier, *(i for i, cell in enumerate(cells) if cell.state == "waiting")]

    async def _one(self, index: int, shared: Shared) -> None:
        entry = self._board.entries.get(index)
        try:
            if entry is not None and entry.state == "delivered" and self._is_here(index, entry):
                await self._draw(index)
            else:
                await self._carry_out(index, shared, entry)
        except Exception as error:  # noqa: BLE001  # a fault of ours: its place must not run for ever
            _log.exception("a place of %s failed", self._id)
            self._board.put(index, state="failed", error=f"pixapi_nb failed: {type(error).__name__}.")
        finally:
            self._under_way -= 1
            shared.ended()

    def _is_here(self, index: int, entry: Entry) -> bool:
        """Whether its files are, or nobody could give them again."""
        return entry.task_id is None or len(self._board.cells[index].media) == len(entry.files)

    async def _carry_out(self, index: int, shared: Shared, entry: Entry | None) -> None:
        place = self._board.cells[index].place
        options = replace(self.options, sweep=self._id, place=coordinates(place), turns=shared)
        if any(axis.what == "repeat" and place.settings[axis.name] != 1 for axis in self._plan.axes):
            options = replace(options, reuse=False)  # the same file would stand there twice
        since: list[float] = []
        try:
            if entry is not None:
                job = await asyncio.to_thread(self._session.resume, entry, self._server, options)
            else:
                job = await asyncio.to_thread(self._session.start, self._plan.request(place), self._server, options)
            job.watch(lambda event: self._note(index, job, event, since, shared))
            await job
        except PixapiError as error:
            if entry is not None and entry.state == "delivered":  # its task has ended too, and it is paid for all the same
                await self._draw(index)
            else:
                self._fail(index, error, shared)
            return
        now = time.monotonic()
        charged = entry.credits if entry is not None and job.credits is None else job.credits
        self._board.ends.append(now)
        self._board.put(
            index,
            job_id=job.id,
            task_id=job.task_id,
            media=job.media,
            credits=charged,
            estimate=job.estimate if charged is None else None,
            seconds=now - since[0] if since else job.seconds,
            error=None,
        )
        await self._draw(index)

    def _note(self, index: int, job: Job, event: Event, since: list[float], shared: Shared) -> None:
        if isinstance(event, Sending):
            since[:] = [time.monotonic()]
            self._board.put(index, state="running", job_id=job.id)
        elif isinstance(event, Submitted):
            self._unknown_in_a_row = 0
            since[:] = since or [time.monotonic()]
            self._board.put(index, state="running", job_id=job.id, task_id=event.id)
            shared.ended()  # the window may have grown
        elif isinstance(event, Processing):
            self._board.put(index, state="running", progress=event.progress, task_id=event.id)
        elif isinstance(event, Completed):
            if since:
                shared.learn(time.monotonic() - since[0], at_once=len(job.seen) < 2)
            self._board.put(index, progress=100.0, credits=event.credits)

    def _fail(self, index: int, error: PixapiError, shared: Shared) -> None:
        cell = self._board.cells[index]
        if isinstance(error, (Withdrawn, BudgetExceeded)):
            self._board.clear(index)  # it was never sent
        elif isinstance(error, OutcomeUnknown):
            self._unknown_in_a_row += 1
            self._board.put(index, state="unknown", error=error.message)
        else:
            reason = error.reason if isinstance(error, TaskFailed) and error.reason else error.message
            self._board.put(index, state="failed", error=reason, credits=cell.credits)
        self._board.ends.append(time.monotonic())
        many = self._unknown_in_a_row >= _MANY_UNKNOWN
        if self._board.stopped is None and (many or isinstance(error, _FOR_ALL)):
            self._board.stopped = error
            shared.close()

    async def _draw(self, index: int) -> None:
        """The thumbnail; the picture itself is not kept."""
        cell = self._board.cells[index]
        thumb, note = None, cell.error
        if cell.media:
            async with self._drawing:
                try:
                    found = await asyncio.to_thread(_thumbnail, cell.media[0], self._edge)
                except (PixapiError, UnreadableError) as error:
                    note = f"not shown: {error}"
                else:
                    thumb, self._board.shape = found or (None, self._board.shape)
        self._board.put(index, state="done", progress=100.0, thumb=thumb, error=note)


def _thumbnail(medium: Media, edge: int) -> tuple[bytes, float] | None:
    if medium.kind == "video":
        return contact.video_thumbnail(medium.path, edge) if medium.path else None
    return contact.thumbnail(medium.bytes, edge)
