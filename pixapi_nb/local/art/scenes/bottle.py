"""A product on a plinth: a bottle with its label."""

import numpy as np
from PIL import ImageDraw

from pixapi_nb.local.art import canvas
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.canvas import Scene
from pixapi_nb.local.art.colour import MATERIALS, eight_bit, mix
from pixapi_nb.local.art.palette import Palette
from pixapi_nb.local.art.scenes import turned
from pixapi_nb.local.art.scenes.studio import light_side, shadow, studio


def bottle(scene: Scene, brief: Brief, palette: Palette) -> None:
    edge = studio(scene, brief, palette)
    chance = brief.chance("bottle")
    side, unit = light_side(brief), scene.unit
    colour = brief.own or palette.accent
    centre, foot = scene.width * (0.5 + chance.choice((-0.05, 0, 0.05))), edge + (scene.height - edge) * 0.36
    plinth = unit * chance.uniform(0.06, 0.1)
    base, squash = unit * chance.uniform(0.23, 0.27), 0.24
    stone = mix(palette.horizon, palette.near, 0.25)
    shadow(scene, palette, centre, foot + plinth, base * 1.05, squash, side)
    rows = np.full(round(plinth + base * squash), base, np.float32)
    turned.solid(scene, palette, stone, turned.rounded(rows, base * squash), centre, foot, side, gloss=0)
    top = canvas.ellipse(round(base * 2), round(base * squash * 2), (0, 0, base * 2 - 1, base * squash * 2 - 1))
    fill = canvas.gradient([(0, mix(stone, palette.light, 0.25)), (1, mix(stone, palette.light, 0.55))], *top.size)
    scene.add(canvas.filled(top, fill), 0.4, centre - base, foot - base * squash)

    wide, tall = unit * chance.uniform(0.11, 0.14), unit * chance.uniform(0.34, 0.42)
    shoulder, neck = chance.uniform(0.28, 0.4), chance.uniform(0.28, 0.4)
    at = np.linspace(0, 1, round(tall), dtype=np.float32)
    radii = wide * (neck + (1 - neck) * canvas.smooth(at, shoulder * 0.55, shoulder))
    shadow(scene, palette, centre, foot, wide, squash, side)
    turned.solid(
        scene,
        palette,
        colour,
        turned.rounded(radii, wide * 0.16),
        centre,
        foot - tall + wide * 0.12,
        side,
        gloss=0.8,
        subject=True,
    )
    cap = np.full(round(tall * 0.16), wide * neck * 1.18, np.float32)
    metal = mix(palette.light, MATERIALS["brass"], 0.6)
    turned.solid(
        scene,
        palette,
        metal,
        turned.rounded(cap, wide * 0.05),
        centre,
        foot - tall * 1.13 + wide * 0.12,
        side,
        gloss=0.9,
        subject=True,
    )
    _label(scene, palette, centre, foot - tall * 0.42, wide)


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
