"""The plan of a sweep: axes, places, requests, and how they lie in a grid."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixapi_nb.errors import UsageError
from pixapi_nb.models import ImageRequest, InputImage, VideoRequest
from pixapi_nb.prompt import Template
from pixapi_nb.sweep_plan import MOST, Axis, Plan, declared_axes, given_axis, in_words, pages, repeated

CUP = Template.parse("A {{material}} cup, {{style: noir | studio}}, warmth {{warmth: 0..10}}, {{mood: calm .. lively .. wild}}")


def plan(*axes: Axis, template: Template = CUP, **values: str) -> Plan:
    return Plan(template=template, axes=axes, base=ImageRequest(model="m", prompt=""), values={"material": "jade"} | values)


def test_all_declared_controls_are_axes_and_ranges_are_sampled() -> None:
    found = declared_axes(CUP, None, 3)
    assert [(axis.name, axis.values) for axis in found] == [
        ("style", ("noir", "studio")),
        ("warmth", (0, 5, 10)),
        ("mood", ("calm", "lively", "wild")),
    ]
    assert [axis.name for axis in declared_axes(CUP, ["mood", "style"], 2)] == ["mood", "style"]


@pytest.mark.parametrize("name", ["styl", "material"])
def test_only_what_is_declared_can_be_swept(name: str) -> None:
    with pytest.raises(UsageError, match="declares no control"):
        declared_axes(CUP, [name], 5)


def test_an_axis_can_be_given_as_values_a_number_or_nothing() -> None:
    assert given_axis(CUP, "warmth", [1, 7], 5).values == (1, 7)
    assert given_axis(CUP, "warmth", 3, 5).values == (0, 5, 10)
    assert given_axis(CUP, "style", None, 5).values == ("noir", "studio")
    assert given_axis(CUP, "material", ["jade", "tin"], 5).values == ("jade", "tin")
    assert given_axis(CUP, "size", ["1024x1024", "2K"], 5).what == "field"
    for name, values in (("warmth", [11]), ("warmth", "7"), ("style", 3.5), ("nothing", ["x"]), ("style", [])):
        with pytest.raises(UsageError):
            given_axis(CUP, name, values, 5)


def test_each_place_has_its_own_request() -> None:
    made = plan(Axis("style", ("noir", "studio")), Axis("size", ("2K", "4K"), "field"), Axis("repeat", (1, 2), "repeat"))
    requests = [made.request(place) for place in made.places()]
    assert len(made) == len(requests) == 8
    assert [request.size for request in requests] == ["2K", "2K", "4K", "4K"] * 2
    assert {request.prompt for request in requests[:4]} == {"A jade cup, noir, warmth 5, lively"}
    assert all(request.n == 1 for request in requests)


def test_a_plan_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to vary"):
        plan()
    with pytest.raises(UsageError, match="twice"):
        Axis("style", ("noir", "noir"))
    with pytest.raises(UsageError, match="same name"):
        plan(Axis("style", ("noir",)), Axis("style", ("studio",)))
    with pytest.raises(UsageError, match=f"at most {MOST:,}"):
        plan(Axis("material", tuple(range(100))), Axis("warmth", tuple(range(100))))
    with pytest.raises(UsageError, match="at least one"):
        repeated([], 0)


@pytest.mark.parametrize(
    "base",
    [
        ImageRequest(model="m", prompt="p", size="2K", quality="high", images=(InputImage(name="a", data=b"x"),)),
        VideoRequest(model="veo", prompt="p", duration=6, input_image=InputImage(name="a", url="https://example.org/a.png")),
    ],
)
def test_a_plan_survives_as_json(base: ImageRequest | VideoRequest) -> None:
    made = Plan(template=CUP, axes=declared_axes(CUP, None, 5), base=base, values={"material": "jade"})
    written = json.loads(json.dumps(made.as_json()))
    assert Plan.from_json(written, base.inputs) == made
    assert "example.org" not in json.dumps(written)  # a URL may be signed


def test_one_axis_is_a_row_and_a_long_one_is_wrapped() -> None:
    (only,) = pages(plan(Axis("warmth", (0, 5, 10))))
    assert (only.rows, only.columns, only.cells) == (("",), ("0", "5", "10"), ((0, 1, 2),))
    assert [page.cells for page in pages(plan(Axis("warmth", tuple(range(8)))))] == [((0, 1, 2, 3),), ((4, 5, 6, 7),)]
    (page,) = pages(plan(Axis("material", tuple(range(100)))))
    assert (len(page.columns), page.rows[0], page.rows[-1]) == (13, "0 … 12", "91 … 99")


def test_a_number_reads_as_in_the_prompt() -> None:
    steam = Template.parse("A cup, steam {{steam: 0..1 step 0.25}}")
    made = plan(*declared_axes(steam, None, 5), template=steam)
    (page,) = pages(made)
    assert page.columns == ("0", "0.25", "0.5", "0.75", "1")
    assert [made.request(place).prompt.split()[-1] for place in made.places()] == [*page.columns]
    assert [in_words(value) for value in (2.0, 1e-7, "1.0", True)] == ["2", "0.0000001", "1.0", "True"]


@pytest.mark.parametrize(
    ("size", "shape"), [("768x512", 2 / 3), ("16:9", 9 / 16), ("512x768", 1.5), ("2K", 1), ("auto", 1), (None, 1)]
)
def test_the_size_tells_the_shape(size: str | None, shape: float) -> None:
    base = ImageRequest(model="m", prompt="", size=size)
    assert Plan(template=CUP, axes=(Axis("style", ("noir",)),), base=base).shape == shape
    varied = Axis("size", (size or "auto", "1x2"), "field")
    assert Plan(template=CUP, axes=(varied,), base=ImageRequest(model="m", prompt="")).shape == shape


def test_two_axes_are_rows_and_columns_and_a_long_one_goes_down() -> None:
    (page,) = pages(plan(Axis("style", ("noir", "studio")), Axis("warmth", (0, 5, 10))))
    assert (page.rows, page.columns, page.corner) == (("noir", "studio"), ("0", "5", "10"), "style ↓ warmth →")
    assert page.cells == ((0, 1, 2), (3, 4, 5))
    (page,) = pages(plan(Axis("style", ("noir", "studio")), Axis("warmth", tuple(range(9)))))
    assert (len(page.rows), page.columns) == (9, ("noir", "studio"))
    assert page.cells[3] == (3, 12)


def test_more_axes_are_pages_and_repetitions_stand_side_by_side() -> None:
    found = pages(plan(*declared_axes(CUP, None, 2), Axis("repeat", (1, 2), "repeat")))
    assert [page.title for page in found] == ["style noir", "style studio"]
    assert found[0].columns == ("calm #1", "calm #2", "wild #1", "wild #2")
    (page,) = pages(plan(Axis("style", ("noir", "studio")), Axis("repeat", (1, 2, 3), "repeat")))
    assert (page.rows, page.columns) == (("noir", "studio"), ("#1", "#2", "#3"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.booleans())
def test_every_place_is_in_the_grid_once(lengths: list[int], repeats: bool) -> None:
    axes = [Axis(f"a{i}", tuple(range(length)), "field") for i, length in enumerate(lengths)]
    if repeats:
        axes.append(Axis("repeat", (1, 2), "repeat"))
    made = plan(*axes)
    shown = [index for page in pages(made) for row in page.cells for index in row]
    assert sorted(shown) == list(range(len(made)))
    assert all(len(row) == len(page.columns) for page in pages(made) for row in page.cells)  # none is long enough to wrap
