"""The line magic: `%pixapi COMMAND`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from IPython.display import display

from pixapi_nb import show
from pixapi_nb.errors import UsageError
from pixapi_nb.options import closest, split

if TYPE_CHECKING:
    from pixapi_nb.magic import PixapiMagics

__all__ = ["run"]


def run(magics: PixapiMagics, line: str) -> None:
    """Carry out one line. Raises UsageError for an unknown command."""
    words = split(line) or ["help"]
    command = _COMMANDS.get(words[0])
    if command is None:
        raise UsageError(
            f"%pixapi {words[0]} does not exist.{closest(words[0], list(_COMMANDS))}",
            hint=f"There are: {', '.join(_COMMANDS)}. For a picture use %%pixapi (two percent signs), with the prompt beneath.",
        )
    command(magics, words[1:])


def _local(magics: PixapiMagics, words: Sequence[str]) -> None:
    """Use the embedded Pixapi from now on: no key, no credits, sketches instead of a model's pictures."""
    magics.session.base_url = "local"
    address = magics.session.embedded.address()
    text = f"The embedded Pixapi draws from now on, at {address}. Its pictures are local sketches, and cost nothing."
    display(show.bundle(show.note(text), text), raw=True)


def _help(magics: PixapiMagics, words: Sequence[str]) -> None:
    """This page."""
    rows = [(f"%pixapi {name}", (command.__doc__ or "").strip()) for name, command in _COMMANDS.items()]
    plain = "\n".join(f"{name:20} {text}" for name, text in rows)
    display(show.bundle(show.table(["command", "what it does"], rows), plain), raw=True)


_COMMANDS: dict[str, Callable[[PixapiMagics, Sequence[str]], None]] = {"local": _local, "help": _help}
