"""The studio of a still life: a wall, a table, light from one side, and the shadow that it makes."""

import random

from PIL import Image, ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import MATERIALS, eight_bit, mix, shade
from pixapi_nb.local.art.palette import Palette


def studio(scene: Scene, brief: Brief, palette: Palette) -> float:
    """A wall and a table; the row of the table's far edge."""
    chance = brief.chance("studio")
    edge = scene.height * chance.uniform(0.58, 0.66)
    wall = [(0, mix(palette.sky, palette.zenith, 0.45)), (0.66, mix(palette.sky, palette.horizon, 0.5))]
    ground = canvas.gradient([*wall, (1, palette.horizon)], scene.width, scene.height)
    side = light_side(brief)
    centre = scene.width * (0.5 + 0.22 * side), scene.height * 0.34
    shine = canvas.glow(scene.width, scene.height, centre, scene.unit * 0.42, 2.2) * 0.6
    bright = Image.new("RGB", ground.size, eight_bit(mix(palette.light, palette.horizon, 0.35)))
    scene.add(Image.composite(bright, ground, canvas.mask(shine)), 0)
    if brief.look.detail > -0.5:
        chance.choice((_arch, _window, _window, _sun_disc))(scene, palette, chance, edge, side)

    table = mix(palette.near, palette.far, 0.42)
    if brief.says("wood", "wooden", "oak", "walnut", "rustic"):
        table = mix(table, MATERIALS["wood"], 0.6)
    if brief.says("marble", "white"):
        table = mix(table, MATERIALS["marble"], 0.55)
    tall = scene.height - round(edge)
    stops = [(0, mix(table, palette.light, 0.3)), (0.1, mix(table, palette.horizon, 0.12)), (1, shade(table, -0.1))]
    top = canvas.gradient(stops, scene.width, tall)
    pool = canvas.glow(scene.width, tall, (scene.width * (0.5 + 0.12 * side), tall * 0.25), scene.unit * 0.36, 2) * 0.3
    lit = Image.new("RGB", top.size, eight_bit(mix(palette.light, table, 0.2)))
    scene.add(Image.composite(lit, top, canvas.mask(pool)), 0.25, 0, edge)
    return edge


def light_side(brief: Brief) -> int:
    """Where the light comes from: -1 left, 1 right."""
    return brief.chance("side").choice((-1, 1))


def _arch(scene: Scene, palette: Palette, chance: random.Random, edge: float, side: int) -> None:
    wide = scene.unit * chance.uniform(0.5, 0.62)
    tall = min(edge * 0.9, wide * 1.25)
    size = round(wide), round(tall)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        pen.rounded_rectangle((0, 0, wide * scale, (tall + wide) * scale), radius=wide / 2 * scale, fill=255)

    fill = canvas.gradient([(0, mix(palette.zenith, palette.near, 0.25)), (1, mix(palette.sky, palette.near, 0.2))], *size)
    left = scene.width * (0.5 - 0.05 * side) - wide / 2
    scene.add(canvas.filled(canvas.drawn(*size, draw).point(_share(0.8)), fill), 0.08, left, edge - tall)


def _sun_disc(scene: Scene, palette: Palette, chance: random.Random, edge: float, side: int) -> None:
    radius = scene.unit * chance.uniform(0.26, 0.33)
    fill = canvas.gradient(
        [(0, mix(palette.accent, palette.light, 0.3)), (1, mix(palette.accent, palette.horizon, 0.5))], 8, 64
    )
    shape = canvas.disc(radius).point(_share(0.75))
    left = scene.width * (0.5 + 0.08 * side) - radius
    scene.add(canvas.filled(shape, fill.resize(shape.size)), 0.08, left, edge - radius * chance.uniform(1.35, 1.75))


def _window(scene: Scene, palette: Palette, chance: random.Random, edge: float, side: int) -> None:
    """Sunlight through a window that is outside the picture: slanted panes on the wall."""
    unit = scene.unit
    wide, tall, slant = unit * 0.17, unit * 0.2, unit * 0.1 * side
    left = scene.width * (0.5 - 0.2 * side) - wide
    panes: list[list[Point]] = []
    for column in range(2):
        for row in range(3):
            x, y = left + column * wide * 1.1, edge * 0.1 + row * tall * 1.08
            drop = -slant * 0.7
            panes.append([(x, y), (x + wide, y + drop), (x + wide, y + drop + tall), (x, y + tall)])
    shape = canvas.polygon(scene.width, max(8, round(edge)), *panes)
    shape = canvas.softened(shape, unit * 0.006).point(_share(0.4))
    scene.add(canvas.filled(shape, mix(palette.light, (1, 1, 1), 0.25)), 0.06)


def shadow(scene: Scene, palette: Palette, centre: float, foot: float, half: float, squash: float, side: int) -> None:
    """What the light leaves out, on the table: soft, and long on the side away from it."""
    reach = half * 2.1
    width, height = round(reach * 2.6), round(half * squash * 5)
    middle = width / 2, height / 2
    shape = Image.new("L", (width, height))
    pen = ImageDraw.Draw(shape)
    long = middle[0] - side * half * 0.75
    for x, across, strength in ((long, half * 1.35, 120), (middle[0], half, 200)):
        pen.ellipse((x - across, middle[1] - half * squash, x + across, middle[1] + half * squash * 1.05), fill=strength)
    shape = canvas.softened(shape, half * 0.13)
    scene.add(canvas.filled(shape, shade(palette.near, -0.08)), 0.4, centre - middle[0], foot - middle[1])


def _share(share: float) -> list[int]:
    """A table that leaves a mask so much of its strength."""
    return [round(value * share) for value in range(256)]
