"""The ledger: what was asked, paid for and received, in `PIXAPI_HOME/ledger.sqlite3`, shared by all kernels.

The intent is written before the request is sent, the task's id as soon as it is known; both survive a power cut.
Never the key, never a signed URL. Every row belongs to a server, and a job counts on the day when it was asked for.
A file that cannot be used costs one warning, and the work goes on in memory (`ledger_file`). Calls may block, and are for
any thread.
"""

from __future__ import annotations

import functools
import json
import os
import re
import socket
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import psutil

from pixapi_nb.errors import (
    APIError,
    BudgetExceeded,
    LocalServerError,
    NotSent,
    PixapiError,
    TaskFailed,
    TaskNotFound,
    UsageError,
    clean,
)
from pixapi_nb.events import Completed, Delivered, Event, Stopped, Submitted
from pixapi_nb.ledger_file import LedgerFile, LedgerWarning
from pixapi_nb.models import Kind

__all__ = ["Entry", "Ledger", "LedgerWarning", "Owner", "Spend", "Spent", "State", "after"]

State: TypeAlias = Literal[
    "sending",  # the intent: written before the request is sent
    "submitted",  # the server has accepted it
    "completed",  # the server is done; not all files are here
    "delivered",
    "refused",  # nothing was sent, or the server said no: 0 credits
    "failed",  # accepted, and could not be done: 0 credits
    "unknown",  # sent, or perhaps sent; reserved until the person closes it
    "lost",  # the server does not know the task any more
    "closed",  # by the person
]

_OPEN = ("sending", "submitted", "completed", "unknown")
_ELSEWHERE = 600.0  # seconds that a kernel on another host counts as alive after its last word
_DRIFT = 5.0  # seconds; a process's start is counted from the time of boot, which moves when the clock is set
_CANDIDATES = 5  # that an ambiguous id names


class Spent(NamedTuple):
    """Credits: what was charged, and what is reserved for work that is open."""

    charged: float
    reserved: float


@dataclass(frozen=True)
class Spend:
    """What `count` jobs cost at a server; `name` is the model, the notebook (None: no notebook), or the day (2026-11-22).

    `estimated` is the part of `charged` that the server did not confirm, `unpriced` how many jobs have no price at all.
    """

    server: str
    name: str | None
    count: int
    charged: float
    estimated: float
    reserved: float
    unpriced: int


@dataclass(frozen=True)
class Owner:
    """The kernel that wrote an intent. A process id alone may belong to somebody else by now."""

    pid: int
    started: float
    host: str

    @staticmethod
    def current() -> Owner:
        """This process."""
        return _owner(os.getpid())

    def is_alive(self, updated: float, now: float) -> bool:
        """Whether it still runs; from another host that cannot be seen, and is believed for ten minutes."""
        if self.host != Owner.current().host:
            return now - updated < _ELSEWHERE
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < _DRIFT
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


