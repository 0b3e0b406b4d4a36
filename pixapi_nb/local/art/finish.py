"""What is done to a painted picture as a whole: grading, bloom, vignette, grain, and the manner of a style."""

import functools
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief, Look
from pixapi_nb.local.art.palette import Palette


def finished(picture: Image.Image, brief: Brief, palette: Palette) -> Image.Image:
    """The picture as it is shown; an ``RGBA`` one keeps its transparency."""
    alpha = picture.getchannel("A") if picture.mode == "RGBA" else None
    picture = picture.convert("RGB")
    if brief.style in _MANNERS:
        picture = _mannered(picture, brief, palette)
    picture = graded(picture, brief.look)
    if alpha is None:
        picture.paste((0, 0, 0), (0, 0), vignette(picture.size, brief.look))
    picture = _grained(picture, brief, 0.35 + 0.5 * brief.look.grain)
    if alpha is not None:
        picture.putalpha(alpha)
    return picture


def _mannered(picture: Image.Image, brief: Brief, palette: Palette) -> Image.Image:
    """The picture in its style. A brush is broad: beyond so many pixels it shows no more."""
    manner, edge = _MANNERS[brief.style or ""]
    scale = min(1, edge / max(picture.size))
    small = picture.resize([max(1, round(side * scale)) for side in picture.size], Image.Resampling.BILINEAR)
    return manner(small, brief, palette).resize(picture.size, Image.Resampling.BICUBIC)


def graded(picture: Image.Image, look: Look) -> Image.Image:
    """The picture with its colours and tones as the look wants them."""
    if look.bloom > 0:
        picture = _bloomed(picture, look.bloom)
    if look.saturation:
        picture = ImageEnhance.Color(picture).enhance(max(0, 1 + 0.85 * look.saturation))
    return picture.point(_curves(look))


def _curves(look: Look) -> list[int]:
    """One table for all three channels: contrast, brightness, fading, warmth."""
    x = np.linspace(0, 1, 256)
    tone = x + look.contrast * 0.32 * (x - 0.5) * (1 - (2 * x - 1) ** 2) * 2
    tone = np.clip(tone, 0, 1) ** (2 ** (-0.75 * look.brightness))
    tone = tone * (1 - 0.22 * max(0, look.fade)) + 0.1 * max(0, look.fade)
    warm = look.warmth
    # Bent rather than scaled, so that white stays light and black dark.
    red, green, blue = (tone ** (2 ** (-strength * warm)) for strength in (0.62, 0.08, -0.78))
    lifted = np.concatenate([red * (1 + 0.05 * warm), green, blue * (1 - 0.1 * warm)])
    return [round(255 * float(value)) for value in np.clip(lifted, 0, 1)]


