"""Pictures that go into a request, from whatever a notebook holds."""

from __future__ import annotations

import base64
import io
import random

import numpy as np
import pytest
from PIL import Image, features

from pixapi_nb.errors import UsageError
from pixapi_nb.inputs import input_image, may_be_picture
from pixapi_nb.media import Media
from pixapi_nb.models import InputImage, VideoRequest
from tests.raw import PNG

MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV", "LAB", "I", "F", "RGBa", "I;16", "I;16B"]


def picture(mode="RGB", size=(3, 2)):
    return Image.new(mode, size)


def saved(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(given: InputImage):
    assert given.data is not None
    image = Image.open(io.BytesIO(given.data))
    image.load()
    return image


# -- where it comes from


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_what_the_api_takes_is_sent_as_it_is(tmp_path, kind):
    data, suffix = saved(picture(), kind), {"JPEG": "jpg"}.get(kind, kind.lower())
    path = tmp_path / ("deep" * 30) / "a picture.misnamed"
    path.parent.mkdir()
    path.write_bytes(data)
    for source in (
        path,
        str(path),
        data,
        bytearray(data),
        memoryview(data),
        Media(None, "image/png", data),
        Media(path, "x/y"),
    ):
        given = input_image(source)
        assert given.data == data
        assert given.name in (f"a picture.{suffix}", f"the input.{suffix}", f"image.{suffix}"), "by the bytes, not by the name"
    with path.open("rb") as file:
        assert input_image(file).name == f"a picture.{suffix}"


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "AVIF", "ICO", "PPM"])
def test_everything_else_that_can_be_read_becomes_a_png(kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    given = input_image(saved(picture(size=(32, 32)), kind), name="shot")
    assert (given.name, given.media_type, opened(given).size) == ("shot.png", "image/png", (32, 32))


@pytest.mark.parametrize("mode", MODES)
def test_pil_images_of_every_mode(mode):
    given = input_image(picture(mode), name="hero[0]")
    assert given.name == "hero[0].png"
    assert opened(given).size == (3, 2)


def test_transparency_survives():
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    for mode in ("RGBA", "LA", "PA", "RGBa"):
        source = image.convert("RGBA" if mode in ("RGBA", "RGBa") else mode)
        assert opened(input_image(source.convert(mode))).convert("RGBA").getchannel("A").getextrema() == (0, 0)
    indexed = Image.new("P", (2, 1))
    indexed.info["transparency"] = 0
    assert opened(input_image(indexed)).convert("RGBA").getchannel("A").getextrema() == (0, 0)


def test_sixteen_bits_survive():
    image = Image.fromarray(np.array([[0, 40_000]], "uint16"))
    assert image.mode == "I;16"
    for source in (image, image.convert("I")):
        assert opened(input_image(source)).getextrema() == (0, 40_000)


def test_a_picture_just_written_into_a_buffer_is_read_from_its_beginning():
    buffer = io.BytesIO()
    picture().save(buffer, "PNG")
    assert input_image(buffer).data == buffer.getvalue()


def test_earlier_results_are_taken_by_their_first_picture():
    one, two = Media(None, "image/png", PNG), Media(None, "image/png", saved(picture()))
    assert input_image([two, one]).data == two.bytes
    assert input_image(InputImage(name="as it is", data=b"?")).data == b"?"


@pytest.mark.parametrize("url", ["https://example.org/a.png?sig=1", "http://x/y", "HTTPS://X/Y"])
def test_a_url_stays_a_url(url):
    given = input_image(url)
    assert (given.url, given.data) == (url, None)
    assert given.as_url() == url
    assert url not in repr(given), "URLs may be signed"


@pytest.mark.parametrize("dressed", [base64.b64encode, lambda data: base64.encodebytes(data).replace(b"\n", b"%0A")])
def test_a_data_url_is_the_picture_in_it(dressed):
    given = input_image("data:image/png;base64," + dressed(PNG).decode())
    assert (given.data, given.url, given.name) == (PNG, None, "image.png")
    assert given.as_url() == "data:image/png;base64," + base64.b64encode(PNG).decode()
    request = VideoRequest(model="veo", prompt="p", input_image=given)
    assert request.inputs == (given,)


# -- arrays


@pytest.mark.parametrize(
    ("array", "mode", "pixel"),
    [
        (np.full((2, 3), 200, "uint8"), "L", 200),
        (np.full((2, 3, 1), 200, "uint8"), "L", 200),
        (np.full((2, 3, 3), 200, "uint8"), "RGB", (200,) * 3),
        (np.full((2, 3, 4), 200, "uint8"), "RGBA", (200,) * 4),
        (np.full((2, 3), 0.5), "L", 128),
        (np.full((2, 3, 3), 1.0, "float32"), "RGB", (255,) * 3),
        (np.full((2, 3, 3), 1.0, "float16"), "RGB", (255,) * 3),
        (np.full((2, 3), 255, "int64"), "L", 255),
        (np.full((2, 3), 7, "int8"), "L", 7),
        (np.ones((2, 3), bool), "1", 255),
        (np.full((3, 2, 3), 200, "uint8").transpose(1, 0, 2), "RGB", (200,) * 3),
    ],
    ids=lambda value: f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else "",
)
def test_arrays(array, mode, pixel):
    image = opened(input_image(array))
    assert (image.mode, image.size, image.getpixel((0, 0))) == (mode, (3, 2), pixel)


class Interface:
    """What only has NumPy's array interface."""

    def __init__(self, array):
        self.__array_interface__ = array.__array_interface__
        self.array = array


def test_what_only_has_the_array_interface():
    assert opened(input_image(Interface(np.zeros((2, 3, 3), "uint8")))).size == (3, 2)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(5, "uint8"), "shape 5, which is no picture"),
        (np.zeros((), "uint8"), "shape of one number"),
        (np.float64(3), "shape of one number"),
        (np.zeros((0, 0), "uint8"), "shape 0×0"),
        (np.zeros((0, 4, 3)), "shape 0×4×3"),
        (np.zeros((3, 8, 8), "uint8"), "shape 3×8×8"),
        (np.zeros((8, 8, 2), "uint8"), "shape 8×8×2"),
        (np.zeros((1, 8, 8, 3), "uint8"), "shape 1×8×8×3"),
        (np.full((4, 4), 200.0), "values outside 0 to 1"),
        (np.full((4, 4), -0.1), "values outside 0 to 1"),
        (np.full((4, 4), np.nan), "values outside 0 to 1"),
        (np.full((4, 4), np.inf), "values outside 0 to 1"),
        (np.full((4, 4), 256, "uint16"), "values outside 0 to 255"),
        (np.full((4, 4), -1, "int16"), "values outside 0 to 255"),
        (np.zeros((4, 4), "complex128"), "array of complex128"),
        (np.full((4, 4), "x"), "array of <U1"),
        (np.full((4, 4), None), "array of object"),
    ],
)
def test_arrays_that_are_no_picture(array, said):
    with pytest.raises(UsageError) as caught:
        input_image(array, name="pixels")
    assert f"pixels has {said.removeprefix('has ')}" in caught.value.message or said in caught.value.message
    assert caught.value.hint


