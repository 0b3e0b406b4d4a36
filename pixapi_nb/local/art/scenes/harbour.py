"""A harbour: gabled houses along the quay, boats at rest."""

import random

from PIL import ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import eight_bit, from_hex, mix, shade
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import land, sky, water


def harbour(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("harbour")
    horizon = scene.height * chance.uniform(0.55, 0.62)
    sun = sky.paint(scene, brief, palette, horizon)
    land.peaks(scene, brief, palette, sun, horizon * 0.9, 2, lowest=horizon / scene.height, nearest=0.4)
    _houses(scene, brief, palette, chance, horizon)
    water.water(scene, brief, palette, sun, horizon, mirror=0.75)
    for _ in range(chance.randint(3, 5)):
        water.boat(scene, palette, chance, horizon, moored=True)


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
