"""A sweep in a real JupyterLab: plan, Start, a grid that fills, a contact sheet that stays; and in kernels without a page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.harness.kernels import Kernel, nbclient_run, outputs_of
from tests.harness.lab import DARK, Lab
from tests.harness.pixapi import PixapiServer
from tests.harness.waiting import until

LOAD = "%load_ext pixapi_nb"
GRID = "%%pixapi nano-banana --sweep --steps 3 --size 384x256 -o cups\nA {{style: noir | studio}} cup, warmth {{warmth: 0..10}}"
GRID_YES = GRID.replace("--sweep", "--sweep --yes")


@pytest.mark.browser
def test_a_grid_is_planned_started_filled_and_kept(lab: Lab, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    pixapi_server.settings(seconds=3, capacity=3)
    notebook = lab.open([LOAD, GRID, "1 + 1"])
    notebook.run_all(wait=True)
    cell = notebook.cell(1)
    assert "6 requests (2 × 3): 12 credits ($0.12)" in cell.text()
    assert cell.buttons() == ["Start"]
    assert notebook.cell(2).text() == "2"  # the cell has ended
    assert pixapi_server.requests("POST") == []

    cell.click("Start")
    cell.wait(lambda cell: 0 < len(cell.images()) < 6, 30, "the first pictures")
    running = cell.text()
    assert "of 6 done" in running
    assert {"noir", "studio"} <= {*running.split()}
    assert len(cell.bars()) == 1
    assert cell.buttons() == ["Stop"]
    cell.screenshot(tmp_path / "running.png")

    cell.wait(lambda cell: "6 of 6 done" in cell.text() and len(cell.images()) == 1 and not cell.buttons(), 60, "the end")
    (sheet,) = cell.images()
    assert sheet.alt.startswith("contact sheet")
    cell.screenshot(tmp_path / "done.png")
    assert len(pixapi_server.charges()) == 6
    notebook.wait(lambda notebook: notebook.model_count() <= 6, 30, "the widgets to be closed")

    saved = notebook.save()
    assert len(json.dumps(saved)) < 1_000_000
    again = lab.reopen(notebook, with_kernel=False, theme=DARK)
    cell = again.cell(1)
    assert "6 of 6 done" in cell.text()
    assert {"noir", "studio", "0", "5", "10"} <= {*cell.text().split()}
    assert len(cell.images()) == 1
    assert not cell.dead
    cell.screenshot(tmp_path / "reopened.png")


@pytest.mark.browser
def test_saved_before_its_end_it_is_told_how_to_go_on_and_a_page_that_comes_back_has_the_grid(
    lab: Lab, pixapi_server: PixapiServer
) -> None:
    notebook = lab.open([LOAD, GRID])
    notebook.run_all(wait=True)
    notebook.cell(1).wait(lambda cell: cell.buttons() == ["Start"], 30, "the Start button")
    notebook.save()
    reader = lab.reopen(notebook, with_kernel=False)
    assert "Not started" in reader.cell(1).text()
    assert not reader.cell(1).dead

    pixapi_server.settings(seconds=4, capacity=3)
    notebook = lab.open([LOAD, GRID])
    notebook.run_all(wait=True)
    cell = notebook.cell(1)
    cell.wait(lambda cell: cell.buttons() == ["Start"], 30, "the Start button")
    cell.click("Start")
    cell.wait(lambda cell: cell.images(), 30, "the first pictures")
    notebook.wait(lambda notebook: "of 6 done" in str(notebook.cell(1).outputs()[-1]), 30, "how it stands, in the notebook")
    notebook.save()
    notebook.close_tab()
    until(lambda: len(pixapi_server.charges()) == 6, 60, "the last picture")
    again = lab.reopen(notebook)
    cell = again.cell(1)
    cell.wait(lambda cell: "6 of 6 done" in cell.text() and len(cell.images()) == 1, 60, "the grid")
    assert cell.buttons() == []
    assert not cell.dead


@pytest.mark.browser
def test_stopping_keeps_what_came_and_says_how_to_go_on(lab: Lab, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=1, capacity=1)
    notebook = lab.open([LOAD, GRID_YES.replace("steps 3", "steps 11"), "1 + 1"])
    notebook.run_all()
    cell = notebook.cell(1)
    cell.wait(lambda cell: cell.images(), 30, "the first picture")
    assert cell.buttons() == ["Keep working", "Stop"]
    cell.click("Keep working")
    notebook.cell(2).wait(lambda cell: cell.text() == "2", 10, "the next cell")
    cell.click("Stop")
    pixapi_server.settings(seconds=0.1, capacity=None)
    cell.wait(lambda cell: len(cell.images()) == 1 and not cell.bars(), 60, "the end")
    sent = len(pixapi_server.requests("POST"))
    assert f"{sent} of 22 done" in cell.text()


# -- without a page


def test_without_a_person_it_goes_straight_on_and_the_notebook_stays_small(pixapi_server: PixapiServer) -> None:
    notebook = nbclient_run([LOAD, GRID, "cups.rows()[5]['warmth'], len(cups)"])
    plan, result = outputs_of(notebook, 1)[:2]
    assert "6 requests" in plan.data["text/html"]
    html = result.data["text/html"]
    assert html.count("<img") == 1
    assert "6 of 6 done" in html
    assert "image/jpeg" in result.data
    assert outputs_of(notebook, 2)[0].data["text/plain"] == "(10, 6)"
    assert len(json.dumps(notebook)) < 1_000_000
    assert len(pixapi_server.charges()) == 6
    assert "widgets" not in notebook.metadata or not notebook.metadata["widgets"]


def test_without_a_person_a_value_waits_for_its_end(pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=1.5)
    cell = 'from pixapi_nb import sweep\nsweep("a {{style: noir | studio}} cup", model="nano-banana", size="256x256")'
    outputs = outputs_of(nbclient_run([LOAD, cell]), 1)
    assert "2 of 2 done" in outputs[-1].data["text/html"]
    assert "data:image/" in outputs[-1].data["text/html"]


def test_with_a_person_nothing_is_sent_before_start(pixapi_server: PixapiServer) -> None:
    with Kernel() as kernel:
        kernel.run(LOAD, check=True)
        kernel.run(GRID, allow_stdin=True, check=True)
        assert "not started" in kernel.run("repr(cups)", allow_stdin=True, check=True).text
        assert pixapi_server.requests("POST") == []
        kernel.click("Start")
        kernel.until(lambda: len(pixapi_server.charges()) == 6, 60, "six pictures")


def test_a_dry_run_tells_the_plan_and_sends_nothing(pixapi_server: PixapiServer) -> None:
    with Kernel() as kernel:
        kernel.run(LOAD, check=True)
        run = kernel.run(GRID.replace("--sweep", "--sweep=style --models nano-banana,nano-banana-2 --dry-run -n 2"), check=True)
        assert "8 requests (2 × 2 × 2): 24 credits ($0.24)" in run.text
        assert pixapi_server.requests("POST") == []


def test_what_cannot_be_swept_is_told_before_anything_is_sent(pixapi_server: PixapiServer) -> None:
    with Kernel() as kernel:
        kernel.run(LOAD, check=True)
        for options, said in (
            ("--sweep=stile", "declares no control"),
            ("--sweep --interact", "choose one"),
            ("--models nano-banana,veo", "makes videos"),
            ("--sweep --steps 0", "at least one"),
        ):
            run = kernel.run(GRID_YES.replace("--sweep", options, 1).replace("--steps 3 ", ""))
            assert run.error is not None, options
            assert said in str(run.error), options
        assert pixapi_server.requests("POST") == []


def test_an_interrupt_leaves_the_sweep_at_work(pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=1, capacity=2)
    with Kernel() as kernel:
        kernel.run(LOAD, check=True)
        run = kernel.send(GRID_YES)
        kernel.until(lambda: len(pixapi_server.requests("POST")) >= 1, 60, "the first request")
        kernel.interrupt()
        kernel.wait(run)
        assert "the sweep goes on" in str(run.error)
        kernel.until(lambda: len(pixapi_server.charges()) == 6, 60, "six pictures")
        wait = kernel.run("cups.result(); cups.counts.done", check=True)
        assert re.search(r"\b6\b", wait.text)


def test_a_resumed_sweep_is_the_cells_value(pixapi_server: PixapiServer) -> None:
    with Kernel() as kernel:
        kernel.run(LOAD + "\n%config PixapiMagics.budget = 5", check=True)
        run = kernel.run(GRID, check=True)
        assert "2 of 6 done" in run.text
        assert "pass the budget" in run.text
        kernel.run("%config PixapiMagics.budget = None", check=True)
        run = kernel.run("%pixapi resume", check=True)
        assert "6 of 6 done" in run.text
        assert kernel.run("len(_.at(style='noir'))", check=True).text.endswith("3")
        assert len(pixapi_server.requests("POST")) == 6
