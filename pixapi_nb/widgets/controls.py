"""One ipywidgets control for each declaration in a prompt."""

from __future__ import annotations

import ipywidgets as w

from pixapi_nb.prompt import Choices, Control, Free, Range, Scale

__all__ = ["control"]

_WIDE = {"description_width": "112px"}
_FEW = 4  # choices shown side by side; more become a dropdown


def control(declared: Control, value: object) -> w.ValueWidget:
    """The control that offers what `declared` allows, standing at `value`."""
    common = {"description": declared.name, "style": _WIDE, "layout": w.Layout(width="100%", max_width="560px")}
    if isinstance(declared, Range):
        whole = isinstance(declared.start, int) and isinstance(declared.step, int)
        kind = w.IntSlider if whole else w.FloatSlider
        bounds = {"min": declared.start, "max": declared.stop, "step": declared.step}
        shown = {} if whole else {"readout_format": ".6~g"}
        return kind(value=declared.coerce(value), **bounds, **shown, **common)
    if isinstance(declared, Choices):
        options, chosen = list(declared.options), declared.coerce(value)
        if len(options) <= _FEW and sum(map(len, options)) <= 40:
            return w.ToggleButtons(options=options, value=chosen, **common)
        return w.Dropdown(options=options, value=chosen, **common)
    if isinstance(declared, Scale):
        return w.SelectionSlider(options=list(declared.stops), value=declared.coerce(value), **common)
    assert isinstance(declared, Free)
    return w.Text(value="" if value is None else str(value), continuous_update=True, **common)
