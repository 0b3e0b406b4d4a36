"""Pictures small enough to live in a notebook: bytes in, bytes out.

An output is to stay at about a megabyte, however many pictures it shows: `preview_sizes` shares that out, `encode` obeys.
"""

from __future__ import annotations

import importlib.util
import io
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image, ImageCms

__all__ = ["BUDGET", "Picture", "UnreadableError", "contact_sheet", "encode", "first_frame", "preview_sizes", "read"]

BUDGET = 640_000  # bytes of all previews of an output; base64 makes 853,000 characters of them
_MOST_PIXELS = 89_000_000  # decoded, 356 MB of the kernel's memory; today's models draw 34 million, Pillow warns from here on
_OPAQUE = 250  # alpha from here on is a model's rounding error, not a hole in the picture


class UnreadableError(Exception):
    """Bytes that show no picture; the message says why, as the end of a sentence that begins with the file's name."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright, in sRGB: RGB, or RGBA where one sees through it.

    `size` is the original's, in pixels as it is looked at; `image` may have been reduced.
    """

    image: Image.Image
    size: tuple[int, int]


def preview_sizes(n: int) -> tuple[int, int]:
    """For each of `n` pictures in one output: its longest edge in pixels, and its bytes at most.

    The edges are about twice the CSS pixels that are shown, for dense screens.
    """
    steps = ((1, 1024), (4, 768), (9, 560), (16, 448), (36, 320), (100, 224))
    return next((edge for most, edge in steps if n <= most), 160), BUDGET // max(n, 1)


def read(data: bytes, edge: int | None = None) -> Picture:
    """Decode a picture (of an animation, the first frame), reduced to `edge` pixels where it is longer.

    Raises UnreadableError for whatever cannot be decoded.
    """
    try:
        with Image.open(io.BytesIO(data)) as source:
            width, height = source.size
            if width * height > _MOST_PIXELS:
                raise UnreadableError(f"has {width} × {height} pixels, too many for a preview")
            orientation, profile = _orientation(source), source.info.get("icc_profile")
            if edge:
                source.draft(None, (2 * edge, 2 * edge))  # a JPEG can be decoded at a fraction of its size
            image = _eight_bit(source)
        if edge:
            image.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=3.0)
        if orientation in _TURNS:
            image = image.transpose(_TURNS[orientation])
        return Picture(_in_srgb(image, profile), (height, width) if orientation >= 5 else (width, height))
    except UnreadableError:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableError("has too many pixels for a preview") from error
    except Exception as error:  # on broken files Pillow's readers raise whatever they stumble over
        raise UnreadableError("is not a picture that can be read here") from error


_FIRST_FRAME = """
import av, sys
with av.open(sys.argv[1]) as film:
    next(film.decode(video=0)).to_image().save(sys.stdout.buffer, "PNG")
"""


def first_frame(path: Path) -> Image.Image | None:
    """How a video begins; None where PyAV, which the embedded Pixapi needs, is not installed. Raises UnreadableError.

    In a process of its own: a process that has used FFmpeg's threads hangs when it forks.
    """
    if importlib.util.find_spec("av") is None:
        return None
    try:
        command = [sys.executable, "-c", _FIRST_FRAME, str(path)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise UnreadableError("is not a video that can be read here") from error
    return read(done.stdout).image


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _orientation(source: Image.Image) -> int:
    """EXIF's 1 (upright) to 8; 1 where it is missing or nonsense."""
    try:
        value = source.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # noqa: BLE001  # broken metadata is no reason not to show a picture
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def _eight_bit(source: Image.Image) -> Image.Image:
    """A copy in L, RGB, RGBA or CMYK."""
    if source.has_transparency_data:
        return source.convert("RGBA")
    if source.mode.startswith("I;16"):
        return source.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if source.mode in ("I", "F"):
        low, high = (bound if isinstance(bound, (int, float)) else 0 for bound in source.getextrema())
        scale = 255 / (high - low or 1)
        return source.point(lambda value: value * scale - low * scale).convert("L")
    if source.mode in ("L", "RGB", "CMYK"):
        return source.copy()
    return source.convert("L" if source.mode == "1" else "RGB")


_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """The picture's own colours in sRGB, without metadata, and with its alpha only if that is used."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    flat = image.convert("RGB") if alpha else image
    if isinstance(profile, bytes):
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            flat = ImageCms.profileToProfile(flat, own, _SRGB, outputMode="RGB") or flat
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile, or one for another kind of picture: the numbers as they are
    flat = flat.convert("RGB")
    if alpha:
        lowest, _ = alpha.getextrema()
        if isinstance(lowest, (int, float)) and lowest < _OPAQUE:
            flat.putalpha(alpha)
    flat.info = {}
    return flat


def encode(image: Image.Image, weight: int | None = None) -> tuple[bytes, str]:
    """JPEG, or PNG where there is transparency, and its media type; of at most `weight` bytes if that can be.

    Of a JPEG, quality goes first and size then, since previews are looked at small; of a PNG, size and then colours.
    """
    data, kind = b"", "image/png" if image.mode == "RGBA" else "image/jpeg"
    for scale, quality, colours in _STEPS[kind]:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        smaller = image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        if kind == "image/jpeg":
            smaller.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        else:
            smaller = smaller.quantize(colours, Image.Quantize.FASTOCTREE) if colours else smaller
            smaller.save(buffer, "PNG", optimize=bool(colours))
        data = buffer.getvalue()
        if weight is None or len(data) <= weight:
            break
    return data, kind


# Scale, JPEG quality, PNG colours (0: all of them).
_STEPS = {
    "image/jpeg": (
        (1, 85, 0), (1, 75, 0), (0.85, 75, 0), (0.7, 70, 0), (0.5, 65, 0), (0.35, 60, 0), (0.25, 50, 0), (0.12, 40, 0)
    ),
    "image/png": (
        (1, 0, 0), (0.8, 0, 0), (0.625, 0, 0), (0.625, 0, 256), (0.5, 0, 256), (0.35, 0, 128), (0.25, 0, 64), (0.12, 0, 32)
    ),
}  # fmt: skip


def contact_sheet(images: Sequence[Image.Image], *, columns: int | None = None, edge: int = 640, gap: int = 8) -> Image.Image:
    """All pictures (at least one) side by side on white, `edge` pixels wide and high at most; one alone is just reduced."""
    columns = columns or math.ceil(math.sqrt(len(images)))
    rows = [images[start : start + columns] for start in range(0, len(images), columns)]
    cell = max(1, (edge - gap * (max(columns, len(rows)) - 1)) // max(columns, len(rows)))
    small = [[_on_white(image, cell) for image in row] for row in rows]
    heights = [max(image.height for image in row) for row in small]
    width = cell * columns + gap * (columns - 1) if len(images) > 1 else small[0][0].width
    sheet = Image.new("RGB", (width, sum(heights) + gap * (len(rows) - 1)), "white")
    top = 0
    for row, height in zip(small, heights, strict=True):
        for i, image in enumerate(row):
            left = i * (cell + gap) + (cell - image.width) // 2 if len(images) > 1 else 0
            sheet.paste(image, (left, top + (height - image.height) // 2))
        top += height + gap
    return sheet


def _on_white(image: Image.Image, edge: int) -> Image.Image:
    small = image.copy()
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small)
    return small.convert("RGB")
