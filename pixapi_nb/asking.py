"""From the words of a cell to the request that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pixapi_nb import pricing
from pixapi_nb.errors import UsageError
from pixapi_nb.models import ImageRequest, InputImage, Kind, Request, VideoRequest
from pixapi_nb.options import cell_parser, split
from pixapi_nb.prompt import Template
from pixapi_nb.sources import find_image

__all__ = ["Ask"]


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
        words = cell_parser().parse(split(line))
        if not words.model:
            raise UsageError(
                "no model is given.", hint="Such as %%pixapi gemini-3-pro-image-preview. %pixapi models lists them."
            )
        images = tuple(find_image(source, variables, folder) for source in words.image)
        return cls(words, Template.parse(cell.strip()), images, defaults)

    @property
    def model(self) -> str:
        return str(self.words.model)

    def option(self, name: str) -> Any:
        """What the cell says, else the default."""
        given = getattr(self.words, name)
        return self.defaults.get(name) if given is None else given

    @property
    def likely_kind(self) -> Kind:
        """What the model makes as far as is known without asking."""
        known = pricing.find(self.model)
        kind: Kind = self.words.kind or (known.kind if known else "image")
        return kind

    def request(self, kind: Kind, values: Mapping[str, object]) -> Request:
        """The request, with the template's `values`. Raises UsageError where the options do not fit the kind."""
        prompt = self.template.render(values)
        if (self.words.kind or kind) == "video":
            return self._video(prompt)
        if self.words.duration is not None:
            raise UsageError(
                f"-d is for videos, and {self.model} makes images.",
                hint="--as video overrides that; %pixapi models shows what each model makes.",
            )
        known = pricing.find(self.model)
        if self.images and known is not None and not known.can_edit:
            raise UsageError(f"{self.model} does not edit pictures.", hint="%pixapi models shows which models do.")
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
