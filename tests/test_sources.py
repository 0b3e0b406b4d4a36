"""What `-i SRC` names: a URL, a variable, or a file. Names and indices only."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from pixapi_nb.errors import PixapiError, UsageError
from pixapi_nb.media import Media
from pixapi_nb.sources import find_image
from tests.raw import PNG


def png(colour="red"):
    out = io.BytesIO()
    Image.new("RGB", (2, 2), colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    """The notebook's folder, which is not the working directory."""
    found = tmp_path / "notebook"
    (found / "pictures").mkdir(parents=True)
    (found / "cup.png").write_bytes(PNG)
    (found / "my cat.png").write_bytes(PNG)
    (found / "hero").write_bytes(PNG)
    (found / "hero[1]").write_bytes(PNG)
    (found / "notes.txt").write_text("not a picture")
    return found


def variables(folder):
    return {
        "red": png("red"),
        "both": [png("red"), png("blue")],
        "by_name": {"first": png()},
        "path": str(folder / "cup.png"),
        "link": "https://example.org/a.png?sig=1",
        "pictures": png("blue"),
        "number": 7,
        "naïve_名": png(),
        "film": Media(None, "video/mp4", b"\0\0\0\x18ftypmp42isom"),
        "gone": Media(folder / "gone.png", "image/png"),
    }


@pytest.mark.parametrize(
    ("source", "data", "name"),
    [
        ("red", png("red"), "red.png"),
        ("both[0]", png("red"), "both[0].png"),
        ("both[-1]", png("blue"), "both[-1].png"),
        ("path", PNG, "path.png"),
        ("naïve_名", png(), "naïve_名.png"),
        ("cup.png", PNG, "cup.png"),
        ("./hero", PNG, "hero.png"),
        ("hero", PNG, "hero.png"),
        ("hero[1]", PNG, "hero[1].png"),
        ("my cat.png", PNG, "my cat.png"),
        ("pictures", png("blue"), "pictures.png"),  # a folder of that name is no picture
    ],
)
def test_found(folder, source, data, name):
    image = find_image(source, variables(folder), folder)
    assert (image.data, image.name, image.url) == (data, name, None)


@pytest.mark.parametrize("source", ["https://example.org/a.png?sig=1", "HTTP://EXAMPLE.ORG/A.PNG", "link"])
def test_a_url_stays_one(folder, source):
    image = find_image(source, variables(folder), folder)
    assert image.data is None
    assert (image.url or "").lower().startswith("http")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("re", "no such variable and no such file. Did you mean red?"),
        ("cup.pgn", "Did you mean cup.png?"),
        ("bth[0]", "Did you mean both?"),
        ("nothing_like_it_at_all", "no such variable and no such file."),
        ("pictures/none.png", "no such variable"),
        ("./pictures", "is a folder"),
        ("number", "number is of type int"),
        ("both", "both is of type list"),
        ("both[2]", "it has 2: both[0] to [1]"),
        ("by_name[0]", "-i by_name[0]: 0"),
        ("number[0]", "not subscriptable"),
        ("red[0]", "red[0] is of type int"),
        ("film", "film is a video, and a picture is needed"),
        ("notes.txt", "notes.txt is not a picture"),
        ("http://[", "no such variable and no such file"),
        ("~nobody-of-that-name/cup.png", "no such variable and no such file"),
        ("x" * 5000, "no such variable and no such file"),
        ("nul\0.png", "no such variable and no such file"),
        ("both[0].name", "no such variable"),
        ("both[len(both)]", "no such variable"),
        ("__import__('os')", "no such variable"),
        ("{red}", "no such variable"),
        ("$red", "no such variable"),
        ("\x1b[31mred", "no such variable"),
    ],
)
def test_refused(folder, source, said):
    with pytest.raises(UsageError) as caught:
        find_image(source, variables(folder), folder)
    assert said in caught.value.message
    assert len(caught.value.message) < 400
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("source", ["hero", "hero[1]"])
def test_a_variable_and_a_file_of_one_name_are_an_error(folder, source):
    with pytest.raises(UsageError, match=r"is a variable and also a file") as caught:
        find_image(source, {"hero": [png(), png()]}, folder)
    assert f"./{source}" in (caught.value.hint or "")


def test_a_picture_whose_file_is_gone_is_said_to_be_so(folder):
    with pytest.raises(PixapiError, match=r"gone\.png cannot be read"):
        find_image("gone", variables(folder), folder)


def test_files_are_seen_from_the_notebooks_folder_and_from_home(folder, monkeypatch):
    (Path.cwd() / "elsewhere.png").write_bytes(PNG)
    with pytest.raises(UsageError):
        find_image("elsewhere.png", {}, folder)
    monkeypatch.setenv("HOME", str(folder))
    assert find_image("~/cup.png", {}, folder / "pictures").data == PNG
    assert find_image(str(folder / "cup.png"), {}, folder / "pictures").data == PNG
