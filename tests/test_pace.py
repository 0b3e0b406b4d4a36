"""The pace of a sweep: simulated servers on a simulated clock."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque

import pytest

from pixapi_nb.pace import Pace, Questions, time_left


class Server:
    """Takes at most `rate` requests in any second, as the embedded Pixapi does."""

    def __init__(self, rate: float) -> None:
        self.rate, self.accepted = rate, deque[float]()

    def takes(self, now: float) -> bool:
        while self.accepted and self.accepted[0] <= now - 1:
            self.accepted.popleft()
        if len(self.accepted) >= self.rate:
            return False
        self.accepted.append(now)
        return True


def simulate(
    pace: Pace, server: Server, jobs: int, *, length: float, capacity: int, trip: float = 0.02, retry_after: float = 1
):
    """Send `jobs` requests; returns when the last one ended, how many were refused, and the most under way at once.

    Each way takes between half and one and a half times `trip`.
    """
    random_trip, now = random.Random(1), 0.0

    def way() -> float:
        return trip * random_trip.uniform(0.5, 1.5)

    events: list[tuple[float, int, str, float]] = []
    slots = [0.0] * capacity
    left, under_way, refused, most, number, waiting = jobs, 0, 0, 0, 0, 0

    def at(time: float, what: str, sent: float = 0.0) -> None:
        nonlocal number
        number += 1
        heapq.heappush(events, (time, number, what, sent))

    ended = 0.0
    while True:
        while (waiting or (left and pace.has_room(under_way))) and pace.delay(now) == 0.0:
            if waiting:
                waiting -= 1
            else:
                left, under_way = left - 1, under_way + 1
            most = max(most, under_way)
            pace.sent(now)
            at(now + way(), "arrives", now)
        delay = pace.delay(now)
        if delay and (left or waiting):
            at(now + delay, "wakes")
        if not events:
            return ended, refused, most
        now, _, what, sent = heapq.heappop(events)
        if what == "arrives" and server.takes(now):
            at(now + way(), "accepted", sent)
            begin = max(now, heapq.heappop(slots))
            heapq.heappush(slots, begin + length)
            at(begin + length + 0.1, "ends")
        elif what == "accepted":
            pace.accepted(sent, now)
        elif what == "arrives":
            refused += 1
            at(now + way(), "refused", sent)
        elif what == "refused":
            pace.refused(sent, now, retry_after)
            at(now + retry_after, "again")
        elif what == "again":
            waiting += 1
        elif what == "ends":
            under_way, ended = under_way - 1, now


def test_it_begins_modestly_and_grows_with_what_is_accepted() -> None:
    pace = Pace()
    assert [pace.has_room(n) for n in (0, 3, 4)] == [True, True, False]
    for _ in range(6):
        pace.sent(0.0)
        pace.accepted(0.0, 0.1)
    assert pace.has_room(9)
    assert not pace.has_room(10)


def test_a_refusal_halves_it_once_and_retry_after_is_obeyed() -> None:
    pace = Pace(window=40)
    for i in range(3):
        pace.sent(0.1 * i)
    pace.refused(0.0, 1.0, 7.0)
    pace.refused(0.1, 1.1, 2.0)  # it was on its way already
    assert pace.window == 20
    assert pace.delay(1.2) == pytest.approx(6.8)
    pace.accepted(0.2, 1.2)
    assert pace.delay(8.0) == 0.0
    pace.sent(8.0)
    pace.refused(8.0, 8.1)
    assert pace.window == 10.5


@pytest.mark.parametrize("trip", [0.001, 0.01, 0.02, 0.05])
def test_a_limit_once_met_is_not_met_again_however_uneven_the_way(trip: float) -> None:
    pace = Pace()
    _, refused, _ = simulate(pace, Server(40), 500, length=0.5, capacity=20, trip=trip)
    assert 1 <= refused <= 8, "those that were on their way when it was met"
    assert pace.limit == 40


def test_on_a_long_way_it_is_met_twice_at_most() -> None:
    pace = Pace()
    _, refused, _ = simulate(pace, Server(40), 500, length=0.5, capacity=20, trip=0.1)
    assert refused <= 16
    assert pace.limit is not None
    assert 36 <= pace.limit <= 40


def test_it_never_stops_for_good() -> None:
    pace, now = Pace(), 0.0
    for _ in range(50):
        assert pace.delay(now) == 0.0
        pace.sent(now)
        pace.refused(now, now + 0.01, 1.0)
        now += 5
    assert pace.window == 1
    assert pace.has_room(0)


@pytest.mark.parametrize("rate", [5, 40, 1000])
def test_few_are_refused_and_little_time_is_lost(rate: float) -> None:
    jobs, length, capacity = 500, 0.5, 20
    ended, refused, _ = simulate(Pace(), Server(rate), jobs, length=length, capacity=capacity)
    ideal = max(jobs * length / capacity, jobs / rate)
    assert ended < 1.15 * ideal
    assert refused <= 0.05 * jobs


def test_refusals_that_are_not_about_the_rate_set_no_limit() -> None:
    pace, now = Pace(), 0.0
    for _ in range(3):
        pace.sent(now)
        pace.refused(now, now + 0.1, 0.0)
        now += 1
    assert pace.limit is None
    for i in range(40):
        pace.sent(now + i / 50)
        pace.accepted(now + i / 50, now + i / 50)
    pace.sent(now + 1)
    pace.refused(now + 1, now + 1)
    assert pace.limit == 40
    pace.sent(now + 5)
    pace.accepted(now + 5, now + 5)
    pace.sent(now + 5.5)
    pace.refused(now + 5.5, now + 5.5)
    assert pace.limit == 40, "far below its limit"


def test_a_limit_that_was_set_too_low_is_left_behind() -> None:
    pace, now = Pace(limit=2.0, window=20.0), 0.0
    while pace.limit is not None and pace.limit < 20 and now < 200:
        delay = pace.delay(now)
        if delay == 0.0:
            pace.sent(now)
            pace.accepted(now, now)
        now += 0.05
    assert now < 150


def test_long_work_is_not_piled_up_without_end() -> None:
    _, refused, most = simulate(Pace(), Server(math.inf), 300, length=60, capacity=4)
    assert refused == 0
    assert most <= 96


def test_what_was_not_sent_takes_no_place() -> None:
    pace = Pace(limit=1.0)
    pace.sent(0.0)
    assert pace.delay(0.1) is None, "until it is answered"
    pace.unsent()
    assert pace.delay(0.1) == 0.0


def test_questions_are_spread_evenly_and_halved_by_a_refusal() -> None:
    questions = Questions(rate=10.0)
    assert [round(questions.slot(0.0), 3) for _ in range(3)] == [0.0, 0.1, 0.2]
    assert questions.slot(5.0) == 0.0
    questions.refused(5.0, 2.0)
    assert questions.rate == 5.0
    assert questions.slot(5.1) == pytest.approx(1.9)
    for _ in range(500):
        questions.answered()
    assert questions.rate == questions.most


def test_time_left_follows_the_latest_ends() -> None:
    assert time_left(0.0, [], 10.0, 5) is None
    assert time_left(0.0, [1.0], 3.0, 5) is None
    assert time_left(0.0, [3.0, 3.0, 3.0], 3.0, 3) == pytest.approx(3.0)
    assert time_left(0.0, [100.0 + i for i in range(100)], 200.0, 5) == pytest.approx(5.0, rel=0.05)
    assert time_left(0.0, [1.0, 2.0, 3.0], 9.0, 0) == 0.0
