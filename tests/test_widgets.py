"""The panels as Python has them: controls, prompt, price, generations. Their widgets are real; no front end looks on."""

from __future__ import annotations

import base64
import html
import io
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ipywidgets as w
import pytest
from ipywidgets.widgets.widget import _instances
from PIL import Image
from traitlets import TraitError

from pixapi_nb.asking import Ask
from pixapi_nb.controls import Choices, Range, Scale
from pixapi_nb.errors import PromptError, UsageError
from pixapi_nb.jobs import Job
from pixapi_nb.models import VideoRequest
from pixapi_nb.prompt import Template
from pixapi_nb.session import Options, Session
from pixapi_nb.sweep_cells import Cell
from pixapi_nb.sweep_plan import Place
from pixapi_nb.widgets import PromptSliders, compare, gallery, live
from pixapi_nb.widgets.controls import abbreviated, control
from pixapi_nb.widgets.home import Home
from pixapi_nb.widgets.panel import Panel
from pixapi_nb.widgets.pictures import Compare
from pixapi_nb.widgets.strip import MOST
from pixapi_nb.widgets.studio import Studio
from tests.harness.kernels import Kernel, nbclient_run
from tests.harness.pixapi import PixapiServer
from tests.harness.waiting import until

CUP = "A {{style: noir | studio}} photo of a {{material}} cup, warmth {{warmth: 0..10}}"
HOSTILE = (
    """<img src=x onerror="window.ran=1"></script><script>window.ran=1</script>'"&lt;"""
    """ \u202egnp.exe\u2069 \u200f{{word: "> | b}} """
)


@pytest.fixture
def session(tmp_path: Path, pixapi_server: PixapiServer) -> Iterator[Session]:
    pixapi_server.settings(seconds=0)
    made = Session(folder=tmp_path / "out")
    yield made
    made.close()


@pytest.fixture
def home(session: Session) -> Home:
    return Home(session, Options)


@pytest.fixture(autouse=True)
def _no_widget_stays() -> Iterator[None]:
    _instances.clear()
    yield
    _instances.clear()


def sliders(home: Home, prompt: str = CUP, **given: Any) -> PromptSliders:
    return PromptSliders(prompt, home=home, size=given.pop("size", "96x64"), **given)


def said(panel: Panel) -> str:
    """All HTML in the panel, its entities resolved."""
    return html.unescape(markup(panel))


def markup(panel: Panel) -> str:
    """All HTML in the panel."""

    def walk(one: w.Widget) -> Iterator[str]:
        if isinstance(one, w.HTML):
            yield str(one.value)
        for child in getattr(one, "children", ()):
            yield from walk(child)

    return "\n".join(walk(panel))


def buttons(panel: w.Widget, text: str) -> list[w.Button]:
    found = [panel] if isinstance(panel, w.Button) and panel.description == text else []
    return found + [one for child in getattr(panel, "children", ()) for one in buttons(child, text)]


def wait_results(panel: Panel, count: int, timeout: float = 20) -> tuple[Job, ...]:
    until(lambda: len(panel.results) == count, timeout, lambda: f"{count} results; {said(panel)[-2000:]}")
    return tuple(panel.results)


# -- controls


@pytest.mark.parametrize(
    ("declared", "kind", "value"),
    [
        (Choices.of("style", ["noir", "studio"]), w.ToggleButtons, "noir"),
        (Choices.of("style", [f"style {i}" for i in range(9)]), w.Dropdown, "style 0"),
        (Choices.of("style", ["a" * 30, "b" * 30]), w.Dropdown, "a" * 30),
        (Scale.of("mood", ["calm", "lively", "wild"]), w.SelectionSlider, "lively"),
        (Range.of("warmth", 0, 10), w.IntSlider, 5),
        (Range.of("grain", 0, 1, 0.1), w.FloatSlider, 0.5),
        (Template.parse("{{name}}").controls["name"], w.Text, ""),
    ],
)
def test_each_declaration_has_its_control(declared: Any, kind: type[w.Widget], value: object) -> None:
    made = control(declared, getattr(declared, "default", None))
    assert type(made) is kind
    assert made.description == declared.name
    assert made.value == value


