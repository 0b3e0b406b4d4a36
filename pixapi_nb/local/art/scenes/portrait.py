"""A portrait before a low sun, or an astronaut."""

import random

from PIL import ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import Colour, from_hex, mix, shade
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import land, space
from pixapi_nb.local.art.scenes.sketch import Sketch

_SKINS = ("f2cdb0", "e2ab85", "c98a61", "9b623f", "6e4029", "f0c3a2")
_HAIR = ("2a1c18", "5a3422", "8a5530", "c98f4e", "1d1b22", "7d2f2a", "b9b4b0")


def portrait(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("portrait")
    _backdrop(scene, brief, palette, chance)
    unit = scene.unit * chance.uniform(0.185, 0.205)
    middle = scene.width * (0.5 + chance.choice((-0.05, 0, 0.05))), scene.height * 0.47 - unit * 0.12
    side = chance.choice((-1, 1))
    paint = _astronaut if brief.says("astronaut") else _person
    seed = chance.getrandbits(32)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        paint(Sketch(pen, (middle[0] * scale, middle[1] * scale), unit * scale), brief, palette, random.Random(seed), side)

    scene.add(canvas.painted(scene.width, scene.height, draw), 0.5, subject=True)


def _backdrop(scene: Scene, brief: Brief, palette: Palette, chance: random.Random) -> None:
    if brief.says("astronaut"):
        space.space(scene, brief, palette)
        return
    stops = [(0, palette.zenith), (0.55, palette.sky), (1, mix(palette.horizon, palette.sky, 0.35))]
    scene.add(canvas.gradient(stops, scene.width, scene.height), 0)
    radius = scene.unit * chance.uniform(0.3, 0.36)
    at = scene.width * (0.5 + chance.uniform(-0.1, 0.1)), scene.height * chance.uniform(0.36, 0.44)
    fill = canvas.gradient(
        [(0, mix(palette.light, palette.accent, 0.2)), (1, mix(palette.horizon, palette.accent, 0.35))], 8, 64
    )
    shape = canvas.disc(radius)
    scene.add(canvas.filled(shape, fill.resize(shape.size)), 0.1, at[0] - radius, at[1] - radius)
    if brief.look.detail > -0.5:
        heights = scene.height * 0.74 - scene.height * 0.06 * canvas.line(chance, scene.width, 2, 4)
        land.ridge(scene, palette, heights, 0.35, at[0])


def _person(sketch: Sketch, brief: Brief, palette: Palette, chance: random.Random, side: int) -> None:
    skin = mix(from_hex(chance.choice(_SKINS)), palette.light, 0.1)
    if brief.time in ("night", "dusk"):
        skin = mix(skin, palette.sky, 0.22)
    shadow = mix(skin, mix(palette.near, from_hex("8a3b34"), 0.5), 0.34)
    hair = mix(brief.own or from_hex(chance.choice(_HAIR)), palette.near, 0.12)
    clothes = brief.colours[0] if brief.colours else palette.accent
    cut = (
        "short"
        if brief.says("man", "boy")
        else "long"
        if brief.says("woman", "girl") and chance.random() < 0.6
        else chance.choice(("bob", "long", "bun", "short"))
    )

    if cut in ("long", "bob"):
        low = 2.1 if cut == "long" else 0.95
        sketch.shape(
            [
                (-0.2, -1.28),
                (-0.95, -0.75),
                (-1.02, 0.3),
                (-1.1, low),
                (0, low + 0.15),
                (1.1, low),
                (1.02, 0.3),
                (0.95, -0.75),
                (0.2, -1.28),
            ],
            shade(hair, -0.05),
        )
    if cut == "bun":
        sketch.oval((0.06 * side, -1.38), 0.42, 0.38, hair)
    sketch.shape([(-0.34, 0.4), (-0.36, 1.25), (-0.8, 1.55), (0.8, 1.55), (0.36, 1.25), (0.34, 0.4)], shadow)
    sketch.shape(
        [
            (-0.42, 1.3),
            (-1.25, 1.62),
            (-1.75, 2.3),
            (-1.95, 4.2),
            (1.95, 4.2),
            (1.75, 2.3),
            (1.25, 1.62),
            (0.42, 1.3),
            (0, 1.72),
        ],
        clothes,
    )
    dark = shade(clothes, -0.1)
    sketch.shape(
        [
            (side * 0.42, 1.3),
            (side * 1.25, 1.62),
            (side * 1.75, 2.3),
            (side * 1.95, 4.2),
            (side * 0.9, 4.2),
            (side * 1.05, 2.4),
        ],
        dark,
    )
    sketch.shape([(-0.42, 1.3), (-0.5, 1.42), (0, 1.95), (0.5, 1.42), (0.42, 1.3), (0, 1.72)], mix(clothes, palette.light, 0.3))
    for ear in (-1, 1):
        sketch.oval((ear * 0.76, 0.02), 0.12, 0.2, shadow if ear == side else skin)
    face: list[Point] = [
        (0, -1.02),
        (0.62, -0.82),
        (0.77, -0.1),
        (0.66, 0.52),
        (0.3, 0.95),
        (0, 1.02),
        (-0.3, 0.95),
        (-0.66, 0.52),
        (-0.77, -0.1),
        (-0.62, -0.82),
    ]
    sketch.shape(face, skin)
    sketch.shape(
        [
            (side * 0.18, -0.98),
            (side * 0.62, -0.82),
            (side * 0.77, -0.1),
            (side * 0.66, 0.52),
            (side * 0.3, 0.95),
            (side * 0.05, 1.02),
            (side * 0.34, 0.5),
            (side * 0.2, 0.28),
            (side * 0.3, -0.2),
        ],
        shadow,
    )
    _features(sketch, skin, hair, side)
    if cut == "short":
        sketch.shape(
            [
                (-0.8, 0),
                (-0.86, -0.6),
                (-0.5, -1.2),
                (0.1, -1.32),
                (0.62, -1.14),
                (0.86, -0.55),
                (0.8, 0),
                (0.68, -0.5),
                (0.2, -0.74),
                (-0.66, -0.52),
            ],
            hair,
        )
    else:
        sketch.shape(
            [
                (-0.86, 0.35),
                (-0.96, -0.55),
                (-0.55, -1.2),
                (0, -1.32),
                (0.55, -1.2),
                (0.96, -0.55),
                (0.86, 0.35),
                (0.68, -0.35),
                (side * -0.28, -0.92),
                (-0.68, -0.35),
            ],
            hair,
        )
    sketch.stroke(
        [(-side * x, y) for x, y in ((0.78, -0.55), (0.62, -0.9), (0.36, -1.12))], mix(hair, palette.light, 0.22), 0.05
    )


def _features(sketch: Sketch, skin: Colour, hair: Colour, side: int) -> None:
    ink = mix(shade(skin, -0.42), hair, 0.4)
    for eye in (-1, 1):
        sketch.stroke([(eye * 0.48, -0.3), (eye * 0.34, -0.37), (eye * 0.18, -0.33)], mix(ink, hair, 0.5), 0.055)
        sketch.stroke([(eye * 0.46, -0.06), (eye * 0.38, -0.01), (eye * 0.28, 0.005), (eye * 0.19, -0.03)], ink, 0.045)
    sketch.stroke([(side * 0.05, -0.05), (side * 0.13, 0.28), (side * 0.0, 0.32)], mix(skin, ink, 0.45), 0.035)
    lips = mix(shade(skin, -0.14), from_hex("b8454a"), 0.55)
    sketch.shape([(-0.2, 0.57), (-0.06, 0.525), (0, 0.54), (0.06, 0.525), (0.2, 0.57), (0, 0.6)], lips)
    sketch.shape([(-0.18, 0.58), (0, 0.6), (0.18, 0.58), (0.08, 0.66), (-0.08, 0.66)], shade(lips, 0.05))


def _astronaut(sketch: Sketch, brief: Brief, palette: Palette, chance: random.Random, side: int) -> None:
    white = mix(from_hex("eef0f2"), palette.horizon, 0.18)
    grey, dark = mix(white, palette.near, 0.28), mix(palette.near, palette.zenith, 0.4)
    sketch.shape([(-0.9, 1.0), (-1.7, 1.5), (-2.1, 2.4), (-2.2, 4.2), (2.2, 4.2), (2.1, 2.4), (1.7, 1.5), (0.9, 1.0)], white)
    sketch.shape(
        [(side * 0.9, 1.0), (side * 1.7, 1.5), (side * 2.1, 2.4), (side * 2.2, 4.2), (side * 1.1, 4.2), (side * 1.2, 2.2)], grey
    )
    sketch.oval((0, 1.2), 1.05, 0.3, grey)
    sketch.oval((0, 0), 1.32, 1.3, white)
    sketch.shape(
        [
            (side * 0.5, -1.2),
            (side * 1.15, -0.65),
            (side * 1.32, 0.05),
            (side * 1.1, 0.75),
            (side * 0.5, 1.22),
            (side * 0.95, 0.3),
        ],
        grey,
    )
    sketch.oval((0, 0.05), 1.0, 0.86, dark)
    sketch.shape(
        [(-0.92, 0.1), (-0.4, 0.22), (0.2, 0.1), (0.92, 0.22), (0.6, 0.7), (0, 0.88), (-0.6, 0.7)],
        mix(palette.horizon, palette.accent, 0.5),
    )
    sketch.shape(
        [(-0.9, 0.3), (-0.3, 0.42), (0.3, 0.33), (0.86, 0.42), (0.55, 0.74), (0, 0.9), (-0.55, 0.74)],
        mix(palette.sky, dark, 0.45),
    )
    sketch.oval((-side * 0.5, -0.35), 0.2, 0.13, mix(palette.light, (1, 1, 1), 0.5))
    sketch.oval((-side * 0.24, -0.5), 0.07, 0.05, mix(palette.light, (1, 1, 1), 0.5))
    sketch.shape([(-0.5, 2.2), (0.5, 2.2), (0.5, 2.75), (-0.5, 2.75)], grey, angular=True)
    for spot, colour in ((-0.28, palette.accent), (0.02, from_hex("5fb0a0")), (0.3, from_hex("e7c15a"))):
        sketch.oval((spot, 2.47), 0.08, 0.08, colour)
