"""Controls and pictures for a notebook: the knobs of a prompt, comparing, a gallery."""

from pixapi_nb.widgets.pictures import compare, gallery
from pixapi_nb.widgets.sliders import PromptSliders

__all__ = ["PromptSliders", "compare", "gallery"]
