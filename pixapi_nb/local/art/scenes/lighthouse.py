"""A lighthouse on its rock, with a beam when it is dark."""

import random

import numpy as np
from PIL import Image, ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import Colour, eight_bit, from_hex, mix
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import coast, land, sky, water


def lighthouse(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("lighthouse")
    horizon = scene.height * chance.uniform(0.56, 0.64)
    sun = sky.paint(scene, brief, palette, horizon)
    coast.headland(scene, palette, chance, horizon, 1 if sun[0] < scene.width / 2 else -1, sun[0])
    water.water(scene, brief, palette, sun, horizon, mirror=0.25)
    water.boat(scene, palette, chance, horizon)
    _tower(scene, brief, palette, chance, sun, horizon)


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
