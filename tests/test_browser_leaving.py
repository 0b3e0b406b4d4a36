"""Leaving a cell that waits: by the button, an interrupt, a closed tab, a restart. Its picture arrives all the same."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pixapi_nb.ledger import Ledger
from tests.harness.lab import Lab
from tests.harness.notebook import Cell, Notebook
from tests.harness.pixapi import PixapiServer
from tests.harness.waiting import until

pytestmark = pytest.mark.browser

LOAD = "%load_ext pixapi_nb"
SIZE = (480, 320)
WORKING = 4.0  # seconds that a picture takes here


def cell(options: str = "", prompt: str = "a clay cup") -> str:
    return f"%%pixapi gemini-2.5-flash-image -s 480x320 {options}\n{prompt}"


def sizes(shown: Cell) -> list[tuple[int, int]]:
    return [(image.width, image.height) for image in shown.images()]


def waits(notebook: Notebook, index: int) -> Cell:
    """The cell once its task is known, and waited for."""
    shown = notebook.cell(index)
    shown.wait(lambda one: "task_" in one.text(), 30, "a task")
    return shown


def arrived() -> bool:
    """Whether all that was asked for has been delivered, as the ledger has it."""
    ledger = Ledger.open(Path(os.environ["PIXAPI_HOME"]), create=False)
    found = ledger.recent()
    ledger.disconnect()
    return bool(found) and all(entry.state == "delivered" for entry in found)


def still_there(lab: Lab, notebook: Notebook, index: int) -> None:
    """Saved and opened again without a kernel, the picture is there."""
    notebook.save()
    reader = lab.reopen(notebook, with_kernel=False)
    assert sizes(reader.cell(index)) == [SIZE]
    assert not reader.cell(index).dead
    assert not reader.cell(index).buttons()
    assert not reader.cell(index).bars()


def overlook_lost_comms(notebook: Notebook) -> None:
    """JupyterLab complains of messages to widgets of a kernel or a page that has just gone."""
    lost = ("Comm not found", "widget model not found")
    notebook.problems[:] = [problem for problem in notebook.problems if not any(words in problem for words in lost)]


def test_keep_working_ends_the_cell_and_the_picture_arrives_in_it(lab: Lab, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=WORKING)
    notebook = lab.open([LOAD, cell("-o hero"), "print('behind', hero.done)", "print(hero[0].kind)"])
    notebook.run_all()
    first, behind, last = (notebook.cell(index) for index in (1, 2, 3))
    first.wait(lambda one: "Keep working" in one.buttons(), 30, "the button")
    waits(notebook, 1)
    assert behind.text() == ""
    clicked = time.monotonic()
    first.click("Keep working")
    behind.wait(lambda one: one.text() == "behind False", 5, "the next cell")
    assert time.monotonic() - clicked < WORKING
    assert first.errors() == []
    assert first.execution_count == 2
    first.wait(lambda one: "Keep working" not in one.buttons(), 5, "no button")
    first.wait(lambda one: one.images(), 30, "the picture")
    last.wait(lambda one: one.text() == "image", 20, "the next cell but one")
    assert sizes(first) == [SIZE]
    assert not first.buttons()
    assert not first.bars()
    still_there(lab, notebook, 1)
    assert len(pixapi_server.requests("POST")) == 1


def test_in_the_background_the_cell_ends_at_once(lab: Lab, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=WORKING)
    notebook = lab.open([LOAD, cell("-b"), "print('behind')"])
    notebook.run_all(wait=True)
    shown = notebook.cell(1)
    assert notebook.cell(2).text() == "behind"
    assert shown.images() == []
    assert shown.buttons() == []
    assert shown.errors() == []
    shown.wait(lambda one: one.images(), 30, "the picture")
    assert sizes(shown) == [SIZE]
    still_there(lab, notebook, 1)


def test_a_failure_in_the_background_is_told_beneath_its_cell(lab: Lab, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    pixapi_server.settings(seconds=1)
    pixapi_server.faults({"kind": "fail_task", "task": {"error": {"code": "nsfw", "message": "<b>not</b> that"}}})
    notebook = lab.open([LOAD, cell("-b")])
    notebook.run_all(wait=True)
    shown = notebook.cell(1)
    shown.wait(lambda one: "<b>not</b> that" in one.text(), 20, "the reason")
    assert "not charged" in shown.text()
    shown.screenshot(tmp_path / "failed.png")


def closed(lab: Lab, notebook: Notebook) -> Notebook:
    notebook.save()
    notebook.close_tab()
    until(arrived, 40, "the picture's file")
    return lab.reopen(notebook)


def reloaded(lab: Lab, notebook: Notebook) -> Notebook:
    notebook.save()
    notebook.reload()
    return notebook


@pytest.mark.parametrize("away", [closed, reloaded], ids=["tab closed", "page reloaded"])
@pytest.mark.parametrize("options", ["", "-b"], ids=["waiting", "background"])
def test_a_page_that_was_away_shows_the_picture_when_it_comes_back(
    lab: Lab, pixapi_server: PixapiServer, away: Callable[[Lab, Notebook], Notebook], options: str
) -> None:
    pixapi_server.settings(seconds=WORKING)
    notebook = lab.open([LOAD, cell(options)])
    notebook.run_all()
    waits(notebook, 1)
    back = away(lab, notebook)
    until(arrived, 40, "the picture's file", back.pause)
    shown = back.cell(1)
    lost = "Error displaying widget"
    shown.wait(lambda one: one.images() or lost in one.text(), 30, "the picture")
    if lost in shown.text():  # a page gives its kernel 4 s to tell of its widgets: on a busy machine one reloads once more
        back.reload()
        shown = back.cell(1)
        shown.wait(lambda one: one.images(), 30, "the picture, after all")
    assert sizes(shown) == [SIZE]
    assert not shown.dead
    assert not shown.buttons()
    assert not shown.bars()
    assert len(pixapi_server.requests("POST")) == 1
    overlook_lost_comms(back)


def test_resume_gives_the_static_form_again(lab: Lab, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    """After the kernel was restarted while it waited: one line tells of it, one brings it home."""
    pixapi_server.settings(seconds=WORKING)
    notebook = lab.open([LOAD, cell(), "%pixapi resume", "%pixapi tasks", "%pixapi spend"], height=2400)
    notebook.run(0, wait=True)
    notebook.run(1)
    waits(notebook, 1)
    notebook.restart()
    notebook.run(0, wait=True)
    assert "1 unfinished" in notebook.cell(0).text()
    notebook.run(2)
    notebook.run(3)
    notebook.run(4)
    notebook.wait_idle()
    assert sizes(notebook.cell(2)) == [SIZE]
    assert "delivered" in notebook.cell(3).text()
    assert "$0.02" in notebook.cell(4).text()
    notebook.screenshot(tmp_path / "resumed.png")
    still_there(lab, notebook, 2)
    overlook_lost_comms(notebook)
    assert len(pixapi_server.requests("POST")) == 1
