"""From the fields of a request to an `Order`, or to the error that Pixapi's API Reference prescribes."""

import base64
import binascii
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image, UnidentifiedImageError

from pixapi_nb.local import catalogue, sizes
from pixapi_nb.local.errors import ApiError

Kind = Literal["image", "edit", "video"]
Fields = Mapping[str, Any]

TRIGGER = "forbidden-test-prompt"
"""A prompt with this word in it is answered 422 ``prompt_rejected``, so that a refusal can be seen and tested."""

MOST_IMAGES = 16
LONGEST_PROMPT = 32_000


@dataclass(frozen=True)
class Order:
    """A request that will be carried out and charged."""

    kind: Kind
    model: str
    """The canonical id, also when the request used an alias."""
    prompt: str
    width: int
    height: int
    credits: float
    """What its successful output is charged."""
    n: int = 1
    quality: str = "auto"
    response_format: Literal["url", "b64_json"] = "url"
    seconds: float = 0
    """Length of a video."""
    inputs: tuple[bytes, ...] = field(default=(), repr=False)
    """The given pictures, encoded; an empty one stands for a URL that was not fetched."""
    input_url: str = ""


def generation(fields: Fields) -> Order:
    """The order of ``POST …/images/generations``."""
    return _image_order("image", fields, ())


def edit(fields: Fields, images: list[bytes]) -> Order:
    """The order of ``POST …/images/edits``, with its uploaded files in the order given."""
    if not images:
        raise ApiError(400, "image: at least one file is required.")
    if len(images) > MOST_IMAGES:
        raise ApiError(400, f"image: at most {MOST_IMAGES} files are taken.")
    return _image_order("edit", fields, tuple(images))


def video(fields: Fields, own_media: Callable[[str], bytes | None]) -> Order:
    """The order of ``POST …/videos/generations``. ``own_media`` gives the file behind one of this server's URLs."""
    model, prompt = _model(fields, "video"), _prompt(fields)
    seconds = _number(fields, "duration", 5)
    if not 1 <= seconds <= 15:
        raise ApiError(400, "duration: must be 1 to 15 seconds.")
    width, height = _sized(lambda: sizes.video_size(_text(fields, "size", "auto")))
    source = _text(fields, "input_image", "")
    inputs = (_input_image(source, own_media),) if source else ()
    return Order(
        "video", model.id, prompt, width, height, catalogue.video_credits(model, width, height, seconds),
        seconds=seconds, inputs=inputs, input_url="" if source.startswith("data:") else source,
    )  # fmt: skip


def _image_order(kind: Literal["image", "edit"], fields: Fields, images: tuple[bytes, ...]) -> Order:
    model, prompt = _model(fields, "image"), _prompt(fields)
    shapes = [_shape(image, "image") for image in images]
    n = _number(fields, "n", 1)
    if n != int(n) or not 1 <= n <= 10:
        raise ApiError(400, "n: must be a whole number from 1 to 10.")
    quality = _one_of(fields, "quality", "auto", ("low", "medium", "high", "auto"))
    response_format = _one_of(fields, "response_format", "url", ("url", "b64_json"))
    size = _text(fields, "size", "auto")
    width, height = _sized(lambda: sizes.image_size(size, model, shapes[0] if shapes else None))
    # Pixapi counts gpt-image-2's automatic size as 1K; the sketch's is never larger.
    cost = catalogue.image_credits(model, width, height, quality, int(n))
    return Order(
        kind, model.id, prompt, width, height, cost, n=int(n), quality=quality,
        response_format="b64_json" if response_format == "b64_json" else "url", inputs=images,
    )  # fmt: skip


def _model(fields: Fields, category: catalogue.Category) -> catalogue.Model:
    name = _text(fields, "model", "")
    if not name:
        raise ApiError(400, "model: this field is required.")
    model = catalogue.find(name)
    if model is None:
        raise ApiError(404, f"There is no model {name!r}.")
    if model.category != category:
        raise ApiError(400, f"model: {model.id} makes {model.category}s, not {category}s.")
    return model


def _prompt(fields: Fields) -> str:
    prompt = _text(fields, "prompt", "")
    if not prompt.strip():
        raise ApiError(400, "prompt: this field is required.")
    if len(prompt) > LONGEST_PROMPT:
        raise ApiError(400, f"prompt: at most {LONGEST_PROMPT:,} characters.")
    if TRIGGER in prompt.lower():
        raise ApiError(422, "The prompt was rejected by policy. Change it and try again.")
    return prompt


def _text(fields: Fields, name: str, default: str) -> str:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise ApiError(400, f"{name}: must be a string.")
    return value.strip() if name != "prompt" else value


def _one_of(fields: Fields, name: str, default: str, choices: tuple[str, ...]) -> str:
    value = _text(fields, name, default)
    if value not in choices:
        raise ApiError(400, f"{name}: must be one of {', '.join(choices)}.")
    return value


def _number(fields: Fields, name: str, default: float) -> float:
    value = fields.get(name)
    if value is None:
        return default
    number = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not math.isfinite(number):
        raise ApiError(400, f"{name}: must be a number.")
    return number


def _sized(size: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    try:
        return size()
    except ValueError as error:
        raise ApiError(400, str(error)) from None


def _shape(image: bytes, name: str) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(image)) as opened:
            opened.load()
            width, height = opened.size
            return width, height
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise ApiError(400, f"{name}: this file is not an image that can be read (PNG, JPEG, WebP).") from None


def _input_image(source: str, own_media: Callable[[str], bytes | None]) -> bytes:
    """The start image of a video. A foreign URL is never fetched: empty bytes stand for it."""
    if source.startswith("data:"):
        head, _, data = source.partition(",")
        if not head.endswith(";base64"):
            raise ApiError(400, "input_image: a data URL must be base64.")
        try:
            image = base64.b64decode(data, validate=True)
        except binascii.Error:
            raise ApiError(400, "input_image: the data URL is not valid base64.") from None
        _shape(image, "input_image")
        return image
    if not source.startswith(("http://", "https://")):
        raise ApiError(400, "input_image: must be an http(s) URL or a data URL.")
    return own_media(source) or b""
