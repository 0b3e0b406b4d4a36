"""One ipywidgets control for each declaration in a prompt, and the abbreviations of `interact`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import ipywidgets as w

from pixapi_nb import markup
from pixapi_nb.controls import Choices, Control, ControlError, Free, Range, Scale, as_text
from pixapi_nb.errors import UsageError, clean
from pixapi_nb.prompt import Template

__all__ = ["LABEL", "abbreviated", "control", "label_width", "labels", "own", "put", "standing"]

LABEL = 112  # pixels of a label, at least
_FEW = 4  # choices shown side by side; more become a dropdown


def label_width(names: Iterable[str]) -> str:
    """Wide enough for the longest of them, within reason."""
    return f"{min(max([LABEL, *(8 * len(name) + 16 for name in names)]), 200)}px"


def control(
    declared: Control, value: object, width: str = f"{LABEL}px", labels: Mapping[str, str] | None = None
) -> w.ValueWidget:
    """The control that offers what `declared` allows, standing at `value`. Choices are shown by their `labels`, if any."""
    common: dict[str, Any] = {"style": {"description_width": width}, "layout": w.Layout(width="100%")}
    common |= {"description": declared.name, "tooltip": declared.name}  # a long name is cut, and read in its tooltip
    if isinstance(declared, Range):
        whole = isinstance(declared.start, int) and isinstance(declared.step, int)
        kind = w.IntSlider if whole else w.FloatSlider
        bounds = {"min": declared.start, "max": declared.values()[-1], "step": declared.step}
        shown = {} if whole else {"readout_format": f".{_decimals(declared)}f"}
        return kind(value=declared.coerce(value), **bounds, **shown, **common)
    if isinstance(declared, Choices):
        shown_as = [(labels or {}).get(one, one) for one in declared.options]
        options, chosen = list(zip(shown_as, declared.options, strict=True)), declared.coerce(value)
        if len(options) <= _FEW and sum(map(len, shown_as)) <= 40:
            common["style"] = {"description_width": width, "button_width": "auto"}
            return w.ToggleButtons(options=options, value=chosen, **common)
        return w.Dropdown(options=options, value=chosen, **common)
    if isinstance(declared, Scale):
        return w.SelectionSlider(options=list(declared.stops), value=declared.coerce(value), **common)
    assert isinstance(declared, Free)
    return w.Text(value="" if value is None else str(value), placeholder="text", continuous_update=True, **common)


def _decimals(declared: Range) -> int:
    """As many as its start and its step have."""
    return max(len(format(Decimal(str(one)), "f").partition(".")[2].rstrip("0")) for one in (declared.start, declared.step))


def standing(declared: Control, value: object) -> object:
    """Where its control begins: at `value` where that fits, else at the default; a free name without one is empty."""
    if value is not None and declared.fits(value):
        return value
    return "" if isinstance(declared, Free) else declared.default


def own(widget: w.ValueWidget, name: str, width: str) -> w.ValueWidget:
    """A widget of the caller's. As in `interact`, one without a description gets the name as its label."""
    if hasattr(widget, "description") and not widget.description:
        widget.description = name
        if hasattr(getattr(widget, "style", None), "description_width"):
            widget.style.description_width = width
    return widget


def put(widget: w.ValueWidget, declared: Control, value: object) -> None:
    """Move a control to `value`. What does not fit (any more) is left where it is."""
    if declared.fits(value):
        widget.value = declared.coerce(value)


def abbreviated(template: Template, given: Mapping[str, Any]) -> tuple[Template, dict[str, Any]]:
    """The template with the controls that `interact`'s abbreviations mean, and where they begin. Raises UsageError.

    `(0, 10)` and `(0, 1, 0.1)` are a range and its step; a list is choices, and a mapping or a list of pairs choices that
    have labels. A Control or a widget is itself, and `fixed` shows no control. A number is a slider about it where the
    prompt declares nothing. Anything else is where the control begins.
    """
    controls, start = dict(template.controls), dict[str, Any]()
    for name, value in given.items():
        declared = controls.get(name)
        if declared is None:
            there = ", ".join(f"{{{{{clean(one, 40)}}}}}" for one in controls) or "no {{name}} at all"
            raise UsageError(f"the prompt has no {{{{{clean(name, 40)}}}}}.", hint=f"It has {there}.")
        try:
            if isinstance(value, w.ValueWidget):
                controls[name], start[name] = Free(name), value
                continue
            if isinstance(value, w.fixed):
                declared.coerce(value.value)
                start[name] = value
                continue
            meant = _meant(name, value)
            if meant is None and isinstance(declared, Free) and _is_number(value):
                meant = _about(name, value)
            if meant is None:
                start[name] = declared.coerce(value)
                continue
        except ControlError as error:
            said = str(error) if str(error).startswith(f"{name} ") else f"{name}: {error}"
            hint = f"Words to choose from are a list: {name}=['with', 'without']." if isinstance(value, bool) else None
            raise UsageError(said, hint=hint) from error
        kept = None if isinstance(declared, Free) else declared.default
        if not isinstance(meant, Free) and kept is not None and not isinstance(value, Control) and meant.fits(kept):
            meant = replace(meant, default=meant.coerce(kept))  # type: ignore[arg-type]  # coerce gives the control's own type
        controls[name] = meant
    return replace(template, controls=controls), start


def _meant(name: str, value: Any) -> Control | None:
    if isinstance(value, (Choices, Range, Scale, Free)):
        return replace(value, name=name)
    if isinstance(value, tuple) and len(value) in (2, 3) and all(_is_number(one) for one in value):
        return Range.of(name, *value)
    pairs = _pairs(value)
    if pairs is not None:
        return Choices.of(name, [meant for _, meant in pairs])
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, w.Widget)):
        return Choices.of(name, value)
    return None


def _pairs(value: object) -> list[tuple[object, object]] | None:
    """Labels and what they stand for, if that is what `value` is."""
    if isinstance(value, Mapping):
        return list(value.items())
    paired = isinstance(value, (list, tuple)) and value and all(isinstance(one, tuple) and len(one) == 2 for one in value)
    return list(value) if isinstance(value, (list, tuple)) and paired else None


def labels(value: object) -> dict[str, str]:
    """The labels that an abbreviation gives to choices, by choice."""
    return {as_text(meant): markup.words(label, 200) for label, meant in _pairs(value) or ()}


def _about(name: str, value: Any) -> Range:
    """The slider that `interact` makes of a number."""
    text, number = as_text(value), int(value) if isinstance(value, Integral) else float(value)
    ends = (number, number + 1) if not number else (min(-number, 3 * number), max(-number, 3 * number))
    try:
        return Range.of(name, *ends, default=number)
    except ControlError:
        raise ControlError(f"a slider about {text} has too many stops. Give (low, high, step), or a box: '{text}'.") from None


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
