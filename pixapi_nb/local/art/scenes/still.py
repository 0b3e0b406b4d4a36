"""Still lifes: a cup or a bottle on a table, as for a catalogue."""

import math
import random

import numpy as np
from PIL import Image, ImageChops, ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Floats, Point, Scene
from pixapi_nb.local.art.colour import MATERIALS, Colour, eight_bit, mix, shade
from pixapi_nb.local.art.palette import Palette

_GLOSSY = ("ceramic", "porcelain", "glass", "enamel", "glossy", "plastic", "shiny", "glazed", "obsidian")
_METAL = ("steel", "chrome", "metal", "copper", "brass", "silver", "gold", "golden", "bronze", "aluminium", "iron")


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


def cup(scene: Scene, brief: Brief, palette: Palette) -> None:
    studio(scene, brief, palette)
    chance = brief.chance("cup")
    side, unit = light_side(brief), scene.unit
    colour = brief.own or (palette.accent if len(brief.colours) > 1 else mix(MATERIALS["ceramic"], palette.light, 0.2))
    wide = unit * chance.uniform(0.34, 0.4) * (0.85 if brief.look.detail < -0.5 else 1)
    tall = wide * chance.uniform(0.74, 0.95)
    squash = chance.uniform(0.26, 0.36)
    centre = scene.width * (0.5 + chance.choice((-0.07, 0, 0.07)))
    foot = scene.height * 0.5 + unit * chance.uniform(0.25, 0.28)
    rim = foot - tall
    saucer = not brief.says("mug") and chance.random() < 0.8

    half = wide * (0.84 if saucer else 0.48)
    _shadow(scene, palette, centre, foot - half * squash * (0.1 if saucer else 0.75), half, squash, side)
    if saucer:
        _saucer(scene, palette, mix(colour, (1, 1, 1), 0.04), centre, foot, wide, squash, side)
    _handle(scene, palette, brief, colour, centre, rim, wide, tall, side)
    _body(scene, palette, brief, colour, centre, rim, wide, tall, squash, side)
    _mouth(scene, palette, brief, colour, centre, rim, wide, squash, side, chance)
    if brief.look.detail > -0.5:
        _beans(scene, palette, chance, centre, foot, wide, squash)
    _steam(scene, palette, chance, centre, rim, wide)


def bottle(scene: Scene, brief: Brief, palette: Palette) -> None:
    edge = studio(scene, brief, palette)
    chance = brief.chance("bottle")
    side, unit = light_side(brief), scene.unit
    colour = brief.own or palette.accent
    centre, foot = scene.width * (0.5 + chance.choice((-0.05, 0, 0.05))), edge + (scene.height - edge) * 0.36
    plinth = unit * chance.uniform(0.06, 0.1)
    base, squash = unit * chance.uniform(0.23, 0.27), 0.24
    stone = mix(palette.horizon, palette.near, 0.25)
    _shadow(scene, palette, centre, foot + plinth, base * 1.05, squash, side)
    rows = np.full(round(plinth + base * squash), base, np.float32)
    _solid(scene, palette, stone, _rounded(rows, base * squash), centre, foot, side, gloss=0)
    top = canvas.ellipse(round(base * 2), round(base * squash * 2), (0, 0, base * 2 - 1, base * squash * 2 - 1))
    fill = canvas.gradient([(0, mix(stone, palette.light, 0.25)), (1, mix(stone, palette.light, 0.55))], *top.size)
    scene.add(canvas.filled(top, fill), 0.4, centre - base, foot - base * squash)

    wide, tall = unit * chance.uniform(0.11, 0.14), unit * chance.uniform(0.34, 0.42)
    shoulder, neck = chance.uniform(0.28, 0.4), chance.uniform(0.28, 0.4)
    at = np.linspace(0, 1, round(tall), dtype=np.float32)
    radii = wide * (neck + (1 - neck) * canvas.smooth(at, shoulder * 0.55, shoulder))
    _shadow(scene, palette, centre, foot, wide, squash, side)
    _solid(
        scene, palette, colour, _rounded(radii, wide * 0.16), centre, foot - tall + wide * 0.12, side, gloss=0.8, subject=True
    )
    cap = np.full(round(tall * 0.16), wide * neck * 1.18, np.float32)
    metal = mix(palette.light, MATERIALS["brass"], 0.6)
    _solid(
        scene,
        palette,
        metal,
        _rounded(cap, wide * 0.05),
        centre,
        foot - tall * 1.13 + wide * 0.12,
        side,
        gloss=0.9,
        subject=True,
    )
    _label(scene, palette, centre, foot - tall * 0.42, wide)


