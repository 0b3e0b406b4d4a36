"""The painter's tools: noise, gradients, soft-edged masks, and layers that are laid over each other."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from pixapi_nb.local.art.colour import Colour, eight_bit, ramp

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Point: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Layer:
    """A piece of the picture. ``depth`` says how far it moves when the viewer does: 0 not at all, 1 the most."""

    image: Image.Image
    depth: float
    left: int = 0
    top: int = 0
    subject: bool = False
    """Whether it belongs to what the picture is about, and stays when the background is to be transparent."""
    drift: Point = (0, 0)
    """How far it moves by itself in a film, as a share of the picture's short edge; down and right are above 0."""


@dataclass
class Scene:
    """Layers from back to front, for a picture of ``width`` by ``height`` pixels."""

    width: int
    height: int
    layers: list[Layer] = field(default_factory=list)

    @property
    def unit(self) -> int:
        """The short edge: what sizes of things are measured by."""
        return min(self.width, self.height)

    def add(
        self, image: Image.Image, depth: float, left: float = 0, top: float = 0, *,
        subject: bool = False, drift: Point = (0, 0),
    ) -> None:  # fmt: skip
        self.layers.append(Layer(image, depth, round(left), round(top), subject, drift))

    def flat(self) -> Image.Image:
        """All layers in one picture."""
        picture = Image.new("RGB", (self.width, self.height))
        for layer in self.layers:
            lay(picture, layer.image, layer.left, layer.top)
        return picture

    def cut_out(self) -> Image.Image | None:
        """The subject alone on a transparent ground; ``None`` where the scene is its own subject."""
        subjects = [layer for layer in self.layers if layer.subject]
        if not subjects:
            return None
        picture = Image.new("RGBA", (self.width, self.height), (0, 0, 0, 0))
        for layer in subjects:
            whole = Image.new("RGBA", picture.size, (0, 0, 0, 0))
            whole.paste(layer.image.convert("RGBA"), (layer.left, layer.top))
            picture.alpha_composite(whole)
        return picture


def lay(picture: Image.Image, piece: Image.Image, left: int, top: int) -> None:
    picture.paste(piece, (left, top), piece if piece.mode == "RGBA" else None)


def chance_array(chance: random.Random, *shape: int) -> Floats:
    """Numbers from 0 to 1 from the painter's own chance."""
    return np.random.default_rng(chance.getrandbits(64)).random(shape, dtype=np.float32)


