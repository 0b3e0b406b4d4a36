"""Turned bodies: a radius for each row, shaded all around as if on a lathe."""

import math

import numpy as np
from PIL import Image, ImageChops

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.canvas import Floats, Scene
from pixapi_nb.local.art.colour import Colour, eight_bit, mix, shade
from pixapi_nb.local.art.palette import Palette


def solid(
    scene: Scene, palette: Palette, colour: Colour, radii: Floats, centre: float, top: float, side: int, *,
    gloss: float, metal: bool = False, subject: bool = False,
) -> None:  # fmt: skip
    """A turned body: a radius for each row, lit from one side."""
    half = float(radii.max()) + 1
    xs = np.arange(math.ceil(half * 2), dtype=np.float32) + 0.5 - half
    shape = canvas.mask(radii[:, None] - np.abs(xs)[None, :] + 0.5)
    around = np.clip(xs[None, :] / np.maximum(radii[:, None], 1), -1, 1)
    table = _around(palette, colour, side, gloss, metal=metal)
    fill = Image.fromarray(table[((around + 1) * 127.5).astype(np.intp)])
    down = canvas.gradient([(0, (1, 1, 1)), (0.7, (0.97, 0.97, 0.97)), (1, (0.78, 0.78, 0.8))], *fill.size)
    scene.add(canvas.filled(shape, ImageChops.multiply(fill, down)), 0.45, centre - half, top, subject=subject)


def _around(
    palette: Palette, colour: Colour, side: int, gloss: float, *, metal: bool
) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """The colours around a cylinder from its left edge to its right one: 256 of them."""
    dark = mix(shade(colour, -0.26), palette.near, 0.3)
    bright = mix(shade(colour, 0.1), palette.light, 0.35)
    rows = []
    for index in range(256):
        place = index / 127.5 - 1
        lit = 0.22 + 0.78 * max(0.0, math.cos(math.asin(max(-1, min(1, place))) - side * 0.75))
        if metal:
            lit = min(1, max(0, lit + 0.3 * math.sin(place * 8.5 * side + 0.6)))
        tone = mix(dark, colour, lit / 0.62) if lit < 0.62 else mix(colour, bright, (lit - 0.62) / 0.38)
        spark = math.exp(-(((place - side * 0.5) / 0.075) ** 2)) + 0.35 * math.exp(-(((place + side * 0.86) / 0.06) ** 2))
        rows.append(eight_bit(mix(tone, (1, 1, 1), min(1, 0.62 * gloss * spark))))
    return np.array(rows, np.uint8)


def rounded(radii: Floats, curve: float) -> Floats:
    """Radii whose last rows close like the near half of an ellipse."""
    count = min(len(radii), max(1, round(curve)))
    closing = np.sqrt(np.maximum(0, 1 - np.linspace(0, 1, count, dtype=np.float32) ** 2))
    return np.concatenate([radii[: len(radii) - count], radii[len(radii) - count :] * closing])
