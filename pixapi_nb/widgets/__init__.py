"""Controls for a notebook: the knobs of a prompt."""

from pixapi_nb.widgets.sliders import PromptSliders

__all__ = ["PromptSliders"]
