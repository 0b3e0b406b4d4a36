"""The contact sheet of a sweep: thumbnails in a grid, the axes' labels beside them. Bytes and text in, a picture out."""

from __future__ import annotations

import contextlib
import functools
import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from pixapi_nb import preview
from pixapi_nb.sweep_plan import Page

__all__ = ["DENSITY", "GREY", "WHITE", "Ground", "Tile", "block", "cell_size", "sheet", "thumbnail", "video_thumbnail"]

DENSITY = 2
"""Pixels of a thumbnail for each CSS pixel at which it is shown."""

_SIZES = ((4, 256), (9, 216), (16, 176), (30, 144), (60, 112), (150, 84), (300, 64))  # pictures, and CSS pixels of each
_PAGE = 690  # CSS pixels across
_LONGEST = 16_000  # pixels of a side; JPEG ends at 65,500
_GAP = 4 * DENSITY  # as in `show_grid`
_INK, _QUIET = (30, 30, 30), (110, 110, 110)
_FONTS = ("DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "arial.ttf")  # the widest alphabets first


@dataclass(frozen=True)
class Tile:
    """What stands at one place: a thumbnail, or words that say why there is none."""

    thumb: bytes | None = None
    text: str = ""
    warned: bool = False


@dataclass(frozen=True)
class Ground:
    """The colours beneath the pictures: between them, of a place without one, and of one that failed."""

    paper: tuple[int, int, int]
    empty: tuple[int, int, int]
    warned: tuple[int, int, int]


WHITE = Ground((255, 255, 255), (238, 238, 238), (253, 240, 219))
GREY = Ground((128, 128, 128), (160, 160, 160), (205, 176, 128))
"""Of a page that may be light or dark, and is not told which."""


def cell_size(count: int, columns: int, shape: float) -> tuple[int, int]:
    """CSS pixels of each of `count` pictures in a sheet, width and height; `shape` is height by width.

    Small enough for `columns` of them to stand on a page, as long as one still sees something.
    """
    edge = next((edge for most, edge in _SIZES if count <= most), 48)
    edge = max(48, min(edge, _PAGE // columns - _GAP // DENSITY))
    shape = min(2.0, max(0.5, shape))
    return (edge, round(edge * shape)) if shape <= 1 else (round(edge / shape), edge)


def thumbnail(data: bytes, edge: int) -> tuple[bytes, float]:
    """A small JPEG, `edge` pixels at most, and its shape (height by width). Raises preview.UnreadableError."""
    picture = preview.read(data, edge)
    image = picture.image
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=82)
    return sink.getvalue(), picture.size[1] / picture.size[0]


def video_thumbnail(path: Path, edge: int) -> tuple[bytes, float] | None:
    """The same of a video's first frame, with a mark that it moves; None where that cannot be had here.

    Raises preview.UnreadableError.
    """
    image = preview.first_frame(path)
    if image is None:
        return None
    shape = image.height / image.width
    image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    side = max(8, min(image.size) // 8)
    left, low = side // 2, side * 3 // 2
    draw = ImageDraw.Draw(image, "RGBA")
    draw.ellipse((left - side * 0.3, low - side * 1.3, left + side * 1.3, low + side * 0.3), fill=(0, 0, 0, 150))
    draw.polygon([(left + side * 0.2, low), (left + side * 0.2, low - side), (left + side, low - side / 2)], fill="white")
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=82)
    return sink.getvalue(), shape


def block(page: Page, tiles: Mapping[int, Tile], size: tuple[int, int], ground: Ground = WHITE) -> Image.Image:
    """The pictures of one page without labels, `size` pixels each, `_GAP` apart; all of it smaller where it would be huge."""
    width, height = size[0] + _GAP, size[1] + _GAP
    whole = len(page.columns) * width - _GAP, len(page.cells) * height - _GAP
    share = min(1.0, _LONGEST / whole[0], _LONGEST / whole[1])
    small = max(1, round(size[0] * share)), max(1, round(size[1] * share))
    image = Image.new("RGB", (max(1, round(whole[0] * share)), max(1, round(whole[1] * share))), ground.paper)
    for down, row in enumerate(page.cells):
        for across, index in enumerate(row):
            tile = _tile(tiles.get(index, Tile()), small, ground)
            image.paste(tile, (round(across * width * share), round(down * height * share)))
    return image


def _fitting(pages: Sequence[Page], size: tuple[int, int]) -> tuple[int, int]:
    """The size of a place with which all pages together are a picture that can be opened."""
    while min(size) > 8:
        wide = max(len(page.columns) for page in pages) * (size[0] + _GAP)
        tall = sum(len(page.cells) * (size[1] + _GAP) for page in pages)
        if max(wide, tall) <= _LONGEST:
            break
        size = size[0] * 3 // 4, size[1] * 3 // 4
    return size


def _tile(tile: Tile, size: tuple[int, int], ground: Ground) -> Image.Image:
    made = Image.new("RGB", size, ground.warned if tile.warned else ground.empty)
    if tile.thumb is not None:
        with Image.open(io.BytesIO(tile.thumb)) as small:
            fitted = ImageOps.contain(small.convert("RGB"), size, Image.Resampling.LANCZOS)
            made.paste(fitted, ((size[0] - fitted.width) // 2, (size[1] - fitted.height) // 2))
    elif tile.text:
        font = _font(max(9, min(22, size[0] // 11)))
        letter = max(1.0, font.getlength("n"))
        lines = textwrap.wrap(tile.text, max(4, int(size[0] * 0.88 / letter)))[: max(1, int(size[1] * 0.9 / (font.size * 1.3)))]
        ImageDraw.Draw(made).multiline_text(
            (size[0] / 2, size[1] / 2), "\n".join(lines), font=font, fill=_INK, anchor="mm", align="center"
        )
    return made


def sheet(
    pages: Sequence[Page], tiles: Mapping[int, Tile], size: tuple[int, int], *, title: str = "", foot: str = ""
) -> Image.Image:
    """All pages beneath each other with their labels, as one picture on white; `size` pixels for each place."""
    size = _fitting(pages, size)
    margin, font = 24, _font(max(13, min(26, size[0] // 9)))
    small = _font(max(12, round(font.size * 0.85)))
    line = round(font.size * 1.5)
    left = max((font.getlength(_short(label, 28)) for page in pages for label in page.rows), default=0)
    left = margin + (round(left) + 16 if left else 0)
    parts = [(page, block(page, tiles, size)) for page in pages]
    width = max(left + max(image.width for _, image in parts) + margin, 480)
    above = [line * (bool(page.title) + bool(page.corner) + any(page.columns)) for page in pages]
    tall = margin * 2 + (line + 8 if title else 0) + (line + 4 if foot else 0)
    tall += sum(image.height + extra + 10 for (_, image), extra in zip(parts, above, strict=True))
    made = Image.new("RGB", (width, tall), WHITE.paper)
    draw = ImageDraw.Draw(made)
    top = margin
    if title:
        draw.text((margin, top), _fitted(title, font, width - 2 * margin), font=font, fill=_INK)
        top += line + 8
    for page, image in parts:
        if page.title:
            draw.text((margin, top), _short(page.title, 100), font=font, fill=_INK)
            top += line
        if page.corner:
            draw.text((margin, top), _short(page.corner, 100), font=small, fill=_QUIET)
            top += line
        if any(page.columns):
            for across, label in enumerate(page.columns):
                draw.text((left + across * (size[0] + _GAP), top), _fitted(label, font, size[0]), font=font, fill=_INK)
            top += line
        made.paste(image, (left, top))
        for down, label in enumerate(page.rows):
            draw.text(
                (margin, top + down * (size[1] + _GAP) + size[1] / 2), _short(label, 28), font=font, fill=_INK, anchor="lm"
            )
        top += image.height + 10
    if foot:
        draw.text((margin, top), _fitted(foot, small, width - 2 * margin), font=small, fill=_QUIET)
    return made


@functools.lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    for name in _FONTS:
        with contextlib.suppress(OSError):
            return ImageFont.truetype(name, size)
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def _short(text: str, longest: int) -> str:
    text = " ".join(text.split())  # one line; the drawing of several would fail
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _fitted(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """As much of the text as fits."""
    text = _short(text, 200)
    while text and font.getlength(text) > width:
        text = text[:-2].rstrip() + "…" if len(text) > 2 else ""
    return text
