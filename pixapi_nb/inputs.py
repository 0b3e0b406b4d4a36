"""Pictures that go into a request, from whatever a notebook holds: paths, bytes, open files, PIL images, arrays, results.

What is already a PNG, JPEG, WebP or GIF is sent as it is; everything else becomes a PNG, which keeps transparency.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import urlsplit

from pixapi_nb.errors import UsageError, clean
from pixapi_nb.media import Media
from pixapi_nb.models import InputImage, media_type, suffix

__all__ = ["Source", "input_image", "is_url", "may_be_picture"]

Source: TypeAlias = Any
"""`str` (URL or path), `os.PathLike`, `bytes`, a binary file, a PIL image, an array (H×W or H×W×3 or 4), Media, a Job."""


def is_url(text: str) -> bool:
    """Whether it is an http, https or data URL."""
    return urlsplit(text).scheme in ("http", "https", "data")


def input_image(source: Source, *, name: str | None = None) -> InputImage:
    """The picture that `source` is. Raises UsageError that says what would fit. `name` is how messages call it."""
    label = name or _label(source)
    if isinstance(source, InputImage):
        return source
    if isinstance(source, str) and is_url(source):
        return InputImage(name=name or "image", url=source)
    if isinstance(source, (str, os.PathLike)):
        return _checked(_read(Path(source).expanduser()), label)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _checked(bytes(source), label)
    if isinstance(source, Media):
        return _checked(source.bytes, label)
    if hasattr(source, "read"):
        return _checked(_from_file(source, label), label)
    if hasattr(source, "save") and hasattr(source, "mode") and hasattr(source, "size"):
        return _checked(_png(source), label)
    if hasattr(source, "__array__") or hasattr(source, "__array_interface__"):
        return _checked(_from_array(source, label), label)
    if isinstance(source, Sequence) and len(source) and isinstance(source[0], Media):
        return _checked(source[0].bytes, label)
    raise UsageError(
        f"{label} is of type {type(source).__name__}, which is no picture.",
        hint="A path, bytes, a PIL image, an array, or an earlier result is.",
    )


def may_be_picture(value: object) -> bool:
    """Whether `input_image` would try it, without looking inside."""
    if isinstance(value, type):
        return False
    known = (bytes, bytearray, os.PathLike, Media, Sequence)
    return (isinstance(value, known) and not isinstance(value, (list, tuple, range))) or hasattr(value, "__array__")


def _label(source: Source) -> str:
    return clean(source, 80) if isinstance(source, (str, os.PathLike)) else "the input"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{clean(path, 200)} cannot be read: {error.strerror}.") from error


def _from_file(source: BinaryIO, label: str) -> bytes:
    data = source.read()
    if not isinstance(data, bytes):
        raise UsageError(f"{label} is a text file.", hint="Open it in binary mode: open(path, 'rb').")
    return data


def _png(image: Any) -> bytes:
    out = io.BytesIO()
    if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        image = image.convert("RGBA" if "A" in image.mode else "RGB")
    image.save(out, format="PNG")
    return out.getvalue()


def _from_array(source: Any, label: str) -> bytes:
    from PIL import Image

    array: Any = source.__array__() if hasattr(source, "__array__") else source
    kind = getattr(getattr(array, "dtype", None), "kind", "")
    if kind == "f":  # matplotlib's and scikit-image's convention: 0 to 1
        if array.size and (array.min() < 0 or array.max() > 1):
            raise UsageError(f"{label} has values outside 0 to 1.", hint="Float arrays hold 0 to 1, integer arrays 0 to 255.")
        array = (array * 255).round().astype("uint8")
    elif kind in "iu" and array.dtype.itemsize > 1:
        if array.size and (array.min() < 0 or array.max() > 255):
            raise UsageError(f"{label} has values outside 0 to 255.")
        array = array.astype("uint8")
    try:
        return _png(Image.fromarray(array))
    except (TypeError, ValueError, AttributeError) as error:
        shape = "×".join(map(str, getattr(array, "shape", ())))
        raise UsageError(f"{label} has the shape {shape}, which is no picture.", hint="Height × width, or × 3 or 4.") from error


def _checked(data: bytes, label: str) -> InputImage:
    """Whole, and of a type that is sent; other types that Pillow reads become PNG."""
    from PIL import Image, UnidentifiedImageError

    kind = media_type(data[:16])
    try:
        with Image.open(io.BytesIO(data)) as image:
            if kind is None or kind == "image/avif":
                data = _png(image)
                kind = "image/png"
            else:
                image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise UsageError(f"{label} is not a picture, or a damaged one.", hint="PNG, JPEG, WebP and GIF are sent.") from error
    stem = Path(label).stem if label != "the input" else "image"
    return InputImage(name=f"{stem or 'image'}{suffix(kind)}", data=data)
