"""Draws what was ordered: the same order gives the same picture, each of ``n`` another composition."""

import hashlib
import io

from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from pixapi_nb.local.art import caption, edit, film, painter
from pixapi_nb.local.validate import Order


def make(order: Order, index: int, inputs: tuple[bytes, ...]) -> bytes:
    """The encoded file, PNG or MP4, of one item of an order; ``inputs`` are its given pictures, encoded."""
    seed = f"{order.model}/{index}"
    size = order.width, order.height
    if order.kind == "video":
        start = _opened(inputs[0], order.input_url) if inputs else None
        return film.film(order.prompt, seed, *size, order.seconds, start)
    if order.kind == "edit":
        return _png(edit.edited(order.prompt, seed, *size, [_opened(data, "") for data in inputs]))
    return _png(painter.picture(order.prompt, seed, *size))


def _opened(data: bytes, url: str) -> Image.Image:
    """A given picture, upright. What lies behind a foreign URL is not fetched, but always imagined the same."""
    if not data:
        name = hashlib.sha256(url.encode()).hexdigest()
        return painter.picture("a picture from elsewhere", name, 1024, 1024)
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return ImageOps.exif_transpose(caption.uncaptioned(picture))


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    note = PngInfo()
    note.add_text(caption.NOTE, str(picture.info[caption.NOTE]))
    # Grain does not compress: more effort would only take longer.
    picture.save(out, "PNG", compress_level=1, pnginfo=note)
    return out.getvalue()
