"""What there is to say about a running job, as values. Pure: the widget and the text line both read this."""

from __future__ import annotations

from dataclasses import dataclass

from pixapi_nb.errors import clean
from pixapi_nb.events import Completed, Downloading, Event, Processing, Retrying, Sending, Stopped, Submitted, Trouble
from pixapi_nb.jobs import Job
from pixapi_nb.polling import expected_progress, remaining

__all__ = ["Line", "describe", "duration"]

_LONG_SENDING = 3.0  # seconds: after these it is no longer the request that takes its time


@dataclass(frozen=True)
class Line:
    """`percent` is None while nothing tells how far it is; `left` is in seconds, None while nobody can know."""

    percent: float | None
    state: str
    elapsed: float
    left: float | None
    model: str
    price: str
    task_id: str | None
    trouble: str | None = None

    @property
    def time(self) -> str:
        """Elapsed, and the time left where it is known."""
        if self.left is None:
            return duration(self.elapsed)
        left = f"about {duration(self.left)} left" if self.left >= 1 else "nearly done"
        return f"{duration(self.elapsed)}, {left}"

    @property
    def text(self) -> str:
        """All of it in one line."""
        percent = f"{self.percent:.0f} %" if self.percent is not None else None
        parts = [self.model, self.state, percent, self.time, self.price, self.task_id, self.trouble]
        return " · ".join(p for p in parts if p)


def duration(seconds: float) -> str:
    """
    >>> duration(3.24), duration(75), duration(4000)
    ('3 s', '1 min 15 s', '1 h 6 min')
    """
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def describe(job: Job, last: Event | None) -> Line:
    """The line for a job whose latest event is `last`."""
    now = job.seconds
    state, percent, left, trouble = _state(job, last, now)
    price = f"estimated {job.estimate}" if job.estimate.known else str(job.estimate)
    return Line(
        percent=percent,
        state=state,
        elapsed=now,
        left=left,
        model=clean(job.request.model, 60),
        price="" if isinstance(last, Stopped) else price,  # what was charged, the error says
        task_id=clean(job.task_id, 60) if job.task_id else None,
        trouble=trouble,
    )


def _state(job: Job, last: Event | None, now: float) -> tuple[str, float | None, float | None, str | None]:
    match last:
        case None | Sending():
            return "sending" if now < _LONG_SENDING else "waiting for the answer", None, None, None
        case Retrying(attempt, wait, error):
            why = f"try {attempt + 1} in {duration(wait + 0.99)}: {clean(error.message, 120)}"
            return "sending again", None, None, why
        case Submitted():
            return "waiting its turn", expected_progress(job.seen, now), None, None
        case Processing():
            return "processing", expected_progress(job.seen, now), remaining(job.seen, now), None
        case Trouble(failures, _, error):
            known = expected_progress(job.seen[-1:], now) if job.seen else None
            return "trying again", known, None, f"{failures} × {clean(error.message, 120)}"
        case Completed():
            return "downloading", 100.0, None, None
        case Downloading(index, count, received, total):
            which = f"downloading {index + 1} of {count}" if count > 1 else "downloading"
            size = f"{received / 1e6:.1f} MB" + (f" of {total / 1e6:.1f} MB" if total else "")
            return f"{which} ({size})", 100.0, None, None
        case Stopped():
            return "stopped", None, None, None
        case _:
            return "done", 100.0, 0.0, None
