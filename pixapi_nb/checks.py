"""What is refused before anything is sent. Pure.

Only what the API's documents rule out for certain is refused; unknown models, and what a provider may add, are passed on.
"""

from __future__ import annotations

import re

from pixapi_nb.errors import UsageError, clean
from pixapi_nb.models import ImageRequest, Request, VideoRequest, media_type

__all__ = ["LARGEST_INPUT", "check", "check_input"]

_PIXELS = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_RATIO = re.compile(r"[1-9][0-9]{0,3}:[1-9][0-9]{0,3}")
_QUALITIES = ("low", "medium", "high", "auto")
_FORMATS = ("url", "b64_json")
LARGEST_INPUT = 50 * 1024 * 1024  # bytes; OpenAI's limit for edits, and Pixapi prints none


def check(request: Request, *, canonical: str, can_edit: bool = True) -> None:
    """Raise UsageError for a request that cannot succeed; `canonical` is the model's id, aliases resolved.

    `can_edit` is False for a model that is known not to edit pictures.
    """
    _check_texts(request)
    if not request.model.strip():
        raise UsageError("no model is given.", hint="%pixapi models lists them.")
    if not request.prompt.strip():
        raise UsageError("the prompt is empty.", hint="Write what you want to see: in a cell, beneath its first line.")
    _check_size(request.size, canonical)
    for image in request.inputs:
        check_input(image.name, image.data)
    if isinstance(request, VideoRequest):
        _check_video(request)
    else:
        _check_image(request)
        if request.images and not can_edit:
            raise UsageError(
                f"{clean(request.model, 60)} does not edit pictures.", hint="%pixapi models shows which models do."
            )


def _check_texts(request: Request) -> None:
    """From Python, anything can come."""
    for name, value in (request.fields() | {"model": request.model, "prompt": request.prompt}).items():
        if name in ("n", "duration"):
            continue
        if not isinstance(value, str):
            raise UsageError(f"{name} is of type {type(value).__name__}, and has to be a text.")
        if any("\ud800" <= c <= "\udfff" for c in value):
            raise UsageError(f"the {name} has half of a character in it (a surrogate), which cannot be sent.")


def _check_image(request: ImageRequest) -> None:
    if not isinstance(request.n, int):
        raise UsageError(f"n is of type {type(request.n).__name__}, and has to be a whole number.")
    if request.n < 1:
        raise UsageError(f"n is {request.n}; at least one picture has to be asked for.")
    if request.quality is not None and request.quality not in _QUALITIES:
        raise UsageError(f"quality {clean(request.quality, 40)!r} does not exist.", hint=f"One of {', '.join(_QUALITIES)}.")
    if request.response_format is not None and request.response_format not in _FORMATS:
        raise UsageError(
            f"response format {clean(request.response_format, 40)!r} does not exist.",
            hint=f"One of {', '.join(_FORMATS)}.",
        )


def _check_video(request: VideoRequest) -> None:
    if request.duration is not None and not isinstance(request.duration, (int, float)):
        raise UsageError(f"duration is of type {type(request.duration).__name__}, and has to be a number of seconds.")
    if request.duration is not None and not 0 < request.duration <= 600:
        raise UsageError(f"a video of {request.duration:g} seconds cannot be asked for.", hint="Try -d 6.")


def check_input(name: str, data: bytes | None) -> None:
    if data is None:
        return
    if len(data) > LARGEST_INPUT:
        raise UsageError(f"{clean(name, 80)} is larger than {LARGEST_INPUT // 1024**2} MiB.", hint="Make it smaller first.")
    kind = media_type(data[:16])
    if kind is None or not kind.startswith("image/"):
        raise UsageError(f"{clean(name, 80)} is not a picture that we know.", hint="PNG, JPEG, WebP or GIF.")


def _check_size(size: str | None, canonical: str) -> None:
    if size is None or size == "auto":
        return
    if size in ("2K", "4K") or _RATIO.fullmatch(size):
        if canonical.startswith("gpt-image"):
            raise UsageError(f"{canonical} takes no size {size}.", hint="auto, or WIDTHxHEIGHT such as 1536x1024.")
        return
    found = _PIXELS.fullmatch(size)
    if not found:
        raise UsageError(
            f"{clean(size, 40)!r} is no size.",
            hint="Use WIDTHxHEIGHT (such as 1536x1024), auto, 2K, 4K, or a ratio such as 16:9.",
        )
    if canonical == "gpt-image-2":
        _check_gpt_image_2(int(found[1]), int(found[2]))


def _check_gpt_image_2(width: int, height: int) -> None:
    """Custom sizes of gpt-image-2, as its model page has them."""
    hint = "gpt-image-2 takes sides that are multiples of 16, 655,360 to 8,294,400 pixels in all, and at most 3:1."
    if width % 16 or height % 16:
        raise UsageError(f"{width}x{height}: both sides have to be multiples of 16.", hint=hint)
    if not 655_360 <= width * height <= 8_294_400:
        raise UsageError(f"{width}x{height} has {width * height:,} pixels.", hint=hint)
    if max(width, height) > 3 * min(width, height):
        raise UsageError(f"{width}x{height} is longer than 3:1.", hint=hint)
