"""The plans of sweeps, in the ledger's file: what lets another kernel finish a sweep. Calls may block, for any thread."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pixapi_nb.ledger import Ledger, Owner

__all__ = ["SweepRow", "SweepRows"]


@dataclass(frozen=True)
class SweepRow:
    """One sweep. `owner` is the kernel that works on it, None: nobody. `ended`: nothing in it waits to be sent."""

    sweep_id: str
    server: str
    created: float
    plan: Mapping[str, Any]
    ended: bool
    notebook: str | None = None


class SweepRows:
    """The sweeps of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._file = ledger.file

    def add(self, row: SweepRow) -> None:
        """Write a sweep down, before anything of it is sent. It belongs to this kernel."""
        values = {
            "sweep_id": row.sweep_id,
            "server": row.server,
            "created": row.created,
            "updated": time.time(),
            "notebook": row.notebook,
            "plan": json.dumps(row.plan),
            "ended": row.ended,
            "owner": _me(),
        }
        self._file.write(lambda db: db.execute(_INSERT, values), durable=True)

    def claim(self, sweep_id: str) -> bool:
        """Make it this kernel's; False where another one that still runs is at it."""

        def claim(db: sqlite3.Connection) -> bool:
            row = db.execute(_ONE, {"sweep_id": sweep_id}).fetchone()
            if row is None or _is_taken(row):
                return False
            db.execute(_OWN, {"sweep_id": sweep_id, "owner": _me(), "updated": time.time()})
            return True

        return self._file.write(claim, durable=False)

    def release(self, sweep_id: str, *, ended: bool) -> None:
        """Nobody works on it any more."""
        values = {"sweep_id": sweep_id, "ended": ended, "updated": time.time()}
        self._file.write(lambda db: db.execute(_RELEASE, values), durable=False)

    def get(self, sweep_id: str) -> SweepRow | None:
        """The sweep of this id."""
        return next(map(_row, self._file.rows(_ONE, sweep_id=sweep_id)), None)

    def half_done(self, server: str | None = None) -> list[SweepRow]:
        """The sweeps at a server that have not ended and that no other kernel works on; the oldest first."""
        return [_row(row) for row in self._file.rows(_OPEN, server=server) if not _is_taken(row)]


def _me() -> str:
    return json.dumps(asdict(Owner.current()))


def _is_taken(row: sqlite3.Row) -> bool:
    if row["owner"] is None:
        return False
    owner = Owner(**json.loads(row["owner"]))
    return owner != Owner.current() and owner.is_alive(row["updated"], time.time())


def _row(row: sqlite3.Row) -> SweepRow:
    plan = json.loads(row["plan"])
    return SweepRow(row["sweep_id"], row["server"], row["created"], plan, bool(row["ended"]), row["notebook"])


_INSERT = """INSERT INTO sweeps (sweep_id, server, created, updated, notebook, plan, ended, owner)
    VALUES (:sweep_id, :server, :created, :updated, :notebook, :plan, :ended, :owner)"""
_ONE = "SELECT * FROM sweeps WHERE sweep_id = :sweep_id"
_OWN = "UPDATE sweeps SET owner = :owner, updated = :updated WHERE sweep_id = :sweep_id"
_RELEASE = "UPDATE sweeps SET owner = NULL, ended = :ended, updated = :updated WHERE sweep_id = :sweep_id"
_OPEN = """SELECT * FROM sweeps WHERE NOT ended AND (:server IS NULL OR server = :server) ORDER BY created, rowid"""