def _solid(
    scene: Scene, palette: Palette, colour: Colour, radii: Floats, centre: float, top: float, side: int, *,
    gloss: float, metal: bool = False, subject: bool = False,
) -> None:  # fmt: skip
    """A turned body: a radius for each row, lit from one side."""
    half = float(radii.max()) + 1
    xs = np.arange(math.ceil(half * 2), dtype=np.float32) + 0.5 - half
    shape = canvas.mask(radii[:, None] - np.abs(xs)[None, :] + 0.5)
    around = np.clip(xs[None, :] / np.maximum(radii[:, None], 1), -1, 1)
    table = _round_shading(palette, colour, side, gloss, metal=metal)
    fill = Image.fromarray(table[((around + 1) * 127.5).astype(np.intp)])
    down = canvas.gradient([(0, (1, 1, 1)), (0.7, (0.97, 0.97, 0.97)), (1, (0.78, 0.78, 0.8))], *fill.size)
    scene.add(canvas.filled(shape, ImageChops.multiply(fill, down)), 0.45, centre - half, top, subject=subject)


def _round_shading(
    palette: Palette, colour: Colour, side: int, gloss: float, *, metal: bool
) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """The colours around a cylinder from its left edge to its right one: 256 of them."""
    dark = mix(shade(colour, -0.26), palette.near, 0.3)
    bright = mix(shade(colour, 0.1), palette.light, 0.35)
    rows = []
    for index in range(256):
        place = index / 127.5 - 1
        lit = 0.22 + 0.78 * max(0.0, math.cos(math.asin(max(-1, min(1, place))) - side * 0.75))
        if metal:
            lit = min(1, max(0, lit + 0.3 * math.sin(place * 8.5 * side + 0.6)))
        tone = mix(dark, colour, lit / 0.62) if lit < 0.62 else mix(colour, bright, (lit - 0.62) / 0.38)
        spark = math.exp(-(((place - side * 0.5) / 0.075) ** 2)) + 0.35 * math.exp(-(((place + side * 0.86) / 0.06) ** 2))
        rows.append(eight_bit(mix(tone, (1, 1, 1), min(1, 0.62 * gloss * spark))))
    return np.array(rows, np.uint8)


def _rounded(radii: Floats, curve: float) -> Floats:
    """Radii whose last rows close like the near half of an ellipse."""
    count = min(len(radii), max(1, round(curve)))
    closing = np.sqrt(np.maximum(0, 1 - np.linspace(0, 1, count, dtype=np.float32) ** 2))
    return np.concatenate([radii[: len(radii) - count], radii[len(radii) - count :] * closing])


def _body(
    scene: Scene, palette: Palette, brief: Brief, colour: Colour, centre: float, rim: float, wide: float, tall: float,
    squash: float, side: int,
) -> None:  # fmt: skip
    """The cup itself: straight as a mug or narrowing to its foot."""
    at = np.linspace(0, 1, round(tall), dtype=np.float32)
    narrow = 0.06 if brief.says("mug") else 0.4
    radii = wide / 2 * (1 - narrow * at**2.6)
    gloss = (
        0.75
        if brief.says(*_GLOSSY)
        else 0.9
        if brief.says(*_METAL)
        else 0.06
        if brief.says("matte", "clay", "stone", "wooden")
        else 0.4
    )
    curve = float(radii[-1]) * squash * (1.25 if narrow < 0.1 else 1.7)
    _solid(
        scene, palette, colour, _rounded(radii, curve), centre, rim, side,
        gloss=gloss, metal=brief.says(*_METAL), subject=True,
    )  # fmt: skip


