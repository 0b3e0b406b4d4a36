"""The controls of a prompt in JupyterLab, moved by a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.harness.kernels import Kernel
from tests.harness.lab import Lab
from tests.harness.notebook import Cell, Notebook
from tests.harness.pixapi import PixapiServer

MODEL = "gemini-3-pro-image-preview"
PROMPT = """\
A {{style: noir | studio | pastel}} photo of a {{material: porcelain | brushed steel | smoked glass | rough clay | wood}} cup,
warmth {{warmth: 0..10}}, contrast {{contrast: 0..1 step 0.1 = 0.7}}, {{mood: calm .. lively .. wild}}, beside a {{thing}}"""
PANEL = f"%%pixapi {MODEL} -s 480x320 --interact\n{PROMPT}"
browser = pytest.mark.browser


def panel(lab: Lab, *more: str) -> tuple[Notebook, Cell]:
    """A notebook with the panel in its second cell."""
    notebook = lab.open(["%load_ext pixapi_nb\nthing = 'book'", PANEL, *more], height=1800)
    notebook.run_all()
    shown = notebook.cell(1)
    shown.wait(lambda cell: "Generate" in cell.buttons())
    return notebook, shown


def prompts(server: PixapiServer) -> list[Any]:
    return [entry["fields"]["prompt"] for entry in server.requests("POST")]


def alts(shown: Cell) -> list[str]:
    """The prompts of the pictures that are really there."""
    return [image.alt for image in shown.images() if image.width and image.height]


@browser
def test_the_shown_prompt_follows_the_controls_and_generate_sends_it(
    lab: Lab, pixapi_server: PixapiServer, tmp_path: Path
) -> None:
    pixapi_server.settings(seconds=1)
    notebook, shown = panel(lab)
    first = "A noir photo of a porcelain cup,\nwarmth 5, contrast 0.7, lively, beside a book"
    shown.wait(lambda cell: first in cell.text())
    shown.slider("warmth").press("ArrowRight", 2)
    shown.wait(lambda cell: "warmth 7," in cell.text(), 10, "the slider's number in the prompt")
    shown.slider("contrast").set(0.9)
    shown.wait(lambda cell: "contrast 0.9," in cell.text(), 10)
    shown.slider("mood").press("ArrowRight")
    shown.dropdown("material").set("rough clay")
    shown.click("pastel")
    shown.textbox("thing").set("red <b>vase</b>")
    second = "A pastel photo of a rough clay cup,\nwarmth 7, contrast 0.9, wild, beside a red <b>vase</b>"
    shown.wait(lambda cell: second in cell.text(), 10, "the whole prompt")
    assert pixapi_server.requests("POST") == [], "nothing is sent before Generate"

    shown.click("Generate")
    shown.wait(lambda cell: cell.bars(), what="a bar in the panel")
    shown.wait(lambda cell: alts(cell) == [" ".join(second.split())] and not cell.bars(), what="the picture in the panel")
    shown.click("studio")
    shown.wait(lambda cell: "A studio photo" in cell.text(), 10)
    shown.click("Generate")
    shown.wait(lambda cell: len(alts(cell)) == 2 and not cell.bars(), what="the second picture")
    assert sorted(alts(shown)) == sorted([" ".join(second.split()), " ".join(second.split()).replace("pastel", "studio")])
    assert prompts(pixapi_server) == [second, second.replace("pastel", "studio")]
    assert not shown.errors()
    notebook.screenshot(tmp_path / "sliders.png")


@browser
def test_the_panel_lives_while_another_cell_waits_and_twice_generate_is_two_results(
    lab: Lab, pixapi_server: PixapiServer
) -> None:
    pixapi_server.settings(seconds=6)
    notebook, shown = panel(lab, f"%%pixapi {MODEL} -s 480x320\na boat", "print('behind')")
    waiting = notebook.cell(2)
    waiting.wait(lambda cell: cell.bars())
    shown.slider("warmth").press("End")
    shown.wait(lambda cell: "warmth 10," in cell.text(), 5, "the prompt while another cell waits")
    pixapi_server.settings(seconds=0.5)
    shown.click("Generate")
    shown.click("Generate")
    shown.wait(lambda cell: len(alts(cell)) == 2, 20, "both pictures")
    assert waiting.state == "running"
    notebook.wait_idle()
    assert notebook.cell(3).text() == "behind"
    assert len(waiting.images()) == 1
    assert len(prompts(pixapi_server)) == 3
    assert not waiting.errors()


@pytest.mark.kernel
def test_what_is_wrong_is_said_in_the_panel(pixapi_server: PixapiServer, kernel: Kernel) -> None:
    def said() -> str:
        return " ".join(str(model.state.get("value", "")) for model in kernel.models)

    kernel.run("%load_ext pixapi_nb", check=True)
    run = kernel.run(f"%%pixapi {MODEL} -s 480x320 --interact\na {{{{thing}}}} cup", check=True)
    kernel.click("Generate")
    kernel.until(lambda: "thing" in said() and "empty" in said(), 20, said)
    assert pixapi_server.requests("POST") == []
    kernel.move("thing", "clay")
    pixapi_server.faults({"kind": "status", "status": 402, "match": {"method": "POST"}})
    kernel.click("Generate")
    kernel.until(lambda: "The balance is too low" in said(), 20, said)
    pixapi_server.clear()
    kernel.click("Generate")
    kernel.until(lambda: "<img " in said(), 20, "the picture")
    assert prompts(pixapi_server) == ["a clay cup"] * 2
    assert (run.stdout, run.stderr) == ("", "")
