"""Water: its surface with what it mirrors, the boats on it, and lakes."""

import random

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import Colour, eight_bit, mix
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import land, sky


def lake(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("lake")
    horizon = scene.height * chance.uniform(0.56, 0.62)
    sun = sky.paint(scene, brief, palette, horizon)
    land.peaks(scene, brief, palette, sun, horizon * 0.86, 3, lowest=horizon / scene.height * 0.985, nearest=0.3)
    shore = np.full(scene.width, horizon, np.float32) - scene.height * 0.012 * canvas.line(chance, scene.width, 5, 4)
    land.trees(scene, palette, chance, shore, scene.height * 0.075, 0.4)
    water(scene, brief, palette, sun, horizon, mirror=0.8)
    if chance.random() < 0.6:
        boat(scene, palette, chance, horizon)
    land.foreground(scene, brief, palette, chance)


def water(scene: Scene, brief: Brief, palette: Palette, sun: Point, horizon: float, mirror: float) -> None:
    """Water from the row ``horizon`` down: its own colour, the reflection of all above (``mirror`` 0 to 1), glitter."""
    chance = brief.chance("water")
    top = round(horizon)
    size = scene.width, scene.height - top
    own = canvas.gradient(
        [(0, mix(palette.horizon, palette.sky, 0.45)), (0.25, mix(palette.sky, palette.zenith, 0.4)),
         (1, mix(palette.zenith, palette.near, 0.65))], *size,
    )  # fmt: skip
    above = scene.flat().crop((0, max(0, top - round(size[1] * 1.1)), scene.width, top))
    above = ImageOps.flip(above).resize(size, Image.Resampling.BILINEAR)
    rows = np.linspace(0, 1, size[1], dtype=np.float32)
    # The nearer the water, the wider its ripples tear the reflection apart.
    tear = np.interp(np.arange(size[1]), np.arange(size[1]), canvas.line(chance, size[1], size[1] / 14, 3)) * (1 + 14 * rows)
    columns = np.arange(scene.width)[None, :] + (tear * scene.unit / 700)[:, None]
    columns = np.clip(columns, 0, scene.width - 1).astype(np.intp)
    torn = Image.fromarray(np.asarray(above)[np.arange(size[1])[:, None], columns])
    fading = canvas.mask(np.repeat((mirror * (1 - 0.55 * rows))[:, None], scene.width, axis=1))
    surface = Image.composite(torn, own, fading)
    # Waves crowd towards the horizon, so their noise is read at the root of the row.
    field = canvas.noise(chance, scene.width, size[1], 5 * scene.width / scene.unit, 46, 3)
    at = (np.sqrt(rows) * (size[1] - 1)).astype(np.intp)
    waves = field[at] - 0.5
    bright = Image.new("RGB", size, eight_bit(mix(palette.horizon, palette.light, 0.4)))
    dark = Image.new("RGB", size, eight_bit(mix(palette.near, palette.zenith, 0.3)))
    surface = Image.composite(bright, surface, canvas.mask(canvas.smooth(waves, 0.02, 0.3) * 0.4))
    surface = Image.composite(dark, surface, canvas.mask(canvas.smooth(-waves, 0.02, 0.3) * (0.2 + 0.25 * rows)[:, None]))
    scene.add(surface, 0.2, 0, top)
    _glitter(scene, palette, chance, sun, top, 0.55 if brief.time in ("noon", "morning") else 1)


def _glitter(scene: Scene, palette: Palette, chance: random.Random, sun: Point, top: int, strength: float) -> None:
    height = scene.height - top

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        for _ in range(round(170 * strength)):
            down = chance.random() ** 1.5
            y = down * height
            spread = scene.unit * (0.025 + 0.11 * down)
            x = sun[0] + chance.gauss(0, 0.55) * spread
            wide = scene.unit * (0.006 + 0.03 * down) * chance.uniform(0.4, 1.4)
            thin = scene.unit * (0.0009 + 0.003 * down) + 0.2
            lit = round(235 * chance.uniform(0.35, 1) * (1 - 0.5 * down))
            pen.ellipse([(x - wide) * scale, (y - thin) * scale, (x + wide) * scale, (y + thin) * scale], fill=lit)

    scene.add(canvas.filled(canvas.drawn(scene.width, height, draw), mix(palette.light, (1, 1, 1), 0.2)), 0.06, 0, top)


def boat(scene: Scene, palette: Palette, chance: random.Random, horizon: float, *, moored: bool = False) -> None:
    """A sailing boat with its reflection; ``moored`` with its sails down."""
    down = chance.uniform(0.05, 0.3) if moored else chance.uniform(0.02, 0.22)
    tall = scene.unit * (0.07 + 0.5 * down) * chance.uniform(0.8, 1.1)
    x, y = scene.width * chance.uniform(0.12, 0.88), horizon + (scene.height - horizon) * down
    lean, facing = tall * chance.uniform(-0.03, 0.05), chance.choice((-1, 1))
    size = round(tall * 1.3), round(tall * 1.12)
    middle, waterline = size[0] / 2, tall * 1.06
    hull = mix(palette.near, palette.accent, 0.3 if moored else 0.12)
    sail = mix(palette.light, palette.horizon, 0.25 if not moored else 0.5)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        def shape(points: list[Point], colour: Colour) -> None:
            spots = [((middle + facing * px * tall) * scale, (waterline + py * tall) * scale) for px, py in points]
            pen.polygon(spots, fill=eight_bit(colour))

        top = lean / tall
        shape([(-0.012, -0.1), (top - 0.006, -1), (top + 0.006, -1), (0.012, -0.1)], hull)
        if moored:
            shape([(0.02, -0.2), (0.34, -0.22), (0.34, -0.19), (0.02, -0.17)], sail)
        else:
            shape([(0.025, -0.16), (top + 0.015, -0.97), (0.2, -0.55), (0.38, -0.17)], sail)
            shape([(-0.03, -0.17), (top - 0.02, -0.86), (-0.14, -0.5), (-0.27, -0.15)], mix(sail, palette.sky, 0.25))
        shape([(-0.36, -0.13), (0.42, -0.13), (0.32, -0.01), (0.26, 0), (-0.26, 0)], hull)

    piece = canvas.painted(*size, draw)
    below = ImageOps.flip(piece).resize((size[0], round(size[1] * 0.6)), Image.Resampling.BILINEAR)
    below.putalpha(below.getchannel("A").point([round(value * 0.33) for value in range(256)]))
    drift = (0, 0) if moored else (0.06 * facing, 0)
    scene.add(below, 0.25 + down, x - middle, y - tall * 0.02, drift=drift)
    scene.add(piece, 0.25 + down, x - middle, y - waterline, drift=drift)
