"""Gardens and meadows: flowers up close, hills behind."""

import math
import random

import numpy as np
from PIL import ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import Colour, eight_bit, from_hex, mix, shade
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import sky


def garden(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("garden")
    horizon = scene.height * chance.uniform(0.5, 0.6)
    sky.paint(scene, brief, palette, horizon)
    green = mix(palette.near, from_hex("5f8f4a"), 0.62 if brief.time not in ("night", "dusk") else 0.3)
    for index in range(3):
        depth = index / 2
        base = horizon + scene.height * (0.02 + 0.1 * depth)
        heights = base - scene.height * 0.045 * canvas.line(chance, scene.width, 1.5 + depth, 2, 0.3)
        shape, top = canvas.below(heights, scene.height)
        body = mix(mix(palette.far, green, 0.35), green, depth)
        fill = canvas.gradient([(0, mix(body, palette.light, 0.2)), (0.4, body), (1, shade(body, -0.06))], *shape.size)
        scene.add(canvas.filled(shape, fill), 0.2 + 0.2 * depth, 0, top)
    kind = _kind(brief, chance)
    tones = _tones(brief, palette, kind)
    rows = 4 if brief.look.detail < -0.5 else 6
    for index in range(rows):
        depth = index / (rows - 1)
        _row(scene, palette, chance, horizon, depth, kind, tones, green)


def _kind(brief: Brief, chance: random.Random) -> str:
    if brief.says("tulip", "tulips"):
        return "tulip"
    if brief.says("poppy", "poppies", "rose", "roses"):
        return "poppy"
    if brief.says("daisy", "daisies", "sunflower", "sunflowers"):
        return "daisy"
    return chance.choice(("tulip", "poppy", "daisy"))


def _tones(brief: Brief, palette: Palette, kind: str) -> list[Colour]:
    if brief.own or brief.colours:
        base = [*([brief.own] if brief.own else []), *brief.colours]
    elif brief.says("sunflower", "sunflowers"):
        base = [from_hex("f2b632")]
    elif brief.says("daisy", "daisies"):
        base = [from_hex("f6f1e4")]
    elif brief.says("rose", "roses"):
        base = [from_hex("d9536f")]
    else:
        base = [
            from_hex(code)
            for code in {"tulip": ("e0566b", "f3b14b", "b95fa6"), "poppy": ("d9432f", "ee7f4b")}.get(
                kind, ("f6f1e4", "f0a6c0", "f2c14e")
            )
        ]
    if brief.time in ("night", "dusk"):
        base = [mix(tone, palette.sky, 0.32) for tone in base]
    return [shade(mix(tone, palette.light, 0.08), change) for tone in base for change in (-0.05, 0, 0.05)]


def _row(
    scene: Scene,
    palette: Palette,
    chance: random.Random,
    horizon: float,
    depth: float,
    kind: str,
    tones: list[Colour],
    green: Colour,
) -> None:
    """One row of flowers; the farthest are dots, the nearest show their petals."""
    unit = scene.unit
    tall = unit * (0.03 + 0.36 * depth**1.7)
    foot = horizon + scene.height * 0.1 + (scene.height * 1.1 - horizon - scene.height * 0.1) * depth**1.3
    count = max(5, round(scene.width / (tall * (0.42 if depth < 0.6 else 0.5))))
    top = round(foot - tall * 1.5)
    size = scene.width, max(4, min(scene.height, round(foot + tall * 0.3)) - top)
    stem = mix(shade(green, -0.1), palette.near, 0.35 * depth)
    plants = [
        (scene.width * (number + chance.uniform(0.1, 0.9)) / count, chance.uniform(0.72, 1.18)) for number in range(count)
    ]
    seed = chance.getrandbits(32)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        luck = random.Random(seed)
        for x, share in plants:
            high, lean = tall * share, luck.uniform(-0.12, 0.12)
            base, head = (x, foot - top + tall * 0.1), (x + lean * high, foot - top - high)
            _stalk(pen, scale, base, head, high, stem, luck, leaves=depth > 0.25)
            _flower(
                pen,
                scale,
                kind,
                head,
                tall * (0.17 if kind == "daisy" else 0.19) * luck.uniform(0.85, 1.2),
                luck.choice(tones),
                palette,
                luck,
            )

    scene.add(canvas.painted(*size, draw), 0.4 + 0.6 * depth, 0, top, subject=depth == 1)


def _stalk(
    pen: ImageDraw.ImageDraw,
    scale: float,
    base: Point,
    head: Point,
    high: float,
    colour: Colour,
    luck: random.Random,
    *,
    leaves: bool,
) -> None:
    points = []
    for step in range(9):
        up = step / 8
        bend = math.sin(up * math.pi) * high * 0.05 * (1 if head[0] > base[0] else -1)
        points.append(((base[0] + (head[0] - base[0]) * up**1.5 + bend) * scale, (base[1] + (head[1] - base[1]) * up) * scale))
    pen.line(points, fill=eight_bit(colour), width=max(1, round(high * 0.028 * scale)), joint="curve")
    if not leaves:
        return
    for side in (-1, 1):
        up = luck.uniform(0.15, 0.4)
        x, y = base[0] + (head[0] - base[0]) * up, base[1] + (head[1] - base[1]) * up
        long, rise = high * luck.uniform(0.2, 0.34) * side, high * luck.uniform(0.2, 0.4)
        leaf = canvas.curve(
            [(x, y), (x + long * 0.45, y - rise * 0.35), (x + long, y - rise), (x + long * 0.65, y - rise * 0.25)], 6
        )
        pen.polygon([(px * scale, py * scale) for px, py in leaf], fill=eight_bit(shade(colour, luck.uniform(-0.02, 0.07))))


def _flower(
    pen: ImageDraw.ImageDraw,
    scale: float,
    kind: str,
    at: Point,
    size: float,
    colour: Colour,
    palette: Palette,
    luck: random.Random,
) -> None:
    def petal(points: list[Point], fill: Colour) -> None:
        outline = canvas.curve(points, 6) if size * scale > 6 else points
        pen.polygon([((at[0] + x * size) * scale, (at[1] + y * size) * scale) for x, y in outline], fill=eight_bit(fill))

    dark, bright = shade(colour, -0.09), mix(shade(colour, 0.06), palette.light, 0.15)
    if kind == "tulip":
        petal([(-0.75, -0.75), (-0.85, 0.1), (-0.3, 0.75), (0.2, 0.4), (-0.2, -0.5)], dark)
        petal([(0.75, -0.8), (0.85, 0.1), (0.3, 0.75), (-0.2, 0.4), (0.2, -0.5)], shade(colour, -0.04))
        petal([(0, -1.0), (0.48, -0.2), (0.3, 0.65), (0, 0.85), (-0.3, 0.65), (-0.48, -0.2)], bright)
    elif kind == "poppy":
        turn = luck.uniform(-0.3, 0.3)
        for number, fill in enumerate((dark, shade(colour, -0.05), colour, bright)):
            angle = turn + number * math.pi / 2 + math.pi / 4
            shape = [(0.0, 0.0), (0.75, -0.72), (1.12, 0.0), (0.75, 0.72)]
            petal([(x * 0.85, y * 0.75) for x, y in (canvas.turned(point, angle) for point in shape)], fill)
        petal([(-0.24, 0), (0, -0.2), (0.24, 0), (0, 0.2)], shade(palette.near, -0.02))
    else:
        count, turn = 13, luck.uniform(0, 1)
        for number in range(count):
            angle = turn + number * 2 * math.pi / count
            shape = [(0.2, 0.0), (0.7, -0.16), (1.08, 0.0), (0.7, 0.16)]
            petal(
                [(x, y * 0.82) for x, y in (canvas.turned(point, angle) for point in shape)], bright if number % 2 else colour
            )
        heart = from_hex("7a4a20") if sum(colour) < 2.3 else from_hex("efb32e")
        petal(
            [(0.34 * math.cos(turn), 0.28 * math.sin(turn)) for turn in np.linspace(0, 2 * math.pi, 9)[:-1]],
            mix(heart, palette.near, 0.12),
        )
