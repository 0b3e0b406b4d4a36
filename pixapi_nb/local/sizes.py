"""From the ``size`` of a request to pixels. A size that does not fit raises ``ValueError`` with a message for people."""

import math
import re

from pixapi_nb.local.catalogue import Model

SMALLEST, LARGEST = 64, 4096
_PIXELS = re.compile(r"(\d{1,5})\s*[xX×]\s*(\d{1,5})")
_RATIO = re.compile(r"(\d{1,3}):(\d{1,3})")
_GEMINI = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}


def image_size(size: str, model: Model, shape: tuple[int, int] | None = None) -> tuple[int, int]:
    """Width and height in pixels for an image.

    ``auto`` is 1024x1024; for an edit it keeps the ``shape`` of the given picture, with a long edge of 1024.
    """
    if size == "auto":
        return _fit(shape, 1024) if shape else (1024, 1024)
    if pixels := _PIXELS.fullmatch(size):
        width, height = _bounded(int(pixels[1]), int(pixels[2]))
        if model.id == "gpt-image-2":
            _check_gpt_image_2(width, height)
        return width, height
    if model.family == "gemini":
        if edge := _GEMINI.get(size.upper()):
            return edge, edge
        if ratio := _RATIO.fullmatch(size):
            return _area(_proportion(ratio), 1024 * 1024)
        raise ValueError(f"size {size!r} must be auto, WIDTHxHEIGHT, 1K, 2K, 4K or a ratio such as 16:9.")
    raise ValueError(f"size {size!r} must be auto or WIDTHxHEIGHT for {model.id}.")


def video_size(size: str) -> tuple[int, int]:
    """Width and height in pixels for a video; ``auto`` is 1280x720, a ratio has a short edge of 720."""
    if size == "auto":
        return 1280, 720
    if pixels := _PIXELS.fullmatch(size):
        width, height = _bounded(int(pixels[1]), int(pixels[2]))
        if width % 2 or height % 2:
            raise ValueError(f"size {size!r}: both sides of a video must be even.")
        return width, height
    if ratio := _RATIO.fullmatch(size):
        proportion = _proportion(ratio)
        long = _even(720 * max(proportion, 1 / proportion))
        return (long, 720) if proportion >= 1 else (720, long)
    raise ValueError(f"size {size!r} must be auto, WIDTHxHEIGHT or a ratio such as 16:9.")


def _bounded(width: int, height: int) -> tuple[int, int]:
    if not (SMALLEST <= width <= LARGEST and SMALLEST <= height <= LARGEST):
        raise ValueError(f"size {width}x{height}: both sides must be {SMALLEST} to {LARGEST} pixels.")
    return width, height


def _check_gpt_image_2(width: int, height: int) -> None:
    """The rules for custom sizes on Pixapi's page of gpt-image-2."""
    if width % 16 or height % 16:
        raise ValueError(f"size {width}x{height}: both sides must be multiples of 16 for gpt-image-2.")
    if not 655_360 <= width * height <= 8_294_400:
        raise ValueError(f"size {width}x{height}: gpt-image-2 makes 655,360 to 8,294,400 pixels in all.")
    if max(width, height) > 3 * min(width, height):
        raise ValueError(f"size {width}x{height}: the aspect ratio must be at most 3:1 for gpt-image-2.")


def _proportion(ratio: re.Match[str]) -> float:
    across, down = int(ratio[1]), int(ratio[2])
    if not across or not down or max(across, down) > 8 * min(across, down):
        raise ValueError(f"size {ratio[0]!r}: a ratio must lie between 1:8 and 8:1.")
    return across / down


def _area(proportion: float, pixels: int) -> tuple[int, int]:
    """The sides, in multiples of 16, of a picture of about so many pixels."""
    width = math.sqrt(pixels * proportion)
    return max(64, round(width / 16) * 16), max(64, round(width / proportion / 16) * 16)


def _fit(shape: tuple[int, int], edge: int) -> tuple[int, int]:
    scale = edge / max(shape)
    return max(SMALLEST, round(shape[0] * scale)), max(SMALLEST, round(shape[1] * scale))


def _even(number: float) -> int:
    return min(LARGEST, round(number / 2) * 2)
