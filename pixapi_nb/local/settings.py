"""What can be turned while the server runs: how long work takes, how much runs at once, how fast it may come in."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Settings:
    """Durations are in seconds; ``None`` means no limit."""

    seconds: tuple[float, float] = (4, 4)
    """A task takes a time drawn evenly from this range; a video twice that."""
    capacity: int | None = None
    """How many tasks run at once."""
    rate: float | None = None
    """How many submissions are accepted a second."""
    _draws: random.Random = field(default_factory=lambda: random.Random(0), repr=False)

    def draw(self) -> float:
        """The next task's duration: the same sequence in every run."""
        return self._draws.uniform(*self.seconds)

    def update(self, changes: Mapping[str, Any]) -> None:
        """Apply changes from JSON. Raises ``ValueError`` for what does not fit, and then changes nothing."""
        if unknown := changes.keys() - {"seconds", "capacity", "rate"}:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        new = {**self.as_dict(), **changes}
        seconds, capacity, rate = span(new["seconds"]), _limit(new["capacity"]), _limit(new["rate"])
        self.seconds, self.capacity, self.rate = seconds, None if capacity is None else int(capacity), rate

    def as_dict(self) -> dict[str, Any]:
        return {"seconds": list(self.seconds), "capacity": self.capacity, "rate": self.rate}


def span(value: Any) -> tuple[float, float]:
    """A range of seconds from ``4``, ``"4"``, ``"0.25..0.75"`` or ``[0.25, 0.75]``."""
    parts = value.split("..") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    low, high = float(parts[0]), float(parts[-1])
    if not (len(parts) <= 2 and 0 <= low <= high < 86_400):
        raise ValueError(f"{value!r} is not a range of seconds such as 4 or 0.25..0.75")
    return low, high


def _limit(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 1:
        raise ValueError(f"{value!r} is not a limit: at least 1, or null for none")
    return value