def _mouth(
    scene: Scene, palette: Palette, brief: Brief, colour: Colour, centre: float, rim: float, wide: float, squash: float,
    side: int, chance: random.Random,
) -> None:  # fmt: skip
    """The rim, the inside, and what is in it."""
    high = wide * squash
    size = round(wide) + 2, round(high) + 2
    thick = max(1.0, wide * 0.022)
    coffee = (
        (0.2, 0.11, 0.07)
        if not brief.says("tea", "matcha")
        else (0.62, 0.3, 0.08)
        if not brief.says("matcha")
        else (0.5, 0.62, 0.25)
    )
    inside = mix(shade(colour, -0.2), palette.near, 0.25)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        def oval(inset: float, drop: float, fill: Colour) -> None:
            box = (inset, inset * squash * 1.2 + drop, wide - inset, high - inset * squash * 0.7 + drop * 0.2)
            pen.ellipse([edge * scale for edge in box], fill=eight_bit(fill))

        oval(0, 0, mix(shade(colour, 0.1), palette.light, 0.45))
        oval(thick, 0, inside)
        oval(thick * 1.2 + wide * 0.03, high * 0.17, mix(coffee, (0.7, 0.45, 0.25), 0.5))
        oval(thick * 1.2 + wide * 0.045, high * 0.18, coffee)
        if brief.says("latte", "cappuccino") or (chance.random() < 0.5 and not brief.says("tea", "espresso", "black")):
            milk = eight_bit(mix((0.93, 0.84, 0.7), palette.light, 0.2))
            for ring in range(4):
                grow = wide * (0.27 - 0.055 * ring)
                middle = centre_x, centre_y = wide / 2, high * (0.5 + 0.06 * ring)
                pen.arc(
                    [(centre_x - grow) * scale, (middle[1] - grow * squash) * scale, (centre_x + grow) * scale, (centre_y + grow * squash) * scale],
                    20, 160, fill=milk, width=max(1, round(wide * 0.02 * scale)),
                )  # fmt: skip
        shine = [wide * (0.5 + side * 0.16), high * 0.3, wide * (0.5 + side * 0.16) + wide * 0.16, high * 0.42]
        pen.ellipse([edge * scale for edge in shine], fill=(*eight_bit(mix(coffee, (1, 1, 1), 0.3)), 255))

    scene.add(canvas.painted(*size, draw), 0.45, centre - wide / 2, rim - high / 2, subject=True)


def _handle(
    scene: Scene, palette: Palette, brief: Brief, colour: Colour, centre: float, rim: float, wide: float, tall: float, side: int
) -> None:
    """A ring behind the body, on the side away from the light or towards it."""
    towards = brief.chance("handle").choice((-1, 1))
    high, across, thick = tall * 0.56, wide * 0.36, wide * 0.085
    size = round(across * 1.2), round(high)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        box = (0, 0, across * scale, (high - 1) * scale)
        pen.ellipse(box, outline=255, width=round(thick * scale))

    shape = canvas.drawn(*size, draw)
    tones = [
        (0, mix(colour, palette.light, 0.3)),
        (0.5, shade(colour, -0.04)),
        (1, mix(shade(colour, -0.2), palette.near, 0.3)),
    ]
    if towards != side:
        tones = [(place, mix(tone, palette.near, 0.25)) for place, tone in tones]
    left = centre + towards * wide * 0.49 - across / 2 - (across * 0.1 if towards < 0 else 0)
    scene.add(canvas.filled(shape, canvas.gradient(tones, *size)), 0.45, left, rim + tall * 0.12, subject=True)


def _saucer(
    scene: Scene, palette: Palette, colour: Colour, centre: float, foot: float, wide: float, squash: float, side: int
) -> None:
    across = wide * 1.62
    high = across * squash
    size = round(across) + 2, round(high * 1.1) + 2
    dark = mix(shade(colour, -0.2), palette.near, 0.3)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        def oval(inset: float, drop: float, fill: Colour) -> None:
            box = (inset, inset * squash + drop, across - inset, high - inset * squash + drop)
            pen.ellipse([edge * scale for edge in box], fill=eight_bit(fill))

        oval(0, high * 0.07, dark)
        oval(0, 0, mix(shade(colour, 0.05), palette.light, 0.35))
        oval(across * 0.025, high * 0.012, mix(colour, palette.light, 0.12))
        oval(across * 0.2, high * 0.02, mix(colour, dark, 0.3))
        oval(across * 0.225, high * 0.045, mix(colour, dark, 0.12))

    scene.add(canvas.painted(*size, draw), 0.42, centre - across / 2, foot - high * 0.62, subject=True)


