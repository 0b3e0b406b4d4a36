"""Waiting for conditions: the tests' only way to let time pass."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Late(AssertionError):
    """A condition did not come true in time."""


def until(
    condition: Callable[[], T],
    timeout: float = 30,
    what: str | Callable[[], str] = "the condition",
    pause: Callable[[], object] = lambda: time.sleep(0.02),
) -> T:
    """The first true value of `condition`. Raises Late after `timeout` seconds, with the last value and `what` was awaited."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Late(f"not within {timeout:g} s: {what() if callable(what) else what} (last seen: {value!r})")
        pause()
