"""When to ask next, and when to try again. Pure: time is passed in, in seconds, and so is chance.

A task's progress says when it will end: we ask soon after that rather than every so often.
Retry delays follow Pixapi's Error Handling page: exponential with jitter, 0.5 s doubling, 8 s at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pixapi_nb.errors import APIError, InternalError, ModelUnavailable, NotSent, PixapiError, RateLimited

__all__ = ["LONGEST", "SHORTEST", "Seen", "backoff", "expected_progress", "may_repeat", "next_poll", "remaining", "wished"]

SHORTEST, LONGEST = 0.25, 5.0  # seconds between two questions about one task
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.5, 8.0
_MOST_WISHED = 60.0
_MARGIN = 0.05  # ask this long after the expected end
_SOON = 1.5  # an end expected within this many seconds is trusted
_STANDSTILL = 1e-6  # percent a second: three years for a task
_WINDOW = 8  # the speed is taken over this many changes of progress


@dataclass(frozen=True)
class Seen:
    """At `at` seconds since the start the server said `progress` (0 to 100)."""

    at: float
    progress: float


def _speed(seen: Sequence[Seen]) -> float | None:
    """Percent a second, from the latest changes of progress; None while nothing moved.

    The first of them began when the progress before it was seen for the last time: work may stand in a queue before.
    """
    moved: list[Seen] = []
    for one in seen:
        if not moved or one.progress > moved[-1].progress:
            moved.append(one)
        elif len(moved) == 1:
            moved[0] = one
    moved = moved[-_WINDOW:]
    if len(moved) < 2 or moved[-1].at <= moved[0].at:
        return None
    speed = (moved[-1].progress - moved[0].progress) / (moved[-1].at - moved[0].at)
    return speed if speed > _STANDSTILL else None


def _last_change(seen: Sequence[Seen]) -> Seen:
    last = seen[-1]
    for one in reversed(seen):
        if one.progress < last.progress:
            break
        last = one
    return last


def remaining(seen: Sequence[Seen], now: float) -> float | None:
    """Seconds until the expected end, None when the progress does not tell: nothing moved yet, or it has stalled."""
    speed, left = _speed(seen), _left(seen, now)
    if not speed or left is None:
        return None
    stalled = now - _last_change(seen).at > 2 * max(LONGEST, 10.0 / speed)
    return None if stalled else max(0.0, left)


def _left(seen: Sequence[Seen], now: float) -> float | None:
    """Seconds until the end that the speed so far foretells, negative when it is overdue."""
    speed = _speed(seen)
    if not speed:
        return None
    last = _last_change(seen)
    return last.at + (100.0 - last.progress) / speed - now


def expected_progress(seen: Sequence[Seen], now: float) -> float:
    """Where the task should be by now: what the server said last, moved on at the speed seen, and never done."""
    if not seen:
        return 0.0
    last = _last_change(seen)
    ahead = min((_speed(seen) or 0.0) * (now - last.at), (100.0 - last.progress) / 2)
    return min(99.0, last.progress + ahead)


def next_poll(seen: Sequence[Seen], now: float, *, retry_after: float | None = None) -> float:
    """Seconds to wait before asking about a task again; `retry_after` is the server's wish, which is obeyed (`wished`)."""
    if retry_after is not None:
        return max(SHORTEST, wished(retry_after) or 0.0)
    left = _left(seen, now)
    if left is None:
        # Nothing is known of the end: wait in proportion to the time since anything changed.
        wait = (now - _last_change(seen).at if seen else now) * 0.3
    elif left <= 0:
        wait = -left * 0.3
    elif left <= _SOON:
        wait = left + _MARGIN
    else:
        wait = left * 0.6
    # A short past foretells little: it is not trusted for longer than it has lasted.
    lasted = now - seen[0].at if seen else now
    return max(SHORTEST, min(LONGEST, wait, lasted + SHORTEST))


def wished(retry_after: float | None) -> float | None:
    """A `Retry-After` as far as a free question obeys it: what is paid for is not left lying for an hour by one odd header."""
    return None if retry_after is None else min(_MOST_WISHED, retry_after)


def backoff(failures: int, chance: float, *, retry_after: float | None = None) -> float:
    """Seconds before the next try after `failures` (1 or more) failed ones, with full jitter: `chance` is in [0, 1).

    A `Retry-After` is the least, and the jitter comes on top, so that many clients do not return at once.
    """
    most = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(failures - 1, 10))
    return (retry_after or 0.0) + most * chance


def may_repeat(error: PixapiError) -> bool:
    """Whether a paid request that ended so may be sent again: only if the server certainly did not accept it.

    That a documented 500 or 503 means "not accepted" is an assumption: Pixapi's Errors page says to try them again.
    """
    if isinstance(error, (NotSent, RateLimited)):
        return True
    return isinstance(error, (InternalError, ModelUnavailable)) and isinstance(error, APIError) and error.documented
