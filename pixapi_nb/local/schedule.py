"""When work runs and how far it is: pure functions of the clock.

A task's start and end are settled when it is accepted, so a restarted server has nothing to remember but two numbers.
All times are seconds since the epoch.
"""


def start(now: float, ends: list[float], capacity: int | None) -> float:
    """When a task accepted ``now`` starts, given the ends of all tasks accepted before it, latest first.

    At most ``capacity`` tasks run at once: the new one waits until all but ``capacity - 1`` have ended.
    """
    if capacity is None or len(ends) < capacity:
        return now
    return max(now, ends[capacity - 1])


def progress(now: float, starts: float, ends: float) -> int:
    """How far a task is, 0 to 99: 100 is said only of a finished one.

    Quick at first and slower towards the end, as renderers are.
    """
    if ends <= starts:
        return 99 if now >= ends else 0
    done = min(1.0, max(0.0, (now - starts) / (ends - starts)))
    return int(99 * (0.6 * done + 0.4 * (1 - (1 - done) ** 2)))
