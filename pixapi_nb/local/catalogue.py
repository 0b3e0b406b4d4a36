"""The models, their aliases and abilities, and what a finished request is charged.

Prices are those of Pixapi's Model Catalog and model pages as printed in 2026, in credits (1 credit = $0.01). Where the
printed price leaves something open, the choice made here is written beside it.
"""

from dataclasses import dataclass
from typing import Literal

Category = Literal["image", "video"]


@dataclass(frozen=True)
class Model:
    """One model of the catalogue; ``family`` decides its sizes and its price."""

    id: str
    family: Literal["gemini", "gpt", "video"]
    alias: str | None = None

    @property
    def category(self) -> Category:
        return "video" if self.family == "video" else "image"

    @property
    def capabilities(self) -> tuple[str, ...]:
        return f"text-to-{self.category}", f"image-to-{self.category}"


MODELS = (
    Model("gemini-2.5-flash-image", "gemini", "nano-banana"),
    Model("gemini-3.1-flash-image-preview", "gemini", "nano-banana-2"),
    Model("gemini-3-pro-image-preview", "gemini", "nano-banana-pro"),
    Model("gpt-image-1.5", "gpt"),
    Model("gpt-image-2", "gpt"),
    Model("veo", "video"),
    Model("kling", "video"),
    Model("wan", "video"),
    Model("sora-2", "video"),
)
_BY_NAME = {name: model for model in MODELS for name in (model.id, model.alias) if name}

# Credits an image by the class of its long edge: up to 1536 px ("1K"), up to 2048 ("2K"), above ("4K").
_IMAGE: dict[str, tuple[float, float, float]] = {
    "gemini-2.5-flash-image": (2, 2, 2),
    "gemini-3.1-flash-image-preview": (4, 6, 8),
    "gemini-3-pro-image-preview": (8, 8, 16),
    "gpt-image-1.5": (1, 1, 1),  # printed as "from 1"
}
_GPT_IMAGE_2: dict[str, tuple[float, float, float]] = {
    "low": (1, 2, 4),
    "medium": (4, 17, 34),
    "high": (14, 67, 133),
    "auto": (14, 67, 133),
}
# Credits a second by the class of the short edge: up to 720 px, up to 1080, above. The request does not name Veo's tier:
# the sketch charges its Fast one. Kling and Wan are printed as "from"; Sora's price is not printed, so 10 is made up.
_VIDEO: dict[str, tuple[float, float, float]] = {
    "veo": (2, 2.4, 6),
    "kling": (2.24, 2.24, 2.24),
    "wan": (2, 2, 2),
    "sora-2": (10, 10, 10),
}


def find(name: str) -> Model | None:
    """The model of this id or alias."""
    return _BY_NAME.get(name)


def image_credits(model: Model, width: int, height: int, quality: str, n: int) -> float:
    """What ``n`` images of this size (pixels) are charged."""
    table = _GPT_IMAGE_2[quality] if model.id == "gpt-image-2" else _IMAGE[model.id]
    return n * table[_class_of(max(width, height), 1536, 2048)]


def video_credits(model: Model, width: int, height: int, seconds: float) -> float:
    """What a video of this size (pixels) and length (seconds) is charged."""
    return round(seconds * _VIDEO[model.id][_class_of(min(width, height), 720, 1080)], 2)


def _class_of(edge: int, small: int, medium: int) -> int:
    return (edge > small) + (edge > medium)
