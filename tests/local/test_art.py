"""The painter, the editor and the film-maker, without a server."""

import io
import itertools
import time

import av
import numpy as np
import pytest
from PIL import Image

from pixapi_nb.local import art
from pixapi_nb.local.art import brief, caption
from pixapi_nb.local.art.scenes import SUBJECTS
from pixapi_nb.local.validate import Kind, Order


def _make(
    prompt: str, size: tuple[int, int] = (256, 256), index: int = 0, inputs: tuple[bytes, ...] = (), kind: Kind = "image"
) -> bytes:
    return art.make(Order(kind, "nano-banana", prompt, *size, credits=1, n=4), index, inputs)


def _picture(*arguments: object, **named: object) -> Image.Image:
    return Image.open(io.BytesIO(_make(*arguments, **named)))  # type: ignore[arg-type]  # passed on


def _pixels(picture: Image.Image) -> np.ndarray:
    """Without the caption, which always differs."""
    rgb = np.asarray(picture.convert("RGB"), np.float32)
    return rgb[: int(len(rgb) * 0.85)]


def _apart(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures seen from afar, so that grain does not count, of 255."""
    return float(np.abs(_pixels(one.resize((24, 24))) - _pixels(other.resize((24, 24)))).mean())


def _alike(one: Image.Image, other: Image.Image) -> float:
    """The correlation of two pictures' light and dark, seen from afar."""
    first, second = (_pixels(picture.resize((24, 24))).mean(-1).ravel() for picture in (one, other))
    return float(np.corrcoef(first, second)[0, 1])


SAMPLES = {
    "cup": "a coffee cup", "bottle": "a perfume bottle", "product": "a product photo", "cat": "a cat", "portrait": "a woman",
    "space": "a planet", "city": "a skyline", "lighthouse": "a lighthouse", "harbour": "a harbour", "sea": "the sea",
    "lake": "a lake", "forest": "a forest", "desert": "dunes", "garden": "tulips", "mountains": "mountains",
    "abstract": "whatever", "studio": "",
}  # fmt: skip


def test_every_subject_is_understood() -> None:
    assert SAMPLES.keys() == SUBJECTS.keys()
    for subject, prompt in SAMPLES.items():
        if prompt:
            assert brief.read(prompt, "").subject == subject


@pytest.mark.parametrize("prompt", [prompt for prompt in SAMPLES.values() if prompt])
@pytest.mark.parametrize("size", [(64, 64), (256, 160), (90, 400)])
def test_every_subject_in_exactly_the_size(prompt: str, size: tuple[int, int]) -> None:
    picture = _picture(f"{prompt} at dusk", size)
    assert picture.size == size
    assert picture.mode == "RGB"
    assert _pixels(picture).std() > 8


@pytest.mark.parametrize("size", [(1024, 1024), (1536, 1024), (1024, 1536), (2048, 2048), (4096, 512)])
def test_large_sizes(size: tuple[int, int]) -> None:
    assert _picture("misty mountains", size).size == size


@pytest.mark.parametrize("time", ["dawn", "morning", "noon", "sunset", "dusk", "night"])
def test_the_same_again(time: str) -> None:
    assert _make(f"a lake at {time}") == _make(f"a lake at {time}")


@pytest.mark.parametrize("prompt", ["mountains at dawn", "a red mug", "abstract shapes", "a cat"])
def test_each_of_n_is_another_composition(prompt: str) -> None:
    pictures = [_picture(prompt, index=index) for index in range(4)]
    for one in range(4):
        for other in range(one):
            assert _apart(pictures[one], pictures[other]) > 4


def test_another_model_paints_another_picture() -> None:
    orders = [Order("image", model, "a lake", 128, 128, credits=1) for model in ("nano-banana", "gpt-image-2")]
    assert _apart(*(Image.open(io.BytesIO(art.make(order, 0, ()))) for order in orders)) > 4


@pytest.mark.parametrize(
    ("colour", "hue"),
    [("crimson", 350), ("amber", 38), ("emerald", 155), ("teal", 180), ("navy", 225), ("purple", 280), ("magenta", 325)],
)
@pytest.mark.parametrize("subject", ["a lake", "mountains", "a city", "abstract"])
def test_the_picture_follows_the_colours(subject: str, colour: str, hue: int) -> None:
    hsv = np.asarray(_picture(f"{subject} in {colour}").convert("HSV"), np.float32)
    angle, weight = hsv[..., 0] / 255 * 2 * np.pi, hsv[..., 1] * hsv[..., 2]
    mean = np.degrees(np.angle((weight * np.exp(1j * angle)).sum())) % 360
    assert min(abs(mean - hue), 360 - abs(mean - hue)) < 45


def test_night_is_darker_than_noon() -> None:
    assert _pixels(_picture("mountains at night")).mean() < _pixels(_picture("mountains at noon")).mean() - 40


@pytest.mark.parametrize("scale", ["warmth {} of 10", "warmth: {}", "warmth={}/10", "warmth {}0%", "warmth 0.{}"])
def test_warmth_can_be_dialled(scale: str) -> None:
    pictures = [_pixels(_picture(f"a coffee cup, {scale.format(step)}")) for step in (1, 5, 9)]
    warmth = [float(pixels[..., 0].mean() - pixels[..., 2].mean()) for pixels in pictures]
    assert warmth[0] < warmth[1] - 15 < warmth[2] - 30


@pytest.mark.parametrize("dial", ["brightness", "contrast", "saturation"])
def test_other_dials(dial: str) -> None:
    def measure(pixels: np.ndarray) -> float:
        spread = pixels.max(-1) - pixels.min(-1)
        return float({"brightness": pixels.mean(), "contrast": pixels.std(), "saturation": spread.mean()}[dial])

    low, high = (measure(_pixels(_picture(f"a lake at noon, {dial} {step} of 10"))) for step in (1, 9))
    assert high > low * 1.1


def test_a_setting_changes_the_picture_in_that_and_not_in_all_else() -> None:
    ceramic, copper = (_picture(f"a {material} coffee cup on a table") for material in ("ceramic", "copper"))
    other = _picture("a ceramic coffee cup on a shelf in a kitchen")
    assert 1 < _apart(ceramic, copper) < _apart(ceramic, other)


@pytest.mark.parametrize("style", ["watercolour", "oil painting", "ink sketch", "pixel art", "neon", "poster"])
def test_styles(style: str) -> None:
    plain, styled = (_pixels(_picture(f"a harbour at noon{more}")) for more in ("", f", {style}"))
    assert np.abs(plain - styled).mean() > 6


@pytest.mark.parametrize("prompt", ["a red mug", "a cat", "mountains"])
def test_a_transparent_background(prompt: str) -> None:
    picture = _picture(f"{prompt}, transparent background")
    assert picture.mode == "RGBA"
    alpha = np.asarray(picture.getchannel("A"))[:200]
    assert (alpha == 0).mean() > 0.2
    assert (alpha == 255).mean() > 0.05


@pytest.mark.parametrize("prompt", ["", "x" * 3000, "wörds 漢字 🎨 \n\t ok", "{{name}} <b>%s</b>", "warmth 5 of 0", "9" * 400])
def test_any_prompt_can_be_painted(prompt: str) -> None:
    assert _picture(prompt, (160, 160)).size == (160, 160)


def test_the_caption_takes_two_lines_at_most() -> None:
    short, long = (caption.strip(prompt, 512, 512).height for prompt in ("a cat", "a cat " * 500))
    assert short < long < 512 * 0.2
    assert _picture("a cat").info[caption.NOTE] == str(caption.strip("a cat", 256, 256).height)


def test_a_picture_is_painted_quickly() -> None:
    _make("a lake")
    begun = time.process_time()
    _make("a lake at sunset", (1024, 1024))
    assert time.process_time() - begun < 1.5


# -- edits


def test_an_edit_shows_the_given_picture() -> None:
    given = _make("a red mug at noon")
    edited = _picture("make it gold, at sunset", inputs=(given,), kind="edit")
    unlike = _picture("make it gold, at sunset", inputs=(_make("mountains at night"),), kind="edit")
    original = Image.open(io.BytesIO(given))
    assert _alike(edited, original) > 0.6
    assert _alike(unlike, original) < 0.3


def test_an_edit_takes_on_the_colours() -> None:
    given = _make("a red mug at noon")
    blue, gold = (_pixels(_picture(f"make it {colour}", inputs=(given,), kind="edit")) for colour in ("cobalt", "gold"))
    assert (blue[..., 2] - blue[..., 0]).mean() > 20
    assert (gold[..., 0] - gold[..., 2]).mean() > 20


def test_further_references_are_in_the_result() -> None:
    first, second = _make("a red mug at noon"), _solid("lime")
    with_card = np.asarray(_picture("together", inputs=(first, second), kind="edit").convert("RGB"), np.float32)
    corner = with_card[:128, 128:]
    lime = (corner[..., 1] > corner[..., 0] + 80) & (corner[..., 1] > corner[..., 2] + 80)
    assert lime.mean() > 0.1


def test_several_edits_differ() -> None:
    given = (_make("a red mug at noon"),)
    assert _apart(*(_picture("better", index=index, inputs=given, kind="edit") for index in (0, 1))) > 2


def test_a_cut_out_is_set_into_a_scene() -> None:
    cut_out = _make("a red mug, transparent background")
    picture = _picture("on a beach at sunset", (300, 200), inputs=(cut_out,), kind="edit")
    assert (picture.mode, picture.size) == ("RGB", (300, 200))
    pixels = np.asarray(picture, np.float32)[60:150, 100:200]
    assert ((pixels[..., 0] > pixels[..., 1] * 1.6) & (pixels[..., 0] > 90)).mean() > 0.2


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_pictures_of_any_mode_can_be_edited(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (90, 60)).save(out, "TIFF" if mode == "CMYK" else "PNG")
    assert _picture("brighter", (128, 96), inputs=(out.getvalue(),), kind="edit").size == (128, 96)


# -- films


def _solid(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 120), colour).save(out, "PNG")
    return out.getvalue()


