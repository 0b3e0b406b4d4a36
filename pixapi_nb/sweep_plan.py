"""The plan of a sweep: axes, the places where they cross, the request of each, and how they lie in a grid. Pure."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from pixapi_nb.controls import ControlError, Free, as_text
from pixapi_nb.errors import UsageError, clean
from pixapi_nb.models import ImageRequest, InputImage, Request, VideoRequest
from pixapi_nb.prompt import Template

__all__ = [
    "FIELDS",
    "MOST",
    "Axis",
    "Page",
    "Place",
    "Plan",
    "Value",
    "declared_axes",
    "given_axis",
    "in_words",
    "pages",
    "repeated",
]

Value: TypeAlias = str | int | float

MOST = 5000
"""A sweep has at most so many requests."""

FIELDS = ("model", "size", "quality", "duration")
"""The fields of a request that can be axes."""

_IN_A_ROW = 6  # places of a single axis; more are wrapped
_WIDE = 8  # columns; of two axes, a longer one goes down
_SHAPE = re.compile(r"([1-9][0-9]{0,4})[x:]([1-9][0-9]{0,4})")  # of a size: pixels or a ratio


def in_words(value: Value) -> str:
    """A value wherever it is shown: a number as it reads in the prompt."""
    try:
        return as_text(value)
    except ControlError:  # from Python, a field can be given anything
        return str(value)


@dataclass(frozen=True)
class Axis:
    """One thing that varies: a name in the prompt, a field of the request, or which repetition it is (from 1)."""

    name: str
    values: tuple[Value, ...]
    what: Literal["prompt", "field", "repeat"] = "prompt"

    def __post_init__(self) -> None:
        if not self.values:
            raise UsageError(f"the axis {clean(self.name, 60)} has no values.")
        twice = [value for i, value in enumerate(self.values) if value in self.values[:i]]
        if twice:
            raise UsageError(
                f"the axis {clean(self.name, 60)} has {clean(twice[0], 60)} twice.", hint="-n repeats every place."
            )


@dataclass(frozen=True)
class Place:
    """Where one value of each axis meets: `settings` by the axes' names, and `index` in the order of the plan."""

    index: int
    at: tuple[int, ...]
    settings: Mapping[str, Value]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a sweep asks for. `base` is the request but for what varies, `values` what the prompt's other names stand for."""

    template: Template
    axes: tuple[Axis, ...]
    base: Request
    values: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.axes:
            raise UsageError(
                "there is nothing to vary.", hint="Declare a control in the prompt, such as {{style: noir | studio}}."
            )
        if len(self) > MOST:
            raise UsageError(f"these are {len(self):,} requests; a sweep has at most {MOST:,}.", hint="--steps takes fewer.")
        names = [axis.name for axis in self.axes]
        if len({*names}) < len(names):
            raise UsageError(f"two axes have the same name: {', '.join(clean(name, 40) for name in names)}.")
        if isinstance(self.base, VideoRequest) and any(axis.name == "quality" and axis.what == "field" for axis in self.axes):
            raise UsageError("quality is for images.")

    def __len__(self) -> int:
        count = 1
        for axis in self.axes:
            count *= len(axis.values)
        return count

    @property
    def shape(self) -> float:
        """Height by width of the pictures asked for; 1 where the size does not tell."""
        varied = (axis.values[0] for axis in self.axes if axis.name == "size" and axis.what == "field")
        found = _SHAPE.fullmatch(str(next(varied, self.base.size)))
        return int(found[2]) / int(found[1]) if found else 1.0

    def places(self) -> Iterator[Place]:
        """All of them; the last axis turns fastest."""
        for index, at in enumerate(itertools.product(*(range(len(axis.values)) for axis in self.axes))):
            yield Place(index, at, {axis.name: axis.values[i] for axis, i in zip(self.axes, at, strict=True)})

    def request(self, place: Place) -> Request:
        """What is sent for a place. Raises PromptError."""
        asked = {axis.name: place.settings[axis.name] for axis in self.axes if axis.what == "prompt"}
        changed: dict[str, Any] = {axis.name: place.settings[axis.name] for axis in self.axes if axis.what == "field"}
        return replace(self.base, prompt=self.template.render({**self.values, **asked}), **changed)

    # -- as JSON, for the ledger -----------------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """The plan without the bytes of its pictures."""
        return {
            "prompt": self.template.text,
            "axes": [[axis.name, list(axis.values), axis.what] for axis in self.axes],
            "values": dict(self.values),
            "kind": self.base.kind,
            "base": self.base.fields(),
            "inputs": [{"name": image.name, "sha256": image.digest} for image in self.base.inputs],
        }

    @staticmethod
    def from_json(found: Mapping[str, Any], images: Sequence[InputImage] = ()) -> Plan:
        """The plan again. Raises KeyError, TypeError or ValueError for what is none."""
        fields = dict(found["base"])
        base: Request
        if found["kind"] == "video":
            base = VideoRequest(**fields, input_image=images[0] if images else None)
        else:
            base = ImageRequest(**fields, images=tuple(images))
        axes = tuple(Axis(name, tuple(values), what) for name, values, what in found["axes"])
        return Plan(template=Template.parse(found["prompt"]), axes=axes, base=base, values=found["values"])


def declared_axes(template: Template, names: Iterable[str] | None, steps: int) -> tuple[Axis, ...]:
    """An axis for each declared control, or for those of `names`; of a range or a scale, `steps` evenly spaced stops.

    Raises UsageError for a name that the prompt does not declare.
    """
    declared = {name: control for name, control in template.controls.items() if not isinstance(control, Free)}
    wanted = list(declared) if names is None else list(names)
    axes = []
    for name in wanted:
        if name not in declared:
            there = f"It declares {', '.join(declared)}." if declared else "It declares none."
            hint = f"{there} A control is declared like this: {{{{style: noir | studio}}}}."
            raise UsageError(f"the prompt declares no control named {clean(name, 60)!r}.", hint=hint)
        control = declared[name]
        sample = getattr(control, "sample", None)
        axes.append(Axis(name, tuple(sample(steps) if sample else control.values())))
    return tuple(axes)


