"""The strip at the foot of every picture: its prompt, and that it is a local sketch."""

import functools

from PIL import Image, ImageDraw, ImageFilter, ImageFont

TAG = "local sketch · not a real model"
NOTE = "pixapi-nb caption height"
"""The key of a PNG's text that tells how many of its lowest rows are caption."""
_SHORT_TAG = "local sketch"
_INK = (255, 255, 255, 235)
_PALE = (255, 255, 255, 165)
_STRIP = (12, 13, 18, 132)


def strip(prompt: str, width: int, height: int) -> Image.Image:
    """The caption for a picture of this size, ``RGBA``, as wide as the picture and to be laid along its foot."""
    unit = min(width, height)
    size = max(8, min(96, round(unit * 0.021 + 2.5)))
    pad = round(size * 0.8)
    tag_font, font = _font(round(size * 0.82) if size > 11 else size), _font(size)
    tag = TAG if tag_font.getlength(TAG) <= width - 2 * pad else _SHORT_TAG
    # A picture too small for a prompt still says what it is.
    lines = _wrapped(" ".join(prompt.split()), font, width - 2 * pad) if unit >= 160 else []
    step = round(size * 1.3)
    tall = pad + step * len(lines) + round(size * 1.15) + round(pad * 0.6)
    picture = Image.new("RGBA", (width, min(height, tall)), _STRIP)
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        pen.text((pad, round(pad * 0.7) + step * number), line, font=font, fill=_INK)
    pen.text((pad, round(pad * 0.75) + step * len(lines)), tag, font=tag_font, fill=_PALE)
    return picture


def captioned(picture: Image.Image, prompt: str) -> Image.Image:
    """The picture with its caption on it, and a note of where: see `uncaptioned`."""
    band = strip(prompt, *picture.size)
    top = picture.height - band.height
    if picture.mode == "RGBA":
        picture.alpha_composite(band, (0, top))
    else:
        foot = picture.crop((0, top, *picture.size)).filter(ImageFilter.BoxBlur(band.height / 8))
        picture.paste(foot, (0, top))
        picture.paste(band, (0, top), band)
    picture.info[NOTE] = str(band.height)
    return picture


def uncaptioned(picture: Image.Image) -> Image.Image:
    """A given picture without the caption that it got here, so that an edit of an edit does not carry two."""
    note = picture.info.get(NOTE)
    if not isinstance(note, str) or not note.isdecimal() or not 0 < int(note) < picture.height // 2:
        return picture
    return picture.crop((0, 0, picture.width, picture.height - int(note)))


@functools.lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> list[str]:
    """At most two lines, the last one with an ellipsis if the text goes on."""
    first = _fitting(text, font, width)
    rest = text[len(first) :].lstrip()
    if not rest:
        return [first]
    second = _fitting(rest, font, width)
    if len(second) < len(rest):
        second = _fitting(rest, font, width - font.getlength("…")).rstrip(" ,.;:") + "…"
    return [first.rstrip(), second]


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """The beginning of a text that fits, cut between words where there is a gap."""
    low, high = 1, min(len(text), 600)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= width else (low, middle - 1)
    if low >= len(text):
        return text
    gap = text.rfind(" ", 0, low + 1)
    return text[: gap if gap > low // 2 else low]
