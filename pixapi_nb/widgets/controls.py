"""One ipywidgets control for each declaration in a prompt, and the abbreviations of `interact`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from numbers import Real
from typing import Any

import ipywidgets as w

from pixapi_nb.controls import Choices, Control, ControlError, Free, Range, Scale
from pixapi_nb.errors import UsageError, clean
from pixapi_nb.prompt import Template

__all__ = ["LABEL", "abbreviated", "control", "label_width", "put", "standing"]

LABEL = 112  # pixels of a label, at least
_FEW = 4  # choices shown side by side; more become a dropdown


def label_width(names: Iterable[str]) -> str:
    """Wide enough for the longest of them, within reason."""
    return f"{min(max([LABEL, *(8 * len(name) + 16 for name in names)]), 200)}px"


def control(declared: Control, value: object, width: str = f"{LABEL}px") -> w.ValueWidget:
    """The control that offers what `declared` allows, standing at `value`."""
    common = {"description": declared.name, "style": {"description_width": width}, "layout": w.Layout(width="100%")}
    if isinstance(declared, Range):
        whole = isinstance(declared.start, int) and isinstance(declared.step, int)
        kind = w.IntSlider if whole else w.FloatSlider
        bounds = {"min": declared.start, "max": declared.values()[-1], "step": declared.step}
        shown = {} if whole else {"readout_format": f".{_decimals(declared)}f"}
        return kind(value=declared.coerce(value), **bounds, **shown, **common)
    if isinstance(declared, Choices):
        options, chosen = list(declared.options), declared.coerce(value)
        if len(options) <= _FEW and sum(map(len, options)) <= 40:
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


def put(widget: w.ValueWidget, declared: Control, value: object) -> None:
    """Move a control to `value`. What does not fit (any more) is left where it is."""
    if declared.fits(value):
        widget.value = declared.coerce(value)


def abbreviated(template: Template, given: Mapping[str, Any]) -> tuple[Template, dict[str, Any]]:
    """The template with the controls that `interact`'s abbreviations mean, and where they begin. Raises UsageError.

    `(0, 10)` and `(0, 1, 0.1)` are a range and its step, a list is choices, a Control or a widget is itself; anything
    else is where the control begins.
    """
    controls, start = dict(template.controls), dict[str, Any]()
    for name, value in given.items():
        declared = controls.get(name)
        if declared is None:
            there = ", ".join(f"{{{{{clean(one, 40)}}}}}" for one in controls) or "no {{name}} at all"
            raise UsageError(f"the prompt has no {{{{{clean(name, 40)}}}}}.", hint=f"It has {there}.")
        try:
            meant = _meant(name, value)
            if meant is None:
                start[name] = value if isinstance(value, w.ValueWidget) else declared.coerce(value)
                if isinstance(value, w.ValueWidget):
                    controls[name] = Free(name)
                continue
        except ControlError as error:
            raise UsageError(f"{name}: {error}") from error
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
    if isinstance(value, Mapping):
        return Choices.of(name, value.values())
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes, w.Widget)):
        return Choices.of(name, value)
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
