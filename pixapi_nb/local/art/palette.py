"""From a brief to the few colours that its picture is made of."""

from dataclasses import dataclass, fields

from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.colour import Colour, chroma, from_hex, mix, muted, shade, tinted


@dataclass(frozen=True)
class Palette:
    """The sky from top to bottom, the light in it, the land from the horizon to the viewer, and one colour to stand out."""

    zenith: Colour
    sky: Colour
    horizon: Colour
    light: Colour
    far: Colour
    near: Colour
    accent: Colour

    def land(self, depth: float) -> Colour:
        """The colour of land at a depth from 0, the horizon, to 1, the viewer."""
        return mix(self.far, self.near, depth)


_TIMES = {
    "dawn": "4b5a8c c79ab0 ffd9b8 fff0d2 b394a8 2c2c4a f0936f",
    "morning": "69abd2 a8d4e4 fdf0d6 fff8dc a3c3c6 23495a f4a259",
    "noon": "2c7cc0 7cbde3 dff2f4 fffbe8 8db8c6 1c4a4a f2c14e",
    "sunset": "503066 dc6460 ffc878 ffeab0 c4605f 29152f ffb347",
    "dusk": "1e2654 62508f f3a6a4 ffe2c6 70609a 15152f f28fa9",
    "night": "050a22 122452 37558e f5f1da 2c4474 060a1b f6c667",
}


def mixed(brief: Brief) -> Palette:
    """The palette of a brief: its time of day, drawn to the colours that the prompt names."""
    palette = _varied(_at(brief.time), brief)
    colours = brief.colours
    if brief.style == "neon" and not colours:
        colours = from_hex("2a1a6e"), from_hex("ff2e93")
    if colours:
        palette = _drawn_to(palette, colours)
    if brief.look.haze > 0:
        # Haze lifts the distance towards the horizon's own light.
        palette = _hazed(palette, brief.look.haze)
    return palette


def _at(time: str) -> Palette:
    return Palette(*(from_hex(code) for code in _TIMES[time].split()))


def _varied(palette: Palette, brief: Brief) -> Palette:
    """No two evenings are the same: a little of the hour before or after."""
    chance = brief.chance("palette")
    hours = list(_TIMES)
    at = hours.index(brief.time)
    beside = _at(hours[max(0, min(len(hours) - 1, at + chance.choice((-1, 1))))])
    share = chance.uniform(0, 0.3)
    names = [item.name for item in fields(Palette)]
    return Palette(*(mix(getattr(palette, name), getattr(beside, name), share) for name in names))


def _drawn_to(palette: Palette, colours: tuple[Colour, ...]) -> Palette:
    """One colour reigns over all; a second one is the light; a third is the land."""
    first = colours[0]
    # Of black and white there is no hue to take: a little of them is enough.
    reign = 0.9 if chroma(first) > 0.03 else 0.55
    second = colours[1] if len(colours) > 1 else first
    land = colours[2] if len(colours) > 2 else first
    lit = 0.85 if len(colours) > 1 else 0.45
    return Palette(
        tinted(palette.zenith, first, reign),
        tinted(palette.sky, first, reign),
        tinted(mix(palette.horizon, first, 0.12), second, lit),
        tinted(palette.light, second, lit * 0.7),
        tinted(palette.far, mix(land, second, 0.25), reign),
        tinted(palette.near, land, reign),
        colours[1] if len(colours) > 1 else shade(first, 0.12),
    )


def _hazed(palette: Palette, haze: float) -> Palette:
    return Palette(
        mix(palette.zenith, palette.sky, 0.4 * haze),
        mix(palette.sky, palette.horizon, 0.35 * haze),
        palette.horizon,
        palette.light,
        mix(palette.far, palette.horizon, 0.5 * haze),
        muted(mix(palette.near, palette.far, 0.4 * haze), 1 - 0.2 * haze),
        palette.accent,
    )
