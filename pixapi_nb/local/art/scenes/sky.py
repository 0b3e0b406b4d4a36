"""The sky: its gradient, its sun or moon, clouds, stars, birds."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import eight_bit, mix, shade
from pixapi_nb.local.art.palette import Palette

_HEIGHT = {"dawn": 0.16, "morning": 0.5, "noon": 0.72, "sunset": 0.13, "dusk": 0.08, "night": 0.66}
"""How high the sun or the moon stands, as a share of the sky."""
_SIZE = {"dawn": 0.085, "morning": 0.06, "noon": 0.05, "sunset": 0.12, "dusk": 0.1, "night": 0.065}
"""Its radius, as a share of the picture's short edge."""

_RISE = 0, -0.06


def paint(scene: Scene, brief: Brief, palette: Palette, horizon: float, *, body: bool = True) -> Point:
    """A sky down to the row ``horizon``; the place of its sun or moon, which is left out without ``body``."""
    chance = brief.chance("sky")
    night = brief.time == "night"
    sun = _sun(scene, brief, chance, horizon)
    radius = scene.unit * _SIZE[brief.time] * chance.uniform(0.8, 1.25)

    below = horizon / scene.height
    stops = [(0, palette.zenith), (0.55 * below, palette.sky), (below, palette.horizon), (1, palette.horizon)]
    ground = canvas.gradient(stops, scene.width, scene.height)
    wide = canvas.glow(scene.width, scene.height, sun, radius * 3.2, 1.6) * (0.34 if night else 0.62)
    bright = mix(palette.light, palette.horizon, 0.25)
    ground = Image.composite(Image.new("RGB", ground.size, eight_bit(bright)), ground, canvas.mask(wide))
    scene.add(ground, 0)

    if brief.time in ("night", "dusk") and not brief.says("fog", "foggy"):
        _stars(scene, brief, horizon, 1 if night else 0.35)
    if body:
        _body(scene, palette, sun, radius, crescent=night and chance.random() < 0.45)
    if brief.look.detail > -0.6:
        _clouds(scene, brief, palette, horizon)
    if not night and brief.look.detail > -0.5 and chance.random() < 0.75:
        _birds(scene, palette, chance, sun, horizon)
    return sun


def _sun(scene: Scene, brief: Brief, chance: random.Random, horizon: float) -> Point:
    across = chance.choice((0.26, 0.36, 0.5, 0.64, 0.74)) + chance.uniform(-0.04, 0.04)
    up = _HEIGHT[brief.time] * chance.uniform(0.75, 1.2)
    return scene.width * across, horizon * (1 - min(0.85, up))


def _body(scene: Scene, palette: Palette, sun: Point, radius: float, *, crescent: bool) -> None:
    halo = round(radius * 5)
    soft = canvas.mask(canvas.glow(2 * halo, 2 * halo, (halo, halo), radius * 0.95, 4) * fade(halo) * 0.6)
    scene.add(canvas.filled(soft, palette.light), 0.04, sun[0] - halo, sun[1] - halo, drift=_RISE)
    shape = canvas.disc(radius)
    if crescent:
        bite = Image.new("L", shape.size)
        bite.paste(canvas.disc(radius * 0.93), (round(radius * 0.55), round(-radius * 0.22)))
        shape = Image.composite(Image.new("L", shape.size), shape, bite)
    fill = canvas.gradient([(0, shade(palette.light, 0.03)), (1, mix(palette.light, palette.horizon, 0.3))], *shape.size)
    scene.add(canvas.filled(shape, fill), 0.04, sun[0] - radius, sun[1] - radius, drift=_RISE)


def fade(half: int) -> canvas.Floats:
    """1 in the middle of a square, 0 at its rim: a halo must not end in an edge."""
    ys, xs = np.mgrid[-1 : 1 : 2j * half, -1 : 1 : 2j * half]
    return canvas.smooth((1 - np.hypot(xs, ys)).astype(np.float32), 0, 0.8)


def _clouds(scene: Scene, brief: Brief, palette: Palette, horizon: float) -> None:
    chance = brief.chance("clouds")
    storm = brief.says("storm", "stormy", "dramatic", "cloudy", "clouds", "epic")
    height = max(8, round(horizon))
    stretch = scene.width / scene.unit
    field = canvas.noise(chance, scene.width, height, 2.2 * stretch, chance.uniform(5, 8), 4)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    # Streaks gather above the horizon and leave the top of the sky open.
    where = canvas.smooth(rows, 0.05, 0.5) * (1 - canvas.smooth(rows, 0.86, 1))
    thick = 0.47 if storm else chance.uniform(0.54, 0.6)
    body = canvas.smooth(field, thick, thick + 0.13) * where
    lit = mix(palette.light, palette.horizon, 0.4) if brief.time != "night" else mix(palette.sky, palette.light, 0.25)
    dark = mix(palette.sky, palette.zenith, 0.5)
    # The same noise a little lower: what it covers is the underside, turned to a low sun.
    drop = max(1, height // 40)
    under = np.roll(field, drop, axis=0)
    shine = canvas.smooth(field - under, -0.03, 0.05)
    colour = Image.composite(
        Image.new("RGB", (scene.width, height), eight_bit(lit)),
        Image.new("RGB", (scene.width, height), eight_bit(mix(dark, palette.horizon, 0.3))),
        canvas.mask(shine),
    )
    scene.add(canvas.filled(canvas.mask(body * (0.8 if storm else 0.55)), colour), 0.1, drift=(-0.07, 0))


def _stars(scene: Scene, brief: Brief, horizon: float, strength: float) -> None:
    chance = brief.chance("stars")
    count = round(260 * strength * math.sqrt(scene.width / scene.height))

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        for _ in range(count):
            x, y = chance.uniform(0, scene.width), horizon * chance.random() ** 1.4
            size = scene.unit * (0.0006 + 0.0016 * chance.random() ** 5) + 0.18
            bright = round(255 * chance.uniform(0.25, 1) * strength * (1 - 0.75 * y / horizon))
            pen.ellipse([(x - size) * scale, (y - size) * scale, (x + size) * scale, (y + size) * scale], fill=bright)

    scene.add(canvas.filled(canvas.drawn(scene.width, max(1, round(horizon)), draw), (1, 0.98, 0.93)), 0.02)


def _birds(scene: Scene, palette: Palette, chance: random.Random, sun: Point, horizon: float) -> None:
    side = 1 if sun[0] < scene.width / 2 else -1
    middle = sun[0] + side * scene.width * chance.uniform(0.12, 0.3), horizon * chance.uniform(0.3, 0.6)
    span = scene.unit * 0.016
    shapes = []
    for _ in range(chance.randint(4, 8)):
        x = middle[0] + chance.gauss(0, 1) * scene.unit * 0.07
        y = middle[1] + chance.gauss(0, 1) * scene.unit * 0.035
        size, tilt = span * chance.uniform(0.55, 1.1), chance.uniform(-0.25, 0.25)
        wings = [(-1, -0.35), (-0.45, -0.42), (0, 0.02), (0.45, -0.42), (1, -0.35), (0.42, -0.24), (0, 0.2), (-0.42, -0.24)]
        shapes.append([canvas.turned((x + a * size, y + b * size), tilt, (x, y)) for a, b in wings])
    scene.add(
        canvas.filled(canvas.polygon(scene.width, round(horizon), *shapes), mix(palette.near, palette.sky, 0.2)),
        0.2,
        drift=(0.3, -0.05),
    )
