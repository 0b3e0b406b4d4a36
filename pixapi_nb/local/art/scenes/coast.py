"""The sea and its edge: headlands, rocks, beaches."""

import math
import random

import numpy as np

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import from_hex, mix, shade
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import land, sky, water


def sea(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("sea")
    horizon = scene.height * chance.uniform(0.5, 0.62)
    sun = sky.paint(scene, brief, palette, horizon)
    if brief.look.detail > -0.5:
        headland(scene, palette, chance, horizon, chance.choice((-1, 1)), sun[0])
    water.water(scene, brief, palette, sun, horizon, mirror=0.25)
    for _ in range(chance.randint(1, 2 if brief.look.detail < 0 else 3)):
        water.boat(scene, palette, chance, horizon)
    if brief.says("beach", "shore", "seaside", "island", "tropical"):
        _beach(scene, brief, palette, chance)
    elif brief.look.detail > -0.5:
        _rocks(scene, palette, chance, sun[0])


def headland(scene: Scene, palette: Palette, chance: random.Random, horizon: float, side: int, light: float) -> None:
    """Land that falls into the sea, far out on one side."""
    for depth in (0.15, 0.4):
        xs = np.linspace(0, 1, scene.width, dtype=np.float32)
        xs = xs if side > 0 else 1 - xs
        slope = canvas.smooth(xs, chance.uniform(0.4, 0.6) + 0.12 * depth, 1.05)
        rough = canvas.line(chance, scene.width, 3, 6, 0.5, angular=True)
        heights = horizon + 3 - scene.height * (0.17 - 0.05 * depth) * slope * (1 + 0.35 * rough)
        land.ridge(scene, palette, heights, depth, light, bottom=round(horizon) + 2)


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
