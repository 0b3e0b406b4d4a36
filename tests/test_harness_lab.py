"""The browser harness, and with it what JupyterLab does with widgets, waiting cells, and saved notebooks."""

from __future__ import annotations

import asyncio
import json
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest

from tests.harness.lab import DARK, Lab
from tests.harness.notebook import Notebook
from tests.harness.pixapi import KEY
from tests.harness.waiting import Late

pytestmark = pytest.mark.browser

WIDGETS = """\
import ipywidgets as w
warmth = w.IntSlider(description="warmth", value=3, max=10)
mood = w.FloatSlider(description="mood", max=1, step=0.1)
material = w.Dropdown(options=["glass", "clay"], description="material")
words = w.Text(description="words")
ticked = w.Checkbox(description="marked")
shown = w.HTML()
def show(_):
    shown.value = f"{warmth.value} {mood.value:.1f} {material.value} {words.value} {ticked.value}"
for control in (warmth, mood, material, words, ticked):
    control.observe(show, "value")
w.VBox([warmth, mood, material, words, ticked, w.IntProgress(value=40), shown])"""

WAIT = """\
import asyncio, ipywidgets as w
go = w.Button(description="Go on")
said = w.HTML("waiting")
clicked = asyncio.Event()
def on_click(_):
    said.value = "clicked"
    clicked.set()
go.on_click(on_click)
display(w.VBox([go, said]))
await asyncio.wait_for(clicked.wait(), 60)
print("went on")"""

LONG = """\
import asyncio
print("in")
try:
    while True:
        await asyncio.sleep(0.1)  # an interrupt does not wake an idle loop
finally:
    print("left")"""

PNG = """\
import base64, struct, zlib
from IPython.display import HTML, Image
def png(width, height):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = (b"\\0" + b"\\x30\\x90\\xc0" * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
code = base64.b64encode(png(60, 40)).decode()"""


def test_controls_are_found_by_their_label_and_moved_like_a_person(lab: Lab) -> None:
    notebook = lab.open([WIDGETS])
    notebook.run_all(wait=True)
    cell = notebook.cell(0)
    assert cell.execution_count == 1
    assert cell.bars() == [40]
    assert cell.slider("warmth").value == "3"
    cell.slider("warmth").press("ArrowRight")
    cell.wait(lambda cell: "4 0.0 glass" in cell.text())
    notebook.set_slider(0, "warmth", 7)
    cell.slider("mood").set(0.3)
    cell.dropdown("material").set("clay")
    cell.textbox("words").set("two {{three}}")
    cell.checkbox("marked").set(True)
    cell.wait(lambda cell: "7 0.3 clay two {{three}} True" in cell.text())
    assert cell.dropdown("material").options == ["glass", "clay"]
    assert notebook.value("[warmth.value, material.value, words.value]") == [7, "clay", "two {{three}}"]
    with pytest.raises(ValueError, match="no stop 11"):
        cell.slider("warmth").set(11)
    assert notebook.model_count() == notebook.value("len(w.widgets.widget._instances)") > 7


@pytest.mark.skipif(int(version("ipykernel").split(".")[0]) < 7, reason="ipykernel 6 handles a click after the cell")
def test_a_click_under_an_awaiting_cell_is_handled_while_it_waits_and_the_queue_goes_on(lab: Lab) -> None:
    notebook = lab.open([WAIT, "print('next')", "print('last')"])
    notebook.run_all()
    waiting = notebook.cell(0)
    waiting.wait(lambda cell: cell.buttons() == ["Go on"])
    assert waiting.state == notebook.cell(2).state == "running"
    assert notebook.value("clicked.is_set()", beside=True) is False
    waiting.click("Go on")
    waiting.wait(lambda cell: "clicked" in cell.text(), 5)
    notebook.wait_idle()
    assert "went on" in waiting.text()
    assert [notebook.cell(index).text() for index in (1, 2)] == ["next", "last"]
    assert not waiting.errors()


def test_an_interrupt_ends_an_awaiting_cell_and_stops_the_queue(lab: Lab) -> None:
    notebook = lab.open([LONG, "print('next')"])
    notebook.run_all()
    notebook.cell(0).wait(lambda cell: cell.text() == "in")
    notebook.interrupt()
    notebook.wait_idle(10)
    first, second = notebook.cells
    assert first.stream("stdout") == "in\nleft\n"
    assert [error.ename for error in first.errors()] in (["KeyboardInterrupt"], ["CancelledError"])
    assert second.text() == ""
    assert second.execution_count is None
    notebook.run(1, wait=True)
    assert second.text() == "next"


def test_a_display_is_updated_in_place_from_a_thread_and_saved_without_its_widget(lab: Lab) -> None:
    code = """\
import threading, ipywidgets as w
from IPython.display import HTML
bar = w.IntProgress(value=10)
handle = display(bar, display_id=True)
enough = threading.Event()
def work():
    enough.wait(60)
    handle.update(HTML(f'<img src="data:image/png;base64,{code}" alt="a cup">'))
    bar.close()
threading.Thread(target=work, daemon=True).start()"""
    notebook = lab.open([PNG, code, "print('meanwhile')"])
    notebook.run_all(wait=True)
    cell = notebook.cell(1)
    assert cell.bars() == [10]
    assert notebook.cell(2).text() == "meanwhile"
    notebook.execute("enough.set()")
    cell.wait(lambda cell: cell.images() == [(60, 40, "a cup")])
    assert cell.bars() == []
    saved = notebook.save()
    assert "widget" not in json.dumps(saved.cells[1].outputs)

    reader = lab.reopen(notebook, with_kernel=False)
    assert reader.cell(1).images() == [(60, 40, "a cup")]
    assert not reader.cell(1).dead
    assert reader.cell(2).text() == "meanwhile"
    with pytest.raises(AssertionError, match="no kernel"):
        _ = reader.kernel_id


