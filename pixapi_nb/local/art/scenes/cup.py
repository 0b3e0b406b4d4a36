"""A cup of coffee or tea, as for a catalogue."""

import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Point, Scene
from pixapi_nb.local.art.colour import MATERIALS, Colour, eight_bit, from_hex, mix, shade
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import turned
from pixapi_nb.local.art.scenes.studio import light_side, shadow, studio

_DEPTH = turned.DEPTH
_GLOSS = {
    0.9: "steel chrome metal copper brass silver gold golden bronze aluminium iron",
    0.75: "ceramic porcelain glass enamel glossy plastic shiny glazed obsidian",
    0.06: "matte clay stone stoneware wooden concrete terracotta",
}
_METAL = _GLOSS[0.9].split()
_DRINKS = {"matcha": from_hex("80a03f"), "tea": from_hex("9e4d14"), "milk": from_hex("efe6d8"), "coffee": from_hex("331c12")}


@dataclass(frozen=True)
class _Cup:
    """One cup: where it stands and what it is made of. Lengths and places are in pixels."""

    colour: Colour
    centre: float
    foot: float
    wide: float
    tall: float
    squash: float
    """How high a circle looks that lies flat, as a share of its width."""
    light: int
    """-1 from the left, 1 from the right."""
    mug: bool
    gloss: float
    metal: bool
    drink: Colour

    @property
    def rim(self) -> float:
        return self.foot - self.tall


def cup(scene: Scene, brief: Brief, palette: Palette) -> None:
    studio(scene, brief, palette)
    chance = brief.chance("cup")
    it = _cup(scene, brief, palette, chance)
    saucer = not it.mug and chance.random() < 0.8
    half = it.wide * (0.84 if saucer else 0.48)
    shadow(scene, palette, it.centre, it.foot - half * it.squash * (0.1 if saucer else 0.75), half, it.squash, it.light)
    if saucer:
        _saucer(scene, palette, it)
    _handle(scene, palette, it, chance.choice((-1, 1)))
    _body(scene, palette, it)
    art = brief.says("latte", "cappuccino") or (chance.random() < 0.5 and not brief.says("tea", "espresso", "black"))
    _mouth(scene, palette, it, art=art)
    if brief.look.detail > -0.5 and not brief.says("tea", "matcha"):
        _beans(scene, palette, it, chance)
    _steam(scene, palette, it, chance)


def _cup(scene: Scene, brief: Brief, palette: Palette, chance: random.Random) -> _Cup:
    plain = mix(MATERIALS["ceramic"], palette.light, 0.2)
    wide = scene.unit * chance.uniform(0.36, 0.42) * (0.85 if brief.look.detail < -0.5 else 1)
    return _Cup(
        colour=brief.own or (palette.accent if len(brief.colours) > 1 else plain),
        centre=scene.width * (0.5 + chance.choice((-0.07, 0, 0.07))),
        foot=scene.height * 0.5 + scene.unit * chance.uniform(0.25, 0.28),
        wide=wide,
        tall=wide * chance.uniform(0.74, 0.95),
        squash=chance.uniform(0.26, 0.36),
        light=light_side(brief),
        mug=brief.says("mug"),
        gloss=next((gloss for gloss, words in _GLOSS.items() if brief.says(*words.split())), 0.4),
        metal=brief.says(*_METAL),
        drink=next((colour for word, colour in _DRINKS.items() if brief.says(word)), _DRINKS["coffee"]),
    )


def _body(scene: Scene, palette: Palette, it: _Cup) -> None:
    """The cup itself: straight as a mug or narrowing to its foot."""
    at = np.linspace(0, 1, round(it.tall), dtype=np.float32)
    radii = it.wide / 2 * (1 - (0.06 if it.mug else 0.4) * at**2.6)
    stuff = turned.Stuff(it.colour, it.gloss, it.metal)
    turned.turn(scene, palette, stuff, radii, it.centre, it.rim, it.light, curve=float(radii[-1]) * it.squash * 1.25)


def _mouth(scene: Scene, palette: Palette, it: _Cup, *, art: bool) -> None:
    """The rim, the inside, and what is in it."""
    wide, high = it.wide, it.wide * it.squash
    thick = max(1.0, wide * 0.022)
    inside = mix(shade(it.colour, -0.2), palette.near, 0.25)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        def oval(inset: float, drop: float, fill: Colour) -> None:
            box = (inset, inset * it.squash * 1.2 + drop, wide - inset, high - inset * it.squash * 0.7 + drop * 0.2)
            pen.ellipse([edge * scale for edge in box], fill=eight_bit(fill))

        oval(0, 0, mix(shade(it.colour, 0.1), palette.light, 0.45))
        oval(thick, 0, inside)
        oval(thick * 1.2 + wide * 0.03, high * 0.17, mix(it.drink, (0.7, 0.45, 0.25), 0.5))
        oval(thick * 1.2 + wide * 0.045, high * 0.18, it.drink)
        if art:
            heart = [
                (0.0, -0.35),
                (0.42, -0.85),
                (0.85, -0.3),
                (0.45, 0.4),
                (0.0, 0.95),
                (-0.45, 0.4),
                (-0.85, -0.3),
                (-0.42, -0.85),
            ]
            outline = [(wide * (0.5 + 0.2 * x), high * (0.57 + 0.23 * y)) for x, y in canvas.curve(heart)]
            milk = mix(from_hex("efd9b4"), palette.light, 0.25)
            pen.polygon([(x * scale, y * scale) for x, y in outline], fill=eight_bit(milk))
        left = wide * (0.5 + it.light * 0.2) - wide * 0.07
        shine = (left, high * 0.27, left + wide * 0.14, high * 0.36)
        pen.ellipse([edge * scale for edge in shine], fill=eight_bit(mix(it.drink, (1, 1, 1), 0.35)))

    piece = canvas.painted(round(wide) + 2, round(high) + 2, draw)
    scene.add(piece, _DEPTH, it.centre - wide / 2, it.rim - high / 2, subject=True)


