"""A sweep beneath a cell: its plan, with a button that starts it; the grid while it fills; what stays."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

import anyio
import ipywidgets as w
from IPython.display import display

from pixapi_nb import contact, markup, portal, preview, show_grid, show_parts
from pixapi_nb.errors import Detached, PixapiError
from pixapi_nb.sweep_cells import Cell, columns, estimated
from pixapi_nb.sweep_plan import Page, Plan, in_words
from pixapi_nb.sweeps import Sweep
from pixapi_nb.view.line import Line
from pixapi_nb.view.progress import Progress, close_tree
from pixapi_nb.wire import LOCAL

__all__ = ["GridProgress", "Stand", "SweepView", "await_sweep", "describe", "describe_axes", "show_plan", "wait_for_sweep"]

_TICK = 0.5  # seconds between two looks
_WAKE = 0.15  # as in `cell`
_MOST_LIVE = 400  # places that fill one by one on the page; larger grids show their bar, and their sheet at the end
_FALLBACK_BYTES, _FALLBACK_EDGE = 60_000, 2_000
_MOST_ROWS = 300  # of the table, in the notebook


# -- in words ------------------------------------------------------------------------------------------------------


def describe(sweep: Sweep, since: float) -> Line:
    """How a sweep stands, as the line of a progress. `since`: when it was begun, on the monotonic clock."""
    counts = sweep.counts
    ended = counts.done + counts.failed + counts.unknown
    said = [f"{counts.done} of {counts.total} done"]
    said += [f"{number} {word}" for number, word in _states(sweep) if number]
    return Line(
        percent=100.0 * ended / counts.total,
        state=", ".join(said),
        elapsed=time.monotonic() - since,
        left=None if sweep.done else sweep.left,
        model="sweep",
        price=f"{sweep.spent} so far",
        task_id=None,
        trouble=sweep.stopped.message if sweep.stopped else None,
    )


def _states(sweep: Sweep) -> list[tuple[int, str]]:
    counts = sweep.counts
    return [
        (counts.running, "running"),
        (counts.waiting, "waiting" if not sweep.done else "not sent"),
        (counts.failed, "failed"),
        (counts.unknown, "with an unknown outcome"),
    ]


# -- the plan ------------------------------------------------------------------------------------------------------


def describe_axes(plan: Plan) -> list[tuple[str, Sequence[object]]]:
    """Each axis, and its values."""
    return [(axis.name, [in_words(value) for value in axis.values]) for axis in plan.axes]


def show_plan(sweep: Sweep, remark: str = "") -> None:
    """The axes, the number of requests and the price. It stays above the grid."""
    display(show_grid.plan(describe_axes(sweep.plan), sweep.priced(sweep.price), remark), raw=True)


# -- the grid while it fills -----------------------------------------------------------------------------------------


class Standing(Protocol):
    """Where the widget of a sweep stands, with what stays of it meanwhile."""

    def changed(self, line: Line) -> None:
        """How the sweep stands by now."""

    def end(self, bundle: dict[str, Any]) -> None:
        """What stays in place of the widget."""


Stand = Callable[[w.Widget], Standing]


class GridProgress:
    """A bar, its words, the grid row by row, and buttons. Before the start: only the Start button."""

    def __init__(self, sweep: Sweep, stand: Stand, *, start: Callable[[], None] | None = None) -> None:
        self._sweep, self._stand, self._start = sweep, stand, start
        self._lock = threading.Lock()
        self._leave: Callable[[], None] | None = None
        self._rows: list[tuple[w.HTML, Page, int]] = []
        self._shown: dict[int, tuple[object, ...]] = {}
        self._heads: list[tuple[w.HTML, Page]] = []
        self._size = (0, 0)
        self.box = w.VBox()

    def waiting(self, leave: Callable[[], None] | None) -> None:
        """A cell waits for it: offer to leave."""
        self._leave = leave

    def show(self) -> None:
        """Put it beneath the cell that is running."""
        if self._start is not None:
            begin = w.Button(
                description="Start", button_style="primary", tooltip="Sends the requests above; costs what they cost"
            )
            start = self._start
            begin.on_click(lambda _: start())
            self._message = w.HTML()
            self.box.children = (w.HBox([begin, self._message], layout=w.Layout(align_items="center")),)
        self._place = self._stand(self.box)

    def say(self, text: str) -> None:
        """Beside the Start button: why it did not."""
        self._message.value = str(markup.note(text, "error"))

    def open(self, line: Line) -> None:
        if not hasattr(self, "_place"):
            self.show()
        old = self.box.children
        self._bar = w.FloatProgress(min=0, max=100, layout=w.Layout(width="100%", max_width="512px", height="18px"))
        self._words = w.HTML()
        grid = w.VBox(self._grid(), layout=w.Layout(overflow="auto", margin="6px 0 0 0"))
        self._buttons = w.HBox(self._offered(), layout=w.Layout(margin="4px 0 0 0"))
        self.box.children = (self._bar, self._words, grid, self._buttons)
        for one in old:
            close_tree(one)
        self.update(line)

    def _offered(self) -> list[w.Widget]:
        stop = w.Button(description="Stop", tooltip="Send no more; what was accepted still arrives")
        stop.on_click(lambda _: self._stop(stop))
        if self._leave is None:
            return [stop]
        leave, on = self._leave, w.Button(description="Keep working", tooltip="End this cell; the pictures still arrive here")
        on.on_click(lambda _: leave())
        return [on, stop]

    def _stop(self, button: w.Button) -> None:
        button.disabled = True
        self._sweep.stop()

    def _grid(self) -> list[w.Widget]:
        if len(self._sweep) > _MOST_LIVE:
            return []
        made: list[w.Widget] = []
        for page in self._sweep.pages:
            first = w.HTML()
            self._heads.append((first, page))
            made.append(first)
            for number in range(len(page.cells)):
                one = w.HTML()
                self._rows.append((one, page, number))
                made.append(one)
        return made

    def update(self, line: Line) -> None:
        self._bar.value = max(self._bar.value, line.percent or 0.0)
        self._words.value = show_grid.summary(line.text)
        with self._lock:
            self._draw()
        self._place.changed(line)

    def _draw(self) -> None:
        """Send the rows that have changed."""
        sweep = self._sweep
        size = sweep.cell_size
        if size != self._size:
            self._size = size
            self._shown.clear()
            for html, page in self._heads:
                html.value = show_grid.head(page.columns, size[0], corner=page.corner, title=page.title, labels=any(page.rows))
        for key, (html, page, number) in enumerate(self._rows):
            cells = [sweep[i] for i in page.cells[number]]
            seen = tuple((cell.state, cell.progress if cell.state == "running" else cell.thumb) for cell in cells)
            if self._shown.get(key) != seen:
                self._shown[key] = seen
                html.value = show_grid.row(page.rows[number], [_slot(cell) for cell in cells], size, labels=any(page.rows))

    def leave(self) -> None:
        with self._lock:
            self._leave, old = None, self._buttons.children
            self._buttons.children = old[-1:]
        for one in old[:-1]:
            close_tree(one)

    def close(self, bundle: dict[str, Any]) -> None:
        self._place.end(bundle)
        with self._lock:
            old, self.box.children = self.box.children, ()
        for one in old:
            close_tree(one)
        close_tree(self.box)


def _slot(cell: Cell) -> show_grid.Slot:
    label = ", ".join(f"{name} {in_words(value)}" for name, value in cell.settings.items())
    if cell.state == "running":
        return show_grid.Slot(percent=cell.progress, label=label)
    if cell.state == "waiting":
        return show_grid.Slot(label=label)
    if cell.state == "done":
        return show_grid.Slot(text="" if cell.thumb else "done", thumb=cell.thumb, label=label)
    text = "outcome unknown" if cell.state == "unknown" else cell.error or "failed"
    return show_grid.Slot(text=text, warned=True, label=label)


# -- the view ------------------------------------------------------------------------------------------------------


class SweepView:
    """Shows a sweep in a progress until it ends, then what stays. `shown` is settled when that stands there."""

    def __init__(self, sweep: Sweep, *, beside: Path, alone: bool = False) -> None:
        self.sweep = sweep
        self.left = alone  # whether no cell waits
        self.shown: Future[None]
        self._beside = beside
        self._progress: Progress

    def open(self, progress: Progress) -> None:
        """Show it, and start to keep it up to date."""
        self._progress = progress
        self._since = time.monotonic()
        progress.open(describe(self.sweep, self._since))
        self.shown = portal.run(self._live)

    def leave(self) -> None:
        """No cell waits any more; the pictures still arrive."""
        self.left = True
        self._progress.leave()

    async def _live(self) -> None:
        ended = asyncio.ensure_future(_settled(self.sweep))
        while not ended.done():
            with anyio.move_on_after(_TICK):
                await asyncio.shield(ended)
            if not ended.done():
                with contextlib.suppress(Exception):  # a page that cannot be drawn does not end the sweep's view
                    await asyncio.to_thread(self._progress.update, describe(self.sweep, self._since))
        bundle = await asyncio.to_thread(self.bundle)
        await asyncio.to_thread(self._progress.close, bundle)

    def bundle(self) -> dict[str, Any]:
        """What stays beneath the cell."""
        sweep = self.sweep
        line = describe(sweep, getattr(self, "_since", time.monotonic()))
        if not sweep.counts.done and not sweep.counts.failed and not sweep.counts.unknown:
            return show_parts.stopped(line.state, sweep.stopped.message if sweep.stopped and self.left else "")
        size = sweep.cell_size
        large = size[0] * contact.DENSITY, size[1] * contact.DENSITY
        tiles, weight = sweep.tiles(), preview.BUDGET // len(sweep.pages)
        sheets = []
        for page in sweep.pages:
            picture = preview.encode(contact.block(page, tiles, large, contact.GREY), weight)
            sheets.append(show_grid.Sheet(page.rows, page.columns, picture, page.corner, page.title))
        names = columns(axis.name for axis in sweep.plan.axes).values()
        said = _said(sweep)
        made = show_grid.finished(
            sheets,
            size,
            said=said,
            local=sweep.server == LOCAL,
            remarks=_remarks(sweep),
            headers=[*names, "state", "file", "seconds", "credits", "error"],
            rows=[self._row(cell) for cell in sweep[:_MOST_ROWS]],
            hidden=max(0, len(sweep) - _MOST_ROWS),
            file=sweep.sheet_file,
            beside=self._beside,
            plain="\n".join([said, *(text for _, text in _remarks(sweep))]),
        )
        return made | _fallback(sweep)

    def _row(self, cell: Cell) -> Sequence[object]:
        file = show_grid.file_link(cell.files[0], self._beside) if cell.files else ""
        seconds = None if cell.seconds is None else round(cell.seconds, 1)
        error = markup.words(cell.error or "", 160)
        settings = [in_words(value) for value in cell.settings.values()]
        charged = cell.credits if cell.estimate is None else estimated(cell.estimate)
        return [*settings, cell.state, file, seconds, charged, error]


def _fallback(sweep: Sweep) -> dict[str, Any]:
    """The sheet as one small picture, for front ends without HTML."""
    import base64

    try:
        sheet = sweep.contact_sheet()
        sheet.thumbnail((_FALLBACK_EDGE, _FALLBACK_EDGE))
        data, kind = preview.encode(sheet, _FALLBACK_BYTES)
    except Exception:  # noqa: BLE001  # the grid itself is there
        return {}
    return {kind: base64.b64encode(data).decode()}


def _said(sweep: Sweep) -> str:
    counts = sweep.counts
    states = [f"{number} {word}" for number, word in _states(sweep) if number]
    return " · ".join([f"{counts.done} of {counts.total} done", *states, sweep.spent, sweep.id])


def _remarks(sweep: Sweep) -> list[tuple[str, str]]:
    counts, found = sweep.counts, []
    if sweep.stopped is not None:
        found.append(("warning", f"No more was sent: {sweep.stopped.message}"))
    if counts.waiting:
        found.append(("info", f"{counts.waiting} of {counts.total} were not sent. %pixapi resume {sweep.id} sends them."))
    if counts.failed:
        found.append(("info", f"{counts.failed} failed; the table says why. .retry() on the sweep sends those again."))
    if counts.unknown:
        what = f"{counts.unknown} {'has' if counts.unknown == 1 else 'have'} an unknown outcome: perhaps accepted and charged."
        what += " What may have been is never sent again by itself."
        found.append(("warning", what))
    return found


async def _settled(sweep: Sweep) -> None:
    with contextlib.suppress(PixapiError):
        await sweep


def _detached(sweep: Sweep) -> Detached:
    hint = f"The pictures arrive beneath this cell. Stop ends the sending; %pixapi resume {sweep.id} comes back to it."
    error = Detached(None, hint=hint)
    error.message = f"stopped waiting; the sweep goes on ({sweep.counts.waiting} are still to be sent), and is charged."
    return error


async def await_sweep(view: SweepView) -> Sweep:
    """Wait in an awaited cell. Raises Detached when interrupted, or why no picture came at all."""
    shown = portal.left_alone(view.shown, asyncio.get_running_loop())
    try:
        while not shown.done() and not view.left:
            await asyncio.wait([shown], timeout=_WAKE)
    except asyncio.CancelledError:
        view.leave()
        raise _detached(view.sweep) from None
    if view.left and not shown.done():
        return view.sweep
    await shown
    return view.sweep.result()


def wait_for_sweep(view: SweepView) -> Sweep:
    """The same where the cell cannot await."""
    try:
        portal.wait(view.shown)
    except KeyboardInterrupt:
        view.leave()
        raise _detached(view.sweep) from None
    return view.sweep.result()