def test_a_saved_widget_is_dead_without_its_kernel(lab: Lab) -> None:
    notebook = lab.open([WIDGETS])
    notebook.run_all(wait=True)
    assert not notebook.cell(0).dead
    notebook.save()
    again = lab.reopen(notebook, with_kernel=True)
    assert again.cell(0).slider("warmth").value == "3", "the kernel lives on, and the widget with it"
    without = lab.reopen(again, with_kernel=False)
    assert without.cell(0).dead
    other = lab.reopen(without, with_kernel=True)
    assert other.cell(0).dead
    assert "model not found" in other.problems.pop()


def test_a_reload_keeps_the_kernel_and_what_was_saved(lab: Lab) -> None:
    notebook = lab.open(["x = 41", "x += 1; print(x)"])
    notebook.run_all(wait=True)
    kernel = notebook.kernel_id
    notebook.save()
    assert not notebook.dirty
    notebook.reload()
    assert notebook.kernel_id == kernel
    assert notebook.cell(1).text() == "42"
    notebook.run(1, wait=True)
    assert notebook.cell(1).text() == "43"
    assert notebook.dirty
    notebook.restart()
    notebook.run(1, wait=True)
    assert [error.ename for error in notebook.cell(1).errors()] == ["NameError"]


def test_a_display_update_is_lost_while_the_tab_is_closed(lab: Lab) -> None:
    notebook = lab.open(["handle = display('before', display_id=True)"])
    notebook.run_all(wait=True)
    notebook.save()
    notebook.close_tab()
    notebook.execute("handle.update('after')")
    assert lab.reopen(notebook).cell(0).text() == "'before'"


def test_each_kernel_has_the_tests_environment_and_the_folder_of_its_notebook(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIXAPI_KEY", KEY)
    notebook = lab.open(["import os; print(os.environ['EXTRA'])"], env={"EXTRA": "yes"}, files={"input.txt": "beside"})
    notebook.run_all(wait=True)
    assert notebook.cell(0).text() == "yes"
    assert notebook.value("[os.environ['PIXAPI_KEY'], os.environ['PIXAPI_HOME']]") == [KEY, str(tmp_path / "pixapi-home")]
    assert notebook.value("open('input.txt').read()") == "beside"
    other = lab.open(["import os; print(os.environ.get('EXTRA'))"])
    other.run_all(wait=True)
    assert other.cell(0).text() == "None"
    assert other.kernel_id != notebook.kernel_id


def test_themes_trust_and_video(lab: Lab) -> None:
    styled = nbformat.v4.new_output("display_data", {"text/html": "<style>.mark {color: red}</style><p class=mark>seen</p>"})
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[styled])])

    def styles(notebook: Notebook) -> int:
        return int(notebook.cell(0).output.locator("style").count())

    dark = lab.open(document, theme=DARK, kernel=False, width=900)
    assert dark.page.locator("body[data-jp-theme-light=false]").count() == 1
    assert dark.cell(0).text() == "seen"
    assert styles(dark) == 0, "nobody signed this output: JupyterLab drops its <style>"
    light = lab.open(["from IPython.display import HTML; HTML('<style>.mark {color: red}</style><video></video>seen')"])
    light.run_all(wait=True)
    assert styles(light) == 1
    assert light.cell(0).videos() == [(0, 0, 0)]


def test_notebook_7_is_the_same_to_a_test(lab: Lab) -> None:
    notebook = lab.open([WIDGETS, "print(warmth.value)"], app="notebook", theme=DARK)
    notebook.run(0, wait=True)
    notebook.cell(0).slider("warmth").drag(0.7)
    notebook.cell(0).wait(lambda cell: "7 0.0 glass" in cell.text())
    notebook.run(1, wait=True)
    assert notebook.cell(1).text() == "7"
    assert notebook.page.locator("body[data-jp-theme-light=false]").count() == 1
    notebook.save()
    notebook.reload()
    assert notebook.cell(0).slider("warmth").value == "7"
    reader = lab.reopen(notebook, with_kernel=False)
    assert reader.cell(0).dead
    assert reader.cell(1).text() == "7"


def test_a_condition_that_does_not_come_true_says_what_is_there(lab: Lab) -> None:
    notebook = lab.open(["print('something else')"])
    notebook.run_all(wait=True)
    with pytest.raises(Late, match="something else"):
        notebook.cell(0).wait(lambda cell: cell.images(), 0.1, "a picture")


def test_errors_of_the_page_are_noticed(lab: Lab) -> None:
    notebook = lab.open(["from IPython.display import Javascript; Javascript('console.error(\"oh\"); alert(1)')"])
    notebook.run_all(wait=True)
    notebook.wait(lambda notebook: len(notebook.problems) == 2)
    assert notebook.problems[0].startswith("console: oh")
    assert notebook.problems[1] == "dialog: 1"
    notebook.problems.clear()


def test_asyncio_can_be_used_after_the_browser(lab: Lab) -> None:
    lab.open(["1"])
    lab.close_notebooks()
    lab.park()
    assert asyncio.run(asyncio.sleep(0, "fine")) == "fine"
