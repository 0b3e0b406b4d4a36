"""`%%pixapi` in JupyterLab as its reader sees it: while it runs, when it is done, saved, reopened, interrupted."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.harness.files import read_notebook
from tests.harness.lab import DARK, Lab
from tests.harness.notebook import Cell, Notebook
from tests.harness.pixapi import PixapiServer

pytestmark = pytest.mark.browser

MODEL = "gemini-3-pro-image-preview"
LOAD = '%load_ext pixapi_nb\n%config PixapiMagics.size = "480x320"'


def cell(body: str, options: str = "") -> str:
    return f"%%pixapi {MODEL} {options}\n{body}"


def shoot(notebook: Notebook, folder: Path, name: str) -> None:
    """A picture for a person to look at; `--basetemp` says where it stays."""
    notebook.screenshot(folder / f"{name}.png")


def sizes(shown: Cell) -> list[tuple[int, int]]:
    return [(image.width, image.height) for image in shown.images()]


def test_run_all_shows_bars_then_pictures_that_are_there_without_a_kernel(
    lab: Lab, pixapi_server: PixapiServer, tmp_path: Path
) -> None:
    cells = [
        LOAD,
        cell("a clay cup on a table"),
        cell("a glass cup", "--sync"),
        f"%%time\n{cell('a steel cup')}",
        f"%%capture kept\n{cell('a paper cup')}",
        "print('printed')",
        cell("a lighthouse in fog", "-n 3"),
        cell("a cat"),
    ]
    pixapi_server.settings(seconds=2)
    notebook = lab.open(cells, height=2800)
    notebook.run_all()
    first, sync = notebook.cell(1), notebook.cell(2)
    first.wait(lambda cell: any(bar and 0 < bar < 100 for bar in cell.bars()), what="a bar that fills")
    first.wait(lambda cell: re.search(rf"{MODEL} · processing · \d+ % · .*8 credits", cell.text()))
    shoot(notebook, tmp_path, "running")
    first.wait(lambda cell: cell.images() and not cell.bars(), what="the picture in the bar's place")
    pixapi_server.settings(seconds=0.5)
    sync.wait(lambda cell: cell.bars() == [None], what="a bar without a measure")
    shoot(notebook, tmp_path, "sync")
    notebook.wait_idle()
    notebook.cell(7).wait(lambda cell: cell.images())
    assert_results(notebook)
    assert [notebook.cell(index).execution_count for index in range(8)] == list(range(1, 9))
    assert [entry["fields"]["prompt"].split()[1] for entry in pixapi_server.requests("POST")] == [
        "clay",
        "glass",
        "steel",
        "paper",
        "lighthouse",
        "cat",
    ]
    shoot(notebook, tmp_path, "done")

    saved = notebook.save()
    assert "widget" not in json.dumps([cell.get("outputs") for cell in saved.cells])
    reader = lab.reopen(notebook, with_kernel=False)
    assert_results(reader)


def assert_results(notebook: Notebook) -> None:
    """What stands under the cells of the test above."""
    shown = notebook.cells
    assert [sizes(one) for one in shown] == [[], *[[(480, 320)]] * 3, [], [], [(480, 320)] * 3, [(480, 320)]]
    assert shown[1].images()[0].alt == "a clay cup on a table"
    assert re.fullmatch(rf"{MODEL} · 480\s?[×x]\s?320 · .*\.png", shown[1].text().replace("\xa0", " "))
    assert [line[:4] for line in shown[6].text().splitlines()[:3]] == ["[0] ", "[1] ", "[2] "]
    assert re.fullmatch(r"CPU times: .*\nWall time: .*\n", shown[3].stream("stdout"))
    assert [one.stream("stdout") for one in shown if one.index != 3] == ["", "", "", "", "printed\n", "", ""]
    assert [one.stream("stderr") for one in shown] == [""] * 8
    assert not any(one.errors() or one.bars() or one.buttons() or one.dead for one in shown)


def test_results_are_legible_in_the_dark_on_a_narrow_screen_and_untrusted(
    lab: Lab, pixapi_server: PixapiServer, tmp_path: Path
) -> None:
    pixapi_server.settings(seconds=0)
    notebook = lab.open([LOAD, cell("a clay cup on a wooden table, " * 6, "-s 1024x512"), cell("a boat", "-n 3")])
    notebook.run_all(wait=True)
    notebook.cell(2).wait(lambda cell: len(cell.images()) == 3)
    notebook.save()
    document = read_notebook(notebook.path)
    for name, width, theme in (("dark", 1280, DARK), ("narrow", 400, DARK)):
        reader = lab.open(document, name=name, kernel=False, trusted=False, theme=theme, width=width, height=2000)
        if reader.page.locator("#jp-left-stack").is_visible():
            reader.command("application:toggle-left-area")
        for one in (reader.cell(1), reader.cell(2)):
            assert_fits(one)
        shoot(reader, tmp_path, name)


def assert_fits(shown: Cell) -> None:
    """Pictures are shown, nothing sticks out, and words stand out from what is behind them."""
    seen = shown.output.evaluate(
        """area => ({
            room: area.clientWidth,
            needed: area.scrollWidth,
            widths: [...area.querySelectorAll('img')].map(image => [image.naturalWidth, image.getBoundingClientRect().width]),
            words: getComputedStyle(area.querySelector('bdi')).color,
            behind: getComputedStyle(document.body).getPropertyValue('--jp-layout-color0'),
        })"""
    )
    assert seen["needed"] <= seen["room"]
    assert all(natural > 0 and 100 < shown <= seen["room"] for natural, shown in seen["widths"]), seen
    light = [sum(map(int, re.findall(r"\d+", seen["words"])[:3])) / 3, int(seen["behind"].strip()[1:3], 16)]
    assert max(light) - min(light) > 120, seen


def test_an_interrupted_cell_says_how_to_come_back_and_its_picture_arrives(lab: Lab, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=4)
    notebook = lab.open([LOAD, cell("a clay cup", "-o hero"), "print('behind')"])
    notebook.run_all()
    first, behind = notebook.cell(1), notebook.cell(2)
    task = first.wait(lambda cell: re.findall(r"task_\w{20,}", cell.text()), what="a task's id")[0]
    pressed = notebook.interrupt()
    first.wait(lambda cell: cell.errors(), 4)
    assert time.monotonic() - pressed < 4
    notebook.wait_idle()
    error = first.errors()[0]
    assert error.ename == "Detached"
    assert f"%pixapi resume {task}" in first.text()
    assert not re.search(r"asyncio|File |\.py", first.text())
    assert behind.execution_count is None
    assert behind.text() == ""
    first.wait(lambda cell: cell.images(), 20, "the picture")
    assert sizes(first) == [(480, 320)]
    assert not first.bars()
    assert not first.buttons()
    notebook.run(2, wait=True)
    assert behind.text() == "behind"
    assert "widget" not in json.dumps(notebook.save().cells[1].outputs)
    assert len(pixapi_server.requests("POST")) == 1


def test_a_failing_cell_is_short_and_red(lab: Lab, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    pixapi_server.settings(seconds=2)
    pixapi_server.faults({"kind": "fail_task", "task": {"error": "The model is tired.", "at_progress": 60}})
    notebook = lab.open([LOAD, cell("a cup"), "print('behind')"], height=600)
    notebook.run_all(wait=True)
    shown = notebook.cell(1)
    shown.wait(lambda cell: not cell.bars())
    assert re.search(r"TaskFailed: task \w+ failed: The model is tired\.", shown.text())
    assert len(shown.text().splitlines()) <= 6
    colour = shown.output.get_by_text("TaskFailed", exact=True).evaluate("node => getComputedStyle(node).color")
    red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
    assert red > 2 * max(green, blue)
    assert notebook.cell(2).execution_count is None
    shoot(notebook, tmp_path, "failed")
