"""The ledger's file: its tables and their versions, who may use it when, and what happens when it fails.

One connection serves all threads of a process, one after the other; SQLite's WAL lets several kernels share the file.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

__all__ = ["LedgerFile", "LedgerWarning"]

T = TypeVar("T")

# The steps from each version to the next; PRAGMA user_version counts those taken. A step that was ever released is never
# edited, and only adds: a kernel that still runs the version before goes on writing to the same file.
STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE jobs (
            job_id TEXT PRIMARY KEY NOT NULL,
            server TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            notebook TEXT,
            kind TEXT NOT NULL,
            model TEXT NOT NULL,
            endpoint TEXT NOT NULL,
            request TEXT NOT NULL,
            digest TEXT NOT NULL,
            estimate_low REAL,
            estimate_high REAL,
            state TEXT NOT NULL,
            task_id TEXT,
            credits REAL,
            files TEXT NOT NULL,
            error TEXT,
            sweep TEXT,
            place TEXT,
            owner TEXT NOT NULL
        )""",
        "CREATE INDEX jobs_created ON jobs (created)",
        # It holds all that a budget adds up, so that the rows themselves are not read while other kernels wait.
        "CREATE INDEX jobs_spent ON jobs (server, created, state, credits, estimate_high)",
        "CREATE INDEX jobs_state ON jobs (state, created)",
        "CREATE INDEX jobs_digest ON jobs (digest, server, created)",
        "CREATE INDEX jobs_task ON jobs (task_id) WHERE task_id IS NOT NULL",
        "CREATE INDEX jobs_sweep ON jobs (sweep, created) WHERE sweep IS NOT NULL",
    ),
    (
        """CREATE TABLE sweeps (
            sweep_id TEXT PRIMARY KEY NOT NULL,
            server TEXT NOT NULL,
            created REAL NOT NULL,
            updated REAL NOT NULL,
            notebook TEXT,
            plan TEXT NOT NULL,
            ended INTEGER NOT NULL,
            owner TEXT
        )""",
        "CREATE INDEX sweeps_open ON sweeps (server, created) WHERE NOT ended",
    ),
)

# What a row costs, the only place that knows. Credits that the server named are charged; what was accepted, or may have
# been, reserves the top of its estimate, or its beginning where no top is known; a delivery without a word about credits
# counts as charged by that estimate. What was refused, failed, lost or closed costs no more than the server named.
_PRICED = """CREATE TEMP VIEW priced AS SELECT *,
    CASE WHEN credits IS NULL AND state = 'delivered' THEN coalesce(estimate_high, estimate_low, 0) ELSE 0 END AS estimated,
    CASE WHEN credits IS NOT NULL THEN credits
         WHEN state = 'delivered' THEN coalesce(estimate_high, estimate_low, 0) ELSE 0 END AS charged,
    CASE WHEN credits IS NULL AND state IN ('sending', 'submitted', 'completed', 'unknown')
         THEN coalesce(estimate_high, estimate_low, 0) ELSE 0 END AS reserved,
    credits IS NULL AND estimate_high IS NULL
         AND state IN ('sending', 'submitted', 'completed', 'unknown', 'delivered') AS unpriced
    FROM main.jobs"""

_PATIENCE = 10.0  # seconds of waiting for other kernels that write
_SAVED = 10_000  # rows that are saved from a file that fails


class LedgerWarning(UserWarning):
    """The ledger's file cannot be used, or had to be replaced."""


class _Newer(Exception):
    """The file was written by a later version of pixapi_nb."""


