"""The strip of results beneath a panel: newest first, bounded, each with its settings."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as w

from pixapi_nb.errors import PixapiError
from pixapi_nb.jobs import Job
from pixapi_nb.view.cell import CellView
from pixapi_nb.view.line import Line, describe
from pixapi_nb.view.progress import Bar, close_tree
from pixapi_nb.widgets import pieces
from pixapi_nb.widgets.pictures import Compare, compare

__all__ = ["Card", "Strip"]

MOST = 12  # cards kept as widgets; what is older is in `results` and on disk


class Card:
    """One generation: its progress, then its pictures and a button that takes its settings. It is a `Progress`."""

    def __init__(self, job: Job, values: Mapping[str, Any], made: float, choose: Callable[[Card], None]) -> None:
        self.job, self.values, self.made = job, dict(values), made
        self._lock = threading.Lock()
        self._closed = self._small = False
        self._bar: Bar | None = Bar()
        self._said = w.HTML(value=pieces.faint(pieces.names(values)))
        self._slider: Compare | None = None  # of the newest card, if it is an edit
        self._picture = w.HTML()
        self._button = w.Button(description="Use these settings", tooltip="Put these settings back on the controls")
        self._button.on_click(lambda _: choose(self))
        self.box = w.VBox([self._bar.box, self._said])
        self.box.add_class("pixapi-card")
        self.box.add_class("pixapi-running")

    @property
    def running(self) -> bool:
        """Whether it still shows its progress."""
        return self._bar is not None

    def view(self) -> CellView:
        """What keeps it up to date."""
        return _CardView(self.job, self._html)

    def _html(self) -> str:
        width = pieces.SMALL if self._small else pieces.LARGE
        return str(pieces.card(self.job, self.values, width=width, pictures=self._slider is None))

    def open(self, line: Line) -> None:
        self.update(line)

    def update(self, line: Line) -> None:
        with self._lock:
            if self._bar is not None:
                self._bar.update(line)

    def leave(self) -> None:
        pass

    def close(self, bundle: Mapping[str, Any]) -> None:
        """Show the result instead of the progress."""
        with self._lock:
            bar, self._bar = self._bar, None
            if bar is None or self._closed:
                return
            self._slider = None if self._small else _before_after(self.job)
            self._picture.value = bundle["text/html"] if self._slider is None else self._html()
            self.box.remove_class("pixapi-running")
            self.box.children = (*([self._slider] if self._slider else []), self._picture, self._button)
            bar.close()
            close_tree(self._said)

    def shrink(self) -> None:
        """Be one of the older ones."""
        with self._lock:
            if self._small:
                return
            self._small = True
            if self._bar is None and not self._closed:
                slider, self._slider = self._slider, None
                self._picture.value = self._html()
                self.box.children = (self._picture, self._button)
                if slider is not None:
                    close_tree(slider)

    def mark(self, chosen: bool) -> None:
        """Whether its settings are those that the controls were given last."""
        (self.box.add_class if chosen else self.box.remove_class)("pixapi-chosen")

    def discard(self) -> None:
        """Close all its widgets."""
        with self._lock:
            self._closed = True
            bar, self._bar = self._bar, None
            if bar is not None:
                bar.close()
            for one in (self._said, self._picture, self._button, self._slider):
                if one is not None:
                    close_tree(one)
            self.box.children = ()
            close_tree(self.box)


def _before_after(job: Job) -> Compare | None:
    """A slider over an edit and what went in, where it is one picture of one."""
    sides = (job.media, job.request.inputs)
    if job.error is None and job.request.kind == "image" and all(len(side) == 1 for side in sides):
        with contextlib.suppress(PixapiError):  # what went in was a URL, or cannot be drawn
            return compare(job)
    return None


class _CardView(CellView):
    """A job in a card."""

    def __init__(self, job: Job, html: Callable[[], str]) -> None:
        super().__init__(job, embed="preview", beside=Path(), alone=True)
        self._html = html

    def bundle(self) -> dict[str, Any]:
        return {"text/html": self._html(), "text/plain": describe(self.job, self._last).text}


class Strip:
    """The newest card stands in `newest`, beside the controls; the older ones in `box`, smaller."""

    def __init__(self, choose: Callable[[Card], None]) -> None:
        self._choose = choose
        self._lock = threading.Lock()  # results come on other threads than clicks
        self._cards: list[Card] = []
        self._dropped = 0
        self._discarded = False
        self._older = w.HTML()
        self.newest = w.VBox()
        self.newest.add_class("pixapi-newest")
        self.box = w.Box([self._older])
        self.box.add_class("pixapi-strip")

    def add(self, job: Job, values: Mapping[str, Any], made: float) -> Card:
        """A card for a job that has just begun, before those that were asked for earlier than `made`."""
        card = Card(job, values, made, self._choose)
        with self._lock:
            if self._discarded:  # the panel was closed meanwhile; the job goes on
                card.discard()
                return card
            self._cards.append(card)
            self._cards.sort(key=lambda one: one.made, reverse=True)
            gone = [one for one in self._cards[MOST:] if not one.running]
            self._cards = [one for one in self._cards if one not in gone]
            older = self._cards[1:]
            self._dropped += len(gone)
            self.newest.children = (card.box,)
            self.box.children = (*(one.box for one in older), self._older)
            if self._dropped:
                self._older.value = pieces.faint(f"and {self._dropped} older results, in .results and on disk")
        for one in older:
            one.shrink()
        for one in gone:
            one.discard()
        return card

    def mark(self, job: Job | None) -> None:
        """Show which result was chosen."""
        with self._lock:
            for one in self._cards:
                one.mark(one.job is job)

    def discard(self) -> None:
        """Close all widgets."""
        with self._lock:
            cards, self._cards, self._discarded = self._cards, [], True
        for one in cards:
            one.discard()
        for box in (self.newest, self.box):
            box.children = ()
            close_tree(box)
        close_tree(self._older)
