"""A product on a plinth: a bottle with its label."""

import random

import numpy as np
from PIL import ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Scene
from pixapi_nb.local.art.colour import MATERIALS, eight_bit, mix
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes.studio import light_side, shadow, studio
from pixapi_nb.local.art.scenes.turned import DEPTH, Stuff, turn

_SQUASH = 0.24
"""How high a circle looks that lies flat, as a share of its width."""


def bottle(scene: Scene, brief: Brief, palette: Palette) -> None:
    edge = studio(scene, brief, palette)
    chance, light = brief.chance("bottle"), light_side(brief)
    centre, foot = scene.width * (0.5 + chance.choice((-0.05, 0, 0.05))), edge + (scene.height - edge) * 0.36
    _plinth(scene, palette, chance, centre, foot, light)

    wide, tall = scene.unit * chance.uniform(0.11, 0.14), scene.unit * chance.uniform(0.34, 0.42)
    shoulder, neck = chance.uniform(0.28, 0.4), chance.uniform(0.28, 0.4)
    at = np.linspace(0, 1, round(tall), dtype=np.float32)
    radii = wide * (neck + (1 - neck) * canvas.smooth(at, shoulder * 0.55, shoulder))
    glass = Stuff(brief.own or palette.accent, gloss=0.8)
    top = foot - tall + wide * 0.12
    shadow(scene, palette, centre, foot, wide, _SQUASH, light)
    turn(scene, palette, glass, radii, centre, top, light, curve=wide * 0.16)
    cap = np.full(round(tall * 0.16), wide * neck * 1.18, np.float32)
    brass = Stuff(mix(palette.light, MATERIALS["brass"], 0.6), gloss=0.9)
    turn(scene, palette, brass, cap, centre, top - tall * 0.13, light, curve=wide * 0.05)
    _label(scene, palette, centre, foot - tall * 0.42, wide)


def _plinth(scene: Scene, palette: Palette, chance: random.Random, centre: float, foot: float, light: int) -> None:
    high, half = scene.unit * chance.uniform(0.06, 0.1), scene.unit * chance.uniform(0.23, 0.27)
    stone = mix(palette.horizon, palette.near, 0.25)
    shadow(scene, palette, centre, foot + high, half * 1.05, _SQUASH, light)
    rows = np.full(round(high + half * _SQUASH), half, np.float32)
    turn(scene, palette, Stuff(stone), rows, centre, foot, light, curve=half * _SQUASH, subject=False)
    size = round(half * 2), round(half * _SQUASH * 2)
    top = canvas.ellipse(*size, (0, 0, size[0] - 1, size[1] - 1))
    fill = canvas.gradient([(0, mix(stone, palette.light, 0.25)), (1, mix(stone, palette.light, 0.55))], *size)
    scene.add(canvas.filled(top, fill), DEPTH, centre - half, foot - half * _SQUASH)


def _label(scene: Scene, palette: Palette, centre: float, middle: float, wide: float) -> None:
    across, high = wide * 1.15, wide * 1.1
    paper, ink = eight_bit(mix(palette.light, (1, 1, 1), 0.4)), eight_bit(mix(palette.near, palette.zenith, 0.3))

    def draw(pen: ImageDraw.ImageDraw, scale: float) -> None:
        pen.rectangle((0, 0, across * scale, high * scale), fill=(*paper, 225))
        dot = (across * 0.36, high * 0.2, across * 0.64, high * 0.2 + across * 0.28)
        pen.ellipse([edge * scale for edge in dot], fill=ink)
        for row, share in ((0.66, 0.5), (0.78, 0.32)):
            ends = [(across * (0.5 + side * share / 2) * scale, high * row * scale) for side in (-1, 1)]
            pen.line(ends, fill=ink, width=max(1, round(high * 0.025 * scale)))

    scene.add(canvas.painted(round(across), round(high), draw), DEPTH, centre - across / 2, middle, subject=True)
