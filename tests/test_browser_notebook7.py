"""Notebook 7 shows what JupyterLab shows."""

from __future__ import annotations

import pytest

from tests.harness.lab import Lab
from tests.harness.pixapi import PixapiServer

pytestmark = pytest.mark.browser


def test_a_bar_then_the_picture_in_notebook_7(lab: Lab, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=2)
    notebook = lab.open(
        ["%load_ext pixapi_nb", "%%pixapi nano-banana --size 480x320\na paper boat", "print('after')"], app="notebook"
    )
    notebook.run_all()
    picture = notebook.cell(1)
    picture.wait(lambda cell: any(bar and 0 < bar < 100 for bar in cell.bars()), what="a bar that fills")
    picture.wait(lambda cell: cell.images() and not cell.bars(), what="the picture in the bar's place")
    assert [(image.width, image.height, image.alt) for image in picture.images()] == [(480, 320, "a paper boat")]
    notebook.cell(2).wait(lambda cell: cell.stream("stdout") == "after\n")
