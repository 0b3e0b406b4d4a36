"""The types of the API: what is asked, what a task is, what comes back. All are frozen.

Field names are those of Pixapi's API Reference (which are OpenAI's). `None` means: not sent, the server decides.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = [
    "Completed",
    "Failed",
    "ImageRequest",
    "InputImage",
    "Kind",
    "MediaItem",
    "Model",
    "Processing",
    "Request",
    "Submitted",
    "TaskStatus",
    "VideoRequest",
    "media_type",
]

Kind: TypeAlias = Literal["image", "video"]

_SUFFIXES = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/avif": ".avif",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}


def media_type(head: bytes) -> str | None:
    """The media type that the first bytes (at least 16) of a file show, or None if they show none that we know.

    >>> media_type(bytes.fromhex("89504e470d0a1a0a") + b"....IHDR")
    'image/png'
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "video/webm"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return "image/avif" if brand in (b"avif", b"avis") else "video/quicktime" if brand == b"qt  " else "video/mp4"
    return None


def suffix(kind: str) -> str:
    """The file suffix of a media type, with its dot."""
    return _SUFFIXES[kind]


@dataclass(frozen=True, kw_only=True)
class InputImage:
    """A picture that goes into a request: its bytes, or the URL where the server finds it."""

    name: str
    data: bytes | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)

    @property
    def media_type(self) -> str:
        """By the bytes; callers have checked that they are a picture."""
        return (media_type(self.data[:16]) if self.data else None) or "application/octet-stream"

    @property
    def digest(self) -> str:
        """SHA-256 of what is sent, in hexadecimal."""
        return hashlib.sha256(self.data if self.data is not None else (self.url or "").encode()).hexdigest()

    def as_url(self) -> str:
        """The URL, or the bytes as a data URL."""
        if self.data is None:
            return self.url or ""
        return f"data:{self.media_type};base64,{base64.b64encode(self.data).decode()}"


@dataclass(frozen=True, kw_only=True)
class ImageRequest:
    """`n` pictures from a prompt; with `images` an edit of them."""

    model: str
    prompt: str
    n: int = 1
    size: str | None = None
    quality: str | None = None
    response_format: str | None = None
    images: tuple[InputImage, ...] = ()

    kind: Kind = field(default="image", init=False)

    @property
    def inputs(self) -> tuple[InputImage, ...]:
        return self.images

    def fields(self) -> dict[str, object]:
        """The request's fields without its pictures, as they are sent."""
        return _given(
            model=self.model,
            prompt=self.prompt,
            n=self.n,
            size=self.size,
            quality=self.quality,
            response_format=self.response_format,
        )


@dataclass(frozen=True, kw_only=True)
class VideoRequest:
    """A video from a prompt, `duration` seconds long, from the start image `input_image` if there is one."""

    model: str
    prompt: str
    duration: float | None = None
    size: str | None = None
    input_image: InputImage | None = None

    kind: Kind = field(default="video", init=False)
    n: int = field(default=1, init=False)

    @property
    def inputs(self) -> tuple[InputImage, ...]:
        return (self.input_image,) if self.input_image else ()

    def fields(self) -> dict[str, object]:
        """The request's fields without its start image, as they are sent."""
        duration = self.duration
        if isinstance(duration, float) and duration.is_integer():
            duration = int(duration)
        return _given(model=self.model, prompt=self.prompt, duration=duration, size=self.size)


Request: TypeAlias = ImageRequest | VideoRequest


def _given(**fields: object) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True)
class MediaItem:
    """One medium of a result: where it is, or what it is. An item with neither is possible (Async Media Tasks)."""

    url: str | None = field(default=None, repr=False)  # signed: not for logs
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Submitted:
    """The server has accepted the work; `id` is how to come back to it. `retry_after`: ask in so many seconds, it says."""

    id: str
    progress: float = 0.0
    retry_after: float | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Processing:
    """The server is at it; `progress` is 0 to 100, as the server says. `retry_after` as in Submitted."""

    id: str
    progress: float
    retry_after: float | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Completed:
    """Done; `credits` is what the server charged, None where it did not say. A synchronous answer has no `id`."""

    id: str | None
    items: tuple[MediaItem, ...]
    credits: float | None = None


@dataclass(frozen=True)
class Failed:
    """The server could not do it; why is not always said."""

    id: str
    reason: str | None = None
    code: str | None = None


TaskStatus: TypeAlias = Submitted | Processing | Completed | Failed


@dataclass(frozen=True)
class Model:
    """A model of `GET /v1/models`; `kind` is None where the server does not say (other OpenAI-compatible servers)."""

    id: str
    kind: Kind | None = None
    capabilities: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)

    @property
    def can_edit(self) -> bool:
        """False only where the server names abilities, and none of them is to make a picture of pictures."""
        return not self.capabilities or any("image-to-image" in one or "edit" in one for one in self.capabilities)