def given_axis(template: Template, name: str, values: object, steps: int) -> Axis:
    """The axis that a caller of `sweep` names. `values`: a sequence; a number of stops; None: all, or `steps` of them."""
    control = template.controls.get(name)
    if control is None and name not in FIELDS:
        raise UsageError(
            f"{clean(name, 60)} is neither a name in the prompt nor a field that can vary.",
            hint=f"In the prompt: {', '.join(template.controls) or 'none'}. Fields: {', '.join(FIELDS)}.",
        )
    if values is None or (isinstance(values, int) and not isinstance(values, bool)):
        return declared_axes(template, [name], steps if values is None else values)[0]
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise UsageError(f"the axis {clean(name, 60)} takes a list of values, not {clean(repr(values), 60)}.")
    if control is None:
        return Axis(name, tuple(values), "field")
    try:
        fitting = tuple(control.coerce(value) for value in values)
    except ControlError as error:
        raise UsageError(str(error)) from None
    return Axis(name, tuple(value if isinstance(value, (str, int, float)) else str(value) for value in fitting))


def repeated(axes: Sequence[Axis], n: int) -> tuple[Axis, ...]:
    """The axes, with one more for `n` repetitions of each place. Raises UsageError for an `n` below 1."""
    if n < 1:
        raise UsageError(f"n is {n}; at least one picture has to be asked for.")
    name = "repeat" if all(axis.name != "repeat" for axis in axes) else "repetition"
    return (*axes, Axis(name, tuple(range(1, n + 1)), "repeat")) if n > 1 else tuple(axes)


# -- the grid ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """One grid of a sweep: labels, and the indices of the places in its cells. `corner` names the axes, `title` the page."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]
    corner: str = ""
    title: str = ""


def pages(plan: Plan) -> tuple[Page, ...]:
    """The grids of a plan: the last axis goes across and the one before it down; of more axes, each crossing has a page.

    Repetitions stand side by side. A single axis is one row, wrapped where it is long; its last row may be short.
    """
    repeat = next((i for i, axis in enumerate(plan.axes) if axis.what == "repeat"), None)
    order = [i for i in range(len(plan.axes)) if i != repeat]
    if len(order) >= 2:
        *outer, down, across = order
        lengths = len(plan.axes[down].values), len(plan.axes[across].values)
        if lengths[1] > _WIDE and lengths[0] < lengths[1]:
            down, across = across, down
    elif repeat is not None and order:
        outer, down, across, repeat = [], order[0], repeat, None
    else:
        return _wrapped(plan, 0)
    inner = [across] if repeat is None else [across, repeat]
    return tuple(_page(plan, fixed, down, inner) for fixed in _crossings(plan, outer))


def _crossings(plan: Plan, axes: Sequence[int]) -> Iterator[dict[int, int]]:
    for at in itertools.product(*(range(len(plan.axes[i].values)) for i in axes)):
        yield dict(zip(axes, at, strict=True))


def _page(plan: Plan, fixed: Mapping[int, int], down: int, inner: Sequence[int]) -> Page:
    columns = list(_crossings(plan, inner))
    rows = range(len(plan.axes[down].values))
    return Page(
        rows=tuple(_label(plan.axes[down], i) for i in rows),
        columns=tuple(" ".join(_label(plan.axes[axis], i) for axis, i in column.items()) for column in columns),
        cells=tuple(tuple(_index(plan, {**fixed, **column, down: i}) for column in columns) for i in rows),
        corner=f"{plan.axes[down].name} ↓ {plan.axes[inner[0]].name} →",
        title=", ".join(f"{plan.axes[axis].name} {_label(plan.axes[axis], i)}" for axis, i in fixed.items()),
    )


def _wrapped(plan: Plan, axis: int) -> tuple[Page, ...]:
    count = len(plan.axes[axis].values)
    if count > 2 * _IN_A_ROW:
        return (_packed(plan.axes[axis]),)
    rows = -(-count // _IN_A_ROW)
    wide = -(-count // rows)  # rows of about the same length
    parts = [range(start, min(count, start + wide)) for start in range(0, count, wide)]
    labels = [tuple(_label(plan.axes[axis], i) for i in part) for part in parts]
    name = plan.axes[axis].name
    return tuple(
        Page(("",), columns, (tuple(part),), corner=f"{name} →" if part.start == 0 else "")
        for columns, part in zip(labels, parts, strict=True)
    )


def _packed(axis: Axis) -> Page:
    """Many places of one axis in one grid: each row says from where to where it goes."""
    count = len(axis.values)
    wide = max(_IN_A_ROW, math.ceil(math.sqrt(1.5 * count)))
    rows = [range(start, min(count, start + wide)) for start in range(0, count, wide)]
    labels = [_label(axis, row[0]) + (f" … {_label(axis, row[-1])}" if len(row) > 1 else "") for row in rows]
    return Page(tuple(labels), ("",) * wide, tuple(map(tuple, rows)), corner=f"{axis.name} →")


def _label(axis: Axis, index: int) -> str:
    return f"#{axis.values[index]}" if axis.what == "repeat" else in_words(axis.values[index])


def _index(plan: Plan, at: Mapping[int, int]) -> int:
    """The place's number: the axes are its digits."""
    index = 0
    for i, axis in enumerate(plan.axes):
        index = index * len(axis.values) + at[i]
    return index
