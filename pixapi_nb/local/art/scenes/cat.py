"""A cat before the moon."""

import random

from PIL import ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import Colour, lightness, mix, shade
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import land, sky
from pixapi_nb.local.art.scenes.sketch import Sketch


def cat(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("cat")
    horizon = scene.height * 0.86
    sky.paint(scene, brief, palette, horizon, body=False)
    side = chance.choice((-1, 1))
    centre = scene.width * (0.5 + chance.choice((-0.08, 0, 0.08)))
    unit = scene.unit * chance.uniform(0.105, 0.12)
    foot = scene.height * 0.84
    radius = unit * 3.1
    disc = canvas.disc(radius)
    light = [(0, mix(palette.light, (1, 1, 1), 0.15)), (1, mix(palette.horizon, palette.light, 0.35))]
    behind = centre - side * unit * 0.9, foot - unit * 3.0
    scene.add(canvas.filled(disc, canvas.gradient(light, *disc.size)), 0.1, behind[0] - radius, behind[1] - radius)
    for depth, base in ((0.45, 0.8), (1.0, 0.855)):
        heights = scene.height * base - scene.height * 0.03 * canvas.line(chance, scene.width, 1.6, 3, 0.3)
        if depth == 1:
            heights = heights * 0.25 + scene.height * 0.845 * 0.75
        land.ridge(scene, palette, heights, depth * 0.8, behind[0])
    fur = brief.own or (shade(brief.colours[0], -0.12) if brief.colours else mix(palette.near, (0.08, 0.07, 0.1), 0.4))
    seed = chance.getrandbits(32)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        sketch = Sketch(pen, (centre * scale, (foot - unit * 3.55) * scale), unit * scale)
        _cat(sketch, palette, fur, side, random.Random(seed))

    scene.add(canvas.painted(scene.width, scene.height, draw), 0.75, subject=True)


def _cat(sketch: Sketch, palette: Palette, fur: Colour, side: int, chance: random.Random) -> None:
    """A cat that sits and looks away from us; the light comes from before it, so its rim shines."""
    rim = mix(fur, palette.light, 0.55 if lightness(fur) < 0.5 else 0.75)
    dark = shade(fur, -0.08)
    curl = chance.uniform(0.85, 1.15)
    tail: list[Point] = [
        (side * x, y) for x, y in ((0.9, 3.2), (1.9 * curl, 3.45), (2.5 * curl, 2.95), (2.45 * curl, 2.2), (2.15 * curl, 2.0))
    ]
    smooth_tail = canvas.curve([*tail, *reversed(tail)], 10)[: len(tail) * 10 - 10]
    sketch.stroke(smooth_tail, rim, 0.5)
    sketch.stroke([(x + side * 0.03, y + 0.05) for x, y in smooth_tail], dark, 0.42)
    sketch.oval((tail[-1][0], tail[-1][1]), 0.24, 0.24, rim)
    sketch.oval((tail[-1][0] + side * 0.03, tail[-1][1] + 0.04), 0.2, 0.2, dark)
    body: list[Point] = [
        (0, 0.35),
        (0.62, 0.75),
        (0.95, 1.6),
        (1.35, 2.6),
        (1.3, 3.35),
        (0.7, 3.68),
        (0, 3.72),
        (-0.7, 3.68),
        (-1.3, 3.35),
        (-1.35, 2.6),
        (-0.95, 1.6),
        (-0.62, 0.75),
    ]
    head: list[Point] = [
        (0, -0.72),
        (0.5, -0.66),
        (0.92, -0.2),
        (0.9, 0.3),
        (0.5, 0.72),
        (0, 0.82),
        (-0.5, 0.72),
        (-0.9, 0.3),
        (-0.92, -0.2),
        (-0.5, -0.66),
    ]
    for points in (body, head):
        sketch.shape([(x * 1.035 - side * 0.02, y - 0.035) for x, y in points], rim)
        sketch.shape(points, fur)
    for ear in (-1, 1):
        sketch.shape([(ear * 0.9, -0.1), (ear * 0.96, -1.24), (ear * 0.3, -0.68)], rim, angular=True)
        sketch.shape([(ear * 0.88, -0.05), (ear * 0.92, -1.12), (ear * 0.32, -0.6)], fur, angular=True)
    sketch.shape([(0.3, 1.9), (0.95, 2.3), (1.05, 3.2), (0.55, 3.6), (0.25, 3.3), (0.5, 2.7)], dark)
    sketch.shape([(-0.3, 1.9), (-0.95, 2.3), (-1.05, 3.2), (-0.55, 3.6), (-0.25, 3.3), (-0.5, 2.7)], dark)
    sketch.stroke([(0, 0.95), (side * 0.05, 1.7), (0, 2.4)], dark, 0.06)
