"""Seas, lakes and harbours: what stands above the water, and its reflection."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import Colour, eight_bit, from_hex, mix, shade
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import land, sky


def sea(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("sea")
    horizon = scene.height * chance.uniform(0.5, 0.62)
    sun = sky.paint(scene, brief, palette, horizon)
    if brief.look.detail > -0.5:
        headland(scene, palette, chance, horizon, chance.choice((-1, 1)), sun[0])
    water(scene, brief, palette, sun, horizon, mirror=0.25)
    for _ in range(chance.randint(1, 2 if brief.look.detail < 0 else 3)):
        boat(scene, palette, chance, horizon)
    if brief.says("beach", "shore", "seaside", "island", "tropical"):
        _beach(scene, brief, palette, chance)
    elif brief.look.detail > -0.5:
        _rocks(scene, palette, chance, sun[0])


def lighthouse(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("lighthouse")
    horizon = scene.height * chance.uniform(0.56, 0.64)
    sun = sky.paint(scene, brief, palette, horizon)
    headland(scene, palette, chance, horizon, 1 if sun[0] < scene.width / 2 else -1, sun[0])
    water(scene, brief, palette, sun, horizon, mirror=0.25)
    boat(scene, palette, chance, horizon)
    _tower(scene, brief, palette, chance, sun, horizon)


def lake(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("lake")
    horizon = scene.height * chance.uniform(0.56, 0.62)
    sun = sky.paint(scene, brief, palette, horizon)
    land.peaks(scene, brief, palette, sun, horizon * 0.86, 3, horizon / scene.height * 0.985)
    shore = np.full(scene.width, horizon, np.float32) - scene.height * 0.012 * canvas.line(chance, scene.width, 5, 4)
    land.trees(scene, palette, chance, shore, scene.height * 0.075, 0.4)
    water(scene, brief, palette, sun, horizon, mirror=0.8)
    if chance.random() < 0.6:
        boat(scene, palette, chance, horizon)
    land.foreground(scene, brief, palette, chance)


def harbour(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("harbour")
    horizon = scene.height * chance.uniform(0.55, 0.62)
    sun = sky.paint(scene, brief, palette, horizon)
    land.peaks(scene, brief, palette, sun, horizon * 0.9, 2, horizon / scene.height)
    _houses(scene, brief, palette, chance, horizon)
    water(scene, brief, palette, sun, horizon, mirror=0.75)
    for _ in range(chance.randint(3, 5)):
        boat(scene, palette, chance, horizon, moored=True)


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


def headland(scene: Scene, palette: Palette, chance: random.Random, horizon: float, side: int, light: float) -> None:
    """Land that falls into the sea, far out on one side."""
    for depth in (0.15, 0.4):
        xs = np.linspace(0, 1, scene.width, dtype=np.float32)
        xs = xs if side > 0 else 1 - xs
        slope = canvas.smooth(xs, chance.uniform(0.4, 0.6) + 0.12 * depth, 1.05)
        rough = canvas.line(chance, scene.width, 3, 6, 0.5, angular=True)
        heights = horizon + 3 - scene.height * (0.17 - 0.05 * depth) * slope * (1 + 0.35 * rough)
        land.ridge(scene, palette, heights, depth, light, bottom=round(horizon) + 2)


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


def _beach(scene: Scene, brief: Brief, palette: Palette, chance: random.Random) -> None:
    side = chance.choice((-1, 1))
    xs = np.linspace(-1, 1, scene.width, dtype=np.float32) * side
    edge = scene.height * (0.9 - 0.14 * xs - 0.05 * xs * xs) + scene.height * 0.008 * canvas.line(chance, scene.width, 4, 3)
    sand = mix(from_hex("e3c795"), palette.near, 0.62 if brief.time == "night" else 0.12)
    sand = mix(sand, palette.horizon, 0.25)
    foam = mix((1, 1, 1), palette.light, 0.4)
    for offset, colour, strength in (
        (-0.016, foam, 0.4),
        (-0.007, foam, 0.8),
        (0.0, mix(sand, palette.near, 0.3), 1),
        (0.022, sand, 1),
    ):
        shape, top = canvas.below(edge + scene.height * offset, scene.height)
        fill = canvas.gradient([(0, colour), (1, mix(colour, palette.near, 0.12))], *shape.size)
        scene.add(canvas.filled(shape.point([round(value * strength) for value in range(256)]), fill), 0.85, 0, top)
    if brief.time != "night" or brief.says("tropical", "island"):
        _palm(scene, palette, chance, side)


def _palm(scene: Scene, palette: Palette, chance: random.Random, side: int) -> None:
    tall = scene.unit * chance.uniform(0.5, 0.62)
    x, foot = scene.width / 2 + side * scene.width * chance.uniform(0.3, 0.38), scene.height * 0.97
    bend = -side * tall * 0.22
    trunk: list[Point] = []
    for step in range(13):
        up = step / 12
        trunk.append((x + bend * up**1.8 - tall * (0.022 - 0.01 * up), foot - tall * up))
    back = [(2 * (x + bend * (i / 12) ** 1.8) - trunk[i][0], trunk[i][1]) for i in range(12, -1, -1)]
    crown = x + bend, foot - tall
    shapes = [trunk + back]
    for number in range(9):
        angle = math.radians(-200 + 220 * number / 8 + chance.uniform(-7, 7))
        long = tall * chance.uniform(0.36, 0.46)
        upper: list[Point] = []
        lower: list[Point] = []
        for step in range(15):
            out = step / 14
            px = crown[0] + math.cos(angle) * long * out
            py = crown[1] + math.sin(angle) * long * out * 0.75 + long * 0.5 * out**2
            wide = long * 0.075 * math.sin(math.pi * min(1, out * 0.94 + 0.06))
            upper.append((px, py - wide * 0.4))
            lower.append((px, py + wide * (1.7 if step % 2 else 0.5)))
        shapes.append(upper + lower[::-1])
    scene.add(canvas.filled(canvas.polygon(scene.width, scene.height, *shapes), shade(palette.near, 0.01)), 0.95)


def _rocks(scene: Scene, palette: Palette, chance: random.Random, light: float) -> None:
    side = chance.choice((-1, 1))
    xs = np.linspace(-1, 1, scene.width, dtype=np.float32) * side
    for depth, high in ((0.75, 0.13), (1.0, 0.08)):
        rough = canvas.line(chance, scene.width, 5, 6, 0.55, angular=True)
        heights = scene.height * (1.02 - high * canvas.smooth(xs, 0.05 + 0.2 * (1 - depth), 1) * (1.5 + 0.6 * rough))
        land.ridge(scene, palette, heights, depth, light)


def _tower(scene: Scene, brief: Brief, palette: Palette, chance: random.Random, sun: Point, horizon: float) -> None:
    side = 1 if sun[0] < scene.width / 2 else -1
    x, tall = scene.width / 2 + side * scene.width * chance.uniform(0.2, 0.28), scene.unit * chance.uniform(0.36, 0.44)
    foot = scene.height * 0.72
    xs = np.arange(scene.width, dtype=np.float32)
    away = (xs - x) * side / scene.width
    rough = canvas.line(chance, scene.width, 6, 6, 0.5, angular=True)
    slope = canvas.smooth(away, -0.42, 0.02)
    heights = scene.height * 1.03 - (scene.height * 1.03 - foot) * slope + scene.height * 0.013 * rough * slope
    wide = tall * 0.105
    white = mix(palette.light, palette.sky, 0.12)
    stripe = brief.own or (palette.accent if brief.colours else mix(from_hex("c23b32"), palette.near, 0.12))
    night = brief.time in ("night", "dusk")
    size = round(tall * 0.6), round(tall * 1.25)
    middle = size[0] / 2

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        def shape(points: list[Point], colour: Colour) -> None:
            pen.polygon([((middle + px * wide) * scale, py * tall * scale) for px, py in points], fill=eight_bit(colour))

        for band in range(6):
            y, low = 0.27 + band * 0.15, 0.27 + (band + 1) * 0.15
            at, to = 0.62 + 0.38 * band / 6, 0.62 + 0.38 * (band + 1) / 6
            colour = stripe if band % 2 else white
            shape([(-at, y), (at, y), (to, low), (-to, low)], colour)
            shape(
                [(at * 0.25 * -side, y), (at * -side * -1, y), (to * side, low), (to * 0.25 * -side, low)],
                mix(colour, palette.near, 0.28),
            )
        shape([(-0.95, 0.25), (0.95, 0.25), (0.95, 0.28), (-0.95, 0.28)], palette.near)
        shape(
            [(-0.5, 0.16), (0.5, 0.16), (0.5, 0.25), (-0.5, 0.25)],
            mix(palette.light, (1, 0.9, 0.6), 0.6) if night else mix(palette.sky, white, 0.4),
        )
        shape([(-0.66, 0.165), (0, 0.075), (0.66, 0.165)], stripe)
        shape([(-0.05, 0.04), (0.05, 0.04), (0.05, 0.1), (-0.05, 0.1)], palette.near)

    lamp = x, foot - tall * 0.97 + tall * 0.04
    if night:
        _beam(scene, palette, lamp, side)
    scene.add(canvas.painted(*size, draw), 0.72, x - middle, foot + tall * 0.04 - tall * 1.17)
    land.ridge(scene, palette, heights, 0.72, sun[0], moves=0.72)


def _beam(scene: Scene, palette: Palette, lamp: Point, side: int) -> None:
    far = scene.width * 1.1
    for half in (0.05, 0.11):
        points = [
            lamp,
            (lamp[0] - side * far, lamp[1] - far * (half + 0.06)),
            (lamp[0] - side * far, lamp[1] + far * (half - 0.06)),
        ]
        shape = canvas.softened(canvas.polygon(scene.width, scene.height, points), scene.unit * 0.012)
        falling = canvas.mask(canvas.glow(scene.width, scene.height, lamp, scene.unit * 0.4, 1.5) * 0.42)
        both = Image.composite(falling, Image.new("L", shape.size), shape)
        scene.add(canvas.filled(both, mix(palette.light, (1, 0.95, 0.75), 0.5)), 0.72)
    halo = round(scene.unit * 0.07)
    glow = canvas.mask(canvas.glow(halo * 2, halo * 2, (halo, halo), halo * 0.22, 2.6) * sky.fade(halo))
    scene.add(canvas.filled(glow, (1, 0.95, 0.78)), 0.72, lamp[0] - halo, lamp[1] - halo)


def _houses(scene: Scene, brief: Brief, palette: Palette, chance: random.Random, horizon: float) -> None:
    """A row of gabled houses on a quay."""
    paints = [mix(from_hex(code), palette.far, 0.38 if brief.time != "night" else 0.72)
              for code in ("d8695a", "e6b052", "6fa3b8", "efe3cd", "88a37c", "b5635f", "d9c3a0")]  # fmt: skip
    if brief.colours:
        paints = [mix(palette.land(0.3), shade(colour, change), 0.6) for colour in brief.colours for change in (-0.08, 0, 0.1)]
    lit = mix(palette.light, (1, 0.85, 0.5), 0.5)
    night = brief.time in ("night", "dusk", "sunset")
    tall = scene.unit * 0.2
    size = scene.width, round(tall * 1.5)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        x = -scene.unit * 0.02
        while x < scene.width:
            wide, high = scene.unit * chance.uniform(0.06, 0.1), tall * chance.uniform(0.6, 1)
            paint, roof = chance.choice(paints), mix(palette.land(0.75), from_hex("8d4a3f"), 0.25)
            bottom, top, ridge = size[1], size[1] - high, size[1] - high - wide * chance.uniform(0.35, 0.6)

            def spot(*points: Point) -> list[Point]:
                return [(px * scale, py * scale) for px, py in points]

            pen.polygon(
                spot((x, bottom), (x, top), (x + wide / 2, ridge), (x + wide, top), (x + wide, bottom)), fill=eight_bit(paint)
            )
            pen.polygon(
                spot(
                    (x + wide * 0.5, ridge),
                    (x + wide, top),
                    (x + wide, bottom),
                    (x + wide * 0.8, bottom),
                    (x + wide * 0.8, top),
                ),
                fill=eight_bit(mix(paint, palette.near, 0.16)),
            )
            pen.line(
                spot((x - wide * 0.04, top + 1), (x + wide / 2, ridge), (x + wide * 1.04, top + 1)),
                fill=eight_bit(roof),
                width=max(1, round(scene.unit * 0.008 * scale)),
            )
            for row in range(max(1, int(high / (wide * 0.42)))):
                for column in (0.24, 0.6):
                    glass = lit if night and chance.random() < 0.65 else mix(palette.near, paint, 0.25)
                    wx, wy = x + wide * column, top + wide * (0.12 + 0.42 * row)
                    if wy + wide * 0.25 < bottom:
                        pen.rectangle(
                            [wx * scale, wy * scale, (wx + wide * 0.16) * scale, (wy + wide * 0.23) * scale],
                            fill=eight_bit(glass),
                        )
            x += wide * chance.uniform(0.98, 1.12)
        pen.rectangle(
            [0, (size[1] - scene.unit * 0.014) * scale, scene.width * scale, size[1] * scale],
            fill=eight_bit(mix(palette.near, palette.far, 0.3)),
        )

    scene.add(canvas.painted(*size, draw), 0.3, 0, horizon - size[1] + 1)
