"""Pictures that go into a request, from whatever a notebook holds: paths, bytes, open files, PIL images, arrays, results.

What is already a PNG, JPEG, WebP or GIF is sent as it is; everything else becomes a PNG, which keeps transparency.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from urllib.parse import urlsplit

from pixapi_nb.errors import UsageError, clean
from pixapi_nb.media import Media
from pixapi_nb.models import InputImage
from pixapi_nb.pictures import as_png, from_data_url, sendable

__all__ = ["Source", "input_image", "is_url", "may_be_picture"]

Source: TypeAlias = Any
"""`str` (URL or path), `os.PathLike`, `bytes`, a binary file, a PIL image, an array (H×W or H×W×3 or 4), Media, a Job."""


def is_url(text: str) -> bool:
    """Whether it is an http, https or data URL."""
    try:
        return urlsplit(text).scheme in ("http", "https", "data")
    except ValueError:  # "http://["
        return False


def input_image(source: Source, *, name: str | None = None) -> InputImage:
    """The picture that `source` is. Raises UsageError that says what would fit. `name` is how messages call it."""
    label = name or _label(source)
    if isinstance(source, InputImage):
        return source
    if isinstance(source, str) and is_url(source):
        if source[:5].lower() == "data:":
            return sendable(from_data_url(source), name or "image")
        return InputImage(name=name or "image", url=source)
    if isinstance(source, (str, os.PathLike)):
        return sendable(_read(source, label), label)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return sendable(bytes(source), label)
    if isinstance(source, Media):
        return sendable(source.bytes, label)
    if hasattr(source, "read"):
        return sendable(_from_file(source, label), label)
    if hasattr(source, "save") and hasattr(source, "mode") and hasattr(source, "size"):
        return sendable(as_png(source, label), label)
    if hasattr(source, "__array__") or hasattr(source, "__array_interface__"):
        return sendable(_from_array(source, label), label)
    if isinstance(source, Sequence) and len(source) and isinstance(source[0], Media):
        return sendable(source[0].bytes, label)
    raise UsageError(
        f"{label} is of type {type(source).__name__}, which is no picture.",
        hint="A path, bytes, a PIL image, an array, or an earlier result is.",
    )


def may_be_picture(value: object) -> bool:
    """Whether `input_image` would try it, without looking inside."""
    if isinstance(value, type):
        return False
    known = (bytes, bytearray, os.PathLike, Media, Sequence)
    arrays = hasattr(value, "__array__") or hasattr(value, "__array_interface__")
    return (isinstance(value, known) and not isinstance(value, (list, tuple, range))) or arrays


def _label(source: Source) -> str:
    named = source if isinstance(source, (str, os.PathLike)) else getattr(source, "name", None)
    known = isinstance(named, (str, os.PathLike)) and not (isinstance(named, str) and is_url(named))
    text = clean(named, 4096) if known else "the input"
    return text if len(text) <= 80 else "…" + text[-79:]


def _read(source: str | os.PathLike[str], label: str) -> bytes:
    try:
        return Path(source).expanduser().read_bytes()
    except OSError as error:
        raise UsageError(f"{label} cannot be read: {error.strerror}.") from error
    except (ValueError, RuntimeError) as error:  # a NUL in it; the home of nobody
        raise UsageError(f"{label} cannot be read: {clean(error, 120)}.") from error


def _from_file(source: BinaryIO, label: str) -> bytes:
    """The whole file, also where it has just been written."""
    try:
        if source.seekable():
            source.seek(0)
        data = source.read()
    except (OSError, ValueError, AttributeError) as error:
        raise UsageError(f"{label} cannot be read: {clean(error, 120)}.") from error
    if not isinstance(data, bytes):
        raise UsageError(f"{label} is a text file.", hint="Open it in binary mode: open(path, 'rb').")
    return data


def _from_array(source: Any, label: str) -> bytes:
    from PIL import Image

    array: Any = source.__array__() if hasattr(source, "__array__") else _through_numpy(source, label)
    shape = array.shape
    if len(shape) == 3 and shape[2] == 1:
        array = array[:, :, 0]
    elif not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (3, 4))) or 0 in shape:
        raise _no_picture(label, shape)
    return as_png(Image.fromarray(_eight_bit(array, label)), label)


def _through_numpy(source: Any, label: str) -> Any:
    try:
        import numpy as np
    except ImportError as error:
        raise UsageError(f"{label} is an array that needs NumPy, which is not here.") from error
    return np.asarray(source)


def _no_picture(label: str, shape: Sequence[int]) -> UsageError:
    sides = "×".join(map(str, shape)) or "of one number"
    return UsageError(f"{label} has the shape {sides}, which is no picture.", hint="Height × width, or × 3 or 4.")


def _eight_bit(array: Any, label: str) -> Any:
    kind = array.dtype.kind
    if kind == "f":  # matplotlib's and scikit-image's convention: 0 to 1
        if not (array.min() >= 0 and array.max() <= 1):  # also where there is a NaN
            raise UsageError(f"{label} has values outside 0 to 1.", hint="Float arrays hold 0 to 1, integer arrays 0 to 255.")
        return (array * 255).round().astype("uint8")
    if kind in "iu":
        if array.min() < 0 or array.max() > 255:
            raise UsageError(f"{label} has values outside 0 to 255.", hint="Integer arrays hold 0 to 255, float arrays 0 to 1.")
        return array.astype("uint8")
    if kind != "b":
        raise UsageError(f"{label} is an array of {array.dtype}, which is no picture.", hint="Numbers, or True and False.")
    return array
