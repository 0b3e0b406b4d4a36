"""PromptSliders: a prompt's declarations as controls, the prompt as it will be sent, Generate, and the results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as w
from traitlets import Dict, TraitError, Unicode

from pixapi_nb.asking import Ask
from pixapi_nb.controls import Free
from pixapi_nb.errors import PixapiError, UsageError, clean
from pixapi_nb.inputs import input_image
from pixapi_nb.jobs import Job
from pixapi_nb.prompt import Template
from pixapi_nb.widgets import pieces
from pixapi_nb.widgets.controls import abbreviated, control, label_width, labels, own, put, standing
from pixapi_nb.widgets.home import Home
from pixapi_nb.widgets.live import Live
from pixapi_nb.widgets.panel import Order, Panel, boxed
from pixapi_nb.widgets.settings import MODEL, Chosen

__all__ = ["PromptSliders"]


class PromptSliders(Panel):
    """The controls of one prompt. Nothing is sent until Generate is pressed; several generations may run at once.

    `PromptSliders("A {{style: noir | studio}} cup, warmth {{warmth}}", warmth=(0, 10))`

    A keyword with the name of a placeholder is one of `interact`'s abbreviations: `(0, 10)` and `(0, 1, 0.1)` a range,
    a list choices, `{"label": choice}` choices with labels, a widget itself, `fixed(…)` no control at all, and a number a
    slider about it where the prompt declares nothing. Anything else is where the control begins. `controls={…}` takes the
    same for names that are also a setting's. `image` is one picture to edit or to start from, or a list of them.

    Observable: `prompt` (as it is sent), `values` (by name; setting it moves the controls), `results`, `selected`.
    Raises UsageError; PromptError for the template.
    """

    prompt = Unicode(read_only=True, help="The prompt as it is sent.")
    values = Dict(help="What the controls stand at, by name. Setting it moves them.")

    def __init__(
        self,
        prompt: str | Template,
        *,
        model: str = MODEL,
        n: int = 1,
        size: str | None = None,
        quality: str | None = None,
        duration: float | None = None,
        image: Any = (),
        controls: Mapping[str, Any] | None = None,
        home: Home | None = None,
        begin: Chosen | None = None,
        **more: Any,
    ) -> None:
        template = prompt if isinstance(prompt, Template) else Template.parse(prompt.strip())
        given = {**more, **(controls or {})}
        self._template, start = abbreviated(template, given)
        self._images = tuple(map(input_image, image if isinstance(image, (list, tuple)) else [image]))
        begin = begin or Chosen(model=model, n=n, size=size, quality=quality, duration=duration).checked()
        width = label_width(self._template.controls)
        self._own = {name: one for name, one in start.items() if isinstance(one, (w.ValueWidget, w.fixed))}
        self._controls = {
            name: own(self._own[name], name, width)
            if name in self._own
            else control(one, standing(one, start.get(name)), width, labels(given.get(name)))
            for name, one in self._template.controls.items()
        }
        self._shown = w.HTML()
        self._live = Live(self._order, self._carry_out, self._telling)
        super().__init__(home or Home.found(), begin, label_width=width)
        for one in self._controls.values():
            one.observe(lambda _: self._changed(), "value")
        self._show(self._desk(), self._strip.box)
        self._changed()
        self.observe(lambda change: self._move(change.new), "values")

    @classmethod
    def from_ask(cls, ask: Ask, home: Home, variables: Mapping[str, Any]) -> PromptSliders:
        """The panel of a cell. A control stands at the variable of its name where that fits, else at its default.

        Raises UsageError for what a plain run of the cell would refuse.
        """
        kind = Chosen(model=ask.model, kind=ask.words.kind).known_kind
        if kind is not None:
            ask.request(kind, dict.fromkeys(ask.template.names, "…"))
        begin = Chosen(
            model=ask.model,
            n=ask.option("n"),
            size=ask.words.size if kind == "video" else ask.option("size"),
            quality=ask.option("quality"),
            duration=ask.words.duration,
            response_format=ask.words.response_format,
            kind=ask.words.kind,
        )
        # As text for a free name: a variable that is a number asks for no slider.
        fitting = {
            name: one.coerce(variables[name]) for name, one in ask.template.controls.items() if one.fits(variables.get(name))
        }
        made = cls(ask.template, image=ask.images, home=home, begin=begin, controls=fitting)
        made._owned = True
        return made

    def _desk(self) -> w.Widget:
        knobs = boxed(
            "pixapi-knobs", w.VBox([one for one in self._controls.values() if isinstance(one, w.Widget)]), self._settings.rows
        )
        sheet = boxed("pixapi-sheet", self._shown, self._act, self._live.box, self._message)
        return boxed("pixapi-desk", boxed("pixapi-left", knobs, sheet), self._strip.newest, box=w.Box)

    # -- what it would send

    def _now(self) -> dict[str, Any]:
        return {name: one.value for name, one in self._controls.items()}

    def _order(self) -> Order:
        values = self._now()
        empty = self._empty(values)
        if empty is not None:
            raise UsageError(f"{{{{{empty}}}}} is empty.", hint="Write something into its box.")
        return Order(self._settings.chosen(), self._template.render(values), values, self._images)

    def _empty(self, values: Mapping[str, Any]) -> str | None:
        """A name that still has no text."""
        free = (name for name, one in self._template.controls.items() if isinstance(one, Free))
        return next((name for name in free if not str(values[name]).strip()), None)

    def _spans(self) -> list[tuple[str, str | None]]:
        return self._template.spans(self._now())

    def _changed(self) -> None:
        super()._changed()
        if not self._putting and not self._closed:
            self._live.moved()

    def _refresh(self) -> None:
        spans, values = self._spans(), self._now()
        self._shown.value = pieces.prompt(spans)
        try:
            with self.hold_trait_notifications():  # an observer that fails finds both as they are
                self.set_trait("prompt", "".join(text for text, _ in spans))
                self.values = values
        finally:
            if self._empty(values) is None:
                super()._refresh()
            else:
                self._price.value = ""  # nobody has done anything wrong yet

    # -- going back

    def _put(self, job: Job, values: Mapping[str, Any]) -> None:
        self._place(values)

    def _place(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if name in self._own:
                try:
                    self._own[name].value = value
                except TraitError as error:
                    raise UsageError(f"the control {name} does not take {clean(repr(value), 40)}.") from error
            elif name in self._controls:
                put(self._controls[name], self._template.controls[name], value)

    def _move(self, values: Mapping[str, Any]) -> None:
        """Somebody has set `values`: raises PromptError, to them, where they do not fit."""
        now = self._now()
        if values == now:
            return
        try:
            unknown = next((name for name in values if name not in self._controls), None)
            if unknown is not None:
                raise UsageError(f"the prompt has no {{{{{clean(unknown, 40)}}}}}.")
            self._template.render({**now, **values})
            with self._quietly():
                self._place(values)
        except PixapiError:
            with self._quietly():
                self._place(now)
            self.values = now
            raise

    def close(self) -> None:
        if not self._closed:
            self._live.stop()
        super().close()