# -- what is refused


def damaged(kind):
    """A picture with its second half missing, and one with nonsense in its middle."""
    data = saved(Image.effect_noise((40, 40), 80), kind)
    return data[: len(data) // 2], data[:40] + bytes(40) + data[80:]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (b"", "the input is not a picture"),
        (b"plain text", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
        (b"\0\0\0\x18ftypmp42isom", "the input is a video, and a picture is needed"),
        (PNG[:20], "not a picture, or a damaged one"),
        ("missing.png", "missing.png cannot be read: No such file"),
        ("/", "/ cannot be read: Is a directory"),
        ("~nobody-of-that-name/x", "cannot be read"),
        ("nul\0.png", "cannot be read"),
        ("data:image/png;base64,%%%", "base64 of the data URL"),
        ("data:image/png", "has no data"),
        ("data:text/plain,hello", "image is not a picture"),
        (io.StringIO("text"), "is a text file"),
        (picture(size=(0, 0)), "cannot be made a PNG"),
        (Media(None, "video/mp4", b"\0\0\0\x18ftypmp42isom"), "is a video"),
        (7, "is of type int"),
        (None, "is of type NoneType"),
        ([], "is of type list"),
        ([PNG], "is of type list"),
        ({"a": PNG}, "is of type dict"),
        *((data, "not a picture, or a damaged one") for kind in ("PNG", "WEBP", "TIFF") for data in damaged(kind)[:1]),
    ],
)
def test_refused(source, said):
    with pytest.raises(UsageError, match=said):
        input_image(source)


@pytest.mark.filterwarnings("ignore:::PIL")  # what Pillow thinks of broken files
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP"])
def test_broken_files_end_in_nothing_but_a_usage_error(kind):
    if kind == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow reads no AVIF")
    chance, whole = random.Random(1), saved(Image.effect_noise((24, 24), 50).convert("RGB"), kind)
    refused = 0
    for _ in range(80):
        data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.4 else whole)
        for _ in range(chance.randrange(1, 6) if data else 0):
            data[chance.randrange(min(len(data), 60))] = chance.randrange(256)
        try:
            input_image(bytes(data))
        except UsageError:
            refused += 1
    assert refused


def test_a_closed_file_and_a_closed_picture_are_refused(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    file = path.open("rb")
    file.close()
    with pytest.raises(UsageError, match=r"a\.png cannot be read"):
        input_image(file)


def test_what_completion_offers_is_what_is_taken():
    for value in (PNG, "path.png", picture(), np.zeros((2, 2)), Media(None, "image/png", PNG)):
        assert may_be_picture(value)
    for value in (7, None, {}, [], range(3), len, Image.Image, np.ndarray):
        assert not may_be_picture(value)
