"""Tab in a `%%pixapi` line: models and aliases, options and their values, variables after `-i`; commands of `%pixapi`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pixapi_nb import pricing, session
from pixapi_nb.commands import COMMANDS
from pixapi_nb.inputs import may_be_picture
from pixapi_nb.options import cell_parser
from pixapi_nb.sweep_rows import SweepRows

__all__ = ["complete", "install", "remove"]

_VALUES = {
    "--size": ("auto", "1024x1024", "1536x1024", "1024x1536", "1280x720", "720x1280", "2K", "4K", "16:9", "9:16"),
    "--quality": ("low", "medium", "high", "auto"),
    "--response-format": ("url", "b64_json"),
    "--embed": ("preview", "full", "link"),
    "--as": ("image", "video"),
    "-n": ("1", "2", "4"),
    "-d": ("4", "6", "8"),
}
_SAME = {"-s": "--size", "-q": "--quality", "--duration": "-d"}
_OF_COMMANDS = {"tasks": ("--close", "--all"), "resume": ("--budget", "--yes"), "login": ("--keyring", "--forget")}


def complete(line: str, word: str, variables: dict[str, Any]) -> list[str]:
    """What may stand for `word`, the last one of `line` up to the cursor; after `--embed=` that is what follows the sign."""
    words = line.split()
    before = words[1:] if line[-1:].isspace() or not word else words[1:-1]
    last = words[-1] if words and not line[-1:].isspace() else ""
    option, sign, _ = last.partition("=")
    if line.startswith("%pixapi"):
        found: Sequence[str] = _for_command(before) if before else list(COMMANDS)
    elif sign and option.startswith("--"):
        found = _VALUES.get(option, ())
        found = found if not word.startswith(option) else [f"{option}={value}" for value in found]
    else:
        found = _for_cell(before, variables)
    return [one for one in found if one.startswith(word)]


def _for_command(before: Sequence[str]) -> list[str]:
    options = list(_OF_COMMANDS.get(before[0], ()))
    if before[0] == "resume" or before[-1] == "--close":
        ledger = session.current().ledger
        open_ = [*ledger.unfinished(limit=50), *(ledger.unknown(limit=50) if before[-1] == "--close" else [])]
        sweeps = [row.sweep_id for row in SweepRows(ledger).half_done()]
        return [*(entry.task_id or entry.job_id for entry in open_), *sweeps, *options]
    return options


def _for_cell(before: list[str], variables: dict[str, Any]) -> list[str]:
    last = before[-1] if before else ""
    last = _SAME.get(last, last)
    if last in _VALUES:
        return list(_VALUES[last])
    if last in ("-i", "--image"):
        names = [name for name in variables if not name.startswith("_")]
        return [name for name in names if may_be_picture(variables[name])]
    parser = cell_parser()
    options = [option for action in parser.actions for option in action.option_strings if option.startswith("--")]
    models = dict.fromkeys([*pricing.MODELS, *pricing.ALIASES, *session.current().listed_models()])
    pairs = zip(["", *before], before, strict=False)
    named = any(not word.startswith("-") and previous not in _TAKE for previous, word in pairs)
    return [*([] if named else models), *options]


_TAKE = {option for action in cell_parser().actions if action.nargs != 0 for option in action.option_strings}
"""Options with a value: the word behind one is no model."""


def _completer(shell: Any, event: Any) -> list[str]:
    return complete(event.text_until_cursor, event.symbol, shell.user_ns)


_MAGICS = ("%%pixapi", "%pixapi")


def install(shell: Any) -> None:
    """Register with IPython's completer."""
    for name in _MAGICS:
        shell.set_hook("complete_command", _completer, str_key=name)


def remove(shell: Any) -> None:
    """Undo it: IPython has no public way to take a completer back."""
    for name in _MAGICS:
        shell.strdispatchers["complete_command"].strs.pop(name, None)
