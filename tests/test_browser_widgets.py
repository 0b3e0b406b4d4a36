"""The panels in a real JupyterLab: used, reloaded, saved, and opened again without a kernel."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import pytest
from nbconvert import HTMLExporter
from PIL import Image
from playwright.sync_api import expect

from tests.harness.lab import DARK, LIGHT, Lab
from tests.harness.notebook import Cell, Notebook
from tests.harness.pixapi import PixapiServer

pytestmark = pytest.mark.browser

LOAD = "%load_ext pixapi_nb"
PANEL = """\
%%pixapi gemini-3-pro-image-preview -s 480x320 --interact
A {{style: noir | studio}} photo of a {{material: porcelain | steel | glass | clay | wood}} cup, warmth {{warmth: 0..10}}"""
HOSTILE = (
    """</script><img src=x onerror="document.title='ran'"><script>document.title='ran'</script> "quoted" """
    "\u202egnp.exe\u2069 \u200f"
)
PICTURES = """\
from PIL import Image
from pixapi_nb.widgets import compare, gallery
red, blue = Image.new("RGB", (320, 200), "crimson"), Image.new("RGB", (320, 200), "royalblue")"""


def opened(lab: Lab, *cells: str, **look: object) -> Notebook:
    notebook = lab.open([LOAD, *cells], height=1800, **look)  # type: ignore[arg-type]
    notebook.run_all(wait=True)
    return notebook


def panel(lab: Lab, code: str = PANEL, **look: object) -> tuple[Notebook, Cell]:
    notebook = opened(lab, code, **look)
    cell = notebook.cell(1)
    cell.wait(lambda cell: "Generate" in cell.buttons(), what="the panel")
    return notebook, cell


def pictures(cell: Cell) -> int:
    return len([image for image in cell.images() if image.width])


def test_twice_generate_is_two_bars_then_two_pictures_and_choosing_the_first_goes_back(
    lab: Lab, pixapi_server: PixapiServer
) -> None:
    pixapi_server.settings(seconds=15)  # the first is to be under way still when the second begins, on a busy machine too
    notebook, cell = panel(lab)
    notebook.set_slider(1, "warmth", 3)
    cell.wait(lambda cell: "cup, warmth 3" in cell.text(), what="the prompt")
    cell.click("Generate")
    notebook.set_slider(1, "warmth", 8)
    cell.click("studio")
    cell.wait(lambda cell: "A studio photo of a porcelain cup, warmth 8" in cell.text(), what="the prompt")
    cell.click("Generate")
    cell.wait(lambda cell: len(cell.bars()) == 2, what="two bars")
    cell.wait(lambda cell: pictures(cell) == 2 and not cell.bars(), what="two pictures")
    cell.output.get_by_role("button", name="Use these settings").last.click()
    cell.wait(lambda cell: "A noir photo of a porcelain cup, warmth 3" in cell.text(), what="the first one's settings")
    assert cell.slider("warmth").value == "3"


def test_reloaded_with_its_kernel_it_is_there_and_works(lab: Lab, pixapi_server: PixapiServer) -> None:
    notebook, cell = panel(lab)
    cell.click("Generate")
    cell.wait(lambda cell: pictures(cell) == 1)
    notebook.save()
    notebook.reload()
    cell = notebook.cell(1)
    cell.wait(lambda cell: "Generate" in cell.buttons(), what="the panel after the reload")
    assert pictures(cell) == 1, "what stays is hidden while the panel is alive"
    notebook.set_slider(1, "warmth", 9)
    cell.wait(lambda cell: "warmth 9" in cell.text())
    cell.click("Generate")
    cell.wait(lambda cell: pictures(cell) == 2, what="the second picture")
    notebook.wait(lambda notebook: str(notebook.cell(1).outputs()[-1]).count("<img") == 2, what="both in the notebook")
    notebook.save()
    again = lab.reopen(notebook)
    again.cell(1).wait(lambda cell: "Generate" in cell.buttons(), what="the panel in another tab")
    assert pictures(again.cell(1)) == 2


def test_saved_and_opened_without_a_kernel_pictures_and_settings_are_static(lab: Lab, pixapi_server: PixapiServer) -> None:
    notebook, cell = panel(lab)
    notebook.set_slider(1, "warmth", 7)
    cell.click("Generate")
    cell.wait(lambda cell: pictures(cell) == 1)
    notebook.wait(lambda notebook: "<img" in str(notebook.cell(1).outputs()[-1]), what="the picture in the notebook")
    saved = notebook.save()
    assert "widget-view" not in str(saved)
    page, _ = HTMLExporter().from_notebook_node(saved)
    assert "warmth: 7" in page
    assert 'alt="A noir photo of a porcelain cup, warmth 7"' in page
    reader = lab.reopen(notebook, with_kernel=False)
    cell = reader.cell(1)
    assert not cell.dead
    assert pictures(cell) == 1
    assert "A noir photo of a porcelain cup, warmth 7" in cell.text()
    assert "warmth: 7" in cell.text()
    assert cell.buttons() == []


def test_a_restarted_kernel_leaves_what_was_made(lab: Lab, pixapi_server: PixapiServer) -> None:
    notebook, cell = panel(lab)
    cell.click("Generate")
    cell.wait(lambda cell: pictures(cell) == 1)
    notebook.wait(lambda notebook: "<img" in str(notebook.cell(1).outputs()[-1]), what="the picture in the notebook")
    notebook.restart()
    cell.wait(lambda cell: not cell.buttons() and pictures(cell) == 1, what="the static output")
    assert not cell.dead


def test_a_cell_run_again_leaves_no_widgets_behind(lab: Lab, pixapi_server: PixapiServer) -> None:
    notebook, cell = panel(lab)
    first = notebook.model_count()
    for _ in range(3):
        notebook.run(1, wait=True)
        cell.wait(lambda cell: cell.buttons().count("Generate") == 1)
    notebook.wait(lambda notebook: notebook.model_count() <= first + 4, what="the models of earlier runs to go")


def test_it_survives_the_windowing_of_a_long_notebook(lab: Lab, pixapi_server: PixapiServer) -> None:
    notebook = lab.open([LOAD, PANEL, *(["print('x\\n' * 60)"] * 12)], height=900)
    page = notebook.page
    page.evaluate("""() => { const notebook = harness.panel().content;
        notebook.notebookConfig = {...notebook.notebookConfig, windowingMode: "full"}; }""")
    notebook.run_all(wait=True)
    page.evaluate("harness.panel().content.scrollToItem(13)")
    rendered = "document.querySelector('.pixapi-panel')?.getClientRects().length ?? 0"
    notebook.wait(lambda _: page.evaluate(rendered) == 0, 10, "the panel's cell to be taken away")
    page.evaluate("harness.panel().content.scrollToItem(1)")
    cell = notebook.cell(1)
    cell.wait(lambda cell: cell.buttons().count("Generate") == 1, what="the panel, once")
    notebook.set_slider(1, "warmth", 9)
    cell.wait(lambda cell: "cup, warmth 9" in cell.text(), what="the prompt")


def test_the_panel_in_notebook_7(lab: Lab, pixapi_server: PixapiServer) -> None:
    notebook, cell = panel(lab, app="notebook")
    notebook.set_slider(1, "warmth", 9)
    cell.click("Generate")
    cell.wait(lambda cell: pictures(cell) == 1 and "cup, warmth 9" in cell.text())


def test_the_studio_in_a_browser(lab: Lab, pixapi_server: PixapiServer) -> None:
    notebook = opened(lab, "%pixapi studio")
    cell = notebook.cell(1)
    cell.wait(lambda cell: "Generate" in cell.buttons())
    send = cell.output.locator(".pixapi-act button")
    cell.textbox("prompt").set("a lighthouse <b>at dusk</b>")
    cell.wait(lambda cell: "8 credits" in cell.text(), what="the price")
    send.click()
    cell.wait(lambda cell: pictures(cell) == 1, what="the picture")
    cell.click("Edit")
    cell.textbox("prompt").set("at dawn")
    cell.wait(lambda _: send.inner_text() == "Edit" and pictures(cell) == 2, what="the picture that goes in")
    send.click()
    cell.wait(lambda cell: pictures(cell) == 4 and "task: edit" in cell.text(), what="the edit, over what went in")
    expect(cell.output.locator(".pixapi-newest").get_by_role("slider")).to_be_visible()
    cell.click("Earlier pictures")
    cell.wait(lambda cell: pictures(cell) >= 6, what="what the ledger has")
    cell.output.locator(".pixapi-gallery-item").last.click()
    cell.click("Use this picture")
    cell.wait(lambda cell: cell.dropdown("picture").value.startswith("a lighthouse <b>at dusk</b> · "), what="the first one")
    expect(cell.output.locator("dialog")).to_be_hidden()
    notebook.wait(lambda notebook: str(notebook.cell(1).outputs()[-1]).count("<img") == 2, what="both in the notebook")
    notebook.save()
    reader = lab.reopen(notebook, with_kernel=False)
    assert pictures(reader.cell(1)) == 2
    assert not reader.cell(1).dead


DROPPED = """async (zone, [name, encoded]) => {
  const data = new DataTransfer();
  if (name) data.items.add(new File([await (await fetch(encoded)).blob()], name));
  for (const kind of ["dragenter", "dragover", "drop"])
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def test_a_picture_is_dropped_or_chosen_however_large(lab: Lab, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    notebook = opened(lab, "%pixapi studio")
    cell = notebook.cell(1)
    cell.wait(lambda cell: "Generate" in cell.buttons())
    cell.click("Edit")
    cell.wait(lambda cell: "Drop a picture here" in cell.text(), what="the place for it")
    zone = cell.output.locator(".pixapi-drop")
    small, large = io.BytesIO(), tmp_path / "large.png"
    Image.new("RGB", (90, 60), "crimson").save(small, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(small.getvalue()).decode()}"
    zone.evaluate(DROPPED, ["<b>small</b>.png", url])
    cell.wait(lambda cell: pictures(cell) == 1 and "<b>small</b>.png" in cell.dropdown("picture").value, what="the picture")
    zone.evaluate(DROPPED, ["notes.txt", "data:text/plain,hello"])
    cell.wait(lambda cell: "notes.txt is not a picture" in cell.text(), what="why not")
    zone.evaluate(DROPPED, ["", ""])
    cell.wait(lambda cell: "no file" in cell.text(), what="why not")
    Image.frombytes("RGB", (2200, 2000), os.urandom(2200 * 2000 * 3)).save(large)
    assert large.stat().st_size > 12_000_000, "more than a Jupyter server takes in one message"
    zone.locator("input").set_input_files(large)
    cell.wait(lambda cell: cell.dropdown("picture").value == "large.png" and "no file" not in cell.text(), what="the large one")
    expect(cell.output.locator("img[alt='large.png']")).to_be_visible()  # when it comes, what is beneath it moves
    cell.textbox("prompt").set("at dawn")
    cell.output.locator(".pixapi-act button").click()
    cell.wait(lambda cell: pictures(cell) == 3, what="the edit, over what went in")
    assert pixapi_server.requests("POST", "/edits")[0]["fields"]["image"] == "1 file(s)"


def test_two_tabs_show_one_panel(lab: Lab, pixapi_server: PixapiServer) -> None:
    notebook, cell = panel(lab)
    notebook.save()
    other = notebook.page.context.new_page()
    other.goto(notebook.page.url)
    second = other.locator(".pixapi-panel")
    expect(second).to_be_visible(timeout=60_000)
    second.get_by_role("button", name="Generate").click()
    cell.wait(lambda cell: pictures(cell) == 1, what="the picture in the first tab")
    expect(second.locator(".pixapi-newest img")).to_be_visible()
    notebook.set_slider(1, "warmth", 9)
    expect(second.get_by_role("region")).to_contain_text("cup, warmth 9")
    other.close()
    cell.click("Generate")
    cell.wait(lambda cell: pictures(cell) == 2, what="the second picture")
    assert len(pixapi_server.tasks()) == 2


def test_a_hostile_prompt_is_text_and_runs_nothing(lab: Lab, pixapi_server: PixapiServer) -> None:
    long = HOSTILE + "long " * 4000
    code = (
        f"from pixapi_nb.widgets import PromptSliders\nPromptSliders({long + '{{word}}'!r}, size='480x320', word={HOSTILE!r})"
    )
    notebook, cell = panel(lab, code)
    cell.click("Generate")
    cell.wait(lambda cell: pictures(cell) == 1, what="the picture")
    notebook.wait(lambda notebook: "<img" in str(notebook.cell(1).outputs()[-1]), what="the picture in the notebook")
    assert "<script>document.title='ran'</script>" in cell.text()
    notebook.save()
    assert "ran" not in notebook.page.title()
    reader = lab.reopen(notebook, with_kernel=False)
    assert "<script>document.title='ran'</script>" in reader.cell(1).text()
    assert "ran" not in reader.page.title()


def test_compare_is_moved_by_pointer_and_keyboard_and_leaves_two_pictures(lab: Lab) -> None:
    hostile = f"{PICTURES}\ncompare(red, blue, labels=('<img src=x onerror=alert(1)>', 'after'))"
    notebook = opened(lab, hostile)
    cell = notebook.cell(1)
    frame = cell.output.locator(".pixapi-compare-frame")
    expect(frame).to_be_visible()
    handle = frame.get_by_role("slider")
    assert handle.get_attribute("aria-valuetext") == "50 % <img src=x onerror=alert(1)>"
    frame.click(position={"x": 10, "y": 20})
    assert float(handle.input_value()) < 10
    handle.press("End")
    assert handle.input_value() == "100"
    handle.press("ArrowLeft")
    assert handle.input_value() == "99"
    assert "<img src=x onerror=alert(1)>" in cell.text()
    notebook.save()
    reader = lab.reopen(notebook, with_kernel=False)
    assert pictures(reader.cell(1)) == 2
    assert not reader.cell(1).dead


def test_keys_for_a_control_are_not_the_notebooks(lab: Lab, pixapi_server: PixapiServer) -> None:
    notebook, cell = panel(lab)
    cell.dropdown("material").select.focus()
    notebook.page.keyboard.press("ArrowDown")
    cell.wait(lambda cell: "photo of a steel cup" in cell.text(), what="the next choice")
    cell.slider("warmth").handle.focus()
    notebook.page.keyboard.press("x")
    notebook.page.keyboard.press("Tab")
    assert len(notebook.cells) == 2
    cell.output.get_by_role("button", name="Generate").focus()
    notebook.page.keyboard.press("Enter")
    cell.wait(lambda cell: pictures(cell) == 1, what="the picture")


def test_a_gallery_is_used_with_the_keyboard(lab: Lab) -> None:
    notebook = opened(lab, f"{PICTURES}\ngallery([red, blue, red], captions=['one', '<b>two</b>', 'three'])")
    cell, page = notebook.cell(1), notebook.page
    grid = cell.output.locator(".pixapi-gallery-grid")
    expect(grid).to_be_visible()
    grid.get_by_role("button").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    box = cell.output.locator("dialog")
    expect(box).to_be_visible()
    assert "<b>two</b>" in box.inner_text()
    page.keyboard.press("ArrowRight")
    assert "3 of 3" in box.inner_text()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    expect(grid.get_by_role("button").nth(2)).to_be_focused()
    assert cell.execution_count == 2, "Enter did not reach the notebook"
    notebook.save()
    reader = lab.reopen(notebook, with_kernel=False)
    assert pictures(reader.cell(1)) == 3


@pytest.mark.parametrize(("theme", "width"), [(LIGHT, 1280), (DARK, 1280), (LIGHT, 400)])
def test_it_fits_and_every_control_has_a_label(
    lab: Lab, pixapi_server: PixapiServer, theme: str, width: int, tmp_path: Path
) -> None:
    notebook, cell = panel(lab, theme=theme, width=width)
    if width < 700:
        notebook.command("application:toggle-left-area")
    cell.click("Generate")
    cell.wait(lambda cell: pictures(cell) == 1)
    shown = cell.output.locator(".pixapi-panel")
    notebook.screenshot(tmp_path / f"panel-{theme.split()[-1].lower()}-{width}.png")
    wide = shown.evaluate(
        """panel => [...panel.querySelectorAll("*")]
            .filter(one => one.offsetParent && one.getBoundingClientRect().right > panel.getBoundingClientRect().right + 3)
            .map(one => one.className)"""
    )
    assert wide == [], "nothing is cut off at the right"
    unnamed = shown.locator("input, select, button").evaluate_all(
        "all => all.filter(one => one.offsetParent && !one.labels?.length && !one.innerText.trim() && !one.ariaLabel).length"
    )
    assert unnamed == 0
    for role, name in (("slider", "warmth"), ("textbox", "warmth"), ("group", "style")):
        expect(shown.get_by_role(role, name=name, exact=True)).to_have_count(1)  # type: ignore[arg-type]


LONG = "extremely calm and quiet like a lake at dawn"
LONG_PANEL = f"""\
%%pixapi nano-banana -s 480x320 --interact
{{{{mood: {LONG} .. wild = {LONG}}}}} {{{{{"a_very_long_name_" * 3}: 0..10}}}}"""


@pytest.mark.parametrize("width", [1280, 400])
def test_long_words_and_long_names_leave_the_slider_its_room(lab: Lab, pixapi_server: PixapiServer, width: int) -> None:
    notebook, cell = panel(lab, LONG_PANEL, width=width)
    if width < 700:
        notebook.command("application:toggle-left-area")
    tracks = cell.output.locator(".pixapi-knobs .slider-container").evaluate_all("all => all.map(one => one.offsetWidth)")
    assert min(tracks) >= 60
    readout = cell.output.locator(".widget-readout").filter(has_text=LONG)
    handle = cell.output.get_by_role("slider", name="mood")
    expect(handle).to_have_attribute("aria-valuetext", LONG)
    handle.press("ArrowRight")
    expect(handle).to_have_attribute("aria-valuetext", "wild")
    handle.press("ArrowLeft")
    assert readout.evaluate("one => one.scrollWidth <= one.clientWidth && one.scrollHeight <= one.clientHeight")
    assert readout.evaluate(
        "one => one.getBoundingClientRect().right <= one.closest('.pixapi-knobs').getBoundingClientRect().right"
    )


def test_an_error_in_a_card_is_set_as_text_and_a_gallery_begins_its_rows_at_one_height(
    lab: Lab, pixapi_server: PixapiServer
) -> None:
    _, cell = panel(lab)
    pixapi_server.faults({"kind": "status", "status": 402, "match": {"method": "POST"}})
    cell.click("Generate")
    cell.wait(lambda cell: "The balance is too low" in cell.text(), what="the error")
    note = cell.output.locator(".pixapi-card").get_by_text("The balance is too low")
    height, size = note.evaluate("one => [getComputedStyle(one).lineHeight, getComputedStyle(one).fontSize].map(parseFloat)")
    assert height == pytest.approx(1.5 * size)
    other = opened(lab, f"{PICTURES}\ngallery([red, Image.new('RGB', (200, 320)), blue])")
    tops = other.cell(1).output.locator(".pixapi-gallery-item")
    expect(tops).to_have_count(3)
    assert len(set(tops.evaluate_all("all => all.map(one => one.querySelector('img').getBoundingClientRect().top)"))) == 1
