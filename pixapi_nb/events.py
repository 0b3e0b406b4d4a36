"""What happens to a job, in order: one stream, read alike by progress views, waiting code, the ledger and sweeps.

Sending → (Retrying → Sending)* → Submitted → Processing* → Completed → Downloading* → Delivered, or Stopped at any point.
Submitted, Processing and Completed are the API's own states (`models`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pixapi_nb.errors import PixapiError
from pixapi_nb.media import Media
from pixapi_nb.models import Completed, Processing, Submitted

__all__ = [
    "Completed",
    "Delivered",
    "Downloading",
    "Event",
    "Processing",
    "Retrying",
    "Sending",
    "Stopped",
    "Submitted",
    "Trouble",
]


@dataclass(frozen=True)
class Sending:
    """The paid request is about to be sent, for the `attempt`-th time (from 1)."""

    attempt: int = 1


@dataclass(frozen=True)
class Retrying:
    """The server did not accept it; it is sent again in `wait` seconds."""

    attempt: int
    wait: float
    error: PixapiError


@dataclass(frozen=True)
class Trouble:
    """A question about the task, or a download, failed for the `failures`-th time in a row; asked again in `wait` s."""

    failures: int
    wait: float
    error: PixapiError


@dataclass(frozen=True)
class Downloading:
    """File `index` of `count`: `received` bytes of `total` (None when the server does not say)."""

    index: int
    count: int
    received: int = 0
    total: int | None = None


@dataclass(frozen=True)
class Delivered:
    """The end that everybody hopes for: the media, and the credits the server charged (None: it did not say).

    `missing` of them could not be fetched.
    """

    media: tuple[Media, ...]
    credits: float | None = None
    missing: int = 0


@dataclass(frozen=True)
class Stopped:
    """The other end. What an unfinished task's id is good for, the error says."""

    error: PixapiError


Event: TypeAlias = Sending | Retrying | Submitted | Processing | Trouble | Completed | Downloading | Delivered | Stopped
