"""Edits and videos in JupyterLab: shown, saved, and there again without a kernel."""

from __future__ import annotations

import pytest

from tests.harness.lab import Lab
from tests.harness.notebook import Notebook
from tests.harness.pixapi import PixapiServer

pytestmark = pytest.mark.browser


def assert_shown(notebook: Notebook) -> None:
    edit, film = notebook.cell(2), notebook.cell(3)
    edit.wait(lambda cell: len(cell.images()) == 2, what="input beside output")
    assert [image.alt for image in edit.images()] == ["input: hero.png", "make it night"]
    film.wait(lambda cell: [video.ready for video in cell.videos()] == [4], what="a video that can be played through")
    (video,) = film.videos()
    assert (video.width, round(video.duration)) == (640, 2)
    # Two prices in one line are not a formula.
    assert film.output.locator("mjx-container, .MathJax").count() == 0
    assert "estimated" in film.text()


def test_an_edit_and_a_video_are_there_again_without_a_kernel(lab: Lab, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=0.5)
    cells = [
        "%load_ext pixapi_nb",
        "%%pixapi nano-banana --size 480x320 -o hero\na lighthouse",
        "%%pixapi nano-banana -i hero\nmake it night",
        "%%pixapi veo -d 2 --size 640x360 -i hero\nwaves roll in",
    ]
    notebook = lab.open(cells, height=2200)
    notebook.run_all()
    notebook.wait_idle()
    assert_shown(notebook)
    notebook.save()
    assert_shown(lab.reopen(notebook, with_kernel=False))