@functools.lru_cache(maxsize=1)
def _owner(pid: int) -> Owner:
    return Owner(pid, psutil.Process(pid).create_time(), socket.gethostname())


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One job. Times are seconds since 1970 (UTC), prices credits; every field is a column of the same name."""

    job_id: str
    server: str
    created: float
    updated: float = 0.0
    notebook: str | None = None
    kind: Kind
    model: str
    endpoint: Literal["sync", "async"]
    request: Mapping[str, Any]  # the fields sent; "inputs": [{"name", "sha256"}]
    digest: str  # identical requests have the same
    estimate_low: float | None = None
    estimate_high: float | None = None  # None: unknown or open
    state: State = "sending"
    task_id: str | None = None
    credits: float | None = None  # charged, as far as the server said
    files: tuple[str, ...] = ()  # absolute paths
    error: str | None = None
    sweep: str | None = None
    place: str | None = None  # JSON: its coordinates in the sweep
    owner: Owner = field(default_factory=Owner.current)


def after(entry: Entry, event: Event) -> Entry:
    """The row after an event. Nothing moves back from its end, but files that did arrive, and charges, always count."""
    is_open = entry.state in _OPEN
    match event:
        case Submitted():
            waiting = entry.state in ("sending", "unknown")
            return replace(entry, state="submitted" if waiting else entry.state, task_id=entry.task_id or event.id)
        case Completed():
            state: State = "completed" if is_open else entry.state
            charged = entry.credits if event.credits is None else event.credits
            return replace(entry, state=state, task_id=entry.task_id or event.id, credits=charged)
        case Delivered():
            files = tuple(str(one.path.absolute()) for one in event.media if one.path)
            charged = entry.credits if event.credits is None else event.credits
            # What is not all in files can be fetched again, where there is a task to ask.
            whole = len(files) == len(event.media) + event.missing or entry.task_id is None
            return replace(entry, state="delivered" if whole else "completed", files=files, credits=charged, error=None)
        case Stopped() if is_open:
            state = _stopped(entry.state, event.error)
            charged = 0.0 if state in ("refused", "failed") and entry.credits is None else entry.credits
            return replace(entry, state=state, credits=charged, error=_unsigned(clean(event.error.message)))
    return entry


def _stopped(state: State, error: PixapiError) -> State:
    if isinstance(error, TaskFailed):
        return "failed"
    if isinstance(error, TaskNotFound):
        return "lost"
    if state != "sending":
        return state  # it was accepted, and can be resumed
    return "refused" if isinstance(error, (APIError, NotSent, UsageError, LocalServerError)) else "unknown"


class Ledger:
    """Made by `Ledger.open`."""

    def __init__(self, file: LedgerFile, clock: Callable[[], float]) -> None:
        self._file = file
        self._clock = clock

    @classmethod
    def open(cls, home: Path, *, create: bool = True, clock: Callable[[], float] = time.time) -> Ledger:
        """The ledger in a folder. Without `create`, a missing file reads as empty, and the first intent makes it."""
        file = LedgerFile(home.absolute() / "ledger.sqlite3")
        if create:
            file.open()
        return cls(file, clock)

    @property
    def path(self) -> Path:
        """Where the file is, or would be."""
        return self._file.path

    @property
    def trouble(self) -> str | None:
        """Why it is kept in memory only; None while the file is in use."""
        return self._file.trouble

    @property
    def file(self) -> LedgerFile:
        """For other tables of the same file (`sweep_rows`)."""
        return self._file

    def disconnect(self) -> None:
        """Close the file; the next use opens it again."""
        self._file.disconnect()

    # -- writing ---------------------------------------------------------------------------------------------------

    def intend(self, entry: Entry, *, budget: float | None = None, since: float | None = None) -> None:
        """Write a row before its request is sent.

        With a `budget`, all that was charged or is reserved at this server since `since`, and the top of this estimate,
        must not pass it, over all kernels: else BudgetExceeded, and nothing is written. A price without a known top counts
        as its beginning, an unknown one as 0.
        """

        def insert(db: sqlite3.Connection) -> None:
            if budget is not None:
                rows = db.execute(_SPENT, {"server": entry.server, "since": since or 0.0}).fetchall()
                _check_budget(_spent(rows), entry, budget)
            db.execute(_INSERT, _row(replace(entry, updated=entry.updated or entry.created)))

        self._file.write(insert, durable=True)

    def record(self, job_id: str, event: Event) -> None:
        """Write down what an event changes (`after`). A job without a row is not one of ours, or was never intended."""
        if not isinstance(event, (Submitted, Completed, Delivered, Stopped)):
            return
        # Only what no later question to the server could tell again has to survive a power cut.
        durable = isinstance(event, Submitted) or (isinstance(event, Completed) and event.id is None)
        self._change(job_id, lambda entry: after(entry, event), durable=durable)

    def close(self, job_id: str) -> None:
        """The person has settled it: nothing is reserved for it any more. What has ended stays as it is."""
        self._change(job_id, lambda entry: replace(entry, state="closed") if entry.state in _OPEN else entry)

    def _change(self, job_id: str, change: Callable[[Entry], Entry], *, durable: bool = False) -> None:
        def update(db: sqlite3.Connection) -> None:
            for row in db.execute("SELECT * FROM jobs WHERE job_id = :id", {"id": job_id}).fetchall():
                now = self._clock()
                old = _entry(row, now)
                new = change(old)
                if new != old:
                    db.execute(_UPDATE, _row(replace(new, updated=now)))

        self._file.write(update, durable=durable)

    # -- reading ---------------------------------------------------------------------------------------------------

    def get(self, wanted: str) -> Entry | None:
        """The job with this job id or task id, or the only one whose ids begin so. Raises UsageError for several."""
        if not wanted:
            return None
        if found := self._entries(_BY_ID, id=wanted):
            return found[0]
        found = self._entries(_BY_PREFIX, first=wanted, last=f"{wanted}\U0010ffff", limit=_CANDIDATES + 1)
        if len(found) > 1:
            ids = [e.task_id if e.task_id and e.task_id.startswith(wanted) else e.job_id for e in found]
            named = ", ".join(clean(one, 80) for one in ids[:_CANDIDATES]) + (", …" if len(ids) > _CANDIDATES else "")
            raise UsageError(f"{clean(wanted, 80)!r} is the beginning of several ids: {named}.", hint="Give more of it.")
        return found[0] if found else None

    def recent(self, limit: int = 20, server: str | None = None) -> list[Entry]:
        """The newest jobs, newest first."""
        return self._entries(_RECENT, server=server, limit=limit)

    def unfinished(self, server: str | None = None, limit: int = 1000) -> list[Entry]:
        """Accepted, and not all here: submitted and completed; newest first."""
        return self._entries(_IN_STATES, one="submitted", other="completed", server=server, limit=limit)

    def unknown(self, server: str | None = None, limit: int = 1000) -> list[Entry]:
        """Those whose outcome nobody knows, and that the person has not closed; newest first."""
        found = self._entries(_IN_STATES, one="unknown", other="sending", server=server, limit=limit)
        return [entry for entry in found if entry.state == "unknown"]

    def identical(self, server: str, digest: str) -> list[Entry]:
        """The jobs for an identical request that are paid for or under way, newest first. Their files may be gone since."""
        return self._entries(_IDENTICAL, digest=digest, server=server)

    def sweep(self, sweep_id: str) -> list[Entry]:
        """The jobs of a sweep, oldest first."""
        return self._entries(_OF_SWEEP, sweep=sweep_id)

    def spent(self, server: str, since: float) -> Spent:
        """Charged and reserved at a server, for what was asked since `since`."""
        return _spent(self._file.rows(_SPENT, server=server, since=since))

    def spend(
        self,
        by: Literal["model", "day", "notebook"] = "model",
        *,
        since: float = 0.0,
        server: str | None = None,
        limit: int = 1000,
    ) -> list[Spend]:
        """What was spent, server by server: the latest day first, else the dearest first. Refused requests do not count."""
        return [Spend(**dict(row)) for row in self._file.rows(_SPEND, by=by, since=since, server=server, limit=limit)]

    def _entries(self, sql: str, **values: object) -> list[Entry]:
        now = self._clock()
        return [_entry(row, now) for row in self._file.rows(sql, **values)]


def _check_budget(spent: Spent, entry: Entry, budget: float) -> None:
    top = entry.estimate_high or entry.estimate_low or 0.0
    if spent.charged + spent.reserved + top > budget + 1e-6:
        raise BudgetExceeded(
            f"this request may cost {_credits(top)} credits, and would pass the budget of {_credits(budget)}: "
            f"{_credits(spent.charged)} are spent and {_credits(spent.reserved)} reserved for open work at {entry.server}.",
            hint="Nothing was sent. %pixapi spend shows what was spent, %pixapi tasks what is open;\n"
            "%config PixapiMagics.budget = … sets another budget.",
        )


def _credits(amount: float) -> str:
    return f"{amount:,.2f}".rstrip("0").rstrip(".")


def _unsigned(text: str) -> str:
    """Text without what follows the path of a URL: that is where signatures are."""
    return re.sub(r"(\bhttps?://[^\s?#'\"]+)[?#][^\s'\"]*", r"\1?…", text, flags=re.IGNORECASE)


def _row(entry: Entry) -> dict[str, object]:
    request = dict(entry.request)
    if "inputs" in request:
        request["inputs"] = [{**one, "name": _unsigned(str(one.get("name")))} for one in request["inputs"]]
    texts = {"request": request, "files": entry.files, "owner": asdict(entry.owner)}
    row = vars(entry) | {name: json.dumps(value) for name, value in texts.items()}
    # SQLite takes no half characters, such as those of a file name that is not UTF-8.
    return {name: value.encode(errors="replace").decode() if isinstance(value, str) else value for name, value in row.items()}


def _entry(row: sqlite3.Row, now: float) -> Entry:
    values = {name: row[name] for name in Entry.__dataclass_fields__}  # a newer version may have added columns
    values |= {name: json.loads(values[name]) for name in ("request", "files", "owner")}
    owner = Owner(**values["owner"])
    if values["state"] == "sending" and not owner.is_alive(values["updated"], now):
        values["state"] = "unknown"  # its kernel died while it was being sent
    return Entry(**values | {"files": tuple(values["files"]), "owner": owner})


def _spent(rows: list[sqlite3.Row]) -> Spent:
    return Spent(*rows[0]) if rows else Spent(0.0, 0.0)


_INSERT = "INSERT INTO jobs ({}) VALUES ({})".format(  # noqa: S608
    ", ".join(Entry.__dataclass_fields__), ", ".join(f":{name}" for name in Entry.__dataclass_fields__)
)
_UPDATE = """UPDATE jobs SET updated = :updated, state = :state, task_id = :task_id, credits = :credits, files = :files,
    error = :error WHERE job_id = :job_id"""
_BY_ID = "SELECT * FROM jobs WHERE job_id = :id OR task_id = :id ORDER BY job_id = :id DESC, created DESC LIMIT 1"
_BY_PREFIX = """SELECT * FROM jobs WHERE (job_id >= :first AND job_id < :last) OR (task_id >= :first AND task_id < :last)
    ORDER BY created DESC LIMIT :limit"""
_RECENT = """SELECT * FROM jobs WHERE :server IS NULL OR server = :server
    ORDER BY created DESC, rowid DESC LIMIT :limit"""
_IN_STATES = """SELECT * FROM jobs WHERE state IN (:one, :other) AND (:server IS NULL OR server = :server)
    ORDER BY created DESC, rowid DESC LIMIT :limit"""
_IDENTICAL = """SELECT * FROM jobs WHERE digest = :digest AND server = :server
    AND state IN ('sending', 'submitted', 'completed', 'delivered') ORDER BY created DESC, rowid DESC LIMIT 100"""
_OF_SWEEP = "SELECT * FROM jobs WHERE sweep = :sweep ORDER BY created, rowid"
_SPENT = """SELECT coalesce(sum(charged), 0.0), coalesce(sum(reserved), 0.0) FROM priced
    WHERE server = :server AND created >= :since"""
_SPEND = """SELECT server, CASE :by WHEN 'model' THEN model WHEN 'notebook' THEN notebook
        ELSE date(created, 'unixepoch', 'localtime') END AS name,
    count(*) AS count, sum(charged) AS charged, sum(estimated) AS estimated, sum(reserved) AS reserved,
    sum(unpriced) AS unpriced
    FROM priced WHERE state != 'refused' AND created >= :since AND (:server IS NULL OR server = :server)
    GROUP BY server, name ORDER BY server, CASE :by WHEN 'day' THEN name END DESC, sum(charged) DESC, name LIMIT :limit"""