def _film(prompt: str, size: tuple[int, int], seconds: float, inputs: tuple[bytes, ...] = ()) -> bytes:
    return art.make(Order("video", "veo", prompt, *size, credits=1, seconds=seconds, inputs=inputs), 0, inputs)


@pytest.mark.parametrize(("size", "seconds"), [((320, 180), 2), ((180, 320), 1.5), ((66, 64), 1)])
def test_a_film_has_its_size_and_length_and_can_be_played_by_browsers(size: tuple[int, int], seconds: float) -> None:
    data = _film("ocean at sunset", size, seconds)
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == size
        assert stream.average_rate == 24
        assert stream.frames == round(seconds * 24)
        assert stream.duration is not None
        assert stream.time_base is not None
        assert float(stream.duration * stream.time_base) == pytest.approx(seconds, abs=1e-3)
    assert data.index(b"moov") < data.index(b"mdat")


def _frames(data: bytes) -> list[Image.Image]:
    with av.open(io.BytesIO(data)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


@pytest.mark.parametrize("prompt", ["mountains at dawn", "a coffee cup", "a city at night", "a cat", "shapes"])
def test_a_film_moves(prompt: str) -> None:
    frames = [_pixels(frame) for frame in _frames(_film(prompt, (320, 180), 1))]
    steps = [float(np.abs(after - before).mean()) for before, after in itertools.pairwise(frames)]
    assert np.abs(frames[-1] - frames[0]).mean() > 3
    assert sum(step > 0.15 for step in steps) > len(steps) * 0.8


def test_a_film_begins_with_its_start_image() -> None:
    frames = _frames(_film("it glows", (200, 120), 1, (_solid("teal"),)))
    red, green, blue = (float(_pixels(frames[0])[20:80, 20:180, channel].mean()) for channel in range(3))
    assert red < 60
    assert green > 90
    assert blue > 90
    assert _apart(frames[0], frames[-1]) > 1
