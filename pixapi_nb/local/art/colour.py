"""Colours: their names, and arithmetic with them where it looks even, in OKLab (Björn Ottosson, 2020)."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Colour: TypeAlias = tuple[float, float, float]
"""sRGB, each from 0 to 1."""


def from_hex(code: str) -> Colour:
    """A colour from ``"#rrggbb"``."""
    red, green, blue = bytes.fromhex(code.lstrip("#"))
    return red / 255, green / 255, blue / 255


_HEX = {
    "red": "c8352e", "crimson": "a8172f", "scarlet": "d72a1e", "ruby": "9b1337", "maroon": "6d1a2a",
    "burgundy": "6b1a33", "cherry": "b01b3a", "coral": "f4775e", "salmon": "f08a76", "peach": "f9b68f",
    "orange": "f0812b", "tangerine": "f48420", "amber": "f5a623", "apricot": "f6ad73", "terracotta": "c4603f",
    "rust": "a8492a", "copper": "b8703d", "bronze": "a3713a", "gold": "d9a633", "golden": "dfae3c",
    "yellow": "f2cc3d", "lemon": "f6e05a", "mustard": "cf9e2d", "ochre": "c68a34", "sand": "dcc08f",
    "beige": "e2d3b4", "cream": "f3e8cf", "ivory": "f4efdf", "brown": "7a4f33", "chocolate": "5a3322",
    "caramel": "b9783f", "chestnut": "7d4130", "green": "3e8e4f", "emerald": "16805a", "jade": "2f9c7a",
    "mint": "8fd6b4", "sage": "9bb08f", "olive": "7b7d3a", "lime": "a3cf3f", "moss": "66763a",
    "teal": "12807f", "turquoise": "2bb5ad", "aqua": "52c5c8", "cyan": "2dbcd4", "blue": "2f68c4",
    "azure": "3d8fe0", "cobalt": "1f4aa8", "navy": "16264f", "indigo": "3b3486", "sapphire": "1c4b9c",
    "cerulean": "2f86c0", "purple": "73419e", "violet": "7d4fc0", "lavender": "b6a2e0", "lilac": "c2a3d6",
    "plum": "713a66", "mauve": "a97f9f", "magenta": "c92b8c", "fuchsia": "d6338f", "pink": "ee8fb0",
    "rose": "e0708c", "blush": "eebab4", "black": "17171a", "charcoal": "34363b", "grey": "8a8d93",
    "gray": "8a8d93", "ginger": "c8692f",
    "auburn": "8a3a24", "autumn": "c9742c", "silver": "bcc2ca", "slate": "5b6878", "white": "f4f3ef", "pearl": "eae6df",
}  # fmt: skip
NAMED: dict[str, Colour] = {name: from_hex(code) for name, code in _HEX.items()}

_WHAT_THINGS_ARE = {
    "ceramic": "ece6da", "porcelain": "f1eee8", "clay": "bf6b48", "stoneware": "a89c8c", "glass": "bcd8da",
    "steel": "a9b2bb", "chrome": "b6bfc8", "metal": "98a1aa", "aluminium": "b9c0c6", "brass": "c79a3e",
    "wooden": "9c6b3f", "walnut": "6b4630", "oak": "bd9560", "wood": "9c6b3f", "bamboo": "c9a765",
    "marble": "e6e3de", "concrete": "a3a29e",
    "stone": "9b958b", "obsidian": "1d1c22", "paper": "efe6d4", "leather": "80492b", "enamel": "e9edf0",
    "iron": "4b4e55", "cork": "bf9160", "plastic": "df5f4b", "velvet": "6f2146", "linen": "dccfb8",
}  # fmt: skip
MATERIALS: dict[str, Colour] = {name: from_hex(code) for name, code in _WHAT_THINGS_ARE.items()}


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """From ``first`` (share 0) to ``second`` (share 1), as the eye sees it."""
    a, b = _to_lab(first), _to_lab(second)
    return _from_lab((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share))


def shade(colour: Colour, lightness: float) -> Colour:
    """The colour, lighter (above 0) or darker (below 0) by so much of the full scale."""
    light, a, b = _to_lab(colour)
    return _from_lab((min(0.99, max(0.04, light + lightness)), a, b))


def muted(colour: Colour, share: float) -> Colour:
    """The colour with so much of its chroma left."""
    light, a, b = _to_lab(colour)
    return _from_lab((light, a * share, b * share))


def tinted(colour: Colour, tint: Colour, share: float) -> Colour:
    """The colour's lightness in the hue of ``tint``; a tint without a hue (grey, black, white) takes colour away."""
    light, a, b = _to_lab(colour)
    wanted, ta, tb = _to_lab(tint)
    chroma = math.hypot(ta, tb)
    # What is meant to be tinted lightly or darkly should be so, a little: navy is not just any blue.
    lightness = light + (wanted - light) * 0.3 * share
    # At the ends of the scale a strong colour would be clipped to something gaudy.
    strength = max(0.35, 1 - abs(lightness - 0.6) * 1.1) if chroma > 0.03 else 1
    return _from_lab((lightness, a + (ta * strength - a) * share, b + (tb * strength - b) * share))


def lightness(colour: Colour) -> float:
    """From 0, black, to 1, white."""
    return _to_lab(colour)[0]


def chroma(colour: Colour) -> float:
    """From 0, grey, to about 0.3."""
    return math.hypot(*_to_lab(colour)[1:])


def eight_bit(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = (round(min(1, max(0, part)) * 255) for part in colour)
    return red, green, blue


def ramp(stops: Sequence[tuple[float, Colour]], places: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint8]:
    """The colours at places from 0 to 1 between stops, each a place and its colour, in order; a row of eight bits each."""
    at = [place for place, _ in stops]
    labs = [_to_lab(colour) for _, colour in stops]
    light, a, b = (np.interp(places, at, [lab[part] for lab in labs]) for part in range(3))
    cones = np.stack([light + a * x + b * y for x, y in _CONES], -1) ** 3
    linear = np.clip(cones @ np.array(_PRIMARIES).T, 0, 1)
    bent = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    eight_bits: npt.NDArray[np.uint8] = (bent * 255 + 0.5).astype(np.uint8)
    return eight_bits


_CONES = (0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480)
_PRIMARIES = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)


def _to_lab(colour: Colour) -> Colour:
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _from_lab(lab: Colour) -> Colour:
    light, a, b = lab
    long, middle, short = ((light + a * x + b * y) ** 3 for x, y in _CONES)
    red, green, blue = (_gamma(x * long + y * middle + z * short) for x, y, z in _PRIMARIES)
    return red, green, blue


def _gamma(part: float) -> float:
    part = min(1.0, max(0.0, part))
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
