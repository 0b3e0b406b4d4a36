"""A sweep under way: one prompt, many settings, one labelled grid. Many jobs under one plan, one pace and one budget.

The plan is in the ledger before anything is sent, and so is each place before its request: what a restarted kernel
finishes is exactly what was never sent. A failure stays in its place until `retry()`; an unknown outcome stays for good.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
import weakref
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pixapi_nb import contact, portal
from pixapi_nb.errors import PixapiError, UsageError
from pixapi_nb.ledger import LedgerWarning
from pixapi_nb.pace import time_left
from pixapi_nb.pricing import Price, free_here
from pixapi_nb.session import Options, Session
from pixapi_nb.sweep_cells import Board, Cell, Counts, columns, coordinates, estimated
from pixapi_nb.sweep_course import SweepCourse
from pixapi_nb.sweep_inputs import keep, kept
from pixapi_nb.sweep_plan import Plan, Value, pages
from pixapi_nb.sweep_rows import SweepRow, SweepRows
from pixapi_nb.wire import LOCAL, Server

if TYPE_CHECKING:
    import pandas
    from PIL.Image import Image

__all__ = ["Sweep"]

_ACCEPTED = ("sending", "submitted", "completed", "delivered", "unknown")  # or perhaps
_STILL_HERE = 60.0  # seconds


class Sweep(Sequence[Cell]):
    """Made by `sweep`. A sequence of cells in the order of the plan; `await it` or `.result()` waits for all of them.

    `rows()`, `to_dataframe()` and `contact_sheet()` show what there is so far, and never wait.
    """

    def __init__(self, plan: Plan, own: Session, server: Server, options: Options, *, sweep_id: str | None = None) -> None:
        self.id = sweep_id or f"sweep_{uuid.uuid4().hex[:10]}"
        self.plan = plan
        self.pages = pages(plan)
        self.server = server.name
        self.created = time.time()
        self.sheet_file: Path | None = None
        self._session, self._server, self._options = own, server, options
        self._board = Board(plan)
        self._columns = max(len(page.columns) for page in self.pages)
        self._begun = 0.0
        self._recorded = False  # whether the ledger has it
        self._lock = threading.Lock()
        self._future: Future[Sweep] | None = None
        self._course: SweepCourse | None = None
        _alive[self.id] = self

    # -- before --------------------------------------------------------------------------------------------------------

    @property
    def price(self) -> Price:
        """What the places that wait should cost. Raises UsageError for a request that cannot be sent as it is."""
        total = Price.of(0)
        for cell in self._board.cells:
            if cell.state == "waiting":
                total = total + self._session.checked_price(self.plan.request(cell.place))
        return total

    @property
    def stopped(self) -> PixapiError | None:
        """Why no more is sent, though places wait."""
        return self._board.stopped

    @property
    def started(self) -> bool:
        """Whether anything has been sent, or could have been."""
        return self._future is not None

    @property
    def done(self) -> bool:
        """Whether nothing of it is under way any more."""
        return self._future is not None and self._future.done()

    def start(self) -> Sweep:
        """Send what waits. Costs money; does nothing where it is under way already.

        Raises UsageError for what cannot be sent, where another kernel works on it, and while it is still stopping.
        """
        with self._lock:
            if self._future is not None and not self._future.done():
                if self._stopping:
                    raise UsageError("the sweep is stopping: what was accepted still arrives.", hint="Wait for it: .result().")
                return self
            for cell in self._board.cells:  # what cannot be sent is told before the first is
                if cell.state == "waiting":
                    self._session.accepted_price(self.plan.request(cell.place), self._server, self._options)
            self._write_down()
            self._future = future = Future[Sweep]()
            future.set_running_or_notify_cancel()
            self._board.stopped, self._board.ends, self._begun = None, [], time.monotonic()
            edge = contact.DENSITY * max(self.cell_size)
            self._course = course = SweepCourse(
                self.id, self.plan, self._session, self._server, self._options, self._board, edge
            )
        portal.run(self._run, course, future)
        return self

    def _write_down(self) -> None:
        """Make it this kernel's, on the books. Another one may have worked on it meanwhile."""
        rows = SweepRows(self._session.ledger)
        if self._recorded:
            if not rows.claim(self.id):
                raise _elsewhere(self.id)
            self._catch_up()
            return
        options = self._options
        kept = {"synchronous": options.synchronous, "reuse": options.reuse, "budget": options.budget}
        plan = {**self.plan.as_json(), "folder": str((options.folder or self._session.folder).absolute()), **kept}
        with contextlib.suppress(LedgerWarning):  # as an error, it comes when all is written down in memory
            rows.add(SweepRow(self.id, self.server, self.created, plan, False, self._session.notebook))
        keep(self._session.home, self.plan.base.inputs)
        self._recorded = True

    def _catch_up(self) -> None:
        """What the ledger knows of places that are not done here: whatever was accepted is brought home, not sent again."""
        places = {coordinates(cell.place): i for i, cell in enumerate(self._board.cells)}
        for entry in self._session.ledger.sweep(self.id):
            index = places.get(entry.place or "")
            if index is not None and self._board.cells[index].state in ("waiting", "failed") and entry.state in _ACCEPTED:
                self._board.restore(index, entry)

    @property
    def _stopping(self) -> bool:
        return self._course is not None and self._course.stopping

    # -- while it runs -------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Send no more. What was accepted goes on and arrives; `start()` and `%pixapi resume` send the rest."""
        if self._course is not None:
            self._course.stop()

    def spend(self, *, budget: float | None, accept_price: bool = False) -> None:
        """Let another budget hold for what is sent from now on; the session's holds all the same."""
        self._options = replace(self._options, budget=budget, accept_price=accept_price)
        if self._course is not None:
            self._course.options = self._options

    def retry(self) -> Sweep:
        """Send the failed places again, and what waits. What was accepted is brought home instead.

        An unknown outcome is not among them.
        """
        with self._lock:
            if self._future is not None and not self._future.done():
                raise UsageError("the sweep is still at it.", hint="Wait for it first: .result().")
            if self._recorded:
                self._catch_up()
            for i, cell in enumerate(self._board.cells):
                if cell.state == "failed":
                    self._board.clear(i)
        return self.start()

    @property
    def counts(self) -> Counts:
        """How it stands."""
        return Counts.of(list(self._board.cells))

    @property
    def left(self) -> float | None:
        """Seconds until the end, None while nobody can know."""
        counts = self.counts
        return time_left(self._begun, self._board.ends, time.monotonic(), counts.waiting + counts.running)

    @property
    def ended(self) -> tuple[float, ...]:
        """When each place came to its end, on the monotonic clock."""
        return tuple(self._board.ends)

    def result(self, timeout: float | None = None) -> Sweep:
        """Wait until nothing is under way. Raises why it stopped if no picture came at all; TimeoutError after `timeout` s.

        What failed is in its cell, and raises nothing. The wait may be left at any time: the sweep goes on.
        """
        return portal.wait(self._started(), timeout)

    def __await__(self) -> Generator[Any, None, Sweep]:
        return portal.left_alone(self._started(), asyncio.get_running_loop()).__await__()

    def _started(self) -> Future[Sweep]:
        if self._future is None:
            raise UsageError("the sweep has not been started.", hint="Press Start beneath its plan, or call .start().")
        return self._future

    # -- what there is -------------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._board.cells)

    @overload
    def __getitem__(self, index: int) -> Cell: ...
    @overload
    def __getitem__(self, index: slice) -> list[Cell]: ...
    def __getitem__(self, index: int | slice) -> Cell | list[Cell]:
        return self._board.cells[index]

    def __bool__(self) -> bool:
        return True

    def at(self, **settings: Value) -> list[Cell]:
        """The cells with these settings: `sweep.at(style="noir")`."""
        return [cell for cell in self._board.cells if all(cell.settings.get(name) == value for name, value in settings.items())]

    def rows(self) -> list[dict[str, Any]]:
        """A plain dict for each place: its settings, `state`, `file`, `files`, `seconds`, `credits`, `error`, `task_id`.

        A setting that has one of these names stands under `setting_state`, `setting_file`, …: nothing hides anything.
        """
        return [cell.as_row() for cell in self._board.cells]

    def to_dataframe(self) -> pandas.DataFrame:
        """`rows()` as a pandas DataFrame, under the same names. Raises UsageError where pandas is not installed."""
        try:
            import pandas
        except ImportError:
            raise UsageError("to_dataframe() needs pandas.", hint="%pip install pandas, or use .rows().") from None
        settings = columns(axis.name for axis in self.plan.axes).values()
        outcome = ("state", "file", "seconds", "credits", "error", "task_id")
        return pandas.DataFrame(self.rows(), columns=[*settings, *outcome])

    def tiles(self) -> dict[int, contact.Tile]:
        """What a contact sheet shows at each place."""
        warned = ("failed", "unknown")
        return {i: contact.Tile(cell.thumb, cell.in_short, cell.state in warned) for i, cell in enumerate(self)}

    @property
    def cell_size(self) -> tuple[int, int]:
        """CSS pixels that each picture takes in the grid, width and height."""
        return contact.cell_size(len(self), self._columns, self._board.shape)

    def contact_sheet(self) -> Image:
        """All pictures that there are, small, as one labelled picture. `.save("sheet.png")` writes it."""
        size = self.cell_size
        large = size[0] * contact.DENSITY, size[1] * contact.DENSITY
        noun = "video" if self.plan.base.kind == "video" else "picture"
        foot = f"{self.server_words}{', '.join(_models(self.plan))} · {_count(self.counts.done, noun)}"
        return contact.sheet(self.pages, self.tiles(), large, title=" ".join(self.plan.template.text.split()), foot=foot)

    def priced(self, price: Price) -> str:
        """A price in words, as it is at this server."""
        return free_here(price) if self.server == LOCAL else str(price)

    @property
    def spent(self) -> str:
        """What it has cost so far, in words: what the server charged, and an estimate where it named no price."""
        counts = self.counts
        charged = Price.of(counts.credits)
        if counts.estimated == Price.of(0) or self.server == LOCAL:
            return self.priced(charged + counts.estimated)
        return (f"{charged} + " if counts.credits else "") + estimated(counts.estimated)

    @property
    def server_words(self) -> str:
        """The mark of what is no model's picture."""
        return "local sketches · " if self.server == LOCAL else ""

    def __repr__(self) -> str:
        counts = self.counts
        said = [f"{counts.done} of {counts.total} done"]
        said += [f"{number} {state}" for state in ("failed", "unknown") if (number := getattr(counts, state))]
        state = "" if self.done else ", running" if self.started else ", not started"
        return f"<Sweep {self.id}: {', '.join(said)}{state}>"

    # -- while nobody looks --------------------------------------------------------------------------------------------

    async def _run(self, course: SweepCourse, future: Future[Sweep]) -> None:
        alive = asyncio.create_task(self._stay_alive())
        try:
            await course.run()
            await asyncio.to_thread(self._finish)
        except Exception as error:  # noqa: BLE001  # a fault of ours: nobody must wait for ever
            self._board.stopped = self.stopped or PixapiError(f"the sweep failed: {type(error).__name__}: {error}")
        finally:
            alive.cancel()
        if self.stopped is not None and not self.counts.done:
            future.set_exception(self.stopped)
        else:
            future.set_result(self)

    async def _stay_alive(self) -> None:
        """Say on the books, every minute, that somebody works on it: other hosts cannot see our process."""
        while True:
            await asyncio.sleep(_STILL_HERE)
            with contextlib.suppress(Exception):  # a ledger in trouble says so where it matters
                await asyncio.to_thread(SweepRows(self._session.ledger).claim, self.id)

    def _finish(self) -> None:
        ended = not self.counts.waiting
        with contextlib.suppress(Exception):  # a sheet that cannot be drawn or written costs nobody the sweep
            folder = self._options.folder or self._session.folder
            if self.counts.done:
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / f"{self.id}.png"
                self.contact_sheet().save(path, optimize=False)
                self.sheet_file = path
        SweepRows(self._session.ledger).release(self.id, ended=ended)
        if ended:
            self._board.entries.clear()

    # -- coming back ---------------------------------------------------------------------------------------------------

    @staticmethod
    def half_done(own: Session, server: Server) -> list[SweepRow]:
        """The sweeps at a server that have places left, and that no other kernel works on."""
        return SweepRows(own.ledger).half_done(server.name)

    @staticmethod
    def resumed(row: SweepRow, own: Session, server: Server, options: Options) -> Sweep:
        """A sweep from the ledger, ready to `start()`: what was paid for comes home, what was never sent is asked for.

        Raises UsageError where another kernel works on it, or where its input pictures are gone.
        """
        known = _alive.get(row.sweep_id)
        if known is not None and known.belongs_to(own):
            if known.started and not known.done and known._stopping:  # noqa: SLF001  # our own
                raise UsageError(f"{row.sweep_id} is stopping: what was accepted still arrives.", hint="Resume it after that.")
            budget = known._options.budget if options.budget is None else options.budget  # noqa: SLF001
            known.spend(budget=budget, accept_price=options.accept_price)
            return known
        images = kept(own.home, row.plan.get("inputs", []))
        if not SweepRows(own.ledger).claim(row.sweep_id):
            raise _elsewhere(row.sweep_id)
        options = replace(
            options,
            folder=Path(row.plan["folder"]),
            synchronous=bool(row.plan.get("synchronous")),
            reuse=bool(row.plan.get("reuse")),
            budget=row.plan.get("budget") if options.budget is None else options.budget,
        )
        made = Sweep(Plan.from_json(row.plan, images), own, server, options, sweep_id=row.sweep_id)
        made.created, made._recorded = row.created, True
        places = {coordinates(cell.place): i for i, cell in enumerate(made)}
        for entry in own.ledger.sweep(row.sweep_id):
            index = places.get(entry.place or "")
            if index is not None:
                made._board.restore(index, entry)
        return made

    @staticmethod
    def give_up(row: SweepRow, own: Session) -> None:
        """Take a half-done sweep off the books: what was never sent will not be. Raises UsageError while it is under way."""
        known = _alive.get(row.sweep_id)
        if known is not None and known.belongs_to(own) and known.started and not known.done:
            raise UsageError(f"{row.sweep_id} is under way.", hint="Stop it first: the button beneath it, or .stop().")
        if not SweepRows(own.ledger).claim(row.sweep_id):
            raise _elsewhere(row.sweep_id)
        SweepRows(own.ledger).release(row.sweep_id, ended=True)

    def belongs_to(self, own: Session) -> bool:
        """Whether it is a sweep of this session."""
        return self._session is own


def _elsewhere(sweep_id: str) -> UsageError:
    return UsageError(f"{sweep_id} is being worked on by another kernel.", hint="Interrupt it there first.")


_alive: weakref.WeakValueDictionary[str, Sweep] = weakref.WeakValueDictionary()


def _models(plan: Plan) -> list[str]:
    varied = next((axis.values for axis in plan.axes if axis.name == "model" and axis.what == "field"), None)
    return [str(value) for value in varied] if varied else [plan.base.model]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
