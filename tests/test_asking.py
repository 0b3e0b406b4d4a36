"""From the words of a cell to the request."""

from __future__ import annotations

import pytest

from pixapi_nb.asking import Ask
from pixapi_nb.errors import PromptError, UsageError
from pixapi_nb.models import ImageRequest, VideoRequest
from tests.raw import PNG

DEFAULTS = {"n": 1, "size": None, "quality": None, "embed": "preview", "save": None, "reuse": False}


@pytest.fixture
def ask(tmp_path):
    def read(line, cell="a cup", kind="image", defaults=None, **variables):
        found = Ask.read(line, cell, defaults=DEFAULTS | (defaults or {}), variables=variables, folder=tmp_path)
        return found.request(kind, variables)

    return read


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ("nano", {"model": "nano", "prompt": "a cup", "n": 1}),
        ("nano -n 2 -s 2K -q low --response-format url",
         {"model": "nano", "prompt": "a cup", "n": 2, "size": "2K", "quality": "low", "response_format": "url"}),
        ("veo --as image", {"model": "veo", "prompt": "a cup", "n": 1}),
    ],
)  # fmt: skip
def test_images(ask, line, fields):
    request = ask(line)
    assert isinstance(request, ImageRequest)
    assert request.fields() == fields


@pytest.mark.parametrize(
    ("line", "kind", "fields"),
    [
        ("veo -d 6 -s 1280x720", "video", {"model": "veo", "prompt": "a cup", "duration": 6, "size": "1280x720"}),
        ("veo -d 2.5s -n 1", "video", {"model": "veo", "prompt": "a cup", "duration": 2.5}),
        ("new-model --as video", "image", {"model": "new-model", "prompt": "a cup"}),
    ],
)
def test_videos(ask, line, kind, fields):
    request = ask(line, kind=kind, defaults={"n": 4, "size": "1024x1024", "quality": "low"})
    assert isinstance(request, VideoRequest)
    assert request.fields() == fields, "the defaults are for pictures"


def test_defaults_stand_where_nothing_is_said(ask):
    given = {"n": 3, "size": "2K", "quality": "high"}
    assert ask("nano", defaults=given).fields() == {"model": "nano", "prompt": "a cup", **given}
    assert ask("nano -n 1 -s auto -q low", defaults=given).fields()["n"] == 1


def test_the_prompt_keeps_its_braces_and_its_dollars(ask):
    cell = '\n  {"style": "{noir}"} costs $5, $HOME and {{ thing }}\nsecond line  \n'
    assert ask("nano", cell, thing="a cup").prompt == '{"style": "{noir}"} costs $5, $HOME and a cup\nsecond line'


def test_pictures_make_an_edit_or_the_start_of_a_video(ask):
    request = ask("nano -i one -i two", one=PNG, two=PNG)
    assert [image.name for image in request.inputs] == ["one.png", "two.png"]
    request = ask("veo -i one", kind="video", one=PNG)
    assert request.input_image.data == PNG


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("", "image", "no model is given"),
        ("-n 2", "image", "no model is given"),
        ("nano-banana -d 6", "image", "-d is for videos, and nano-banana makes images"),
        ("veoo -d 6", "image", "-d is for videos, and veoo is not known to make them. Did you mean veo"),
        ("nano --steps 3", "image", "--steps is for --sweep"),
        ("nano --sweep --steps 0", "image", "at least one stop"),
        ("nano -d 6 --as image", "video", "-d is for videos"),
        ("veo -n 2", "video", "-n is for images, and veo makes videos"),
        ("veo -n 0", "video", "-n is for images"),
        ("veo -q low", "video", "-q is for images"),
        ("veo --response-format url", "video", "--response-format is for images"),
        ("veo --sync", "video", "--sync is for images"),
        ("veo -i one -i one", "video", "a video starts from one picture"),
        ("nano -i missing.png", "image", "no such variable and no such file"),
    ],
)
def test_refused(ask, line, kind, said):
    with pytest.raises(UsageError, match=said) as caught:
        ask(line, kind=kind, one=PNG)
    assert caught.value.hint or "one picture" in said


def test_a_template_that_does_not_fit_is_a_prompt_error(ask):
    with pytest.raises(PromptError, match="Did you mean thing"):
        ask("nano", "a {{thign}}", thing="cup")
