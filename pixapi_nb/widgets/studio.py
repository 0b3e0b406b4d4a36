"""The studio: the panel for people who do not write code. Generate, edit, animate; earlier work from the ledger."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as w

from pixapi_nb import markup, show
from pixapi_nb.errors import PixapiError, UsageError
from pixapi_nb.inputs import input_image
from pixapi_nb.jobs import Job
from pixapi_nb.media import Media
from pixapi_nb.models import Kind, media_type
from pixapi_nb.view.progress import close_tree
from pixapi_nb.widgets import pieces
from pixapi_nb.widgets.controls import LABEL
from pixapi_nb.widgets.drop import Drop, Given
from pixapi_nb.widgets.home import Home
from pixapi_nb.widgets.panel import Order, Panel, Result, boxed
from pixapi_nb.widgets.pictures import gallery
from pixapi_nb.widgets.settings import MODEL, Chosen

__all__ = ["Studio"]

_TASKS = {"generate": "Generate", "edit": "Edit", "animate": "Animate"}
_MAKES: dict[str, Kind] = {"edit": "image", "animate": "video"}  # with text alone, it is as the model has it
_VIDEO = "veo"
_HISTORY = 48  # earlier pictures that are offered
_NONE = ""
_THUMB = 160  # CSS pixels of the picture that goes in


class Studio(Panel):
    """`%pixapi studio`. The same parts as `PromptSliders`; the prompt is typed into a box, and every word of it is sent."""

    def __init__(self, home: Home | None = None, *, owned: bool = False) -> None:
        self._owned = owned
        wide: dict[str, Any] = {"layout": w.Layout(width="100%"), "style": {"description_width": f"{LABEL}px"}}
        self._task = w.ToggleButtons(
            options=[(label, name) for name, label in _TASKS.items()],
            description="task",
            style={"description_width": f"{LABEL}px", "button_width": "auto"},
        )
        self._text = w.Textarea(description="prompt", placeholder="What do you want to see?", rows=5, **wide)
        self._sources: dict[str, Media] = {}
        self._kept: dict[str, tuple[Any, ...]] = {}  # by task, how its settings stood
        self._chosen = False  # whether the picture that goes in is the person's choice
        self._source = w.Dropdown(description="picture", options=[("none", _NONE)], value=_NONE, **wide)
        self._drop = Drop(self._take)
        self._thumb = w.HTML()
        self._input = boxed("pixapi-input", self._source, self._drop, self._thumb)
        self._earlier = w.ToggleButton(description="Earlier pictures", icon="clock-o", tooltip="From the ledger, newest first")
        self._history = w.VBox()
        super().__init__(home or Home.found(), Chosen(model=MODEL), label_width=f"{LABEL}px")
        self._task.observe(lambda _: self._switch(), "value")
        self._text.observe(lambda _: self._changed(), "value")
        self._source.observe(lambda _: self._look(), "value")
        self._earlier.observe(lambda change: self._show_history(bool(change.new)), "value")
        knobs = boxed("pixapi-knobs", w.VBox([self._task, self._text, self._input]), self._settings.rows)
        left = boxed("pixapi-left", knobs, boxed("pixapi-sheet", self._act, self._message))
        desk = boxed("pixapi-desk", left, self._strip.newest, box=w.Box)
        self._show(desk, self._strip.box, self._earlier, self._history)
        with self._telling():
            self._offer_history()
        self._switch()

    # -- what it would send

    def _order(self) -> Order:
        task, source = self._task.value, self._sources.get(self._source.value)
        if not self._text.value.strip():
            raise UsageError("the prompt is empty.", hint="Write what you want to see into its box.")
        if task == "edit" and source is None:
            raise UsageError("an edit needs a picture.", hint="Drop one, choose a file, or choose an earlier one.")
        images = (input_image(source, name=self._source.value),) if source is not None and task != "generate" else ()
        values = {"task": task, "prompt": markup.words(self._text.value, 80)} | (
            {"picture": self._source.value} if images else {}
        )
        return Order(self._settings.chosen(), self._text.value.strip(), values, images, _MAKES.get(task))

    def _spans(self) -> list[tuple[str, str | None]]:
        return [(self._text.value.strip(), None)]

    def _put(self, job: Job, values: Mapping[str, Any]) -> None:
        self._task.value = values.get("task", "generate")
        self._text.value = job.request.prompt
        self._source.value = name if (name := values.get("picture")) in self._sources else _NONE

    def _changed(self) -> None:
        if not self._putting and not self._closed:
            self._kept[self._task.value] = self._settings.standing()
        super()._changed()

    def _refresh(self) -> None:
        if self._text.value.strip():
            super()._refresh()
        else:
            self._price.value = ""  # nobody has done anything wrong yet

    def _switch(self) -> None:
        """Another task: its button, its inputs, and its settings."""
        task = self._task.value
        self._button.description = _TASKS[task]
        self._input.layout.display = "none" if task == "generate" else None
        if self._putting:
            return
        with self._quietly():
            self._settle(task)
            if task != "generate" and not self._chosen and self._sources:
                self._source.value = next(iter(self._sources))
                self._chosen = False

    def _settle(self, task: str) -> None:
        """Settings for a task: as it had them; else as they are if the model can do it, or as another such task has them."""
        wanted = _MAKES.get(task, "image")

        def fits(settings: tuple[Any, ...]) -> bool:
            return self._settings.known_kind(settings[0].strip()) in (wanted, None)

        now = self._settings.standing()
        found = self._kept.get(task) or next(filter(fits, (now, *self._kept.values())), None)
        if found is not None:
            self._settings.stand(found)
        else:
            self._settings.size.value = ""
            self._settings.model.value = _VIDEO if wanted == "video" else MODEL

    # -- pictures that go in

    def _offer(self, name: str, medium: Media) -> None:
        """Offer a picture for editing and animating, before all others."""
        if medium.kind != "image":
            return
        chosen = self._source.value
        self._sources = {name: medium, **{key: one for key, one in self._sources.items() if key != name}}
        before = self._chosen
        self._source.options = [("none", _NONE), *((key, key) for key in self._sources)]
        self._source.value = chosen
        self._chosen = before

    def _offer_history(self) -> None:
        for name, path in reversed(self._ledger_files()):
            with contextlib.suppress(PixapiError, OSError):  # a file that was spoilt does not hide the others
                self._offer(name, Media.of(path))

    def _ledger_files(self) -> list[tuple[str, Path]]:
        """The files of earlier work that are still there, newest first."""
        found = []
        for entry in self._home.session.ledger.recent(_HISTORY):
            when = time.strftime("%d %b %H:%M", time.localtime(entry.created))
            prompt = markup.words(entry.request.get("prompt", ""), 60)
            for index, file in enumerate(entry.files):
                if entry.kind == "image" and Path(file).is_file():
                    number = f" [{index}]" if len(entry.files) > 1 else ""
                    found.append((f"{prompt}{number} · {when} · {entry.job_id[:4]}", Path(file)))
        return found[:_HISTORY]

    def _finished(self, result: Result) -> None:
        with self._telling():
            stem = f"{markup.words(result.job.request.prompt, 60)} · {result.job.id[:4]}"
            for index, medium in reversed(list(enumerate(result.job.media))):
                self._offer(f"{stem} [{index}]" if len(result.job.media) > 1 else stem, medium)
            self._chosen = False  # what has just been made is what one goes on with
        super()._finished(result)

    def _take(self, name: str, given: Given) -> None:
        """A person has given it a picture."""
        with self._telling():
            data = input_image(given(), name=name).data or b""
            name = first = markup.words(name, 80) or "the picture"
            number = 2
            while name in self._sources and self._sources[name].bytes != data:  # another one of that name
                name, number = f"{first} ({number})", number + 1
            self._offer(name, Media(None, media_type(data[:16]) or "image/png", data))
            self._source.value = name

    def _look(self) -> None:
        """Show the picture that goes in."""
        self._chosen = True
        source = self._sources.get(self._source.value)
        # Its room is there at once: what comes later must not move the button away from under a click.
        self._thumb.layout.min_height = None if source is None else f"{_THUMB + 8}px"
        shown = show.cell(source, of=1, alt=self._source.value, width=_THUMB) if source is not None else ""
        self._thumb.value = str(shown)
        self._changed()

    # -- earlier work

    def _show_history(self, wanted: bool) -> None:
        for one in self._history.children:
            close_tree(one)
        self._history.children = ()
        if not wanted:
            return
        with self._telling():
            files = self._ledger_files()
            if not files:
                self._history.children = (w.HTML(value=pieces.faint("Nothing yet: what is generated stands here later.")),)
                return
            names = {path: name for name, path in files}
            shown = gallery([*names], captions=[*names.values()], unreadable="left out")
            shown.offer("Use this picture", lambda path: self._use(names[path], path))
            self._history.children = (shown,)

    def _use(self, name: str, path: Path) -> None:
        """An earlier picture is to go in."""
        with self._telling():
            self._offer(name, Media.of(path))
            self._source.value = name
            if self._task.value == "generate":
                self._task.value = "edit"