def _shadow(scene: Scene, palette: Palette, centre: float, foot: float, half: float, squash: float, side: int) -> None:
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


def _beans(
    scene: Scene, palette: Palette, chance: random.Random, centre: float, foot: float, wide: float, squash: float
) -> None:
    size = round(wide * 0.1)
    brown = mix((0.3, 0.17, 0.1), palette.near, 0.25)
    for _ in range(chance.randint(3, 6)):
        side = chance.choice((-1, 1))
        x, y = centre + side * wide * chance.uniform(0.85, 1.2), foot + wide * squash * chance.uniform(-0.25, 0.6)
        tilt = chance.uniform(0, math.pi)
        bean = canvas.curve([canvas.turned((size / 2 + a * size * 0.46, size / 2 + b * size * 0.3), tilt, (size / 2, size / 2))
                             for a, b in ((-1, 0), (-0.6, -0.8), (0.3, -0.95), (1, 0), (0.6, 0.85), (-0.4, 0.95))])  # fmt: skip
        ends = [canvas.turned((size / 2 + a * size * 0.4, size / 2), tilt, (size / 2, size / 2)) for a in (-1, 1)]

        def draw(pen: ImageDraw.ImageDraw, scale: float, bean: list[Point] = bean, ends: list[Point] = ends) -> None:
            pen.polygon([(px * scale, py * scale) for px, py in bean], fill=eight_bit(brown))
            pen.line(
                [(px * scale, py * scale) for px, py in ends], fill=eight_bit(shade(brown, -0.1)), width=round(scale * 1.5)
            )

        _shadow(scene, palette, x, y + size * 0.25, size * 0.45, 0.4, light_side_of(centre, x))
        scene.add(canvas.painted(size, size, draw), 0.5, x - size / 2, y - size / 2)


def light_side_of(centre: float, x: float) -> int:
    return 1 if x < centre else -1


def _steam(scene: Scene, palette: Palette, chance: random.Random, centre: float, rim: float, wide: float) -> None:
    high = min(rim * 0.95, wide * chance.uniform(1.0, 1.35))
    size = round(wide), max(4, round(high))
    shape = Image.new("L", size)
    pen = ImageDraw.Draw(shape)
    for _ in range(3):
        x, swing, phase = wide * chance.uniform(0.36, 0.64), wide * chance.uniform(0.05, 0.11), chance.uniform(0, 6)
        for step in range(60):
            up = step / 59
            y = high * (0.98 - 0.9 * up)
            thick = wide * (0.018 + 0.055 * up)
            middle = x + swing * up**0.7 * math.sin(phase + up * 5.2)
            pen.ellipse(
                (middle - thick, y - thick * 1.6, middle + thick, y + thick * 1.6), fill=round(95 * (1 - up) * min(1, up * 6))
            )
    shape = canvas.softened(shape, wide * 0.03)
    scene.add(canvas.filled(shape, mix(palette.light, (1, 1, 1), 0.5)), 0.46, centre - wide / 2, rim - high, drift=(0, -0.05))


def _label(scene: Scene, palette: Palette, centre: float, middle: float, wide: float) -> None:
    across, high = wide * 1.15, wide * 1.1
    paper = mix(palette.light, (1, 1, 1), 0.4)
    ink = mix(palette.near, palette.zenith, 0.3)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        pen.rectangle((0, 0, across * scale, high * scale), fill=(*eight_bit(paper), 225))
        pen.ellipse(
            [edge * scale for edge in (across * 0.36, high * 0.2, across * 0.64, high * 0.2 + across * 0.28)],
            fill=eight_bit(ink),
        )
        for row, share in ((0.66, 0.5), (0.78, 0.32)):
            pen.line(
                [
                    (across * (0.5 - share / 2) * scale, high * row * scale),
                    (across * (0.5 + share / 2) * scale, high * row * scale),
                ],
                fill=eight_bit(ink),
                width=max(1, round(high * 0.025 * scale)),
            )

    scene.add(canvas.painted(round(across), round(high), draw), 0.45, centre - across / 2, middle, subject=True)


def _share(share: float) -> list[int]:
    """A table that leaves a mask so much of its strength."""
    return [round(value * share) for value in range(256)]
