"""What the front end can do, as far as a kernel can tell. Facts measured with ipykernel 6.30 to 7.4 (see README)."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

from IPython.core.displaypub import CapturingDisplayPublisher

__all__ = ["captured", "has_person", "has_widgets", "notebook", "takes_clicks_while_awaiting"]


def has_person(shell: Any) -> bool:
    """Whether somebody sits at it: nbclient and papermill refuse stdin."""
    kernel = getattr(shell, "kernel", None)
    return True if kernel is None else bool(getattr(kernel, "_allow_stdin", False))  # no public name for it


def has_widgets(shell: Any) -> bool:
    """Whether widgets can be shown: in a kernel; a terminal has none."""
    return getattr(shell, "kernel", None) is not None


def notebook(shell: Any) -> str | None:
    """The notebook's path where the front end tells it: Jupyter Server in JPY_SESSION_NAME, VS Code in a variable."""
    found = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return str(found) if found else None


def captured(shell: Any) -> bool:
    """Whether `%%capture` collects what is displayed."""
    return isinstance(shell.display_pub, CapturingDisplayPublisher)


def takes_clicks_while_awaiting(shell: Any) -> bool:
    """Whether clicks arrive while a cell awaits: from ipykernel 7 on."""
    if not has_widgets(shell):
        return False
    return int(version("ipykernel").split(".")[0]) >= 7
