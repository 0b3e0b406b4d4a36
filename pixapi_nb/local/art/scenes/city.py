"""Cities: towers behind towers, and their windows."""

import random
from collections.abc import Callable

from PIL import ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import mix, shade
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import sky, water

Box = tuple[float, float, float]
"""A tower: its left edge, its width, its height."""


def city(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("city")
    river = brief.says("river", "harbour", "harbor", "bay", "reflection", "waterfront") or chance.random() < 0.55
    ground = scene.height * (chance.uniform(0.64, 0.7) if river else 0.97)
    sun = sky.paint(scene, brief, palette, scene.height * (0.66 if river else 0.78))
    count = 3 if brief.look.detail < -0.4 else 4
    for index in range(count):
        depth = index / (count - 1)
        _row(scene, brief, palette, chance, ground, depth, river=river)
    if river:
        water.water(scene, brief, palette, sun, ground, mirror=0.72)
        if chance.random() < 0.6:
            water.boat(scene, palette, chance, ground)


def _row(
    scene: Scene, brief: Brief, palette: Palette, chance: random.Random, ground: float, depth: float, *, river: bool
) -> None:
    unit = scene.unit
    high = unit * ((0.5 - 0.3 * depth) if river else (0.66 - 0.42 * depth)) * chance.uniform(0.9, 1.1)
    base = ground if river else ground - unit * 0.14 * (1 - depth)
    size = scene.width, round(high * 1.45)
    towers: list[Box] = []
    x = -unit * 0.05
    while x < scene.width:
        wide = unit * chance.uniform(0.05, 0.085) * (0.8 + 0.7 * depth)
        # Towers crowd in the middle, as downtowns do.
        middle = 1 - abs((x + wide / 2) / scene.width - 0.5) * 1.25
        towers.append((x, wide, high * chance.uniform(0.42, 1) * (0.5 + 0.5 * middle)))
        x += wide * chance.uniform(0.82, 1.25)
    tops = [_roof(chance, tower, size[1]) for tower in towers]
    body = palette.land(0.12 + 0.88 * depth)
    # Haze and street light lie between the rows.
    foot = mix(body, mix(palette.horizon, palette.light, 0.2), 0.62 * (1 - depth))
    fill = canvas.gradient([(0, shade(body, -0.02)), (0.45, body), (1, foot)], *size)
    moves = 0.2 + (0.35 if river else 0.7) * depth
    top = base - size[1] + 1
    scene.add(canvas.filled(canvas.polygon(*size, *tops), fill), moves, 0, top)
    if not river and depth < 1:
        below = canvas.gradient([(0, foot), (1, foot)], scene.width, max(1, scene.height - round(base)))
        scene.add(below, moves, 0, base)
    scene.add(canvas.filled(canvas.drawn(*size, _sunny_sides(towers, size[1])), mix(body, palette.light, 0.35)), moves, 0, top)
    if depth > 0.3:
        dark = brief.time in ("night", "dusk", "sunset", "dawn") or brief.style == "neon"
        glass = mix(palette.light, (1, 0.84, 0.5), 0.45) if dark else mix(body, palette.sky, 0.6)
        if brief.style == "neon":
            glass = mix(glass, palette.accent, 0.55)
        draw = _windows(towers, size[1], chance.getrandbits(32), unit * 0.0075 * (0.7 + 0.6 * depth), 0.45 if dark else 0.8)
        scene.add(canvas.filled(canvas.drawn(*size, draw), glass), moves, 0, top)


def _roof(chance: random.Random, tower: Box, bottom: float) -> list[Point]:
    """The outline of a tower, with one of several heads."""
    x, wide, tall = tower
    top, right, middle = bottom - tall, x + wide, x + wide / 2
    head = chance.choice(("flat", "flat", "steps", "slant", "spire", "mast", "gable"))
    outline: list[Point] = [(x, bottom), (x, top)]
    if head == "steps":
        outline += [(x + wide * 0.18, top), (x + wide * 0.18, top - wide * 0.3), (x + wide * 0.34, top - wide * 0.3)]
        outline += [(x + wide * 0.34, top - wide * 0.6), (right - wide * 0.34, top - wide * 0.6)]
        outline += [
            (right - wide * 0.34, top - wide * 0.3),
            (right - wide * 0.18, top - wide * 0.3),
            (right - wide * 0.18, top),
        ]
    elif head == "slant":
        outline += [(x, top - wide * 0.45)]
    elif head == "spire":
        outline += [(x + wide * 0.2, top), (middle - wide * 0.06, top - wide * 0.7), (middle, top - wide * 1.9)]
        outline += [(middle + wide * 0.06, top - wide * 0.7), (right - wide * 0.2, top)]
    elif head == "mast":
        outline += [(middle - wide * 0.04, top), (middle - wide * 0.02, top - wide), (middle + wide * 0.02, top - wide)]
        outline += [(middle + wide * 0.04, top)]
    elif head == "gable":
        outline += [(middle, top - wide * 0.4)]
    return [*outline, (right, top), (right, bottom)]


def _sunny_sides(towers: list[Box], bottom: float) -> Callable[[ImageDraw.ImageDraw, float], None]:
    """A lit edge down each tower, fading."""

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        for x, wide, tall in towers:
            for step in range(6):
                y = bottom - tall + tall * step / 6
                box = [x * scale, y * scale, (x + wide * 0.16) * scale, (y + tall / 6) * scale - 1]
                pen.rectangle(box, fill=round(95 * (1 - step / 6)))

    return draw


def _windows(
    towers: list[Box], bottom: float, seed: int, pitch: float, share: float
) -> Callable[[ImageDraw.ImageDraw, float], None]:
    pitch = max(pitch, 3.2)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        chance = random.Random(seed)
        for x, wide, tall in towers:
            lively = share * chance.uniform(0.35, 1.25)
            columns, rows = max(1, int(wide * 0.8 / (pitch * 1.5))), int(tall * 0.9 / (pitch * 2))
            inset = (wide - columns * pitch * 1.5 + pitch * 0.5) / 2
            for row in range(rows):
                for column in range(columns):
                    if chance.random() < lively:
                        left, top = x + inset + column * pitch * 1.5, bottom - tall + pitch * (1.4 + row * 2)
                        box = [left * scale, top * scale, (left + pitch) * scale - 1, (top + pitch * 1.15) * scale - 1]
                        pen.rectangle(box, fill=round(chance.uniform(70, 255)))

    return draw
