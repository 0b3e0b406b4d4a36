"""A place to drop a picture on; it opens a file dialog, too. The picture comes in parts, as messages: none is kept here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from anywidget import AnyWidget
from traitlets import Int, Unicode

from pixapi_nb.checks import LARGEST_INPUT, check_input
from pixapi_nb.errors import UsageError, clean

__all__ = ["Drop", "Given"]

Given = Callable[[], bytes]
"""The bytes of a picture; raises UsageError where there are none to be had."""


class Drop(AnyWidget):
    """Calls `take(name, given)` for every picture that a person gives it, on the kernel's main thread."""

    _esm = Path(__file__).with_name("drop.js")
    largest = Int(LARGEST_INPUT).tag(sync=True)
    words = Unicode("Drop a picture here, or choose a file").tag(sync=True)

    def __init__(self, take: Callable[[str, Given], None]) -> None:
        super().__init__()
        self._take = take
        self._parts: tuple[object, list[bytes]] = (None, [])
        self.on_msg(self._heard)

    def _heard(self, _: Any, content: Any, buffers: Sequence[Any]) -> None:
        event, name = content.get("event"), clean(content.get("name") or "the picture", 200)
        if event == "part":
            self._add(content, name, b"".join(bytes(one) for one in buffers))
        elif event == "large":
            self._refuse(name, f"{name} is larger than {LARGEST_INPUT // 1024**2} MiB.", "Make it smaller first.")
        elif event == "none":
            self._refuse(name, "what was dropped is no file.", "Save the picture first, and drop its file.")
        elif event == "unread":
            self._refuse(name, "the file could not be read.", "Is it still there?")

    def _add(self, content: Any, name: str, data: bytes) -> None:
        """One part, in their order; those of another page at the same time do not mix with them."""
        index, count = content.get("index"), content.get("count")
        if index == 0:
            self._parts = (content.get("id"), [])
        known, parts = self._parts
        if known != content.get("id") or index != len(parts):
            return
        parts.append(data)
        if sum(map(len, parts)) > LARGEST_INPUT:
            self._parts = (None, [])
        elif len(parts) == count:
            self._parts = (None, [])
            whole = b"".join(parts)

            def given() -> bytes:
                check_input(name, whole)
                return whole

            self._take(name, given)

    def _refuse(self, name: str, why: str, hint: str) -> None:
        def given() -> bytes:
            raise UsageError(why, hint=hint)

        self._take(name, given)