class LedgerFile:
    """`trouble` says why it is memory and not a file by now, None while it is a file. For any thread; calls may block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble: str | None = None
        self._db: sqlite3.Connection | None = None
        self._inode = 0
        self._replaced = False
        self.lock = threading.RLock()
        _files.add(self)

    def open(self) -> None:
        """Open it, and make it if it is missing."""
        self._safely(self._connection)

    def disconnect(self) -> None:
        """Close the file; the next use opens it again. What is in memory stays."""
        with self.lock:
            if self._db is not None and self.trouble is None:
                self._db.close()
                self._db = None

    def __del__(self) -> None:
        if self._db is not None:
            self._db.close()

    def rows(self, sql: str, **values: object) -> list[sqlite3.Row]:
        """What a query finds. A missing file is empty, and is not made."""

        def read() -> list[sqlite3.Row]:
            if self._db is None and not self.path.exists():
                return []
            return self._connection().execute(sql, values).fetchall()

        return self._safely(read)

    def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool) -> T:
        """Do `work` in one transaction that no other kernel comes between; a `durable` one survives a power cut.

        It may be done again after it was undone.
        """

        def write() -> T:
            db = self._connection()
            db.execute("PRAGMA synchronous = FULL" if durable else "PRAGMA synchronous = NORMAL")
            with _transaction(db):
                return work(db)

        return self._safely(write)

    def _safely(self, step: Callable[[], T]) -> T:
        """Do `step`; when the file fails, mend that, do it there, and tell. A step that failed has changed nothing."""
        with self.lock:
            try:
                return _patiently(step)
            except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
                raise  # faults of ours
            except (sqlite3.DatabaseError, OSError, _Newer) as error:
                if self.trouble is not None:
                    raise
                told = self._replace(error) or self._go_on_in_memory(error)
            try:
                return self._safely(step)
            finally:
                # Last, because a warning may be an exception; and of no line, because none is at fault.
                warnings.warn_explicit(told, LedgerWarning, "pixapi_nb.ledger", 1)

    def _connection(self) -> sqlite3.Connection:
        if self._db is None:
            self._inode = _make(self.path)
            self._db = _open(self.path)
        elif self.trouble is None and self.path.stat().st_ino != self._inode:
            raise OSError("another file has taken its place")  # what is written now would go nowhere
        if self._db.in_transaction:
            self._db.rollback()  # an interrupt came between two of our lines
        return self._db

    def _replace(self, error: Exception) -> str | None:
        """A new file for a damaged one, with the rows that can still be read; None where that is not the way."""
        # Python's sqlite3 says only so that the content of the file is at fault.
        if type(error) is not sqlite3.DatabaseError or self._replaced:
            return None
        self._replaced = True
        try:
            kept = _set_aside(self.path, self._inode)
            self._inode = _make(self.path)
            db = _patiently(lambda: _open(self.path))
        except (sqlite3.Error, OSError, _Newer):
            return None
        self._move(db, kept)
        return (
            f"the ledger {self.path} is damaged ({error}). It is kept as {kept.name}, and a new one was begun with what "
            "could still be read; it may not know of all earlier tasks and charges."
        )

    def _go_on_in_memory(self, error: Exception) -> str:
        why = error.strerror if isinstance(error, OSError) else None
        if isinstance(error, _Newer):
            why = "a newer version of pixapi_nb wrote it; update this one"
        self._move(_in_memory(), self.path)
        self.trouble = (
            f"the ledger {self.path} cannot be used: {why or error}. The work goes on, but what is paid for from now on "
            "is known to this kernel only, and until it ends."
        )
        return self.trouble

    def _move(self, new: sqlite3.Connection, path: Path) -> None:
        """Use another connection, with the rows that can be read from the present one or else from the file at `path`."""
        old, self._db = self._db, new
        if old is not None:
            copied = _copy(old, new)
            old.close()
            if copied:
                return
        for how in ("mode=ro", "immutable=1"):  # the second needs no other files, where a disk takes none
            source = f"{path.as_uri()}?{how}"
            with contextlib.suppress(sqlite3.Error), contextlib.closing(_connect(source, uri=True)) as found:
                if _copy(found, new):
                    return


def _make(path: Path) -> int:
    """Make the file if it is missing; returns its inode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with contextlib.suppress(FileExistsError):  # prompts are private; SQLite gives its other files the same mode
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return path.stat().st_ino


def _open(path: Path) -> sqlite3.Connection:
    """Open the file, brought to this version where needed."""
    return _prepared(_connect(str(path)))


def _in_memory() -> sqlite3.Connection:
    return _prepared(_connect(":memory:"))


def _prepared(db: sqlite3.Connection) -> sqlite3.Connection:
    try:
        if _version(db) > len(STEPS):  # before anything is written to it
            raise _Newer
        db.execute("PRAGMA journal_mode = WAL")  # where a file system cannot, SQLite keeps its older journal
        _migrate(db)
        db.execute(_PRICED)
    except BaseException:
        db.close()
        raise
    return db


def _connect(database: str, *, uri: bool = False) -> sqlite3.Connection:
    # SQLite's own wait grows from try to try, so that a busy neighbour starves it; `_patiently` is fairer.
    db = sqlite3.connect(database, timeout=0.005, isolation_level=None, check_same_thread=False, uri=uri)
    db.row_factory = sqlite3.Row
    return db


def _patiently(step: Callable[[], T]) -> T:
    """Do `step`, again and again while another kernel is writing."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return step()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.001)


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _migrate(db: sqlite3.Connection) -> None:
    if _version(db) == len(STEPS):
        return
    with _transaction(db):
        done = _version(db)  # another kernel may have been first
        for number, step in enumerate(STEPS[done:], done + 1):
            for statement in step:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {number}")


def _set_aside(path: Path, inode: int) -> Path:
    """Give a damaged file another name, its content untouched; unless another kernel has done so. Raises OSError."""
    kept = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}")
    if path.stat().st_ino == inode:
        for end in ("-wal", "-shm", ""):  # the file itself is last: without it the others would belong to its successor
            with contextlib.suppress(FileNotFoundError):
                Path(f"{path}{end}").rename(f"{kept}{end}")
    return kept


def _copy(old: sqlite3.Connection, new: sqlite3.Connection) -> int:
    """Copy what can be read, unfinished and newest rows first; returns how many rows were read."""
    count = 0
    columns = [row["name"] for row in new.execute("PRAGMA table_info(jobs)")]
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    with contextlib.suppress(sqlite3.Error), _transaction(new):
        for which in ("state IN ('sending', 'submitted', 'completed', 'unknown')", "TRUE"):
            with contextlib.suppress(sqlite3.Error):  # a damaged file can be read as far as its first bad page
                for row in old.execute(f"SELECT {names} FROM jobs WHERE {which} ORDER BY created DESC LIMIT {_SAVED}"):  # noqa: S608
                    new.execute(f"INSERT OR IGNORE INTO jobs ({names}) VALUES ({marks})", tuple(row))  # noqa: S608
                    count += 1
    with contextlib.suppress(sqlite3.Error), _transaction(new):
        for row in old.execute("SELECT * FROM sweeps WHERE NOT ended").fetchall():
            new.execute("INSERT OR IGNORE INTO sweeps VALUES (?, ?, ?, ?, ?, ?, ?, ?)", tuple(row)[:8])
    return count


_files: weakref.WeakSet[LedgerFile] = weakref.WeakSet()
_held: list[LedgerFile] = []


def _before_fork() -> None:
    """SQLite's connections must not be carried into a forked child: both sides open their own afterwards."""
    for file in list(_files):
        file.lock.acquire()
        _held.append(file)
        file.disconnect()


def _after_fork() -> None:
    while _held:
        _held.pop().lock.release()


if sys.platform != "win32":
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
