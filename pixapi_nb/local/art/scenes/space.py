"""Space: a nebula, stars, a planet with its moon or ring."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Floats, Point, Scene
from pixapi_nb.local.art.colour import Colour, eight_bit, from_hex, mix, shade
from pixapi_nb.local.art.palette import Palette

_DEEP = from_hex("060818")


def space(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("space")
    tints = [tint for tint in (*brief.colours, palette.sky, palette.horizon) if tint][:2]
    if not brief.colours:
        tints = list(chance.choice(((from_hex("5b3fa8"), from_hex("e0659a")), (from_hex("1f5fa8"), from_hex("48c7c0")),
                                    (from_hex("7a2f6b"), from_hex("f09a5b")))))  # fmt: skip
    _nebula(scene, chance, tints[0], tints[-1])
    _stars(scene, chance, 420, 0.02)
    if brief.look.detail > -0.5:
        _stars(scene, chance, 60, 0.12, large=True)
    side = chance.choice((-1, 1))
    radius = scene.unit * chance.uniform(0.2, 0.3)
    centre = (
        scene.width * (0.5 + side * chance.uniform(0.02, 0.16 if scene.width > scene.height * 0.8 else 0.03)),
        scene.height * chance.uniform(0.4, 0.52),
    )
    light = -side * 0.6, -0.55
    own = brief.own or (
        brief.colours[-1]
        if brief.colours
        else chance.choice((from_hex("d98a5b"), from_hex("7fb0c9"), from_hex("c9a26b"), from_hex("b56a86")))
    )
    ringed = brief.says("saturn", "ring", "rings") or chance.random() < 0.5
    if ringed:
        _ring(scene, own, centre, radius, front=False)
    _planet(scene, chance, own, centre, radius, light)
    if ringed:
        _ring(scene, own, centre, radius, front=True)
    else:
        away = centre[0] - side * radius * 1.7, centre[1] - radius * chance.uniform(0.5, 1.0)
        _planet(scene, chance, mix(own, (0.8, 0.8, 0.85), 0.6), away, radius * 0.2, light)


def _nebula(scene: Scene, chance: random.Random, first: Colour, second: Colour) -> None:
    size = scene.width, scene.height
    stretch = scene.width / scene.unit
    cloud = canvas.noise(chance, *size, 1.6 * stretch, 1.6, 6)
    veil = canvas.noise(chance, *size, 2.4 * stretch, 2.4, 6)
    xs, ys = np.meshgrid(np.linspace(-1, 1, size[0], dtype=np.float32), np.linspace(-1, 1, size[1], dtype=np.float32))
    angle = chance.uniform(-0.9, 0.9)
    # Denser along a band, as a galaxy seen from inside it.
    band = np.exp(-(((ys * math.cos(angle) + xs * math.sin(angle) + 0.5 * (veil - 0.5)) / 0.55) ** 2))
    ground = canvas.gradient([(0, mix(_DEEP, first, 0.12)), (1, mix(_DEEP, second, 0.1))], *size)
    for tint, density in (
        (first, canvas.smooth(cloud, 0.32, 0.75) * (0.35 + 0.65 * band)),
        (second, canvas.smooth(veil, 0.45, 0.85) * band),
    ):
        ground = Image.composite(
            Image.new("RGB", size, eight_bit(mix(tint, (1, 1, 1), 0.08))), ground, canvas.mask(density * 0.72)
        )
    core = canvas.smooth(cloud + veil, 1.05, 1.5) * band
    ground = Image.composite(
        Image.new("RGB", size, eight_bit(mix(second, (1, 0.95, 0.9), 0.65))), ground, canvas.mask(core * 0.6)
    )
    dust = canvas.smooth(canvas.noise(chance, *size, 3 * stretch, 3, 6), 0.52, 0.75) * band
    scene.add(Image.composite(Image.new("RGB", size, eight_bit(_DEEP)), ground, canvas.mask(dust * 0.55)), 0.03)


def _stars(scene: Scene, chance: random.Random, count: int, depth: float, *, large: bool = False) -> None:
    seed = chance.getrandbits(32)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        luck = random.Random(seed)
        for _ in range(count):
            x, y = luck.uniform(0, scene.width), luck.uniform(0, scene.height)
            size = scene.unit * (0.0016 + 0.002 * luck.random() ** 3 if large else 0.0004 + 0.0012 * luck.random() ** 4) + 0.2
            fill = round(luck.uniform(140, 255) if large else 255 * luck.uniform(0.2, 0.95))
            pen.ellipse([(x - size) * scale, (y - size) * scale, (x + size) * scale, (y + size) * scale], fill=fill)
            if large and luck.random() < 0.3:
                for dx, dy in ((5, 0.35), (0.35, 5)):
                    pen.ellipse(
                        [(x - size * dx) * scale, (y - size * dy) * scale, (x + size * dx) * scale, (y + size * dy) * scale],
                        fill=fill // 2,
                    )

    scene.add(canvas.filled(canvas.drawn(scene.width, scene.height, draw), (1, 0.97, 0.92)), depth)


def _planet(scene: Scene, chance: random.Random, colour: Colour, centre: Point, radius: float, light: Point) -> None:
    size = max(4, math.ceil(radius * 2) + 2)
    ys, xs = (np.mgrid[0:size, 0:size].astype(np.float32) + 0.5 - size / 2) / radius
    away = np.hypot(xs, ys)
    height = np.sqrt(np.maximum(0, 1 - np.minimum(away, 1) ** 2))
    surface = _surface(chance, size, xs, ys, height)
    tones = [shade(colour, -0.14), colour, mix(shade(colour, 0.1), (1, 0.96, 0.9), 0.3)]
    fill = Image.composite(
        Image.new("RGB", (size, size), eight_bit(tones[2])),
        Image.new("RGB", (size, size), eight_bit(tones[0])),
        canvas.mask(surface),
    )
    strength = math.hypot(*light, 0.62)
    day = (xs * light[0] + ys * light[1] + height * 0.62) / strength
    night = canvas.mask(1 - canvas.smooth(day, -0.12, 0.75))
    fill = Image.composite(Image.new("RGB", (size, size), eight_bit(mix(_DEEP, colour, 0.1))), fill, night)
    air = canvas.smooth(away, 0.8, 1.0) * canvas.smooth(day, 0.0, 0.7) * 0.7
    fill = Image.composite(Image.new("RGB", (size, size), eight_bit(mix(colour, (0.85, 0.95, 1), 0.7))), fill, canvas.mask(air))
    halo = round(radius * 1.35)
    glow = canvas.mask(canvas.smooth(1 - np.hypot(*np.mgrid[-1 : 1 : 2j * halo, -1 : 1 : 2j * halo]), 0, 0.5) * 0.32)
    scene.add(
        canvas.filled(glow, mix(colour, (1, 1, 1), 0.4)),
        0.3,
        centre[0] - halo + light[0] * radius * 0.12,
        centre[1] - halo + light[1] * radius * 0.12,
    )
    scene.add(
        canvas.filled(canvas.mask((1 - away) * radius + 0.5), fill),
        0.3,
        centre[0] - size / 2,
        centre[1] - size / 2,
        subject=True,
    )


def _surface(chance: random.Random, size: int, xs: Floats, ys: Floats, height: Floats) -> Floats:
    """Bands, or land and sea, bent around the ball."""
    bands = chance.random() < 0.55
    field = canvas.noise(chance, size, size, 3, 3, 5)
    tilt = chance.uniform(-0.4, 0.4)
    across = ys * math.cos(tilt) + xs * math.sin(tilt)
    if bands:
        stripes: Floats = np.sin((across + 0.28 * (field - 0.5)) * chance.uniform(9, 15) / (0.55 + 0.45 * height))
        return 0.5 + 0.5 * stripes
    return canvas.smooth(field, 0.44, 0.56) * 0.8 + 0.2 * canvas.noise(chance, size, size, 9, 9, 3)


def _ring(scene: Scene, colour: Colour, centre: Point, radius: float, *, front: bool) -> None:
    size = math.ceil(radius * 4.6)
    middle = size / 2

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        for outer, inner, fill in ((2.2, 1.95, 120), (1.9, 1.55, 205), (1.5, 1.36, 110)):
            for reach, value in ((outer, fill), (inner, 0)):
                box = [
                    (middle - radius * reach) * scale,
                    (middle - radius * reach * 0.24) * scale,
                    (middle + radius * reach) * scale,
                    (middle + radius * reach * 0.24) * scale,
                ]
                pen.ellipse(box, fill=value)
        half = (0, 0, size * scale, middle * scale) if front else (0, middle * scale, size * scale, size * scale)
        pen.rectangle(half, fill=0)

    shape = canvas.drawn(size, size, draw).rotate(18, Image.Resampling.BICUBIC)
    scene.add(
        canvas.filled(shape, mix(colour, (1, 0.95, 0.88), 0.45)), 0.3, centre[0] - middle, centre[1] - middle, subject=True
    )
