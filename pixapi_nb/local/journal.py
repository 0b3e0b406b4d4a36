"""The record of every request that reached the server: what tests ask when they must know who sent what, how often."""

import collections
import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_LONGEST = 2_000
_MOST = 100_000


@dataclass
class Entry:
    """One request. Its ``Authorization`` is a yes or no: no key is ever written down."""

    number: int
    server: str
    """``api`` or ``media``."""
    method: str
    path: str
    at: float
    """Seconds since the epoch."""
    authorization: bool
    range: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    """The request's JSON or form fields, long strings shortened; of files only their number."""
    status: int | None = None
    """What was answered; ``None`` when nothing was."""
    fault: str | None = None
    """The kind of the fault rule that struck."""
    task: str | None = None
    """The id of the work that was accepted."""


class Journal:
    """Requests in the order of their arrival."""

    def __init__(self) -> None:
        self._entries: collections.deque[Entry] = collections.deque(maxlen=_MOST)
        self._numbers = itertools.count()

    def open(self, **known: Any) -> Entry:
        entry = Entry(number=next(self._numbers), **known)
        self._entries.append(entry)
        return entry

    def as_json(self, since: int = 0) -> list[dict[str, Any]]:
        """Those from this number on."""
        first = self._entries[0].number if self._entries else 0
        return [asdict(entry) for entry in itertools.islice(self._entries, max(0, since - first), None)]


def shortened(fields: Mapping[str, Any], files: int) -> dict[str, Any]:
    """Fields as they are written down."""
    short = {
        name: f"{value[:80]}… ({len(value)} characters)" if isinstance(value, str) and len(value) > _LONGEST else value
        for name, value in fields.items()
    }
    return short | {"image": f"{files} file(s)"} if files else short
