"""Edits given pictures: the first one stays recognisable and takes on the prompt's colours, hour, mood and manner.

A first picture with transparency is set into a freshly painted scene; further ones are pinned on as cards.
"""

import math

from PIL import Image, ImageChops, ImageFilter, ImageOps

from pixapi_nb.local.art import brief as briefs
from pixapi_nb.local.art import canvas, finish, painter, palette
from pixapi_nb.local.art.brief import Brief
from pixapi_nb.local.art.caption import captioned
from pixapi_nb.local.art.colour import eight_bit, mix, shade
from pixapi_nb.local.art.palette import Palette


def edited(prompt: str, seed: str, width: int, height: int, pictures: list[Image.Image]) -> Image.Image:
    """A picture of exactly this size in pixels, made of the given ones; each seed makes another of them."""
    brief = briefs.read(prompt, seed)
    colours = palette.mixed(brief)
    first, *others = pictures
    if _is_cut_out(first):
        ground = _set_into_scene(first, brief, width, height)
    else:
        ground = _regraded(painter.covering(first, width, height), brief, colours)
    ground = finish.finished(ground, brief, colours)
    for number, other in enumerate(others[:6]):
        _pin(ground, other, brief, number)
    if brief.transparent:
        ground = painter.badge(ground)
    return captioned(ground, prompt)


def _regraded(picture: Image.Image, brief: Brief, colours: Palette) -> Image.Image:
    """The picture in the colours of the prompt, under the light of its hour."""
    named = brief.colours
    # Without a word about colour, the seed's own hour still makes each of several edits another.
    strength = 0.6 if named else 0.42 if brief.time_said else 0.26
    dark = shade(named[0], -0.3) if named else colours.near
    middle = named[0] if named else mix(colours.sky, colours.far, 0.5)
    bright = mix(named[-1], (1, 1, 1), 0.55) if named else mix(colours.light, colours.horizon, 0.3)
    toned = ImageOps.colorize(
        ImageOps.autocontrast(picture.convert("L"), cutoff=1),
        black=eight_bit(dark),
        mid=eight_bit(middle),
        white=eight_bit(bright),
    )
    picture = Image.blend(picture, toned, strength)
    light = canvas.gradient([(0, colours.sky), (0.7, colours.horizon), (1, colours.near)], *picture.size)
    picture = Image.blend(picture, ImageChops.soft_light(picture, light), 0.6)
    if brief.time_said and brief.time == "night":
        picture = ImageChops.multiply(picture, Image.new("RGB", picture.size, (122, 134, 186)))
    return _leaking_light(picture, brief, colours)


def _leaking_light(picture: Image.Image, brief: Brief, colours: Palette) -> Image.Image:
    chance = brief.chance("light")
    corner = chance.choice((0.0, 1.0)) * picture.width, chance.uniform(0, 0.35) * picture.height
    shine = canvas.glow(*picture.size, corner, max(picture.size) * chance.uniform(0.25, 0.4), 2.4) * 0.42
    tint = Image.new("RGB", picture.size, eight_bit(mix(colours.light, colours.accent, 0.25)))
    return Image.composite(ImageChops.screen(picture, tint), picture, canvas.mask(shine))


def _is_cut_out(picture: Image.Image) -> bool:
    return picture.has_transparency_data and any(picture.convert("RGBA").getchannel("A").histogram()[:128])


def _set_into_scene(picture: Image.Image, brief: Brief, width: int, height: int) -> Image.Image:
    """The cut-out in the middle of a scene of the prompt's, with its shadow."""
    scene = painter.staged(brief.behind(), width, height).flat()
    scene = scene.filter(ImageFilter.GaussianBlur(min(width, height) / 160))
    picture = picture.convert("RGBA")
    picture = picture.crop(picture.getchannel("A").getbbox() or (0, 0, *picture.size))
    piece = ImageOps.contain(picture, (round(width * 0.62), round(height * 0.62)), Image.Resampling.LANCZOS)
    left, top = (width - piece.width) // 2, round(height * 0.86) - piece.height
    _cast(scene, piece.getchannel("A"), left, top, min(width, height) / 40)
    scene.paste(piece, (left, top), piece)
    return scene


def _pin(ground: Image.Image, picture: Image.Image, brief: Brief, number: int) -> None:
    """A framed card in the upper corner, each a little beside the one before."""
    unit = min(ground.size)
    side = round(unit * 0.27)
    frame = max(2, side // 22)
    card = ImageOps.contain(painter.on_white(picture), (side, side), Image.Resampling.LANCZOS)
    card = ImageOps.expand(card, frame, (250, 248, 243)).convert("RGBA")
    # A transparent rim, so that the turned card's edges come out smooth.
    card = ImageOps.expand(card, 2, (250, 248, 243, 0))
    card = card.rotate(brief.chance(f"card {number}").uniform(-5, 5), Image.Resampling.BICUBIC, expand=True)
    left = ground.width - card.width - round(unit * 0.035)
    top = round(unit * 0.035) + number * round(side * (1.12 if ground.height > side * 3.6 else 0.5))
    if top + card.height > ground.height * 0.88:
        left, top = left - math.ceil(side * 1.15), round(unit * 0.035)
    _cast(ground, card.getchannel("A"), left, top, unit / 90)
    ground.paste(card, (left, top), card)


def _cast(ground: Image.Image, shape: Image.Image, left: int, top: int, soft: float) -> None:
    """A soft shadow under a shape."""
    room = math.ceil(soft * 3)
    shadow = Image.new("L", (shape.width + 2 * room, shape.height + 2 * room))
    shadow.paste(shape.point(lambda value: value // 2), (room, room))
    shadow = shadow.filter(ImageFilter.GaussianBlur(soft))
    ground.paste((8, 8, 16), (left - room, top - room + round(soft)), shadow)