def noise(chance: random.Random, width: int, height: int, across: float, down: float, octaves: int = 4) -> Floats:
    """Smooth noise, 0 to 1 about 0.5, with so many bumps across and down in its coarsest octave."""
    # Clouds have no edges worth full resolution.
    small = max(2, width // 2), max(2, height // 2)
    total = np.zeros((small[1], small[0]), np.float32)
    share = 0.5
    for octave in range(octaves):
        cells = max(2, round(down * 2**octave) + 2), max(2, round(across * 2**octave) + 2)
        if cells[0] > small[1] * 2 or cells[1] > small[0] * 2:
            break
        grid = Image.fromarray(chance_array(chance, *cells) - 0.5)
        total += share * np.asarray(grid.resize(small, Image.Resampling.BICUBIC))
        share *= 0.5
    return np.asarray(Image.fromarray(total).resize((width, height), Image.Resampling.BILINEAR)) + 0.5


def line(
    chance: random.Random, width: int, bumps: float, octaves: int = 5, rough: float = 0.5, *, angular: bool = False
) -> Floats:
    """A random line of ``width`` points, about -1 to 1, smooth or ``angular``.

    ``rough`` is each octave's share of the one before.
    """
    total = np.zeros(width, np.float32)
    share, places = 1.0, np.linspace(0, 1, width, dtype=np.float32)
    for octave in range(octaves):
        count = round(bumps * 2**octave) + 2
        if count > width:
            break
        knots = chance_array(chance, count + 1) * 2 - 1
        at = places * (count - 1) + chance.random()
        whole = np.minimum(at.astype(np.int32), count - 1)
        part = at - whole
        eased = part if angular else part * part * (3 - 2 * part)
        total += share * (knots[whole] * (1 - eased) + knots[whole + 1] * eased)
        share *= rough
    return total


def smooth(values: Floats, low: float, high: float) -> Floats:
    """0 below ``low``, 1 above ``high``, an S between."""
    part = np.clip((values - low) / (high - low), 0, 1)
    eased: Floats = part * part * (3 - 2 * part)
    return eased


def mask(values: Floats) -> Image.Image:
    """An ``L`` image from values of 0 to 1."""
    return Image.fromarray((np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8))


def gradient(stops: Sequence[tuple[float, Colour]], width: int, height: int) -> Image.Image:
    """Colours from top to bottom; each stop is a place from 0 to 1 and its colour, in order."""
    rows = max(2, min(height, 256))
    column = Image.fromarray(ramp(stops, np.linspace(0, 1, rows))[:, None, :])
    return column.resize((width, height), Image.Resampling.BILINEAR)


def glow(width: int, height: int, centre: Point, radius: float, power: float = 2) -> Floats:
    """Light that falls off around a centre: 1 there, half at about the radius."""
    small = 4
    ys, xs = np.mgrid[0 : height // small + 2, 0 : width // small + 2].astype(np.float32)
    away = np.hypot(xs * small - centre[0], ys * small - centre[1]) / max(1.0, radius)
    values = Image.fromarray((1 / (1 + away**power)).astype(np.float32))
    full = values.resize((values.width * small, values.height * small), Image.Resampling.BILINEAR)
    return np.asarray(full)[small // 2 : small // 2 + height, small // 2 : small // 2 + width]


def filled(shape: Image.Image, colour: Colour | Image.Image) -> Image.Image:
    """An ``RGBA`` piece: a mask, in one colour or with a picture of its size in it."""
    piece = colour.convert("RGB") if isinstance(colour, Image.Image) else Image.new("RGB", shape.size, eight_bit(colour))
    piece.putalpha(shape)
    return piece


def below(heights: Floats, bottom: int) -> tuple[Image.Image, int]:
    """The mask of all that lies below a line of heights (pixels from the top), and the row that it begins at."""
    top = max(0, int(np.min(heights)) - 1)
    rows = np.arange(top, max(bottom, top + 1), dtype=np.float32)[:, None]
    return mask(rows - heights[None, :] + 0.5), top


def drawn(width: int, height: int, draw: Callable[[ImageDraw.ImageDraw, float], None]) -> Image.Image:
    """A mask of shapes with soft edges. ``draw`` gets a pen and the scale at which to use it."""
    scale = 3 if max(width, height) <= 700 else 2
    big = Image.new("L", (max(1, width) * scale, max(1, height) * scale))
    draw(ImageDraw.Draw(big), scale)
    return big.reduce(scale)


def painted(width: int, height: int, draw: Callable[[ImageDraw.ImageDraw, float], None]) -> Image.Image:
    """A piece of shapes in their own colours, with soft edges. ``draw`` gets a pen and the scale at which to use it."""
    scale = 3 if max(width, height) <= 700 else 2
    big = Image.new("RGBA", (max(1, width) * scale, max(1, height) * scale), (0, 0, 0, 0))
    draw(ImageDraw.Draw(big), scale)
    return big.reduce(scale)


def softened(shape: Image.Image, radius: float) -> Image.Image:
    """A mask, blurred; at a lower resolution when that makes no difference."""
    step = max(1, int(radius / 3))
    if step == 1:
        return shape.filter(ImageFilter.GaussianBlur(radius))
    small = shape.reduce(step).filter(ImageFilter.GaussianBlur(radius / step))
    return small.resize(shape.size, Image.Resampling.BICUBIC)


def ellipse(width: int, height: int, box: tuple[float, float, float, float]) -> Image.Image:
    """The mask of an ellipse in a box of left, top, right, bottom."""

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        pen.ellipse([edge * scale for edge in box], fill=255)

    return drawn(width, height, draw)


def polygon(width: int, height: int, *shapes: Sequence[Point]) -> Image.Image:
    """A mask of filled polygons."""

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        for points in shapes:
            pen.polygon([(x * scale, y * scale) for x, y in points], fill=255)

    return drawn(width, height, draw)


def disc(radius: float) -> Image.Image:
    """The mask of a disc."""
    size = max(1, round(radius * 2))
    return drawn(size, size, lambda pen, scale: pen.ellipse((0, 0, size * scale - 1, size * scale - 1), fill=255))


def curve(points: Sequence[Point], steps: int = 12) -> list[Point]:
    """A closed smooth outline through points (Catmull-Rom)."""
    outline: list[Point] = []
    count = len(points)
    for index in range(count):
        a, b, c, d = (points[(index + step) % count] for step in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            outline.append((_through(a[0], b[0], c[0], d[0], t), _through(a[1], b[1], c[1], d[1], t)))
    return outline


def _through(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def turned(point: Point, angle: float, about: Point = (0, 0)) -> Point:
    """A point, turned clockwise by an angle in radians."""
    x, y = point[0] - about[0], point[1] - about[1]
    sine, cosine = math.sin(angle), math.cos(angle)
    return about[0] + x * cosine - y * sine, about[1] + x * sine + y * cosine
