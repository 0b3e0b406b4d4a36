"""What the front end can do, as far as a kernel can tell. Facts measured with ipykernel 6.30 to 7.4 (see README)."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from IPython.core.displaypub import CapturingDisplayPublisher

__all__ = ["captured", "has_person", "has_widgets", "takes_clicks_while_awaiting"]


def has_person(shell: Any) -> bool:
    """Whether somebody sits at it: nbclient and papermill refuse stdin."""
    kernel = getattr(shell, "kernel", None)
    return True if kernel is None else bool(getattr(kernel, "_allow_stdin", False))  # no public name for it


def has_widgets(shell: Any) -> bool:
    """Whether widgets can be shown: in a kernel; a terminal has none."""
    return getattr(shell, "kernel", None) is not None


def captured(shell: Any) -> bool:
    """Whether `%%capture` collects what is displayed."""
    return isinstance(shell.display_pub, CapturingDisplayPublisher)


def takes_clicks_while_awaiting(shell: Any) -> bool:
    """Whether clicks arrive while a cell awaits: from ipykernel 7 on."""
    if not has_widgets(shell):
        return False
    return int(version("ipykernel").split(".")[0]) >= 7