def _bloomed(picture: Image.Image, strength: float) -> Image.Image:
    small = picture.resize((max(1, picture.width // 6), max(1, picture.height // 6)), Image.Resampling.BILINEAR)
    small = small.point(lambda value: max(0, value - 110) * 255 // 145)
    soft = small.filter(ImageFilter.GaussianBlur(max(1, min(small.size) / 28)))
    soft = soft.resize(picture.size, Image.Resampling.BICUBIC)
    return Image.blend(picture, ImageChops.screen(picture, soft), min(1, 0.75 * strength))


def vignette(size: tuple[int, int], look: Look) -> Image.Image:
    """How much black is to be laid over each place of a picture, as a mask."""
    strength = max(0.0, 0.32 + 0.4 * look.vignette)
    ys, xs = np.mgrid[-1:1:48j, -1:1:48j].astype(np.float32)
    dark = strength * canvas.smooth(np.hypot(xs * 0.9, ys * 0.95), 0.55, 1.5)
    return canvas.mask(dark).resize(size, Image.Resampling.BICUBIC)


@functools.lru_cache(maxsize=1)
def _grain() -> Image.Image:
    values = np.random.default_rng(7).normal(128, 24, (512, 512))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _grained(picture: Image.Image, brief: Brief, strength: float) -> Image.Image:
    """Film grain; it also hides the steps that eight bits leave in a sky."""
    if strength <= 0:
        return picture
    tile = _grain().point([round(128 + (value - 128) * 0.22 * strength) for value in range(256)])
    chance = brief.chance("grain")
    tile = ImageChops.offset(tile, chance.randrange(512), chance.randrange(512))
    sheet = Image.new("L", picture.size)
    for top in range(0, picture.height, 512):
        for left in range(0, picture.width, 512):
            sheet.paste(tile, (left, top))
    return ImageChops.add(picture, Image.merge("RGB", (sheet, sheet, sheet)), 1, -128)


def _watercolour(picture: Image.Image, brief: Brief, palette: Palette) -> Image.Image:
    """Pale washes on rough paper, darker where they dry at an edge."""
    chance = brief.chance("paper")
    wash = _wobbled(picture, brief, 0.006).filter(
        ImageFilter.ModeFilter(5) if picture.width <= 512 else ImageFilter.MedianFilter(5)
    )
    edges = ImageOps.invert(wash.convert("L").filter(ImageFilter.GaussianBlur(2)).filter(ImageFilter.FIND_EDGES))
    edges = edges.point(lambda value: min(255, value + 40))
    wash = ImageChops.multiply(wash, Image.merge("RGB", (edges, edges, edges)))
    wash = Image.blend(wash, Image.new("RGB", picture.size, (252, 248, 240)), 0.3)
    stretch = picture.width / min(picture.size)
    blots = canvas.noise(chance, *picture.size, 30 * stretch, 30, 4)
    paper = canvas.mask(0.95 + 0.14 * (blots - 0.5))
    return ImageChops.multiply(wash, Image.merge("RGB", (paper, paper, paper)))


def _oil(picture: Image.Image, brief: Brief, palette: Palette) -> Image.Image:
    """Broad strokes, lit from the side."""
    strokes = _wobbled(picture, brief, 0.009).filter(ImageFilter.ModeFilter(7 if min(picture.size) > 400 else 5))
    bumps = canvas.noise(brief.chance("strokes"), *picture.size, 60, 22, 3)
    relief = canvas.mask(0.5 + 1.1 * (bumps - np.roll(bumps, 2, axis=0)))
    return ImageChops.overlay(ImageEnhance.Color(strokes).enhance(1.2), Image.merge("RGB", (relief,) * 3))


def _ink(picture: Image.Image, brief: Brief, palette: Palette) -> Image.Image:
    """Dark lines and hatching on paper."""
    grey = ImageOps.autocontrast(picture.convert("L"))
    lines = ImageOps.invert(ImageOps.autocontrast(grey.filter(ImageFilter.GaussianBlur(1)).filter(ImageFilter.FIND_EDGES)))
    ys, xs = np.mgrid[0 : picture.height, 0 : picture.width].astype(np.float32)
    pitch = max(4, round(min(picture.size) / 170))  # whole pixels: else the lines beat against them
    tone = np.asarray(grey, np.float32) / 255
    hatch = canvas.smooth(0.5 + 0.5 * np.sin((xs + ys) * 2 * np.pi / pitch) - 1.15 + tone * 1.6, -0.1, 0.1)
    cross = canvas.smooth(0.5 + 0.5 * np.sin((xs - ys) * 2 * np.pi / pitch) - 0.7 + tone * 2.4, -0.1, 0.1)
    ink = ImageChops.multiply(canvas.mask(hatch * cross), lines)
    return ImageOps.colorize(ink, black="#22242c", white="#f6f0e2")


def _pixel(picture: Image.Image, brief: Brief, palette: Palette) -> Image.Image:
    """Few colours in large squares."""
    side = max(1, min(picture.size) // 112)
    small = picture.resize((max(1, picture.width // side), max(1, picture.height // side)), Image.Resampling.BOX)
    small = small.quantize(28, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert("RGB")
    return small.resize(picture.size, Image.Resampling.NEAREST)


def _neon(picture: Image.Image, brief: Brief, palette: Palette) -> Image.Image:
    """Darker, with light that spills."""
    dark = picture.point(lambda value: round(255 * (value / 255) ** 1.35))
    return _bloomed(ImageEnhance.Color(dark).enhance(1.45), 0.9)


def _poster(picture: Image.Image, brief: Brief, palette: Palette) -> Image.Image:
    """A few flat inks."""
    inks = picture.filter(ImageFilter.GaussianBlur(1)).quantize(14, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    return inks.convert("RGB")


def _wobbled(picture: Image.Image, brief: Brief, share: float) -> Image.Image:
    """The picture with its edges as an unsteady hand would draw them."""
    chance = brief.chance("hand")
    reach = share * min(picture.size)
    dx, dy = ((canvas.noise(chance, *picture.size, 24, 24, 3) - 0.5) * 2 * reach for _ in range(2))
    ys, xs = np.mgrid[0 : picture.height, 0 : picture.width]
    rows = np.clip(ys + dy, 0, picture.height - 1).astype(np.intp)
    columns = np.clip(xs + dx, 0, picture.width - 1).astype(np.intp)
    return Image.fromarray(np.asarray(picture)[rows, columns])


_MANNERS: dict[str, tuple[Callable[[Image.Image, Brief, Palette], Image.Image], int]] = {
    "watercolour": (_watercolour, 800),
    "oil": (_oil, 640),
    "ink": (_ink, 1536),
    "pixel": (_pixel, 1536),
    "neon": (_neon, 1536),
    "poster": (_poster, 1536),
}