def _handle(scene: Scene, palette: Palette, it: _Cup, side: int) -> None:
    """A ring behind the body, on the side where the light is or on the other."""
    high, across, thick = it.tall * 0.56, it.wide * 0.36, it.wide * 0.085

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        pen.ellipse((0, 0, across * scale, (high - 1) * scale), outline=255, width=round(thick * scale))

    shape = canvas.drawn(round(across * 1.2), round(high), draw)
    dark = mix(shade(it.colour, -0.2), palette.near, 0.3)
    tones = [(0, mix(it.colour, palette.light, 0.3)), (0.5, shade(it.colour, -0.04)), (1, dark)]
    if side != it.light:
        tones = [(place, mix(tone, palette.near, 0.25)) for place, tone in tones]
    left = it.centre + side * it.wide * 0.49 - across / 2 - (across * 0.1 if side < 0 else 0)
    piece = canvas.filled(shape, canvas.gradient(tones, *shape.size))
    scene.add(piece, _DEPTH, left, it.rim + it.tall * 0.12, subject=True)


def _saucer(scene: Scene, palette: Palette, it: _Cup) -> None:
    across = it.wide * 1.62
    high = across * it.squash
    colour = mix(it.colour, (1, 1, 1), 0.04)
    dark = mix(shade(colour, -0.2), palette.near, 0.3)

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        def oval(inset: float, drop: float, fill: Colour) -> None:
            box = (inset, inset * it.squash + drop, across - inset, high - inset * it.squash + drop)
            pen.ellipse([edge * scale for edge in box], fill=eight_bit(fill))

        oval(0, high * 0.07, dark)
        oval(0, 0, mix(shade(colour, 0.05), palette.light, 0.35))
        oval(across * 0.025, high * 0.012, mix(colour, palette.light, 0.12))
        oval(across * 0.2, high * 0.02, mix(colour, dark, 0.3))
        oval(across * 0.225, high * 0.045, mix(colour, dark, 0.12))

    piece = canvas.painted(round(across) + 2, round(high * 1.1) + 2, draw)
    scene.add(piece, _DEPTH - 0.03, it.centre - across / 2, it.foot - high * 0.62, subject=True)


def _beans(scene: Scene, palette: Palette, it: _Cup, chance: random.Random) -> None:
    size = round(it.wide * 0.1)
    brown = mix(from_hex("4d2b1a"), palette.near, 0.25)
    outline = [(-1, 0), (-0.6, -0.8), (0.3, -0.95), (1, 0), (0.6, 0.85), (-0.4, 0.95)]
    for _ in range(chance.randint(3, 6)):
        side = chance.choice((-1, 1))
        x = it.centre + side * it.wide * chance.uniform(0.85, 1.1)
        y = it.foot + it.wide * it.squash * chance.uniform(-0.25, 0.6)
        tilt = chance.uniform(0, math.pi)
        middle = size / 2, size / 2
        bean = [canvas.turned((size * (0.5 + 0.46 * a), size * (0.5 + 0.3 * b)), tilt, middle) for a, b in outline]
        crease = [canvas.turned((size * (0.5 + 0.4 * a), size / 2), tilt, middle) for a in (-1, 1)]

        def draw(pen: ImageDraw.ImageDraw, scale: float, bean: list[Point] = bean, crease: list[Point] = crease) -> None:
            pen.polygon([(px * scale, py * scale) for px, py in canvas.curve(bean)], fill=eight_bit(brown))
            pen.line([(px * scale, py * scale) for px, py in crease], eight_bit(shade(brown, -0.1)), round(scale * 1.5))

        shadow(scene, palette, x, y + size * 0.25, size * 0.45, 0.4, it.light)
        scene.add(canvas.painted(size, size, draw), _DEPTH + 0.05, x - size / 2, y - size / 2)


def _steam(scene: Scene, palette: Palette, it: _Cup, chance: random.Random) -> None:
    wide = it.wide
    high = min(it.rim * 0.95, wide * chance.uniform(1.0, 1.35))
    shape = Image.new("L", (round(wide), max(4, round(high))))
    pen = ImageDraw.Draw(shape)
    for _ in range(3):
        x, swing, phase = wide * chance.uniform(0.36, 0.64), wide * chance.uniform(0.05, 0.11), chance.uniform(0, 6)
        for step in range(60):
            up = step / 59
            y, thick = high * (0.97 - 0.82 * up), wide * (0.018 + 0.055 * up)
            middle = x + swing * up**0.7 * math.sin(phase + up * 5.2)
            strength = round(95 * (1 - up) * min(1, up * 6))
            pen.ellipse((middle - thick, y - thick * 1.6, middle + thick, y + thick * 1.6), fill=strength)
    piece = canvas.filled(canvas.softened(shape, wide * 0.03), mix(palette.light, (1, 1, 1), 0.5))
    scene.add(piece, _DEPTH + 0.01, it.centre - wide / 2, it.rim - high, drift=(0, -0.05))
