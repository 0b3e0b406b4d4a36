"""Mountains, forests and deserts: ridge behind ridge, the farther the paler."""

import random

import numpy as np
from PIL import Image, ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Floats, Point, Scene
from pixapi_nb.local.art.colour import Colour, eight_bit, mix, shade
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import sky


def mountains(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("mountains")
    horizon = scene.height * chance.uniform(0.56, 0.68)
    sun = sky.paint(scene, brief, palette, horizon)
    count = 4 if brief.look.detail < -0.5 else chance.randint(5, 7)
    peaks(scene, brief, palette, sun, horizon, count)
    foreground(scene, brief, palette, chance)


def peaks(
    scene: Scene, brief: Brief, palette: Palette, sun: Point, horizon: float, count: int, *,
    lowest: float = 0.93, nearest: float = 1,
) -> None:  # fmt: skip
    """Mountain ridges from the ``horizon`` down to the share ``lowest`` of the picture's height."""
    chance = brief.chance("peaks")
    rough = 0.52 + 0.08 * brief.look.detail
    high = scene.height * chance.uniform(0.2, 0.3) * (1.25 if brief.says("epic", "dramatic", "alps") else 1)
    for index in range(count):
        depth = index / max(1, count - 1)
        base = horizon + (scene.height * lowest - horizon) * depth**1.15
        bumps = 1.4 + 1.5 * depth + chance.uniform(-0.3, 0.5)
        # Far ridges are crags, near ones rounded hills.
        crags = canvas.line(chance, scene.width, bumps, 7, rough, angular=True)
        hills = canvas.line(chance, scene.width, bumps, 4, 0.4)
        heights = base - high * (1 - 0.55 * depth) * (0.95 * crags * (1 - depth) + 0.6 * hills * depth)
        ridge(scene, palette, heights, depth * nearest, sun[0], snow=brief.says("snow", "snowy", "alps", "winter", "glacier"))


def ridge(
    scene: Scene, palette: Palette, heights: Floats, depth: float, light: float, *,
    snow: bool = False, bottom: int | None = None, moves: float | None = None,
) -> None:  # fmt: skip
    """Land below a line of heights, lit from the column ``light``, as pale as its depth (0 to 1) has it."""
    body = palette.land(depth)
    shape, top = canvas.below(heights, bottom or scene.height)
    tall = shape.height
    # Mist lies in the valleys: each ridge pales downwards, the near ones less.
    foot = mix(body, mix(palette.horizon, palette.far, 0.35), 0.75 * (1 - depth) ** 0.8)
    colour = canvas.gradient([(0, body), (min(1, 0.3 * scene.height / max(1, tall)), foot), (1, foot)], scene.width, tall)
    under = np.arange(top, top + tall, dtype=np.float32)[:, None] - heights[None, :]
    lit = _facets(heights, under, light)
    reach = scene.height * 0.11 * (1.1 - depth)
    rim = lit * np.exp(-np.maximum(under, 0) / reach) * (0.55 - 0.35 * depth)
    glowing = mix(palette.light, palette.horizon, 0.4)
    colour = Image.composite(Image.new("RGB", colour.size, eight_bit(glowing)), colour, canvas.mask(rim))
    if snow and depth < 0.6:
        line = scene.height * 0.05 * (1 + 0.6 * np.sin(np.arange(scene.width) * 40 / scene.width))
        cap = canvas.smooth(line[None, :] - under, -2, 3) * (0.4 + 0.55 * lit)
        cap = cap * canvas.smooth(-(heights - np.median(heights))[None, :] / scene.height, -0.02, 0.04)
        white = mix((0.97, 0.98, 1), palette.horizon, 0.25)
        colour = Image.composite(Image.new("RGB", colour.size, eight_bit(white)), colour, canvas.mask(cap))
    scene.add(canvas.filled(shape, colour), 0.15 + 0.6 * depth if moves is None else moves, 0, top)


def _facets(heights: Floats, under: Floats, light: float) -> Floats:
    """How much of the light at the column ``light`` each place of a ridge gets: its flanks run down aslant."""
    width = len(heights)
    columns = np.arange(width)
    slope = np.gradient(_blurred(heights, width // 70)) * np.sign(columns - light)
    # Each place is lit as the crest is from which its flank comes down.
    lean = 0.45 * np.sign(np.gradient(_blurred(heights, width // 14)))
    crest = np.clip(columns[None, :] - under * lean[None, :], 0, width - 1).astype(np.intp)
    return canvas.smooth(slope, -0.05, 0.5)[crest]


def forest(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("forest")
    horizon = scene.height * chance.uniform(0.5, 0.6)
    sun = sky.paint(scene, brief, palette, horizon)
    peaks(scene, brief, palette, sun, horizon * 0.94, 2, lowest=0.66, nearest=0.4)
    count = 4 if brief.look.detail > -0.5 else 3
    for index in range(count):
        depth = (index + 1) / count
        base = horizon + (scene.height * 1.02 - horizon) * depth**1.3 * 0.8
        heights = base + scene.height * 0.03 * canvas.line(chance, scene.width, 2 + index, 3)
        tall = scene.height * (0.09 + 0.24 * depth**1.6)
        trees(scene, palette, chance, heights, tall, depth)
        if depth < 1:
            _mist(scene, palette, chance, base, 0.5 * (1 - depth) + 0.15 + 0.3 * max(0, brief.look.haze))


def foreground(scene: Scene, brief: Brief, palette: Palette, chance: random.Random) -> None:
    """The dark edge that the viewer stands behind: firs, denser on one side."""
    if brief.look.detail < -0.5:
        return
    side = chance.choice((-1, 1))
    slope = np.linspace(-side, side, scene.width, dtype=np.float32)
    heights = scene.height * (0.955 + 0.045 * slope) + scene.height * 0.012 * canvas.line(chance, scene.width, 6, 4)
    trees(scene, palette, chance, heights, scene.height * chance.uniform(0.13, 0.2), 1, thin=0.55)


def trees(
    scene: Scene, palette: Palette, chance: random.Random, heights: Floats, tall: float, depth: float, thin: float = 1
) -> None:
    """A ridge with firs on it; ``tall`` in pixels, ``thin`` the share of them that stand."""
    colour = palette.land(0.25 + 0.75 * depth)
    step = tall * 0.27
    count = max(3, min(90, round(scene.width / step)))
    firs = []
    for index in range(count + 1):
        if chance.random() > thin:
            continue
        x = (index + chance.uniform(-0.4, 0.4)) * scene.width / count
        foot = float(heights[min(scene.width - 1, max(0, round(x)))])
        firs.append(_fir(chance, x, foot + tall * 0.06, tall * chance.uniform(0.5, 1.1)))
    ground = [(float(x), float(heights[x])) for x in range(0, scene.width, max(1, scene.width // 160))]
    ground += [(scene.width, float(heights[-1])), (scene.width, scene.height), (0, scene.height)]
    top = max(0, round(min(float(np.min(heights)), *(y for fir in firs for _, y in fir), scene.height)) - 2)
    moved = [[(x, y - top) for x, y in shape] for shape in (*firs, ground)]
    shape = canvas.polygon(scene.width, scene.height - top, *moved)
    foot_colour = mix(colour, palette.horizon, 0.22 * (1 - depth))
    fill = canvas.gradient([(0, shade(colour, 0.03 * (1 - depth))), (0.5, colour), (1, foot_colour)], *shape.size)
    scene.add(canvas.filled(shape, fill), 0.3 + 0.7 * depth, 0, top)


def _fir(chance: random.Random, x: float, foot: float, tall: float) -> list[Point]:
    """The outline of a fir: branches that widen downwards and hang a little."""
    tiers = 7
    lean = chance.uniform(-0.02, 0.02) * tall
    right: list[Point] = []
    left: list[Point] = []
    for tier in range(1, tiers + 1):
        y = foot - tall * (1 - tier / (tiers + 0.6))
        wide = tall * 0.2 * (tier / tiers) ** 0.85
        for side, points in ((1, right), (-1, left)):
            reach = wide * chance.uniform(0.78, 1.1)
            middle = x + lean * (1 - tier / tiers)
            points += [(middle + side * reach, y + tall * 0.018), (middle + side * reach * 0.45, y - tall * 0.012)]
    return [(x + lean, foot - tall), *right, (x + tall * 0.02, foot), (x - tall * 0.02, foot), *reversed(left)]


def _mist(scene: Scene, palette: Palette, chance: random.Random, base: float, strength: float) -> None:
    height = round(scene.height * 0.26)
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    field = canvas.noise(chance, scene.width, height, 2.5 * scene.width / scene.unit, 1.5, 3)
    soft = np.exp(-((rows * 2.1) ** 2)) * canvas.smooth(field, 0.28, 0.75) * min(0.85, strength)
    scene.add(canvas.filled(canvas.mask(soft), mix(palette.horizon, palette.light, 0.3)), 0.35, 0, base - height * 0.55)


def desert(scene: Scene, brief: Brief, palette: Palette) -> None:
    chance = brief.chance("desert")
    horizon = scene.height * chance.uniform(0.5, 0.6)
    sun = sky.paint(scene, brief, palette, horizon)
    if brief.look.detail > -0.5:
        _mesas(scene, palette, chance, horizon)
    sand = _sand(brief, palette)
    count = chance.randint(4, 5)
    for index in range(count):
        depth = index / (count - 1)
        _dune(scene, palette, chance, horizon, depth, sand, sun)
    if brief.says("cactus", "canyon") or chance.random() < 0.5:
        _cactus(scene, palette, chance)


def _sand(brief: Brief, palette: Palette) -> tuple[Colour, Colour]:
    """Sand in light and in shadow."""
    warm = mix(palette.far, (0.9, 0.62, 0.36), 0.62 if not brief.colours else 0.12)
    if brief.time == "night":
        return mix(warm, palette.sky, 0.6), mix(palette.near, palette.sky, 0.35)
    return mix(warm, palette.horizon, 0.3), mix(mix(palette.near, warm, 0.38), palette.far, 0.12)


def _dune(
    scene: Scene, palette: Palette, chance: random.Random, horizon: float, depth: float,
    sand: tuple[Colour, Colour], sun: Point,
) -> None:  # fmt: skip
    base = horizon + scene.height * (0.03 + 0.36 * depth**1.25)
    swing = scene.height * (0.02 + 0.09 * depth)
    heights = base - swing * canvas.line(chance, scene.width, 1.1 + 0.7 * (1 - depth), 2, 0.3)
    shape, top = canvas.below(heights, scene.height)
    lit, dark = (mix(colour, palette.horizon, 0.45 * (1 - depth)) for colour in sand)
    tall = shape.height
    # A dune's crest wanders down towards the viewer: one side of it is in the light, the other is not.
    down = np.linspace(0, 1, tall, dtype=np.float32)[:, None]
    xs = np.linspace(0, 1, scene.width, dtype=np.float32)[None, :]
    crest = float(np.argmin(heights)) / scene.width
    side = 1 if sun[0] > crest * scene.width else -1
    wander = crest + side * 0.2 * (down**1.3) + 0.05 * np.sin(down * 5 + chance.uniform(0, 6))
    shadow = canvas.smooth((xs - wander) * -side, -0.004, 0.012 + 0.04 * float(depth))
    fading = shadow * (1 - 0.75 * canvas.smooth(np.abs(xs - wander), 0.1, 0.55)) * (1 - 0.35 * down)
    ripples = 0.05 * np.sin((down * tall + 14 * np.sin(xs * 9)) * (0.55 - 0.3 * depth) * 600 / scene.height)
    light = canvas.gradient([(0, shade(lit, 0.03)), (1, mix(lit, dark, 0.45))], scene.width, tall)
    fill = Image.composite(Image.new("RGB", light.size, eight_bit(dark)), light, canvas.mask(fading * 0.85 + ripples * depth))
    scene.add(canvas.filled(shape, fill), 0.2 + 0.6 * depth, 0, top)


def _mesas(scene: Scene, palette: Palette, chance: random.Random, horizon: float) -> None:
    shapes = []
    for _ in range(chance.randint(2, 4)):
        x, wide = chance.uniform(0.05, 0.95) * scene.width, scene.width * chance.uniform(0.05, 0.13)
        tall = scene.height * chance.uniform(0.04, 0.1)
        left = [(-1.25, 2), (-0.95, 0.55), (-0.8, 0.5), (-0.76, 0)]
        right = [(0.7, 0), (0.78, 0.45), (1, 0.6), (1.3, 2)]
        shapes.append([(x + px * wide, scene.height * 0.1 + (py - 1) * tall) for px, py in (*left, *right)])
    shape = canvas.polygon(scene.width, round(scene.height * 0.2), *shapes)
    scene.add(canvas.filled(shape, mix(palette.far, palette.horizon, 0.35)), 0.15, 0, horizon - scene.height * 0.1 + 2)


def _cactus(scene: Scene, palette: Palette, chance: random.Random) -> None:
    tall = scene.unit * chance.uniform(0.26, 0.36)
    wide = tall * 0.13
    size = round(tall * 0.8), round(tall)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        def stem(x: float, top: float, bottom: float, width: float) -> None:
            box = [(x - width / 2) * scale, top * scale, (x + width / 2) * scale, bottom * scale]
            pen.rounded_rectangle(box, radius=width / 2 * scale, fill=255)

        middle = size[0] / 2
        stem(middle, 0, tall * 1.1, wide)
        for side, top, bottom in ((-1, 0.3, 0.55), (1, 0.18, 0.44)):
            x = middle + side * wide * 1.75
            stem(x, tall * top, tall * bottom, wide * 0.72)
            low = tall * bottom
            box = sorted((x + side * wide * 0.36, middle))
            pen.rounded_rectangle(
                [box[0] * scale, (low - wide * 0.72) * scale, box[1] * scale, low * scale], radius=wide * 0.36 * scale, fill=255
            )

    shape = canvas.drawn(*size, draw)
    x = scene.width * chance.choice((0.14, 0.22, 0.78, 0.86)) - size[0] / 2
    scene.add(canvas.filled(shape, mix(palette.near, (0.1, 0.2, 0.14), 0.3)), 0.9, x, scene.height * 0.93 - tall)


def _blurred(values: Floats, width: int) -> Floats:
    width = max(1, width)
    padded = np.pad(values, width, mode="edge")
    window = np.ones(2 * width + 1, np.float32) / (2 * width + 1)
    return np.convolve(padded, window, mode="valid").astype(np.float32)
