"""Accepted work, kept in SQLite so that a restarted server goes on with it.

Several server processes may share one folder (WAL). A task's fate is written down when it is accepted: its start and
end follow from the clock alone, and its media are drawn the same by whichever process draws them.
"""

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pixapi_nb.local import schedule
from pixapi_nb.local.validate import Order

State = Literal["submitted", "processing", "completed", "failed"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS secret (key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    sync INTEGER NOT NULL,
    asked TEXT NOT NULL,
    token TEXT NOT NULL UNIQUE,
    accepted_at REAL NOT NULL,
    starts_at REAL NOT NULL,
    ends_at REAL NOT NULL,
    drawn_at REAL,
    failure TEXT,
    revision INTEGER NOT NULL DEFAULT 0,
    forgotten INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS tasks_by_end ON tasks (ends_at);
"""


@dataclass(frozen=True)
class Failure:
    """How a task is going to fail."""

    error: Any
    """What the task carries as ``error``; ``None`` for nothing."""
    at_progress: int = 40


@dataclass(frozen=True)
class Task:
    """Accepted work; a synchronous request is one too. Times are seconds since the epoch."""

    number: int
    """From 1, in the order of acceptance."""
    id: str
    sync: bool
    order: Order
    """Without its inputs: see `Store.inputs`."""
    token: str
    """The unguessable part of its media's URLs."""
    accepted_at: float
    starts_at: float
    ends_at: float
    drawn_at: float | None
    """When its media were there."""
    failure: Failure | None
    revision: int
    """Goes up when its URLs are made to expire."""

    @property
    def media(self) -> tuple[str, ...]:
        """The paths of its files, below the media folder and below the media host alike."""
        suffix = "mp4" if self.order.kind == "video" else "png"
        return tuple(f"{self.token}/{index}.{suffix}" for index in range(self.order.n))

    @property
    def finished_at(self) -> float | None:
        """When it ends, as far as is known: media that come late make it late."""
        if self.failure:
            return self.ends_at
        return None if self.drawn_at is None else max(self.ends_at, self.drawn_at)

    def state(self, now: float) -> State:
        if self.finished_at is not None and now >= self.finished_at:
            return "failed" if self.failure else "completed"
        return "submitted" if now < self.starts_at else "processing"

    def progress(self, now: float) -> int:
        """0 to 100, where 100 means completed."""
        if self.state(now) == "completed":
            return 100
        share = schedule.progress(now, self.starts_at, self.ends_at)
        return round(share * self.failure.at_progress / 99) if self.failure else share


class Store:
    """The folder of one or several servers: their tasks, the pictures given to them, the media that they made."""

    def __init__(self, folder: Path) -> None:
        self.media = folder / "media"
        self._inputs = folder / "inputs"
        for path in (self.media, self._inputs):
            path.mkdir(parents=True, exist_ok=True)
        # The event loop and the drawing threads share the connection; the lock keeps their transactions apart.
        self._lock = threading.Lock()
        self._db = sqlite3.connect(folder / "tasks.sqlite3", timeout=10, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        self.secret = self._shared_secret()

    def accept(
        self, order: Order, name: str, *, sync: bool, now: float, duration: float, capacity: int | None,
        failure: Failure | None = None,
    ) -> Task:  # fmt: skip
        """Take work on, under the id ``name``. From here on it will be carried out and charged."""
        given = self._inputs / name
        for index, data in enumerate(order.inputs):
            given.mkdir(exist_ok=True)
            (given / f"{index:02}").write_bytes(data)
        asked = {key: value for key, value in asdict(order).items() if key != "inputs"}
        lasts = duration * failure.at_progress / 100 if failure else duration
        with self._transaction() as db:
            # With several servers on one folder, the capacity is that of them all together.
            latest = db.execute("SELECT ends_at FROM tasks ORDER BY ends_at DESC LIMIT ?", (capacity or 0,)).fetchall()
            starts = schedule.start(now, [row["ends_at"] for row in latest], capacity)
            db.execute(
                "INSERT INTO tasks (id, sync, asked, token, accepted_at, starts_at, ends_at, failure)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (name, sync, json.dumps(asked), secrets.token_urlsafe(18), now, starts, starts + lasts,
                 json.dumps(asdict(failure)) if failure else None),
            )  # fmt: skip
        return self._one("id = ?", name)

    def reschedule(self, now: float, capacity: int | None) -> None:
        """Give the tasks that still wait their places anew, after the capacity was changed."""
        with self._transaction() as db:
            ends = [row["ends_at"] for row in db.execute("SELECT ends_at FROM tasks WHERE starts_at <= ?", (now,))]
            for row in db.execute("SELECT * FROM tasks WHERE starts_at > ? ORDER BY number", (now,)).fetchall():
                starts = schedule.start(now, sorted(ends, reverse=True), capacity)
                ends.append(starts + row["ends_at"] - row["starts_at"])
                db.execute("UPDATE tasks SET starts_at = ?, ends_at = ? WHERE id = ?", (starts, ends[-1], row["id"]))

    def task(self, name: str, *, sync: bool = False) -> Task | None:
        return self._find("id = ? AND sync = ? AND NOT forgotten", name, sync)

    def owner(self, token: str) -> Task | None:
        """The task that media with this token in their URL belong to."""
        return self._find("token = ?", token)

    def undrawn(self) -> list[Task]:
        return self._select("drawn_at IS NULL AND failure IS NULL ORDER BY number")

    def tasks(self, since: int = 0) -> list[Task]:
        return self._select("number >= ? ORDER BY number", since)

    def charges(self, now: float, since: int = 0) -> list[dict[str, Any]]:
        """What has been charged: every completed task from a number on, once. Nobody has to have asked for it."""
        return [
            {"id": task.id, "model": task.order.model, "credits": task.order.credits, "at": task.finished_at}
            for task in self.tasks(since)
            if task.state(now) == "completed"
        ]

    def inputs(self, task: Task) -> tuple[bytes, ...]:
        """The pictures that came with the request."""
        folder = self._inputs / task.id
        return tuple(path.read_bytes() for path in sorted(folder.iterdir())) if folder.exists() else ()

    def drawn(self, name: str, now: float) -> None:
        """Say that all media of a task are there."""
        self._update("drawn_at = coalesce(drawn_at, ?)", name, now)

    def fail(self, name: str, failure: Failure) -> None:
        self._update("failure = ?", name, json.dumps(asdict(failure)))

    def forget(self, name: str) -> bool:
        """No longer know a task; its charge stays."""
        return self._update("forgotten = ?", name, 1)

    def expire(self, name: str) -> bool:
        """Let the present URLs of a task's media expire."""
        return self._update("revision = revision + ?", name, 1)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _shared_secret(self) -> bytes:
        """The key that URLs are signed with: the same in all servers of the folder."""
        with self._transaction() as db:
            row = db.execute("SELECT key FROM secret").fetchone()
            key = bytes(row["key"]) if row else secrets.token_bytes(32)
            if row is None:
                db.execute("INSERT INTO secret VALUES (?)", (key,))
        return key

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _update(self, change: str, name: str, value: object) -> bool:
        with self._lock:
            return self._db.execute(f"UPDATE tasks SET {change} WHERE id = ?", (value, name)).rowcount > 0  # noqa: S608

    def _select(self, where: str, *values: object) -> list[Task]:
        with self._lock:
            rows = self._db.execute(f"SELECT * FROM tasks WHERE {where}", values).fetchall()  # noqa: S608
        return [_task(row) for row in rows]

    def _find(self, where: str, *values: object) -> Task | None:
        return next(iter(self._select(where, *values)), None)

    def _one(self, where: str, *values: object) -> Task:
        return self._select(where, *values)[0]


def _task(row: sqlite3.Row) -> Task:
    failure = Failure(**json.loads(row["failure"])) if row["failure"] else None
    return Task(
        row["number"], row["id"], bool(row["sync"]), Order(**json.loads(row["asked"])), row["token"], row["accepted_at"],
        row["starts_at"], row["ends_at"], row["drawn_at"], failure, row["revision"],
    )  # fmt: skip
