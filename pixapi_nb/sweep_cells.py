"""The places of a sweep as they are at a moment: values, read by tables, contact sheets and views."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pixapi_nb.errors import PixapiError
from pixapi_nb.ledger import Entry
from pixapi_nb.media import Media
from pixapi_nb.pricing import Price
from pixapi_nb.sweep_plan import Place, Plan, Value
from pixapi_nb.turns import NOT_SENT

__all__ = ["Board", "Cell", "Counts", "State", "columns", "coordinates", "estimated"]

State: TypeAlias = Literal["waiting", "running", "done", "failed", "unknown"]

_STATES: dict[str, State] = {  # the ledger's words; all others are failures
    "submitted": "running",
    "completed": "running",
    "delivered": "done",
    "sending": "unknown",
    "unknown": "unknown",
    "closed": "unknown",
}

_OUTCOME = ("state", "file", "files", "seconds", "credits", "error", "task_id")  # what a row says beside the settings


def columns(names: Iterable[str]) -> dict[str, str]:
    """Where each setting stands in a row: under its own name; under `setting_state` where `state` is what came of it."""
    own, found = dict.fromkeys(names), dict[str, str]()
    for name in own:
        column = name
        while column in _OUTCOME or (column != name and column in own):
            column = f"setting_{column}"
        found[name] = column
    return found


def estimated(price: Price) -> str:
    """What should have been charged, in words, where the server names no price."""
    return f"{price} estimated" if price.known else str(price)


@dataclass(frozen=True)
class Cell:
    """One place of a sweep, as it is at a moment. `progress` is 0 to 100; `thumb` a small JPEG.

    `credits` is what the server charged; `estimate` what it should be, where a picture came and the server named no price.
    """

    place: Place
    state: State = "waiting"
    progress: float = 0.0
    job_id: str | None = None
    task_id: str | None = None
    media: tuple[Media, ...] = ()
    seconds: float | None = None
    credits: float | None = None
    estimate: Price | None = None
    error: str | None = None
    thumb: bytes | None = field(default=None, repr=False)

    @property
    def settings(self) -> Mapping[str, Value]:
        """Its value on each axis."""
        return self.place.settings

    @property
    def files(self) -> tuple[Path, ...]:
        """Its files."""
        return tuple(one.path for one in self.media if one.path is not None)

    @property
    def in_short(self) -> str:
        """What stands in its place where there is no picture."""
        if self.state == "done":
            kind = self.media[0].kind if self.media else None
            return "" if self.thumb else "video" if kind == "video" else self.error or ""
        return {"failed": self.error or "failed", "unknown": "outcome unknown"}.get(self.state, self.state)

    def as_row(self) -> dict[str, Any]:
        """As a plain dict: its settings under the names of `columns`, and what came of it."""
        names = columns(self.settings)
        return {
            **{names[name]: value for name, value in self.settings.items()},
            "state": self.state,
            "file": str(self.files[0]) if self.files else None,
            "files": [str(one) for one in self.files],
            "seconds": None if self.seconds is None else round(self.seconds, 2),
            "credits": self.credits,
            "error": self.error,
            "task_id": self.task_id,
        }


@dataclass(frozen=True)
class Counts:
    """How many places are in each state, and the credits charged so far; `estimated`: where the server named no price."""

    waiting: int
    running: int
    done: int
    failed: int
    unknown: int
    credits: float
    estimated: Price = field(default_factory=lambda: Price.of(0))

    @staticmethod
    def of(cells: Sequence[Cell]) -> Counts:
        """Those of these cells."""
        states = [cell.state for cell in cells]
        by = {state: states.count(state) for state in ("waiting", "running", "done", "failed", "unknown")}
        unnamed = (cell.estimate for cell in cells if cell.estimate is not None)
        return Counts(**by, credits=sum(cell.credits or 0.0 for cell in cells), estimated=sum(unnamed, start=Price.of(0)))

    @property
    def total(self) -> int:
        return self.waiting + self.running + self.done + self.failed + self.unknown


def coordinates(place: Place) -> str:
    """A place as the ledger has it."""
    return json.dumps(dict(place.settings), ensure_ascii=False)


def _restored(place: Place, entry: Entry) -> Cell:
    """The cell of a place that the ledger has a job for."""
    state = _STATES.get(entry.state, "failed")
    media = []
    for one in entry.files:
        with contextlib.suppress(OSError, PixapiError):
            media.append(Media.of(Path(one)))
    error = entry.error or {"unknown": "its outcome is unknown.", "failed": "it failed."}.get(state)
    if state == "done" and len(media) < len(entry.files):
        error = "its file is gone."
    return Cell(
        place,
        state,
        job_id=entry.job_id,
        task_id=entry.task_id,
        media=tuple(media),
        credits=entry.credits,
        estimate=_estimate(entry) if state == "done" and entry.credits is None else None,
        seconds=entry.updated - entry.created if state == "done" else None,
        error=None if state == "running" else error,
    )


def _estimate(entry: Entry) -> Price:
    low, high = (None if one is None else Decimal(str(one)) for one in (entry.estimate_low, entry.estimate_high))
    return Price(low, high)


class Board:
    """How all places of a sweep stand. The course writes it, on the I/O thread; everybody may read it.

    `entries` are the jobs that an earlier kernel has paid for, by place; `ends` when each place came to its end, on the
    monotonic clock; `shape` that of the pictures, height by width; `stopped` why no more is sent, though places wait.
    """

    def __init__(self, plan: Plan) -> None:
        self.cells = [Cell(place) for place in plan.places()]
        self.entries: dict[int, Entry] = {}
        self.ends: list[float] = []
        self.shape = plan.shape
        self.stopped: PixapiError | None = None

    def put(self, index: int, **changes: Any) -> None:
        """Change a cell."""
        self.cells[index] = replace(self.cells[index], **changes)

    def clear(self, index: int) -> None:
        """Let a place wait again, as if nothing had been tried."""
        self.cells[index] = Cell(self.cells[index].place)
        self.entries.pop(index, None)

    def restore(self, index: int, entry: Entry) -> None:
        """A place as the ledger has it; of several tries, one that was accepted counts more than one that was not."""
        if self.cells[index].state in ("running", "done") and entry.state in ("refused", "failed"):
            return
        if entry.state == "refused" and NOT_SENT in (entry.error or ""):  # given up while it waited to be sent again
            return
        self.entries[index] = entry
        self.cells[index] = _restored(self.cells[index].place, entry)
