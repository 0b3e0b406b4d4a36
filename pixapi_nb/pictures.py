"""Pictures on their way into a request: whole, and of a type that the API takes. Pure."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from pixapi_nb.errors import UsageError
from pixapi_nb.models import InputImage, media_type, suffix

__all__ = ["as_png", "from_data_url", "sendable"]

_SENT = ("image/png", "image/jpeg", "image/webp", "image/gif")  # as they are; everything else becomes a PNG
_HINT = "PNG, JPEG, WebP and GIF are sent."


def sendable(data: bytes, label: str) -> InputImage:
    """The picture in these bytes. Raises UsageError for what is none, or is damaged; `label` is how messages call it."""
    from PIL import Image

    kind = media_type(data[:16])
    if kind is not None and kind.startswith("video/"):
        raise UsageError(f"{label} is a video, and a picture is needed.", hint=_HINT)
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if kind not in _SENT:
                data, kind = as_png(image, label), "image/png"
    except UsageError:
        raise
    except Image.DecompressionBombError as error:
        raise UsageError(f"{label} has too many pixels.", hint="Make it smaller first.") from error
    except Exception as error:  # on broken files Pillow's readers raise whatever they stumble over
        raise UsageError(f"{label} is not a picture, or a damaged one.", hint=_HINT) from error
    return InputImage(name=f"{Path(label).stem or 'image'}{suffix(kind)}", data=data)


def as_png(image: Any, label: str) -> bytes:
    """A PIL image as a PNG; transparency and 16 bits are kept. Raises UsageError for what a PNG cannot hold."""
    out = io.BytesIO()
    try:
        _with_mode_of_png(image).save(out, format="PNG")
    except Exception as error:  # modes and sizes that Pillow has no way for, each with an error of its own
        raise UsageError(f"{label} cannot be made a PNG (mode {image.mode}, {image.size}).", hint=_HINT) from error
    return out.getvalue()


def _with_mode_of_png(image: Any) -> Any:
    if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        return image
    if image.mode == "I" and image.getextrema()[1] > 255:  # how Pillow before 12 reads 16 bits
        return image.convert("I;16")
    return image.convert("RGBA" if image.mode in ("PA", "RGBa") else "RGB")


def from_data_url(url: str) -> bytes:
    """The content of a data URL (RFC 2397). Raises UsageError."""
    head, comma, data = url.partition(",")
    if not comma:
        raise UsageError("the data URL has no data.")
    content = unquote_to_bytes(data)
    try:
        return base64.b64decode(b"".join(content.split()), validate=True) if head.lower().endswith(";base64") else content
    except ValueError as error:
        raise UsageError("the base64 of the data URL cannot be decoded.") from error
