"""Where a prompt names nothing to paint: cut paper, discs, ribbons, in its colours."""

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Floats, Point, Scene
from pixapi_nb.local.art.colour import Colour, eight_bit, mix, shade
from pixapi_nb.local.art.palette import Palette


def abstract(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("abstract")
    kinds = (_geometry,) if brief.says("geometric", "bauhaus", "shapes", "pattern") else (_paper, _paper, _geometry, _ribbons)
    chance.choice(kinds)(scene, brief, palette, chance)


def _paper(scene: Scene, brief: Brief, palette: Palette, chance: random.Random) -> None:
    """Sheets of paper with torn waves, one over the other, each with its shadow."""
    scene.add(canvas.gradient([(0, palette.light), (1, palette.horizon)], scene.width, scene.height), 0)
    radius = scene.unit * chance.uniform(0.14, 0.22)
    middle = scene.width * chance.choice((0.3, 0.5, 0.68)), scene.height * chance.uniform(0.24, 0.34)
    scene.add(
        canvas.filled(canvas.disc(radius), mix(palette.accent, palette.light, 0.12)),
        0.1,
        middle[0] - radius,
        middle[1] - radius,
    )
    count = 5 if brief.look.detail < -0.5 else 8
    tilt = chance.uniform(-0.16, 0.16)
    for index in range(count):
        share = index / (count - 1)
        slope = np.linspace(-tilt, tilt, scene.width, dtype=np.float32) * scene.height
        wave = canvas.line(chance, scene.width, chance.uniform(1.2, 2.4), 2, 0.25)
        heights = scene.height * (0.24 + 0.7 * share) + slope + wave * scene.height * 0.07
        _sheet(scene, palette, heights, _along(palette, share), 0.15 + 0.75 * share)


def _sheet(scene: Scene, palette: Palette, heights: Floats, colour: Colour, depth: float) -> None:
    soft = scene.unit * 0.014
    shadow, top = canvas.below(heights - soft * 0.8, scene.height)
    scene.add(
        canvas.filled(
            canvas.softened(shadow, soft).point([round(value * 0.42) for value in range(256)]), shade(palette.near, -0.05)
        ),
        depth,
        0,
        top,
    )
    shape, top = canvas.below(heights, scene.height)
    fill = canvas.gradient([(0, mix(colour, palette.light, 0.2)), (0.35, colour), (1, shade(colour, -0.07))], *shape.size)
    scene.add(canvas.filled(shape, fill), depth, 0, top)


def _along(palette: Palette, share: float) -> Colour:
    """From the palette's light end to its dark one."""
    stops = (palette.horizon, mix(palette.accent, palette.horizon, 0.3), palette.far, palette.sky, palette.zenith, palette.near)
    at = share * (len(stops) - 1)
    low = min(len(stops) - 2, int(at))
    return mix(stops[low], stops[low + 1], at - low)


def _geometry(scene: Scene, brief: Brief, palette: Palette, chance: random.Random) -> None:
    """Discs, halves, quarters and bars on a grid, as a poster of the twenties would have them."""
    ground = mix(palette.light, palette.horizon, 0.35)
    scene.add(canvas.gradient([(0, shade(ground, 0.02)), (1, shade(ground, -0.03))], scene.width, scene.height), 0)
    cells = 4 if brief.look.detail < -0.5 else chance.choice((4, 5, 6))
    side = scene.unit / cells
    across, down = math.ceil(scene.width / side), math.ceil(scene.height / side)
    tones = [palette.accent, palette.sky, palette.zenith, palette.near, palette.far, mix(palette.horizon, palette.accent, 0.5)]
    left, top = (scene.width - across * side) / 2, (scene.height - down * side) / 2
    seed = chance.getrandbits(32)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        luck = random.Random(seed)
        for row in range(down):
            for column in range(across):
                box = [(left + column * side) * scale, (top + row * side) * scale]
                _tile(pen, (box[0], box[1]), side * scale, luck, tones, ground)

    scene.add(canvas.painted(scene.width, scene.height, draw), 0.25)
    radius = side * chance.choice((0.9, 1.0, 1.45))
    centre = side * chance.randint(1, across - 1) + left, side * chance.randint(1, max(1, down - 2)) + top
    soft = canvas.softened(canvas.disc(radius * 1.08), radius * 0.08).point([value // 3 for value in range(256)])
    scene.add(canvas.filled(soft, palette.near), 0.7, centre[0] - radius * 1.04, centre[1] - radius)
    fill = canvas.gradient([(0, mix(palette.accent, palette.light, 0.3)), (1, shade(palette.accent, -0.06))], 8, 64)
    shape = canvas.disc(radius)
    scene.add(canvas.filled(shape, fill.resize(shape.size)), 0.7, centre[0] - radius, centre[1] - radius)


def _tile(
    pen: ImageDraw.ImageDraw, corner: Point, side: float, luck: random.Random, tones: list[Colour], ground: Colour
) -> None:
    x, y = corner
    box = [x, y, x + side, y + side]
    back, front = luck.sample(tones, 2)
    if luck.random() < 0.62:
        pen.rectangle(box, fill=eight_bit(back))
    else:
        back = ground
    fill = eight_bit(front)
    kind = luck.choice(("quarter", "quarter", "half", "disc", "ring", "bars", "triangle", "empty"))
    if kind == "quarter":
        dx, dy = luck.choice((0, 1)), luck.choice((0, 1))
        start = {(0, 0): 0, (1, 0): 90, (1, 1): 180, (0, 1): 270}[dx, dy]
        pen.pieslice(
            [x - side + dx * side, y - side + dy * side, x + side + dx * side, y + side + dy * side],
            start,
            start + 90,
            fill=fill,
        )
    elif kind == "half":
        start = luck.choice((0, 90, 180, 270))
        pen.pieslice(box, start, start + 180, fill=fill)
    elif kind in ("disc", "ring"):
        pen.ellipse([x + side * 0.1, y + side * 0.1, x + side * 0.9, y + side * 0.9], fill=fill)
        if kind == "ring":
            pen.ellipse([x + side * 0.3, y + side * 0.3, x + side * 0.7, y + side * 0.7], fill=eight_bit(back))
    elif kind == "bars":
        for bar in range(3):
            pen.rectangle([x, y + side * (0.08 + bar * 0.33), x + side, y + side * (0.25 + bar * 0.33)], fill=fill)
    elif kind == "triangle":
        corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
        corners.pop(luck.randrange(4))
        pen.polygon(corners, fill=fill)


def _ribbons(scene: Scene, brief: Brief, palette: Palette, chance: random.Random) -> None:
    """Silk that flows across: many thin bands, each a step further along the palette."""
    scene.add(canvas.gradient([(0, palette.zenith), (1, palette.near)], scene.width, scene.height), 0)
    xs = np.linspace(0, 1, scene.width, dtype=np.float32)
    first, second = (canvas.line(chance, scene.width, chance.uniform(1, 1.8), 2, 0.3) for _ in range(2))
    count = 16 if brief.look.detail < -0.5 else 30
    for index in range(count):
        share = index / (count - 1)
        flow = first * (1 - share) + second * share + 0.35 * np.sin(xs * 4 + share * 3.5)
        heights = scene.height * (0.16 + 0.68 * share) + flow * scene.height * 0.16
        thick = scene.height * (0.05 + 0.03 * np.sin(xs * 5 + share * 9))
        rows_top = max(0, int(np.min(heights)) - 1)
        rows_end = min(scene.height, int(np.max(heights + thick)) + 2)
        rows = np.arange(rows_top, max(rows_end, rows_top + 1), dtype=np.float32)[:, None]
        inside = np.clip(rows - heights + 0.5, 0, 1) * np.clip(heights + thick - rows + 0.5, 0, 1)
        body = _along(palette, abs(1 - 2 * share))
        sheen = np.clip((rows - heights) / thick, 0, 1)
        fill = Image.composite(
            Image.new("RGB", (scene.width, len(rows)), eight_bit(mix(body, palette.light, 0.45))),
            Image.new("RGB", (scene.width, len(rows)), eight_bit(shade(body, -0.05))), canvas.mask((1 - sheen) ** 1.6),
        )  # fmt: skip
        scene.add(canvas.filled(canvas.mask(inside * 0.92), fill), 0.15 + 0.7 * share, 0, rows_top)
