"""The controls that every request has: model, size, quality, how many, how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ipywidgets as w

from pixapi_nb import pricing
from pixapi_nb.errors import UsageError, clean
from pixapi_nb.models import ImageRequest, InputImage, Kind, Request, VideoRequest
from pixapi_nb.widgets.controls import LABEL

__all__ = ["MODEL", "Chosen", "Settings"]

MODEL = "gemini-3-pro-image-preview"
_MOST = 16  # pictures that one request of a panel may ask for, unless it began with more
_SIZES: dict[Kind, tuple[str, ...]] = {
    "image": ("auto", "1024x1024", "1536x1024", "1024x1536", "2K", "4K", "1:1", "16:9", "9:16"),
    "video": ("1280x720", "720x1280", "1920x1080", "16:9", "9:16"),
}
_LENGTHS = ("4", "6", "8", "10")
_QUALITIES = (("the model's own", ""), ("low", "low"), ("medium", "medium"), ("high", "high"), ("auto", "auto"))


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What the controls stood at when Generate was pressed. `kind` overrides what the server says the model makes."""

    model: str = MODEL
    n: int = 1
    size: str | None = None
    quality: str | None = None
    duration: float | None = None
    response_format: str | None = None
    kind: Kind | None = None

    @property
    def known_kind(self) -> Kind | None:
        """What the model makes, if that is known without asking."""
        known = pricing.find(self.model)
        return self.kind or (known.kind if known else None)

    def checked(self) -> Chosen:
        """Itself. Raises UsageError for a setting that its model is known not to have, and the controls would not show."""
        model, wrong = clean(self.model, 60), "n" if self.n != 1 else "quality"
        if self.known_kind == "video" and (self.n != 1 or self.quality):
            raise UsageError(f"{wrong} is for images, and {model} makes videos.")
        if self.known_kind == "image" and self.duration is not None:
            raise UsageError(f"duration is for videos, and {model} makes images.")
        return self

    def request(self, kind: Kind, prompt: str, images: tuple[InputImage, ...]) -> Request:
        """The request for these pictures. Raises UsageError where the model cannot take them."""
        if (self.kind or kind) == "video":
            if len(images) > 1:
                raise UsageError("a video starts from one picture.")
            start = images[0] if images else None
            return VideoRequest(model=self.model, prompt=prompt, duration=self.duration, size=self.size, input_image=start)
        return ImageRequest(
            model=self.model,
            prompt=prompt,
            n=self.n,
            size=self.size,
            quality=self.quality,
            response_format=self.response_format,
            images=images,
        )


class Settings:
    """The controls themselves; `rows` are what a panel shows, and only those that the model's kind has."""

    def __init__(self, begin: Chosen, changed: Callable[[], None], width: str = f"{LABEL}px") -> None:
        if not isinstance(begin.n, int) or begin.n < 1:
            raise UsageError(f"n is {clean(begin.n, 40)}; it is a whole number from 1.")
        self._begin, self._kinds = begin, dict[str, Kind]()
        common: dict[str, Any] = {"style": {"description_width": width}}

        def text(name: str, options: tuple[str, ...], value: str, placeholder: str) -> w.Combobox:
            layout = w.Layout(width="100%")
            given = {"description": name, "options": options, "value": value, "placeholder": placeholder}
            return w.Combobox(**given, continuous_update=False, layout=layout, **common)

        known = (*pricing.MODELS, *pricing.ALIASES)
        self.model = text("model", known, begin.model, "a model's id or alias")
        self.size = text("size", _SIZES["image"], begin.size or "", "the model's own")
        self.duration = text("duration", _LENGTHS, _plain(begin.duration), "seconds; the model's own")
        self.quality = w.Dropdown(
            description="quality",
            options=_qualities(begin.quality),
            value=begin.quality or "",
            layout=w.Layout(width="100%"),
            **common,
        )
        most = max(_MOST, begin.n)
        self.n = w.BoundedIntText(description="n", min=1, max=most, value=begin.n, layout=w.Layout(width="100%"), **common)
        self.n.tooltip = "how many pictures"
        self._all = (self.model, self.size, self.quality, self.n, self.duration)
        self.rows = w.VBox(self._all)
        self._fit()

        def moved(_: Any) -> None:
            self._fit()
            changed()

        for one in self._all:
            one.observe(moved, "value")

    @property
    def kind(self) -> Kind:
        """What the model makes, as far as is known."""
        return self.known_kind(self.model.value.strip()) or "image"

    def known_kind(self, model: str) -> Kind | None:
        """What a model makes, if that is known."""
        return self._begin.kind or self._kinds.get(model) or Chosen(model=model).known_kind

    def chosen(self) -> Chosen:
        """As they stand. Raises UsageError for a duration that is no number."""
        text = self.duration.value.strip().removesuffix("s").strip()
        try:
            duration = float(text) if text else None
        except ValueError:
            raise UsageError(f"duration {clean(text, 40)!r} is not a number of seconds.") from None
        return Chosen(
            model=self.model.value.strip(),
            n=self.n.value,
            size=self.size.value.strip() or None,
            quality=self.quality.value or None,
            duration=duration,
            response_format=self._begin.response_format,
            kind=self._begin.kind,
        )

    def learn(self, model: str, kind: Kind) -> None:
        """The server has said what a model makes."""
        self._kinds[model] = kind
        self._fit()

    def standing(self) -> tuple[Any, ...]:
        """What all of them stand at, the model first: for `stand`."""
        return tuple(one.value for one in self._all)

    def stand(self, values: tuple[Any, ...]) -> None:
        """Stand as they stood then."""
        for one, value in zip(self._all, values, strict=True):
            one.value = value

    def put(self, request: Request) -> None:
        """Stand as they stood for an earlier request."""
        self.model.value = request.model
        self.size.value = request.size or ""
        if isinstance(request, VideoRequest):
            self.duration.value = _plain(request.duration)
            return
        self.n.value = request.n
        self.quality.options = _qualities(request.quality)
        self.quality.value = request.quality or ""

    def _fit(self) -> None:
        """Show what the kind of the model has."""
        kind = self.kind
        for one, wanted in ((self.quality, "image"), (self.n, "image"), (self.duration, "video")):
            one.layout.display = None if kind == wanted else "none"
        self.size.options = _SIZES[kind]


def _plain(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:g}"


def _qualities(besides: str | None) -> tuple[tuple[str, str], ...]:
    more = () if besides is None or (besides, besides) in _QUALITIES else ((besides, besides),)
    return (*_QUALITIES, *more)