def test_a_slider_ends_at_the_last_stop_and_shows_as_many_decimals_as_it_has() -> None:
    made = control(Range.of("n", 0, 10, 3), 0)
    assert made.max == 9
    assert control(Range.of("g", 0, 1, 0.25), 0.5).readout_format == ".2f"


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ((0, 20), Range.of("x", 0, 20)),
        ((0, 1, 0.1), Range.of("x", 0, 1, 0.1)),
        (["noir", "studio"], Choices.of("x", ["noir", "studio"])),
        (("noir", "studio", "pastel"), Choices.of("x", ["noir", "studio", "pastel"])),
        ([1, 2, 4], Choices.of("x", ["1", "2", "4"])),
        ({"dark": "noir", "light": "studio"}, Choices.of("x", ["noir", "studio"])),
        ([("dark", "noir"), ("light", 2)], Choices.of("x", ["noir", "2"])),
        (5, Range.of("x", -5, 15, default=5)),
        (-2, Range.of("x", -6, 2, default=-2)),
        (0, Range.of("x", 0, 1, default=0)),
        (0.5, Range.of("x", -0.5, 1.5, default=0.5)),
        (Scale.of("mood", ["calm", "wild"]), Scale.of("x", ["calm", "wild"])),
    ],
)
def test_interacts_abbreviations(given: object, meant: object) -> None:
    template, start = abbreviated(Template.parse("a {{x}}"), {"x": given})
    assert template.controls["x"] == meant
    assert start == {}


def test_a_plain_value_is_where_the_control_begins_and_a_widget_is_itself() -> None:
    assert abbreviated(Template.parse(CUP), {"warmth": 7, "material": "jade"})[1] == {"warmth": 7, "material": "jade"}
    own = w.Dropdown(options=["jade", "clay"])
    assert abbreviated(Template.parse(CUP), {"material": own})[1] == {"material": own}


@pytest.mark.parametrize("given", [{"dark": 1, "light": 2}, [("dark", 1), ("light", 2)]])
def test_choices_with_labels_show_the_labels_and_put_what_they_stand_for_into_the_prompt(home: Home, given: Any) -> None:
    panel = sliders(home, "a {{x}}", x=given)
    assert panel._controls["x"]._options_labels == ("dark", "light")
    panel._controls["x"].label = "light"
    assert (panel.prompt, panel.values) == ("a 2", {"x": "2"})
    panel.values = {"x": 1}
    assert panel._controls["x"].label == "dark"


def test_a_fixed_value_shows_no_control(home: Home) -> None:
    panel = sliders(home, material=w.fixed("jade"))
    assert panel.prompt == "A noir photo of a jade cup, warmth 5"
    assert not [one for one in _instances.values() if getattr(one, "description", "") == "material"]
    with pytest.raises(UsageError, match=r"^style takes one of"):
        sliders(home, style=w.fixed("pastel"))


def test_a_widget_of_the_callers_gets_the_name_as_its_label_where_it_has_none(home: Home) -> None:
    bare, named = w.Dropdown(options=["jade"]), w.Dropdown(options=["noir"], description="look")
    sliders(home, material=bare, style=named)
    assert (bare.description, named.description) == ("material", "look")


def test_a_name_that_is_cut_is_read_in_the_tooltip() -> None:
    assert control(Range.of("x" * 60, 0, 1), 0).tooltip == "x" * 60


