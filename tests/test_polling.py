"""When to ask next: pure functions, tried on simulated tasks. No server, no sleeping."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pixapi_nb.errors import (
    APIError,
    InsufficientCredits,
    NotSent,
    OutcomeUnknown,
    PromptRejected,
    RateLimited,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
)
from pixapi_nb.polling import LONGEST, SHORTEST, Seen, backoff, expected_progress, may_repeat, next_poll, remaining

SHAPES = {  # progress by the share of the time that has passed
    "linear": lambda x: 100 * x,
    "whole numbers": lambda x: math.floor(100 * x),
    "late start": lambda x: 0 if x < 0.5 else 200 * (x - 0.5),
    "stalls at 90": lambda x: min(90, 180 * x),
    "stalls midway": lambda x: 100 * x if x < 0.4 else 40 if x < 0.7 else 40 + 200 * (x - 0.7),
    "jumps": lambda x: 25 * math.floor(4 * x),
    "says nothing": lambda x: 0,
    "slows down": lambda x: 100 * math.sqrt(x),
    "speeds up": lambda x: 100 * x * x,
    "100 too early": lambda x: min(100, 150 * x),
    "falls back": lambda x: 150 * x if x < 0.4 else 100 * (x - 0.4) / 0.6,
}
FORETELLABLE = ("linear", "whole numbers", "late start", "slows down")


def watch(seconds, progress):
    """Polls until the end, how late the last was, and the pauses between them."""
    seen, now, pauses = [Seen(0.0, 0.0)], 0.0, []
    while now < seconds:
        pauses.append(next_poll(seen, now))
        now += pauses[-1]
        seen.append(Seen(now, progress(now / seconds)))
    return len(pauses), now - seconds, pauses


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seconds", [0.3, 1, 3, 10, 30, 100, 300])
def test_simulated_tasks(shape, seconds):
    polls, late, pauses = watch(seconds, SHAPES[shape])
    assert all(SHORTEST <= pause <= LONGEST for pause in pauses)
    assert polls <= 6 + 5 * math.log2(1 + seconds) + seconds / 3, "too many questions"
    assert late <= max(0.75, 0.35 * seconds)
    assert late <= LONGEST
    if shape in FORETELLABLE:
        assert late <= 0.75, "the end was foretold"


times = st.floats(0, 10_000, allow_nan=False)
histories = st.lists(st.tuples(st.floats(0, 3600), st.floats(0, 100)), max_size=30).map(
    lambda pairs: [Seen(at, progress) for at, progress in sorted(pairs)]
)


@given(histories, times, st.none() | st.floats(0, 3600))
def test_a_pause_is_never_shorter_nor_longer_than_allowed(seen, later, retry_after):
    now = (seen[-1].at if seen else 0) + later
    pause = next_poll(seen, now, retry_after=retry_after)
    if retry_after is None:
        assert SHORTEST <= pause <= LONGEST
    else:
        assert pause == max(SHORTEST, min(60, retry_after))


@given(histories, times, st.integers(0, 4096))
def test_only_the_time_since_the_acceptance_counts(seen, later, before):
    """Not how long the request was refused, or lay in a ledger."""
    assume(seen)
    now = seen[-1].at + later
    left = remaining(seen, now)
    assume(left is None or abs(left - 1.5) > 1e-3)  # where it begins to be trusted, rounding decides
    shifted = [Seen(one.at + before, one.progress) for one in seen]
    assert next_poll(shifted, now + before) == pytest.approx(next_poll(seen, now), rel=1e-3, abs=1e-3)


@given(histories, st.lists(times, min_size=2, max_size=8).map(sorted))
def test_expected_progress_only_rises_between_two_answers_and_is_never_done(seen, later):
    start = seen[-1].at if seen else 0
    shown = [expected_progress(seen, start + after) for after in later]
    assert shown == sorted(shown)
    assert all(0 <= one <= 99 for one in shown)


@given(histories, times)
def test_the_time_left_is_never_negative(seen, later):
    left = remaining(seen, (seen[-1].at if seen else 0) + later)
    assert left is None or (left >= 0 and math.isfinite(left))


def test_expected_progress_starts_from_what_the_server_said_last():
    seen = [Seen(0, 0), Seen(1, 20), Seen(2, 40)]
    assert expected_progress(seen, 2) == 40
    assert expected_progress(seen, 3) == pytest.approx(60)
    assert expected_progress(seen, 60) == 70, "half of what is left, for as long as nothing is heard"
    assert expected_progress([Seen(0, 0)], 60) == 0
    assert expected_progress([], 60) == 0


def test_a_queue_before_the_work_does_not_count_as_slowness():
    waiting = [Seen(float(at), 0.0) for at in range(60)]
    seen = [*waiting, Seen(60, 10), Seen(61, 20)]
    assert remaining(seen, 61) == pytest.approx(8)


def test_a_stalled_task_has_no_time_left_that_could_be_told():
    seen = [Seen(0, 0), Seen(1, 45), Seen(2, 90)]
    assert remaining(seen, 2) == pytest.approx(10 / 45)
    assert remaining(seen, 5) == 0
    assert remaining(seen, 60) is None


@given(st.integers(1, 1000), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 3600))
def test_backoff_doubles_from_half_a_second_to_eight_and_retry_after_is_the_least(failures, chance, retry_after):
    wait = backoff(failures, chance, retry_after=retry_after)
    most = min(8, 0.5 * 2 ** min(failures - 1, 10))
    assert (retry_after or 0) <= wait <= (retry_after or 0) + most
    assert backoff(failures, 0) == 0, "full jitter"


DOCUMENTED = {"error": {"code": "x", "message": "m"}}


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (NotSent("refused"), True),
        (APIError.from_response(429, None), True),
        (APIError.from_response(500, DOCUMENTED), True),
        (APIError.from_response(503, DOCUMENTED), True),
        (APIError.from_response(500, None), False),
        (APIError.from_response(503, {"error": "as text"}), False),
        (APIError.from_response(502, DOCUMENTED), False),
        (APIError.from_response(504, DOCUMENTED), False),
        *((APIError.from_response(status, DOCUMENTED), False) for status in (400, 401, 402, 404, 405, 408, 409, 422)),
        (Unreachable("reset"), False),
        (OutcomeUnknown("lost"), False),
        (UnexpectedAnswer("odd"), False),
    ],
    ids=lambda value: f"{type(value).__name__} {getattr(value, 'status', '')}" if isinstance(value, Exception) else "",
)
def test_the_rule_of_the_post(error, again):
    assert may_repeat(error) is again


def test_the_kinds_that_the_rule_is_about_have_not_moved():
    assert isinstance(APIError.from_response(429, None), RateLimited)
    for kind in (Unauthorized, InsufficientCredits, PromptRejected, OutcomeUnknown):
        assert not issubclass(kind, (RateLimited, NotSent))
