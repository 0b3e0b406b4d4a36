"""What is refused before anything is sent, and what is not."""

from __future__ import annotations

import pytest

from pixapi_nb.checks import LARGEST_INPUT, check
from pixapi_nb.errors import UsageError
from pixapi_nb.models import ImageRequest, InputImage, VideoRequest
from tests.raw import PNG


def image(model="nano-banana", prompt="a cup", **fields):
    return ImageRequest(model=model, prompt=prompt, **fields)


def video(model="veo", prompt="a wave", **fields):
    return VideoRequest(model=model, prompt=prompt, **fields)


def given(data=PNG, name="cup.png"):
    return InputImage(name=name, data=data)


NAN, INF = float("nan"), float("inf")
BAD_SIZES = ("big", "1024", "1024X1024", "1024×1024", "0x0", "10x", "1k", "2k", "16:", "", "١٦:٩", "1٦x1")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (image(prompt=""), "prompt is empty"),
        (image(prompt=" \n\t "), "prompt is empty"),
        (image(prompt=None), "prompt is of type NoneType"),
        (image(prompt="half \ud83d"), "half of a character"),
        (image(model=" "), "no model"),
        (image(model=7), "model is of type int"),
        (image(n=0), "n is 0"),
        (image(n=-1), "n is -1"),
        (image(n="2"), "n is of type str"),
        (image(n=1.5), "n is of type float"),
        (image(n=None), "n is of type NoneType"),
        (image(quality="best"), "'best' does not exist"),
        (image(response_format="png"), "'png' does not exist"),
        *((image(size=size), "is no size") for size in BAD_SIZES),
        (image(size=(1024, 1024)), "size is of type tuple"),
        (image(size="1024x1024\n"), "is no size"),
        (video(duration=0), "video of 0 seconds"),
        (video(duration=-2), "video of -2 seconds"),
        (video(duration=NAN), "video of nan seconds"),
        (video(duration=INF), "video of inf seconds"),
        (video(duration="6"), "duration is of type str"),
        (video(size="big"), "is no size"),
        (video(input_image=given(b"plain text")), "cup.png is not a picture"),
        (image(images=(given(), given(b"%PDF-1.7 and more of it"))), "cup.png is not a picture"),
        (image(images=(given(PNG + bytes(LARGEST_INPUT)),)), "larger than 50 MiB"),
        (image(images=(given(b"\0\0\0\x18ftypmp42isom", "film.mp4"),)), "film.mp4 is not a picture"),
    ],
)  # fmt: skip
def test_refused(request_, said):
    with pytest.raises(UsageError, match=said):
        check(request_, canonical=request_.model if isinstance(request_.model, str) else "")


@pytest.mark.parametrize("size", [None, "auto", "2K", "4K", "1x1", "1024x1024", "1536x1024", "99999x1", "16:9", "1:1"])
@pytest.mark.parametrize("make", [image, video])
def test_sizes_that_pass(make, size):
    check(make(size=size), canonical="veo")


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ("1024x1024", None),
        ("1536x512", None),
        ("3840x2160", None),
        ("1024x640", None),
        ("auto", None),
        ("2K", "gpt-image-2 takes no size 2K"),
        ("16:9", "gpt-image-2 takes no size 16:9"),
        ("1000x1024", "multiples of 16"),
        ("1024x1000", "multiples of 16"),
        ("512x512", "262,144 pixels"),
        ("1024x624", "638,976 pixels"),
        ("3840x2176", "8,355,840 pixels"),
        ("2560x512", "longer than 3:1"),
        ("512x2560", "longer than 3:1"),
    ],
)
def test_the_size_rules_of_gpt_image_2(size, said):
    request = image("gpt-image-2", size=size)
    if said is None:
        check(request, canonical="gpt-image-2")
    else:
        with pytest.raises(UsageError, match=said):
            check(request, canonical="gpt-image-2")
        check(request, canonical="another-model")


def test_a_picture_for_a_model_that_is_known_not_to_edit():
    edit = image("veo", images=(given(),))
    with pytest.raises(UsageError, match="veo does not edit pictures"):
        check(edit, canonical="veo-3.1-generate-preview", can_edit=False)
    check(edit, canonical="veo-3.1-generate-preview")
    check(image("veo"), canonical="veo-3.1-generate-preview", can_edit=False)
    check(video("veo", input_image=given()), canonical="veo-3.1-generate-preview", can_edit=False)


def test_what_a_provider_may_add_passes():
    for request in (image("brand-new-model", n=99), video("brand-new-model", duration=0.5), video(duration=600)):
        check(request, canonical=request.model)
    check(image(images=(InputImage(name="x", url="https://example.org/x"),)), canonical="m")