def test_a_declared_default_survives_another_range() -> None:
    template, _ = abbreviated(Template.parse("{{x: 0..10 = 7}}"), {"x": (0, 20)})
    assert template.controls["x"] == Range.of("x", 0, 20, default=7)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"colour": 1}, "no {{colour}}"),
        ({"warmth": 70}, "^warmth takes a whole number"),  # the name once
        ({"style": ["noir"]}, "^style: one value alone"),
        ({"material": True}, "^material: .* not True.\nWords to choose from are a list"),
        ({"material": 123_456}, "^material: a slider about 123456 has too many stops.* a box: '123456'"),
        ({"n": 0}, "n is 0"),
        ({"duration": 6}, "duration is for videos, and gemini-3-pro-image-preview makes images"),
        ({"model": "veo", "n": 3}, "n is for images, and veo makes videos"),
        ({"model": "veo", "quality": "high"}, "quality is for images"),
    ],
)
def test_what_does_not_fit_is_refused(home: Home, given: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        sliders(home, **given)


# -- prompt and values


def test_prompt_and_values_are_observable_and_values_move_the_controls(home: Home) -> None:
    panel = sliders(home, material="jade")
    seen: list[str] = []
    panel.observe(lambda change: seen.append(change.new), "prompt")
    panel.values = {"warmth": 7, "style": "studio"}
    assert panel.prompt == "A studio photo of a jade cup, warmth 7" == seen[-1]
    assert panel.values == {"style": "studio", "material": "jade", "warmth": 7}
    with pytest.raises(PromptError, match="0 to 10"):
        panel.values = {"warmth": 70}
    with pytest.raises(UsageError, match=r"no \{\{colour"):
        panel.values = {"colour": "red"}
    assert panel.values["warmth"] == 7


def test_an_observer_that_fails_finds_prompt_and_values_as_they_are(home: Home) -> None:
    panel = sliders(home, material="jade")
    seen: list[Any] = []

    def fail(change: Any) -> None:
        seen.append(dict(panel.values))
        raise RuntimeError("no more")

    panel.observe(fail, "prompt")
    panel._controls["warmth"].value = 7
    assert seen[-1]["warmth"] == panel.values["warmth"] == 7
    assert panel.prompt.endswith("warmth 7")
    assert "no more" in said(panel)


def test_the_price_follows_the_settings(home: Home) -> None:
    panel = sliders(home, material="jade")
    assert "8 credits ($0.08)" in said(panel)
    panel._settings.n.value = 3
    assert "24 credits ($0.24)" in said(panel)
    panel._settings.model.value = "nano-banana"
    assert "6 credits ($0.06)" in said(panel)
    panel._settings.size.value = "huge"
    assert "'huge' is no size" in said(panel)


def test_a_video_has_a_duration_and_neither_n_nor_quality(home: Home) -> None:
    panel = sliders(home, model="veo", material="jade", duration=6, size="1280x720")
    request = panel.request()
    assert isinstance(request, VideoRequest)
    assert (request.duration, request.size) == (6, "1280x720")
    shown = {one.description for one in panel._settings.rows.children if one.layout.display != "none"}
    assert shown == {"model", "size", "duration"}
    panel._settings.duration.value = "long"
    assert "not a number of seconds" in said(panel)


def ask(line: str, cell: str = "a {{style: noir | studio}} {{thing}}", **defaults: Any) -> Ask:
    return Ask.read(line, cell, defaults={"n": 1, "size": None, "quality": None, **defaults}, variables={}, folder=Path())


def test_a_cell_gets_the_settings_that_it_asked_for(home: Home) -> None:
    panel = PromptSliders.from_ask(ask("nano-banana -n 40"), home, {"thing": 5})
    assert isinstance(panel._controls["thing"], w.Text), "a variable that is a number asks for no slider"
    request = panel.request()
    assert (request.n, request.prompt) == (40, "a noir 5")
    assert sliders(home, material="jade", n=20).request().n == 20
    assert PromptSliders.from_ask(ask("veo", size="1024x1024"), home, {"thing": "cup"}).request().size is None


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nano-banana -d 6", "-d is for videos, and nano-banana makes images"),
        ("veo -n 3", "-n is for images, and veo makes videos"),
        ("veo -q high", "-q is for images"),
    ],
)
def test_a_cell_is_refused_what_a_plain_run_of_it_is(home: Home, line: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        PromptSliders.from_ask(ask(line), home, {})


def test_prompt_and_results_are_the_panels_own(home: Home) -> None:
    panel = sliders(home, material="jade")
    for name, value in (("prompt", "mine"), ("results", ())):
        with pytest.raises(TraitError, match="read-only"):
            setattr(panel, name, value)
    with pytest.raises(UsageError, match="one of the panel's results"):
        panel.selected = "the first"
    assert panel.selected is None


def test_it_is_at_home_inside_other_layouts(home: Home) -> None:
    one, other = sliders(home, material="jade"), sliders(home, material="clay")
    tab = w.Tab([w.HBox([one]), other])
    assert tab.children[0].children[0].prompt != tab.children[1].prompt


# -- generating


def test_generate_comes_back_at_once_and_results_come_newest_first(home: Home, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=1)
    panel = sliders(home, material="jade")
    seen: list[int] = []
    panel.observe(lambda change: seen.append(len(change.new)), "results")
    began = time.monotonic()
    panel.generate()
    panel.values = {"warmth": 9}
    panel.generate()
    assert time.monotonic() - began < 0.8
    first, second = wait_results(panel, 2)
    assert (first.request.prompt[-1], second.request.prompt[-1]) == ("9", "5")
    assert seen == [1, 2]
    assert len(pixapi_server.charges()) == 2
    assert said(panel).count("<img") == 2


def test_choosing_a_result_puts_its_settings_back(home: Home) -> None:
    panel = sliders(home, material="jade")
    panel.generate()
    wait_results(panel, 1)
    panel.values = {"warmth": 9, "style": "studio"}
    panel._settings.size.value = "128x96"
    panel._settings.n.value = 2
    panel.generate()
    _, first = wait_results(panel, 2)
    until(lambda: len(buttons(panel, "Use these settings")) == 2, 10, "two cards")
    buttons(panel, "Use these settings")[1].click()
    assert panel.selected is first
    assert panel.values == {"style": "noir", "material": "jade", "warmth": 5}
    assert (panel.request().size, panel.request().n) == ("96x64", 1)
    panel.selected = panel.results[0]
    assert (panel.values["warmth"], panel.request().n) == (9, 2)


def test_choosing_a_result_puts_a_callers_own_control_back_as_it_was(home: Home) -> None:
    own = w.Dropdown(options=[1, 2, 3])
    panel = sliders(home, "x {{a}} {{b}}", a=own, b="old")
    own.value = 2
    panel.generate()
    (job,) = wait_results(panel, 1)
    panel.values = {"a": 3}
    assert (own.value, panel.prompt) == (3, "x 3 old")
    until(lambda: buttons(panel, "Use these settings"), 10, "the card")
    buttons(panel, "Use these settings")[0].click()
    assert (panel.selected, own.value, panel.prompt) == (job, 2, "x 2 old")
    with pytest.raises(UsageError, match="control a does not take 9"):
        panel.values = {"b": "new", "a": 9}
    assert panel.values == {"a": 2, "b": "old"}
    own.options = [1, 3]
    buttons(panel, "Use these settings")[0].click()
    assert "control a does not take 2" in said(panel)
    assert panel.selected is None
    assert "pixapi-chosen" not in panel._strip.newest.children[0]._dom_classes


def test_a_failed_card_that_is_chosen_is_the_marked_one(home: Home, pixapi_server: PixapiServer) -> None:
    panel = sliders(home, material="jade")
    panel.generate()
    (job,) = wait_results(panel, 1)
    panel.selected = job
    pixapi_server.faults({"kind": "status", "status": 402, "match": {"method": "POST"}})
    panel.values = {"warmth": 9}
    panel.generate()
    until(lambda: len(buttons(panel, "Use these settings")) == 2, 20, lambda: said(panel))
    failed, first = panel._strip._cards
    panel.values = {"warmth": 1}
    buttons(failed.box, "Use these settings")[0].click()
    assert panel.values["warmth"] == 9
    assert panel.selected is None
    assert ["pixapi-chosen" in one.box._dom_classes for one in (failed, first)] == [True, False]
    assert "took" not in failed._picture.value


def test_what_goes_wrong_is_said_in_the_panel(home: Home, pixapi_server: PixapiServer) -> None:
    panel = sliders(home)
    panel.generate()
    assert "{{material}} is empty" in said(panel)
    panel.values = {"material": "jade"}
    assert "is empty" not in said(panel)
    pixapi_server.faults({"kind": "status", "status": 402, "match": {"method": "POST"}})
    panel.generate()
    until(lambda: "balance is too low" in said(panel), 20, lambda: said(panel))
    assert panel.results == ()
    panel.observe(lambda _: 1 / 0, "results")
    pixapi_server.clear()
    panel.generate()
    until(lambda: "ZeroDivisionError" in said(panel), 20, lambda: said(panel))


def test_the_budget_holds_as_it_is_by_then(session: Session) -> None:
    budget = {"budget": 9.0}
    panel = sliders(Home(session, lambda: Options(**budget)), material="jade")  # type: ignore[arg-type]
    panel.generate()
    wait_results(panel, 1)
    panel.generate()
    until(lambda: "would pass the budget" in said(panel), 20, lambda: said(panel))
    budget["budget"] = 100.0
    panel.generate()
    wait_results(panel, 2)


def test_a_closed_panel_stops_nothing_that_is_paid(home: Home, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    pixapi_server.settings(seconds=1)
    panel = sliders(home, material="jade")
    panel.generate()
    until(lambda: bool(home.session.jobs), 20, "the job")
    panel.close()
    until(lambda: list((tmp_path / "out").glob("*.png")) != [], 30, "the file")
    until(lambda: not home.session.jobs and not _instances, 10, lambda: f"no widgets: {list(_instances.values())}")


def test_no_widgets_pile_up_over_a_hundred_generations(home: Home, pixapi_server: PixapiServer) -> None:
    panel = sliders(home, material="jade")
    counts = []
    for done in (20, 40, 100):
        while len(panel.results) < done:
            before = len(panel.results)
            for _ in range(10):
                panel.generate()
            wait_results(panel, before + 10, 120)
        until(lambda: len(buttons(panel, "Use these settings")) == MOST, 20, "the cards")
        counts.append(len(_instances))
    assert max(counts) - min(counts) <= 12, counts
    assert len(said(panel)) < 1_500_000
    panel.close()
    assert not _instances, sorted({type(one).__name__ for one in _instances.values()})


def test_generating_while_sliding_is_off_then_waits_for_rest_and_ends_with_the_budget(
    session: Session, pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_PAUSE", 0.2)
    panel = sliders(Home(session, lambda: Options(budget=17.0)), material="jade")
    box = panel._live.box
    assert box.value is False
    for warmth in range(10):
        panel.values = {"warmth": warmth}
    assert pixapi_server.requests("POST") == []
    box.value = True
    for warmth in range(10):
        panel.values = {"warmth": warmth}
    wait_results(panel, 1)
    until(lambda: not panel._live._running, 10, "rest")
    panel.values = {"warmth": 2}
    assert [job.request.prompt[-1] for job in wait_results(panel, 2)] == ["2", "9"]
    panel.values = {"warmth": 3}
    until(lambda: box.value is False, 20, lambda: said(panel))
    assert "would pass the budget" in said(panel)
    assert len(pixapi_server.charges()) == 2
    assert sum(Decimal(str(one["credits"])) for one in pixapi_server.charges()) <= 17


# -- text from outside


def test_a_hostile_prompt_is_text_everywhere(home: Home) -> None:
    long = HOSTILE + "x" * 20_000
    panel = sliders(home, long)
    panel.generate()
    wait_results(panel, 1)
    until(lambda: buttons(panel, "Use these settings"), 10, "the card")
    for shown in (markup(panel), str(panel._still())):
        assert "<img src=x" not in shown
        assert "<script" not in shown.lower()
        assert 'onerror="' not in shown
    assert panel.results[0].request.prompt == panel.prompt


# -- pictures


def test_compare_takes_whatever_a_picture_is_and_cuts_the_second_to_the_shape_of_the_first(home: Home, tmp_path: Path) -> None:
    panel = sliders(home, material="jade")
    panel.generate()
    (job,) = wait_results(panel, 1)
    wide = Image.new("RGB", (400, 100), "crimson")
    shown = compare(job, wide, labels=("<b>made</b>", "after"))
    data = base64.b64decode(shown.after.partition(",")[2])
    assert Image.open(io.BytesIO(data)).size == (150, 100)  # 96 × 64 is 3:2
    still = str(shown._still())
    assert still.count("<img") == 2
    assert "<b>" not in still
    wide.save(tmp_path / "wide.png")
    for source in (tmp_path / "wide.png", str(tmp_path / "wide.png"), (tmp_path / "wide.png").read_bytes(), job[0]):
        assert compare(source, job).before.startswith("data:image/")
    with pytest.raises(UsageError, match="not a picture"):
        compare(b"no picture", wide)
    for labels in (("a",), "ab"):
        with pytest.raises(UsageError, match="labels are two words"):
            compare(job, wide, labels=labels)


def test_compare_of_an_edit_alone_shows_what_went_in(home: Home) -> None:
    panel = sliders(home, material="jade", image=Image.new("RGB", (96, 64), "crimson"))
    panel.generate()
    (edit,) = wait_results(panel, 1)
    shown = compare(edit)
    assert shown.labels == ("before", "after")
    before = Image.open(io.BytesIO(base64.b64decode(shown.before.partition(",")[2]))).convert("RGB")
    assert before.getpixel((20, 20)) == pytest.approx((220, 20, 60), abs=3)
    assert shown.after == compare(edit, edit).after
    plain = sliders(home, material="jade")
    plain.generate()
    with pytest.raises(UsageError, match="no picture went into this job"):
        compare(wait_results(plain, 1)[0])
    with pytest.raises(UsageError, match="two pictures, or one edit"):
        compare(before)


def test_a_gallery_shows_all_pictures_of_all_results(home: Home) -> None:
    panel = sliders(home, material="<jade>", n=2)
    panel.generate()
    (job,) = wait_results(panel, 1)
    made = gallery([job, Image.new("RGB", (40, 40))])
    assert [one["caption"] for one in made.items] == [f"{job.request.prompt} [0]", f"{job.request.prompt} [1]", ""]
    assert "<jade>" not in str(made._still())
    assert len(gallery(job).items) == 2
    places = [Place(index, (index,), {"style": "<noir>", "warmth": index}) for index in range(3)]
    cells = [Cell(places[0], "done", media=job.media[:1]), Cell(places[1], "failed"), Cell(places[2], "done", media=job.media)]
    said = [one["caption"] for one in gallery(cells).items]
    assert said == ["style: <noir> · warmth: 0", "style: <noir> · warmth: 2 [0]", "style: <noir> · warmth: 2 [1]"]
    with pytest.raises(UsageError, match="no picture"):
        gallery([])
    with pytest.raises(UsageError, match="2 pictures and 1 caption"):
        gallery(job, captions=["one"])
    with pytest.raises(UsageError, match="too many"):
        gallery([Image.new("RGB", (4, 4))] * 101)


# -- the studio


def test_the_studio_generates_edits_and_animates(home: Home, pixapi_server: PixapiServer) -> None:
    studio = Studio(home)
    assert "is empty" not in said(studio)
    studio.generate()
    assert "the prompt is empty" in said(studio)
    studio._text.value = "a {{literal}} lighthouse"
    studio._settings.size.value = "96x64"
    studio.generate()
    wait_results(studio, 1)
    studio._task.value = "edit"
    assert studio._button.description == "Edit"
    studio._text.value = "the same at dawn"
    studio.generate()
    edit, first = wait_results(studio, 2)
    assert first.request.prompt == "a {{literal}} lighthouse"
    assert edit.request.inputs[0].data == first[0].bytes
    until(lambda: buttons(studio, "Use these settings"), 10, "the card")
    newest = studio._strip._cards[0].box
    shown = newest.children[0]
    assert isinstance(shown, Compare), "an edit is compared with what went in"
    assert shown.labels == ("before", "after")
    assert "<img" not in newest.children[1].value
    studio._task.value = "animate"
    assert studio._settings.model.value == "veo"
    assert studio.request().inputs[0].data == edit[0].bytes, "one goes on with what was made last"
    studio.selected = first
    assert (studio._task.value, studio._text.value) == ("generate", "a {{literal}} lighthouse")
    assert studio._settings.model.value == first.request.model
    studio.generate()
    wait_results(studio, 3)
    assert shown.comm is None, "closed"
    assert "<img" in newest.children[0].value
    studio.close()
    assert not _instances


def test_the_studio_offers_what_the_ledger_has_and_an_upload(home: Home) -> None:
    first = Studio(home)
    first._text.value = "a lighthouse"
    first._settings.size.value = "96x64"
    first.generate()
    wait_results(first, 1)
    first.close()
    assert not _instances
    studio = Studio(home)
    studio._task.value = "edit"
    assert studio._source.value.startswith("a lighthouse · ")
    studio._earlier.value = True
    assert len(studio._history.children[0].items) == 1
    studio._task.value, studio._source.value = "generate", ""
    studio._history.children[0]._handle_custom_msg({"event": "use", "index": 0}, [])
    assert studio._task.value == "edit"
    assert studio._source.value.startswith("a lighthouse · ")
    studio._earlier.value = False
    data = io.BytesIO()
    Image.new("RGB", (20, 20)).save(data, "PNG")
    drop(studio, "<b>own</b>.png", data.getvalue(), size=30)
    studio._text.value = "dawn"
    assert studio.request().inputs[0].data == data.getvalue()
    assert "<b>own" not in markup(studio)
    drop(studio, "text.png", b"text")
    assert "text.png is not a picture" in said(studio)
    assert studio.request().inputs[0].data == data.getvalue()
    studio._drop._handle_custom_msg({"event": "large", "name": "huge.png"}, [])
    assert "huge.png is larger than 50 MiB" in said(studio)
    studio.close()
    assert not _instances


def test_the_studio_remembers_the_settings_of_each_task(home: Home) -> None:
    studio = Studio(home)
    settings, task = studio._settings, studio._task
    settings.model.value, settings.size.value = "nano-banana", "64x64"
    task.value = "animate"
    assert (settings.model.value, settings.size.value) == ("veo", "")
    settings.duration.value = "6"
    task.value = "edit"
    assert (settings.model.value, settings.size.value) == ("nano-banana", "64x64"), "as the other task for pictures has them"
    settings.size.value = "96x64"
    task.value = "generate"
    assert (settings.model.value, settings.size.value) == ("nano-banana", "64x64")
    task.value = "animate"
    assert (settings.model.value, settings.duration.value) == ("veo", "6")


def test_the_studio_refuses_a_model_that_cannot_do_the_task(home: Home, pixapi_server: PixapiServer) -> None:
    studio = Studio(home)
    studio._text.value = "waves"
    data = io.BytesIO()
    Image.new("RGB", (20, 20)).save(data, "PNG")
    drop(studio, "own.png", data.getvalue())
    studio._task.value = "edit"
    studio._settings.model.value = "veo"
    assert "veo makes videos." in said(studio)
    studio._task.value = "animate"
    studio._settings.model.value = "nano-banana"
    assert "nano-banana makes images." in said(studio)
    assert studio._price.value == ""
    studio.generate()
    assert "nano-banana makes images." in said(studio)
    assert pixapi_server.requests("POST") == []
    studio._task.value = "generate"
    studio._settings.model.value = "veo"
    assert "makes videos" not in said(studio), "text alone makes a video, too"
    assert isinstance(studio.request(), VideoRequest)


def drop(studio: Studio, name: str, data: bytes, *, size: int = 1000) -> None:
    """What `drop.js` sends, in parts of `size` bytes; a part of another page comes between."""
    count = -(-len(data) // size)
    for index in range(count):
        content = {"event": "part", "id": 1, "index": index, "count": count, "name": name}
        studio._drop._handle_custom_msg(content, [memoryview(data[index * size : (index + 1) * size])])
        studio._drop._handle_custom_msg({**content, "id": 2, "index": index + 1}, [memoryview(b"other")])


# -- where it is displayed

VIEW = "application/vnd.jupyter.widget-view+json"
SHOWN = "%load_ext pixapi_nb\nfrom pixapi_nb.widgets import PromptSliders\nPromptSliders('a {{style: noir | studio}} cup')"


@pytest.mark.kernel
def test_where_no_page_mounts_it_the_panel_is_displayed_as_any_other_widget(kernel: Kernel) -> None:
    run = kernel.run(SHOWN, allow_stdin=True)
    assert not run.error, run.error
    assert [VIEW in output.data for output in run.outputs] == [False, False]
    kernel.until(lambda: VIEW in run.outputs[0].data, 20, "the widget's own view")
    assert "noir" in run.outputs[1].data["text/html"]


@pytest.mark.kernel
def test_the_newest_result_of_a_cells_panel_has_the_name_that_the_cell_gave(
    pixapi_server: PixapiServer, kernel: Kernel
) -> None:
    pixapi_server.settings(seconds=0)
    cell = "%%pixapi nano-banana -s 96x64 --interact -o tuned\na {{style: noir | studio}} cup"
    kernel.run(
        f"%load_ext pixapi_nb\nget_ipython().run_cell_magic('pixapi', *{cell[9:].split(chr(10), 1)!r})", allow_stdin=True
    )
    kernel.click("Generate")
    kernel.until(lambda: "noir" in kernel.run("tuned.request.prompt").text, 30, "the first")
    kernel.move("style", 1, name="index")
    kernel.click("Generate")
    kernel.until(lambda: "studio" in kernel.run("tuned.request.prompt").text, 30, "the second")


@pytest.mark.kernel
def test_without_a_person_only_what_stays_is_displayed(tmp_path: Path) -> None:
    notebook = nbclient_run([SHOWN])
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert "noir" in output.data["text/html"]
    assert "style: noir" in output.data["text/plain"]
