"""How fast to go: paid requests under a limit that nobody has told us, and questions under a budget. Pure: time is passed in.

Two things are learnt from a server. How many jobs it takes at once: from few on, one more for each that it accepts, half as
many when it refuses with 429, then quickly back to where that was and slowly beyond. And how many requests it takes in a
second: when it refuses, it is held to have reached its limit with those of the last second. From then on a request waits
until so few are left of which the server may say that they came within a second of it, however long any was on its way.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["Pace", "Questions", "time_left"]

_FIRST, _MOST = 4.0, 96.0  # jobs at once; the connections to a server are 100
_UNANSWERED = 8  # paid requests on their way at once: so many at most are refused when a limit is met
_SECOND = 1.01  # in which requests are counted
_LESS = 0.95  # of a limit that turned out to be too high
_CATCH_UP = 10.0  # requests that may follow at once on others that came late; the rest are evenly spread
_PROBE = 20.0  # seconds without a refusal before the limit is tried anew
_HIGHER, _MUCH_HIGHER = 1.05, 2.0  # by so much first, and twice as much more each time that goes well
_AT_LIMIT = 0.8  # of the limit: who is refused far below it is not refused for the rate
_BEYOND = 0.25  # growth for each accepted request, where refusals have been met before


@dataclass
class Pace:
    """The pace of paid requests. `window` is how many jobs may be under way at once."""

    window: float = _FIRST
    limit: float | None = None
    """Requests a second; None until the server has refused one."""
    _ceiling: float = _MOST  # from here on growth is slow
    _taken: deque[float] = field(default_factory=deque)  # when the last second's acceptances were heard of
    _unanswered: int = 0
    _counted: bool = False  # the limit is what was met, and not a guess below it
    _not_before: float = 0.0
    _next: float = 0.0
    _halved: float = float("-inf")
    _probed: float = 0.0
    _higher: float = _HIGHER
    _met: float = 0.0  # the limit when it was met last

    def has_room(self, under_way: int) -> bool:
        """Whether one more job may begin, with so many under way."""
        return under_way < int(self.window)

    def delay(self, now: float) -> float | None:
        """Seconds until the next paid request may be sent, 0 for at once; None: when one that is on its way is answered."""
        if now < self._not_before:
            return self._not_before - now
        if self._unanswered >= min(_UNANSWERED, int(self.window)):
            return None
        if self.limit is None:
            return 0.0
        if now - self._probed > _PROBE:
            self.limit, self._probed = self.limit * self._higher + 0.1, now
            self._higher = min(_MUCH_HIGHER, 1.0 + 2.0 * (self._higher - 1.0))
        return max(0.0, free, self._next - now) if (free := self._free(now)) is not None else None

    def _free(self, now: float) -> float | None:
        """Seconds until one more is below the limit, None when an answer has to come first.

        The server took a request no later than we heard of it, and meets the next no earlier than now.
        """
        self._forget(now)
        too_many = len(self._taken) + self._unanswered - self._whole_limit
        if too_many < 0:
            return 0.0
        return self._taken[too_many] + _SECOND - now if too_many < len(self._taken) else None

    @property
    def _whole_limit(self) -> int:
        return max(1, int(self.limit or 0))

    def sent(self, now: float) -> None:
        """A paid request is sent now."""
        self._unanswered += 1
        if self.limit is not None:
            apart = 1.0 / self._whole_limit
            self._next = max(self._next, now - _CATCH_UP * apart) + apart

    def unsent(self) -> None:
        """It was not sent after all."""
        self._unanswered -= 1
        self._next = 0.0

    def accepted(self, sent: float, now: float) -> None:
        """The server took one that was sent at `sent`."""
        self._unanswered -= 1
        if self.limit is not None and self._counted and sent < self._halved:
            self.limit += 1  # it is one of those with which the limit was met
            self._met = self.limit
        self._forget(now)
        self._taken.append(now)
        grown = self.window + (1.0 if self.window < self._ceiling else _BEYOND)
        self.window = min(_MOST, grown)

    def over(self) -> None:
        """One ended in another way, which says nothing about the pace."""
        self._unanswered -= 1

    def refused(self, sent: float, now: float, retry_after: float | None = None) -> None:
        """One that was sent at `sent` was answered 429."""
        self._unanswered -= 1
        self._not_before = max(self._not_before, now + (retry_after or 0.0))
        if sent < self._halved:
            return  # it was on its way when the pace was halved
        self._halved = self._probed = self._not_before
        self._ceiling = max(_FIRST, self.window)
        self.window = max(1.0, self.window / 2)
        self._forget(now)
        met = float(len(self._taken))
        if met < max(1.0, _AT_LIMIT * self._met):
            return
        self._higher = _HIGHER
        self._counted = self.limit is None or met < _LESS * self.limit
        self.limit = met if self.limit is None or self._counted else _LESS * self.limit
        self._met = self.limit

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0] <= now - _SECOND:
            self._taken.popleft()


@dataclass
class Questions:
    """The budget of questions about tasks, for all jobs together: `rate` a second, evenly spread, first come first served."""

    rate: float = 20.0
    most: float = 100.0
    _next: float = 0.0

    def slot(self, now: float) -> float:
        """Take the next place; seconds until then."""
        at = max(now, self._next)
        self._next = at + 1.0 / self.rate
        return at - now

    def answered(self) -> None:
        """The server is content."""
        self.rate = min(self.most, self.rate + 1.0)

    def refused(self, now: float, retry_after: float | None = None) -> None:
        """A question was answered 429."""
        self.rate = max(1.0, self.rate / 2)
        self._next = max(self._next, now + (retry_after or 0.0))


def time_left(start: float, ends: list[float], now: float, remaining: int) -> float | None:
    """Seconds for `remaining` more, from the start and the times at which jobs ended; None while too few have."""
    if not remaining:
        return 0.0
    latest = [start, *ends][-41:]
    return None if len(latest) < 3 else remaining * (now - latest[0]) / (len(latest) - 1)
