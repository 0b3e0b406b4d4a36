"""From the words of a cell to the request that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pixapi_nb import pricing
from pixapi_nb.errors import UsageError, clean
from pixapi_nb.models import ImageRequest, InputImage, Kind, Request, VideoRequest
from pixapi_nb.options import ALL, cell_parser, cell_words, closest
from pixapi_nb.prompt import Template
from pixapi_nb.sources import find_image
from pixapi_nb.sweep_plan import Axis, Plan, declared_axes, repeated

__all__ = ["Ask"]

_STEPS = 5


def listed(text: str) -> list[str]:
    """The names of a list with commas. Raises UsageError for an empty one."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if text and not names:
        raise UsageError(f"{text!r} names nothing.", hint="Such as --sweep=style,warmth or --models a,b.")
    return names


@dataclass(frozen=True)
class Ask:
    """One cell, read: the options, the template, and the input pictures. `defaults` stand where an option is not given."""

    words: argparse.Namespace
    template: Template
    images: tuple[InputImage, ...]
    defaults: Mapping[str, Any]

    @classmethod
    def read(cls, line: str, cell: str, *, defaults: Mapping[str, Any], variables: Mapping[str, Any], folder: Path) -> Ask:
        """Parse a cell. Raises UsageError; PromptError for the template."""
        words = cell_parser().parse(cell_words(line))
        if words.models and not words.model:
            words.model = listed(words.models)[0]
        if not words.model:
            raise UsageError(
                "no model is given.", hint="Such as %%pixapi gemini-3-pro-image-preview. %pixapi models lists them."
            )
        if words.steps is not None and words.sweep is None and words.models is None:
            raise UsageError("--steps is for --sweep, which is not there.", hint="Such as --sweep --steps 3.")
        if words.steps is not None and words.steps < 1:
            raise UsageError(f"--steps is {words.steps}; a range has at least one stop.", hint="Such as --sweep --steps 3.")
        images = tuple(find_image(source, variables, folder) for source in words.image)
        return cls(words, Template.parse(cell.strip()), images, defaults)

    @property
    def model(self) -> str:
        return str(self.words.model)

    @property
    def models(self) -> tuple[str, ...]:
        """The model, and those of `--models`."""
        return tuple(dict.fromkeys([self.model, *listed(self.words.models or "")]))

    @property
    def sweeps(self) -> bool:
        """Whether a grid is asked for."""
        return self.words.sweep is not None or self.words.models is not None

    def plan(self, kind: Kind, variables: Mapping[str, Any]) -> Plan:
        """The plan of a sweep. Raises UsageError, and PromptError where a variable does not fit."""
        words, axes = self.words, list[Axis]()
        if words.interact:
            raise UsageError("--interact and --sweep are two ways to use the prompt's controls; choose one.")
        if words.sweep is not None:
            axes += declared_axes(self.template, None if words.sweep == ALL else listed(words.sweep), words.steps or _STEPS)
        if len(self.models) > 1:
            axes.insert(0, Axis("model", self.models, "field"))
        varied = {axis.name for axis in axes}
        fixed = {name: variables[name] for name in self.template.controls if name in variables and name not in varied}
        for model in self.models:
            base = replace(self, words=argparse.Namespace(**{**vars(words), "model": model})).request(kind, fixed)
        base = self.request(kind, fixed)
        values = {name: self.template.controls[name].coerce(value) for name, value in fixed.items()}
        if isinstance(base, ImageRequest):
            axes, base = list(repeated(axes, base.n)), replace(base, n=1)
        return Plan(template=self.template, axes=tuple(axes), base=base, values=values)

    def option(self, name: str) -> Any:
        """What the cell says, else the default."""
        given = getattr(self.words, name)
        return self.defaults.get(name) if given is None else given

    def request(self, kind: Kind, values: Mapping[str, object]) -> Request:
        """The request, with the template's `values`. Raises UsageError where the options do not fit the kind."""
        prompt = self.template.render(values)
        if (self.words.kind or kind) == "video":
            return self._video(prompt)
        if self.words.duration is not None:
            known = pricing.find(self.model)
            likely = "" if known else closest(self.model, [*pricing.MODELS, *pricing.ALIASES])
            makes = "makes images" if known else "is not known to make them"
            raise UsageError(
                f"-d is for videos, and {clean(self.model, 60)} {makes}.{likely}",
                hint="--as video overrides that; %pixapi models shows what each model makes.",
            )
        return ImageRequest(
            model=self.model,
            prompt=prompt,
            n=self.option("n"),
            size=self.option("size"),
            quality=self.option("quality"),
            response_format=self.words.response_format,
            images=self.images,
        )

    def _video(self, prompt: str) -> Request:
        wrong = [
            flag
            for flag, given in (
                ("-n", self.words.n not in (None, 1)),
                ("-q", self.words.quality),
                ("--response-format", self.words.response_format),
                ("--sync", self.words.sync),
            )
            if given
        ]
        if wrong:
            raise UsageError(
                f"{wrong[0]} is for images, and {self.model} makes videos.",
                hint="--as image overrides that; %pixapi models shows what each model makes.",
            )
        if len(self.images) > 1:
            raise UsageError("a video starts from one picture, and -i is given more than once.")
        start = self.images[0] if self.images else None
        # The default size is one for pictures; a video has its own.
        return VideoRequest(
            model=self.model, prompt=prompt, duration=self.words.duration, size=self.words.size, input_image=start
        )
