"""A widget in an output that keeps: alive where its kernel is, plain HTML wherever the notebook goes.

JupyterLab saves no widget state, so a saved widget view is dead when it is opened again. The output is therefore an empty
placeholder and beneath it what stays, kept current; `place.js` puts the widget into the placeholder of every page that
has its model. Where that cannot work (no anywidget in the front end) the widget is displayed as any other, some seconds later.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import ipywidgets as w
from anywidget import AnyWidget
from IPython import get_ipython
from IPython.display import DisplayHandle, display
from markupsafe import Markup
from traitlets import Bool, Unicode

from pixapi_nb import markup, portal
from pixapi_nb.view import front
from pixapi_nb.view.progress import close_tree
from pixapi_nb.widgets import pieces

__all__ = ["Place"]

_QUIET = 0.7  # seconds that changes are collected for
_PATIENCE = 5  # idle seconds until a page counts as one where a placeholder does not work


class Mount(AnyWidget):
    """The model of `place.js`. Never displayed."""

    _esm = Path(__file__).with_name("place.js")
    place = Unicode().tag(sync=True)
    view = Unicode().tag(sync=True)
    rest = Bool(False).tag(sync=True)


class Place:
    """One display of `widget`. `still` gives the HTML that stays, `plain` the same as text."""

    def __init__(self, widget: w.Widget, still: Callable[[], Markup], plain: Callable[[], str], *, owned: bool = False) -> None:
        self.name = uuid.uuid4().hex[:12]
        self._widget, self._still, self._plain, self._owned = widget, still, plain, owned
        self._lock = threading.Lock()
        self._mount: Mount | None = None
        self._live: DisplayHandle | None = None
        self._kept: DisplayHandle | None = None
        self._waiting = self._closed = self._rests = False
        self._more: Mapping[str, str] = {}
        self._mounted = 0  # pages that have shown it, so far

    def open(self) -> None:
        """Display it beneath the cell that is running. Without a person only what stays."""
        shell = get_ipython()
        if front.has_widgets(shell) and front.has_person(shell):
            _one_per_cell(shell, self)
            self._live = display({"text/html": str(pieces.place(self.name)), "text/plain": ""}, raw=True, display_id=True)
            self._mount = Mount(place=self.name, view=self._widget.model_id)
            self._mount.on_msg(self._heard)
            _Patience(shell, self._fall_back, lambda: bool(self._mounted or self._closed))
        self._kept = display(self._bundle(), raw=True, display_id=True)

    def changed(self) -> None:
        """What stays is to be made anew, soon. Not on the I/O thread."""
        with self._lock:
            if self._waiting or self._closed or self._kept is None:
                return
            self._waiting = True
        portal.run(self._soon)

    def rest(self, more: Mapping[str, str] | None = None) -> None:
        """The widget has done its work: from now on what stays is shown, with `more` MIME types. Not on the I/O thread."""
        self._rests, self._more = True, more or {}
        if self._mount is not None:
            self._mount.rest = True
        if self._live is not None:
            self._live.update({"text/html": "", "text/plain": ""}, raw=True)
        self._renew()

    async def _soon(self) -> None:
        await anyio.sleep(_QUIET)
        with self._lock:
            self._waiting = False
        await asyncio.to_thread(self._renew)

    def _renew(self) -> None:
        if self._kept is None or self._closed:
            return
        bundle = self._bundle()
        self._kept.update(bundle, raw=True)
        if (self._mounted > 1 or self._rests) and self._mount is not None:
            self._mount.send({"event": "still", "data": bundle})

    def _bundle(self) -> dict[str, str]:
        return {"text/html": str(pieces.still(self.name, self._still())), "text/plain": self._plain(), **self._more}

    def _heard(self, _: Any, content: Any, __: Any) -> None:
        self._mounted += 1
        if self._mounted > 1 or self._rests:  # reloaded, or a second tab: it may have missed some
            self.changed()

    def _fall_back(self) -> None:
        view = {"version_major": 2, "version_minor": 0, "model_id": self._widget.model_id}
        if self._live is not None:
            self._live.update({"application/vnd.jupyter.widget-view+json": view, "text/plain": ""}, raw=True)

    def close(self) -> None:
        """The cell has been run again: what stays is no longer kept current, and a widget of the cell's own is closed."""
        with self._lock:
            self._closed = True
        if self._mount is not None:
            close_tree(self._mount)
        if self._owned:
            self._widget.close()


class _Patience:
    """Calls `give_up` after some seconds in which no cell ran and `settled` stayed false. On the kernel's main thread."""

    def __init__(self, shell: Any, give_up: Callable[[], None], settled: Callable[[], bool]) -> None:
        self._shell, self._give_up, self._settled = shell, give_up, settled
        self._busy, self._idle = True, 0
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)
        self._loop = asyncio.get_running_loop()
        self._loop.call_later(1, self._tick)

    def _before(self, _: Any) -> None:
        self._busy, self._idle = True, 0

    def _after(self, _: Any) -> None:
        self._busy = False

    def _tick(self) -> None:
        self._idle = 0 if self._busy else self._idle + 1  # a busy kernel does not hear what the page says
        if self._idle < _PATIENCE and not self._settled():
            self._loop.call_later(1, self._tick)
            return
        self._shell.events.unregister("pre_run_cell", self._before)
        self._shell.events.unregister("post_run_cell", self._after)
        if not self._settled():
            self._give_up()


_places: dict[str, tuple[str, list[Place]]] = {}


def _one_per_cell(shell: Any, place: Place) -> None:
    """A cell that runs again takes the places of its last run along: their models would pile up."""
    parent = shell.get_parent()
    cell = str(parent.get("metadata", {}).get("cellId") or "")
    run = str(parent.get("header", {}).get("msg_id"))
    last, places = _places.get(cell, (run, []))
    if cell and last != run:
        for one in places:
            one.close()
        places = []
    _places[cell] = (run, [*places, place])


def show_words(*texts: str) -> str:
    """Lines of plain text, for terminals."""
    return "\n".join(markup.words(text, 2000) for text in texts if text)
