"""A panel: settings, Generate, several generations at once, and the strip of their results."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import ipywidgets as w
from markupsafe import Markup
from traitlets import Any as AnyTrait
from traitlets import Tuple, validate

from pixapi_nb import markup, portal, show_parts
from pixapi_nb.errors import PixapiError, UsageError, clean
from pixapi_nb.jobs import Job
from pixapi_nb.models import InputImage, Kind, Request
from pixapi_nb.pricing import free_here
from pixapi_nb.view.cell import CellView
from pixapi_nb.view.progress import close_tree
from pixapi_nb.widgets import pieces
from pixapi_nb.widgets.home import Home
from pixapi_nb.widgets.place import Place, show_words
from pixapi_nb.widgets.settings import Chosen, Settings
from pixapi_nb.widgets.strip import Card, Strip
from pixapi_nb.wire import LOCAL, Server

__all__ = ["Order", "Panel", "Result", "boxed"]

_STILLS = 12  # results that a saved notebook shows of a panel


@dataclass(frozen=True)
class Order:
    """What Generate was pressed for."""

    chosen: Chosen
    prompt: str
    values: Mapping[str, Any] = field(default_factory=dict)
    images: tuple[InputImage, ...] = ()
    makes: Kind | None = None  # what alone its task can be
    made: float = field(default_factory=time.monotonic, compare=False)  # several may begin in another order

    def request(self, kind: Kind) -> Request:
        """The request where the model makes `kind`. Raises UsageError where its task is for the other."""
        if self.makes is not None and kind != self.makes:
            raise UsageError(
                f"{clean(self.chosen.model, 60)} makes {kind}s.",
                hint=f"Choose a model that makes {self.makes}s, or another task.",
            )
        return self.chosen.request(kind, self.prompt, self.images)


@dataclass(frozen=True)
class Result:
    """A finished job, and the values that it was made with."""

    job: Job
    values: Mapping[str, Any]
    made: float

    @cached_property
    def still(self) -> Markup:
        return pieces.card(self.job, self.values, width=pieces.SMALL)


def boxed(name: str, *children: w.Widget, box: type[w.Box] = w.VBox) -> w.Box:
    """A box that the style sheet knows by name."""
    made = box(children)
    made.add_class(name)
    return made


class Panel(w.VBox):  # type: ignore[misc]  # ipywidgets is not typed
    """What `PromptSliders` and the studio have in common. Nothing in it waits: callbacks send work to the I/O thread.

    Observable: `results` (finished Jobs, newest first), `selected` (the one whose settings were put back last, or
    None; setting it puts them back).
    """

    results = Tuple(read_only=True, help="Finished Jobs, newest first.")
    selected = AnyTrait(None, allow_none=True, help="The one of `results` whose settings the controls were given last.")

    def __init__(self, home: Home, begin: Chosen, *, label_width: str, generate: str = "Generate") -> None:
        self._home = home
        self._lock = threading.Lock()  # callbacks come on the main thread and others
        self._done: list[Result] = []
        self._places: list[Place] = []
        self._putting = False
        self._tree = w.VBox()  # all of its widgets
        self._settings = Settings(begin, self._changed, label_width)
        self._price, self._message = w.HTML(), w.HTML()
        self._button = w.Button(description=generate, button_style="primary", tooltip="Sends the prompt as it stands, once")
        self._button.on_click(lambda _: self.generate())
        self._strip = Strip(self._choose)
        self._act = boxed("pixapi-act", self._button, self._price, box=w.HBox)
        super().__init__([self._tree])
        self._closed = False
        self.add_class("pixapi-panel")
        self.observe(lambda change: self._selected(change.new), "selected")

    _closed = True  # until it is open

    # -- what a panel of its own kind says

    def _order(self) -> Order:
        """What would be sent now. Raises PixapiError."""
        raise NotImplementedError

    def _spans(self) -> list[tuple[str, str | None]]:
        """The prompt as it would be sent, in pieces."""
        raise NotImplementedError

    def _put(self, job: Job, values: Mapping[str, Any]) -> None:
        """Stand as for an earlier result."""
        raise NotImplementedError

    # -- looking

    def _show(self, *parts: w.Widget) -> None:
        """What it is made of."""
        self._tree.children = (w.HTML(value=pieces.rules()), *parts)

    def request(self) -> Request:
        """The request as the controls have it now, as far as the model's kind is known. Raises UsageError."""
        return self._request(self._order())

    def _request(self, order: Order) -> Request:
        return order.request(self._settings.known_kind(order.chosen.model) or order.makes or "image")

    def _changed(self) -> None:
        """A control has moved."""
        if self._putting or self._closed:
            return
        with self._telling():
            self._refresh()
        for place in self._places:
            place.changed()

    def _refresh(self) -> None:
        """Show what follows from the controls: the price, and whatever else a panel of its own kind shows."""
        self._price.value = ""
        price = self._home.session.checked_price(self.request())
        self._price.value = show_parts.line(free_here(price) if self._is_local else str(price))

    @property
    def _is_local(self) -> bool:
        return self._home.session.address() == LOCAL

    # -- generating

    def generate(self) -> None:
        """Send the prompt as it stands, and come back at once. The result appears below; what is wrong is said above it."""
        with self._telling():
            self._submit(self._order())

    def _submit(self, order: Order) -> None:
        self._home.session.checked_price(self._request(order))  # what cannot be sent is said at once
        portal.run(self._carry_out, order)

    async def _carry_out(self, order: Order) -> Job | None:
        """From an order to its result. On the I/O thread; never raises, since nobody would hear it."""
        job = None
        try:
            server, kind = await self._home.session.ready(order.chosen.model)
            await asyncio.to_thread(self._settings.learn, order.chosen.model, kind)
            job, view = await asyncio.to_thread(self._begin, order, server, kind)
            await asyncio.wrap_future(view.shown)
            if job.error is None:
                await asyncio.to_thread(self._finished, Result(job, order.values, order.made))
        except Exception as error:  # noqa: BLE001  # whatever it is, the person sees it in the panel
            await asyncio.to_thread(self._tell, error)
        return job

    def _begin(self, order: Order, server: Server, kind: Kind) -> tuple[Job, CellView]:
        job = self._home.session.start(order.request(kind), server, self._home.options())
        card = self._strip.add(job, order.values, order.made)
        view = card.view()
        view.open(card)
        return job, view

    def _finished(self, result: Result) -> None:
        with self._lock:
            self._done.append(result)
            self._done.sort(key=lambda one: one.made, reverse=True)
            results = tuple(one.job for one in self._done)
        self.set_trait("results", results)
        for place in self._places:
            place.changed()

    # -- choosing

    def _choose(self, card: Card) -> None:
        with self._telling():
            if self.selected is card.job:
                self._selected(card.job)
            elif card.job.error is None:
                self.selected = card.job
            else:  # it failed, so it is none of the results
                self.selected = None
                self._restore(card.job, card.values)
                self._strip.mark(card.job)

    def _result(self, job: object) -> Result | None:
        with self._lock:
            return next((one for one in self._done if one.job is job), None)

    @validate("selected")
    def _selectable(self, proposal: Mapping[str, Any]) -> object:
        job = proposal["value"]
        if job is not None and self._result(job) is None:
            raise UsageError("selected takes one of the panel's results, or None.")
        return job

    def _selected(self, job: Job | None) -> None:
        self._strip.mark(job)
        found = self._result(job)
        if found is None:
            return
        try:
            self._restore(found.job, found.values)
        except Exception:
            self.selected = None  # the controls do not stand as they did for it
            raise

    def _restore(self, job: Job, values: Mapping[str, Any]) -> None:
        with self._quietly():
            self._settings.put(job.request)
            self._put(job, values)

    @contextlib.contextmanager
    def _quietly(self) -> Iterator[None]:
        """The controls that are moved meanwhile are looked at once, at the end."""
        self._putting = True
        try:
            yield
        finally:
            self._putting = False
            self._changed()

    # -- telling

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """What goes wrong in a callback is said in the panel; what goes well takes the last complaint away."""
        try:
            yield
            self._message.value = ""
        except Exception as error:  # noqa: BLE001  # a traceback in a log is nowhere
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        said = str(error) if isinstance(error, PixapiError) else f"{type(error).__name__}: {clean(error)}"
        self._message.value = str(markup.note(said, "error"))

    # -- where it stands

    _owned = False  # made for one cell, which alone shows it

    def _ipython_display_(self, **_: Any) -> None:
        place = Place(self, self._still, self._plain, owned=self._owned)
        place.open()
        self._places.append(place)

    def _still(self) -> Markup:
        with self._lock:
            shown, older = self._done[:_STILLS], max(0, len(self._done) - _STILLS)
        return pieces.panel(self._spans(), self._said(), [one.still for one in shown], older)

    def _said(self) -> dict[str, object]:
        """All settings that are not left to the model, by name."""
        try:
            order = self._order()
            asked = self._request(order).fields()
        except PixapiError:
            return {"model": self._settings.model.value}
        return {**{name: value for name, value in asked.items() if name != "prompt"}, **order.values}

    def _plain(self) -> str:
        return show_words("".join(text for text, _ in self._spans()), pieces.names(self._said()))

    def close(self) -> None:
        """Take the panel away, with all its widgets. What is being generated goes on, and its files arrive."""
        if self._closed:
            return
        self._closed = True
        self._strip.discard()
        close_tree(self._tree)
        self.layout.close()
        super().close()
