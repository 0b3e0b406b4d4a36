"""The ipywidgets under a cell, found by the label that a person reads, moved as a person moves them."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator

from .waiting import until


def labelled(area: Locator, label: str, kinds: str) -> Locator:
    """The one control with this label among `kinds` (a CSS selector)."""
    written = re.compile(rf"^\s*{re.escape(label)}\s*$")
    name = area.page.locator(".widget-label, .widget-label-basic").filter(has_text=written)
    return area.locator(kinds).filter(has=name)


class Slider:
    """IntSlider, FloatSlider, SelectionSlider."""

    def __init__(self, locator: Locator) -> None:
        self.locator = locator
        self.handle = locator.get_by_role("slider")

    @property
    def value(self) -> str:
        """As it is written beside the slider."""
        return self.locator.locator(".widget-readout").inner_text().strip()

    def press(self, key: str, times: int = 1) -> None:
        """Press ArrowRight, ArrowLeft, Home, End…"""
        for _ in range(times):
            self.handle.press(key)

    def drag(self, share: float) -> None:
        """Drag it with the mouse to this share (0 to 1) of its track."""
        track = self.locator.locator(".noUi-base").bounding_box()
        handle = self.handle.bounding_box()
        assert track is not None
        assert handle is not None
        mouse, middle = self.locator.page.mouse, track["y"] + track["height"] / 2
        mouse.move(handle["x"] + handle["width"] / 2, middle)
        mouse.down()
        mouse.move(track["x"] + track["width"] * share, middle, steps=5)
        mouse.up()

    def set(self, value: float | str) -> None:
        """Go there with the keyboard, step by step, from the lower end. Raises ValueError if there is no such stop.

        Not in Notebook 7, which takes the arrow keys for itself: see `drag`.
        """
        self.press("Home")
        self._until(lambda: self._end("valuemin"))
        seen = [self.value]
        while not _same(seen[-1], value):
            if self._end("valuemax"):
                raise ValueError(f"no stop {value!r}; there are {', '.join(seen)}")
            self.press("ArrowRight")
            self._until(lambda: self.value != seen[-1])
            seen.append(self.value)

    def _end(self, which: str) -> bool:
        return self.handle.get_attribute("aria-valuenow") == self.handle.get_attribute(f"aria-{which}")

    def _until(self, condition: Callable[[], bool]) -> None:
        until(condition, 10, "the slider to move", lambda: self.locator.page.wait_for_timeout(20))


class Dropdown:
    """A drop-down list."""

    def __init__(self, locator: Locator) -> None:
        self.locator = locator
        self.select = locator.locator("select")

    @property
    def value(self) -> str:
        return str(self.select.evaluate("list => list.selectedOptions[0]?.label ?? ''")).replace("\xa0", " ")

    @property
    def options(self) -> list[str]:
        return [text.strip().replace("\xa0", " ") for text in self.select.locator("option").all_inner_texts()]

    def set(self, option: str) -> None:
        self.select.select_option(label=option)
        until(lambda: self.value == option, 10, f"{option!r} to be chosen", lambda: self.locator.page.wait_for_timeout(20))


class TextBox:
    """One line or several."""

    def __init__(self, locator: Locator) -> None:
        self.locator = locator
        self.input = locator.locator("input, textarea")

    @property
    def value(self) -> str:
        return self.input.input_value()

    def set(self, text: str) -> None:
        """Replace the text, and leave the box."""
        self.input.fill(text)
        self.input.blur()


class Checkbox:
    """A box to tick."""

    def __init__(self, locator: Locator) -> None:
        self.locator = locator
        self.input = locator.locator("input[type=checkbox]")

    @property
    def value(self) -> bool:
        return self.input.is_checked()

    def set(self, ticked: bool) -> None:
        self.input.set_checked(ticked)


def _same(shown: str, wanted: float | str) -> bool:
    if isinstance(wanted, str):
        return shown == wanted
    try:
        return abs(float(shown.replace(",", "")) - wanted) < 1e-9
    except ValueError:
        return False
