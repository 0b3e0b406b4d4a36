"""Turned bodies: a radius for each row, shaded all around as if on a lathe."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.canvas import Floats, Scene
from pixapi_nb.local.art.colour import Colour, eight_bit, mix, shade
from pixapi_nb.local.art.palette import Palette

DEPTH = 0.45


@dataclass(frozen=True)
class Stuff:
    """What a body is made of; ``gloss`` from 0, matte, to 1."""

    colour: Colour
    gloss: float = 0
    metal: bool = False


def turn(
    scene: Scene, palette: Palette, stuff: Stuff, radii: Floats, centre: float, top: float, light: int, *,
    curve: float, subject: bool = True,
) -> None:  # fmt: skip
    """A turned body from its radii, row by row from ``top`` (pixels); ``light`` is -1 from the left, 1 from the right.

    Its last ``curve`` rows close like the near half of an ellipse: one looks at it a little from above.
    """
    half = float(np.max(radii)) + 1
    xs = np.arange(math.ceil(half * 2), dtype=np.float32) + 0.5 - half
    shape = canvas.mask(_closed(radii, curve)[:, None] - np.abs(xs)[None, :] + 0.5)
    around = np.clip(xs[None, :] / np.maximum(radii[:, None], 1), -1, 1)
    fill = Image.fromarray(_shades(palette, stuff, light)[((around + 1) * 127.5).astype(np.intp)])
    down = canvas.gradient([(0, (1, 1, 1)), (0.7, (0.97, 0.97, 0.97)), (1, (0.78, 0.78, 0.8))], *fill.size)
    scene.add(canvas.filled(shape, ImageChops.multiply(fill, down)), DEPTH, centre - half, top, subject=subject)


def _shades(palette: Palette, stuff: Stuff, light: int) -> npt.NDArray[np.uint8]:
    """The colours around a cylinder from its left edge to its right one: 256 of them."""
    colour = stuff.colour
    dark = mix(shade(colour, -0.26), palette.near, 0.3)
    bright = mix(shade(colour, 0.1), palette.light, 0.35)
    shades = []
    for index in range(256):
        place = index / 127.5 - 1
        lit = 0.22 + 0.78 * max(0.0, math.cos(math.asin(place) - light * 0.75))
        if stuff.metal:
            # Metal mirrors the room: bands of light and dark.
            lit = min(1, max(0, lit + 0.3 * math.sin(place * 8.5 * light + 0.6)))
        tone = mix(dark, colour, lit / 0.62) if lit < 0.62 else mix(colour, bright, (lit - 0.62) / 0.38)
        spark = math.exp(-(((place - light * 0.5) / 0.075) ** 2)) + 0.35 * math.exp(-(((place + light * 0.86) / 0.06) ** 2))
        shades.append(eight_bit(mix(tone, (1, 1, 1), min(1, 0.62 * stuff.gloss * spark))))
    return np.array(shades, np.uint8)


def _closed(radii: Floats, curve: float) -> Floats:
    count = min(len(radii), max(1, round(curve)))
    closing = np.sqrt(np.maximum(0, 1 - np.linspace(0, 1, count) ** 2))
    return np.concatenate([radii[: len(radii) - count], radii[len(radii) - count :] * closing])
