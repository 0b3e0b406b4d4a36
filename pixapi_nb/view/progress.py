"""Progress of one job: a bar in a notebook, a text line elsewhere. Both show a `Line`."""

from __future__ import annotations

import shutil
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets as w
from IPython.display import DisplayHandle, display

from pixapi_nb import show_parts
from pixapi_nb.view.line import Line

__all__ = ["DisplayProgress", "NoProgress", "Progress", "SlotProgress", "TerminalProgress", "WidgetProgress", "close_tree"]


class Progress(Protocol):
    """A place beneath a cell: first progress, then a bundle that stays."""

    def open(self, line: Line) -> None:
        """Show it. On the main thread."""

    def update(self, line: Line) -> None:
        """Show a later line. On any thread."""

    def leave(self) -> None:
        """The cell waits no longer: take away what a person could do about that. On any thread."""

    def close(self, bundle: dict[str, Any]) -> None:
        """Replace it by what stays. On any thread."""


_kept: list[w.Widget] = []
_KEPT = 4  # results that also stay in their widget, for a page that was away when they arrived


def close_tree(widget: w.Widget) -> None:
    """Close a widget with everything it is made of: children, layouts, styles."""
    for child in getattr(widget, "children", ()):
        close_tree(child)
    for part in (getattr(widget, "style", None), getattr(widget, "layout", None)):
        if isinstance(part, w.Widget):
            part.close()
    widget.close()


class Bar:
    """The widgets of one progress: a bar with words beneath it. Until something is known of the end, the bar only moves."""

    def __init__(self, *more: w.Widget, hint: str | None = None) -> None:
        self._hint = hint
        self._lock = threading.Lock()  # a click may come on another thread than the updates
        self._busy = w.HTML(value=show_parts.busy("working"))
        look = w.Layout(width="100%", max_width="512px", height="18px", display="none")
        self._bar = w.FloatProgress(min=0, max=100, layout=look)
        self._words = w.HTML()
        self.box = w.VBox([self._busy, self._bar, self._words, *more])

    def update(self, line: Line) -> None:
        if line.percent is not None:
            # Hidden, not taken away: ipywidgets complains of a child that goes while the page is still building it.
            self._busy.layout.display, self._bar.layout.display = "none", None
            self._bar.value = max(self._bar.value, line.percent)
        self._words.value = show_parts.progress(line.text, self._hint)

    def leave(self) -> None:
        """Keep only the bar and its words."""
        with self._lock:
            self._hint, more = None, self.box.children[3:]
            self.box.children = self.box.children[:3]
        for child in more:
            close_tree(child)

    def become(self, bundle: dict[str, Any]) -> None:
        """Hold the result instead."""
        with self._lock:
            old = self.box.children
            self.box.children = (w.HTML(value=bundle["text/html"]),)
        for child in old:
            close_tree(child)

    def close(self) -> None:
        close_tree(self.box)


class WidgetProgress:
    """A bar beneath a cell; with `leave`, a button that ends the wait.

    At the end the display is replaced by the static result. A page that is away at that moment misses the replacement,
    but not what its widget holds: so, with a person there, the widgets of the last few results hold them too.
    """

    def __init__(self, leave: Callable[[], None] | None = None, *, keep: bool = True, hint: str | None = None) -> None:
        self._leave, self._keep, self._hint = leave, keep, hint

    def open(self, line: Line) -> None:
        more = []
        if self._leave is not None:
            button = w.Button(description="Keep working", tooltip="End this cell; the result still arrives here")
            leave = self._leave
            button.on_click(lambda _: leave())
            more.append(button)
        self._bar = Bar(*more, hint=self._hint)
        self._bar.update(line)
        view = {"version_major": 2, "version_minor": 0, "model_id": self._bar.box.model_id}
        bundle = {"application/vnd.jupyter.widget-view+json": view, "text/plain": line.text}
        self._handle: DisplayHandle = display(bundle, raw=True, display_id=True)

    def update(self, line: Line) -> None:
        self._bar.update(line)

    def leave(self) -> None:
        self._bar.leave()

    def close(self, bundle: dict[str, Any]) -> None:
        self._handle.update(bundle, raw=True)
        if not self._keep:
            self._bar.close()
            return
        self._bar.become(bundle)
        _kept.append(self._bar.box)
        while len(_kept) > _KEPT:
            close_tree(_kept.pop(0))


class SlotProgress:
    """The same inside a panel: `box` is its place."""

    def __init__(self) -> None:
        self._bar = Bar()
        self.box = self._bar.box

    def open(self, line: Line) -> None:
        self.update(line)

    def update(self, line: Line) -> None:
        self._bar.update(line)

    def leave(self) -> None:
        self._bar.leave()

    def close(self, bundle: dict[str, Any]) -> None:
        self._bar.become(bundle)


class DisplayProgress:
    """A text line in a notebook, where no widget would work: under wrapping magics and without a person."""

    def __init__(self, hint: str | None = None) -> None:
        self._hint = hint

    def open(self, line: Line) -> None:
        self._said = self._text(line)
        self._handle = display({"text/plain": self._said}, raw=True, display_id=True)

    def _text(self, line: Line) -> str:
        return f"{line.text}\n{self._hint}" if self._hint else line.text

    def update(self, line: Line) -> None:
        text = self._text(line)
        if text != self._said:
            self._said = text
            self._handle.update({"text/plain": text}, raw=True)

    def leave(self) -> None:
        self._hint = None

    def close(self, bundle: dict[str, Any]) -> None:
        self._handle.update(bundle, raw=True)


class TerminalProgress:
    """A line that is written over, on a terminal, while the cell waits; nothing where the output goes to a file."""

    def __init__(self) -> None:
        self._width = 0
        self._left = False
        self._lock = threading.Lock()

    def open(self, line: Line) -> None:
        self.update(line)

    def update(self, line: Line) -> None:
        self._write(line.text)

    def _write(self, text: str) -> None:
        with self._lock:
            if self._left or not sys.stderr.isatty():
                return
            text = text[: shutil.get_terminal_size().columns - 1]  # a line that wraps cannot be written over
            sys.stderr.write("\r" + text.ljust(self._width) + ("\r" if not text else ""))
            sys.stderr.flush()
            self._width = len(text)

    def leave(self) -> None:
        self._write("")
        self._left = True  # the line belongs to what is typed now

    def close(self, bundle: dict[str, Any]) -> None:
        self._write("")
        print(("\n" if self._left else "") + bundle["text/plain"])  # noqa: T201  # a terminal is where print belongs


class NoProgress:
    """Only the result: what `%%capture` collects is shown again later, and should not be a film of it."""

    def open(self, line: Line) -> None:
        pass

    def update(self, line: Line) -> None:
        pass

    def leave(self) -> None:
        pass

    def close(self, bundle: dict[str, Any]) -> None:
        display(bundle, raw=True)
