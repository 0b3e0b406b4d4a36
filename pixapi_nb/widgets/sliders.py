"""PromptSliders: a prompt's declarations as controls, the prompt as it will be sent, Generate, and the results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as w

from pixapi_nb import portal, show, show_parts
from pixapi_nb.asking import Ask
from pixapi_nb.errors import PixapiError
from pixapi_nb.models import Request
from pixapi_nb.prompt import Free, Template
from pixapi_nb.session import Options, Session
from pixapi_nb.view.cell import CellView
from pixapi_nb.view.progress import SlotProgress, close_tree
from pixapi_nb.widgets.controls import control

__all__ = ["PromptSliders"]


class PromptSliders(w.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """The controls of one prompt. Nothing is sent until Generate is pressed; several generations may run at once."""

    @classmethod
    def from_ask(cls, ask: Ask, session: Session, variables: Mapping[str, Any], *, folder: Path, beside: Path) -> PromptSliders:
        """The panel for a cell. A control stands at the variable of its name where that fits, else at its default."""
        return cls(ask, session, variables, folder=folder, beside=beside)

    def __init__(self, ask: Ask, session: Session, variables: Mapping[str, Any], *, folder: Path, beside: Path) -> None:
        self._ask, self._session, self._folder, self._beside = ask, session, folder, beside
        template: Template = ask.template
        self._controls = {
            name: control(declared, _standing(declared, variables.get(name))) for name, declared in template.controls.items()
        }
        self._prompt, self._price = w.HTML(), w.HTML()
        self._button = w.Button(description="Generate", button_style="primary", tooltip="Sends the prompt above, once")
        self._button.on_click(lambda _: self.generate())
        self._message = w.HTML()
        self._results = w.VBox()
        for one in self._controls.values():
            one.observe(lambda _: self._show_prompt(), "value")
        super().__init__(
            [
                *self._controls.values(),
                self._prompt,
                w.HBox([self._button, self._price], layout=w.Layout(align_items="center", flex_flow="row wrap")),
                self._message,
                self._results,
            ]
        )
        self._show_prompt()

    @property
    def values(self) -> dict[str, Any]:
        """What the controls stand at."""
        return {name: one.value for name, one in self._controls.items()}

    def request(self) -> Request:
        """The request as the controls have it now. Raises UsageError."""
        return self._ask.request(self._ask.likely_kind, self.values)

    def _show_prompt(self) -> None:
        self._prompt.value = show_parts.prompt(self._ask.template.spans(self.values))
        self._telling(lambda: self._set_price(self._session.checked_price(self.request())))

    def _set_price(self, price: object) -> None:
        self._price.value = show_parts.line(str(price))

    def generate(self) -> None:
        """Send the prompt as it stands. The result appears below, newest first; what is wrong is said in the panel."""
        self._telling(self._generate)

    def _generate(self) -> None:
        server, kind = portal.wait(portal.run(self._session.ready, self._ask.model))
        request = self._ask.request(kind, self.values)
        job = self._session.start(request, server, Options(synchronous=self._ask.words.sync, folder=self._folder))
        slot = SlotProgress()
        self._results.children = (slot.box, *self._results.children)
        CellView(job, embed=self._ask.option("embed"), beside=self._beside, alone=True).open(slot)

    def _telling(self, work: Callable[[], None]) -> None:
        try:
            work()
            self._message.value = ""
        except PixapiError as error:
            self._message.value = str(show.note(str(error), "error"))

    def close(self) -> None:
        """Take the panel away. What is being generated goes on, and its files arrive."""
        for child in self.children:
            close_tree(child)
        super().close()


def _standing(declared: Any, value: object) -> object:
    if isinstance(declared, Free):
        return value if value is not None and declared.fits(value) else ""
    return value if value is not None and declared.fits(value) else declared.default
