"""The line of `%%pixapi`, parsed. What is wrong raises UsageError that says what was meant."""

from __future__ import annotations

import argparse
import difflib
import keyword
import re
import shlex
from collections.abc import Sequence
from typing import Any, NoReturn

from pixapi_nb.errors import UsageError, clean

__all__ = ["ALL", "Parser", "cell_parser", "cell_words", "closest", "split", "without_keys"]

_KEY = re.compile(r"sk_\w+")


def closest(word: str, known: Sequence[str]) -> str:
    """
    >>> closest("modles", ["models", "tasks"])
    ' Did you mean models?'
    """
    found = difflib.get_close_matches(word[:60], known, n=1, cutoff=0.6)
    return f" Did you mean {found[0]}?" if found else ""


def split(line: str) -> list[str]:
    """The words of a line, quotes respected."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"the line cannot be read: {str(error).lower()}.", hint="Is a quote missing?") from error


def without_keys(text: str) -> str:
    """
    >>> without_keys("login=sk_live_123")
    'login=sk_…'
    """
    return _KEY.sub("sk_…", text)


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that raises UsageError instead of ending the process."""

    def __init__(self, prog: str, **kwargs: Any) -> None:
        super().__init__(prog, add_help=False, allow_abbrev=False, **kwargs)

    @property
    def _way_on(self) -> str:
        """Where the options are told."""
        if self.prog.startswith("%%"):
            return f"{self.prog}? shows all options."
        return f"It is written {self.format_usage().partition(':')[2].strip()}. %pixapi help lists all commands."

    def error(self, message: str) -> NoReturn:
        raise UsageError(clean(message.replace("argument ", "", 1)) + ".", hint=self._way_on)

    @property
    def actions(self) -> Sequence[argparse.Action]:
        """All options, for completion."""
        return self._actions

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """All of the words. Raises UsageError."""
        known, rest = self.parse_known_args(list(words))
        if rest:
            options = [o for action in self._actions for o in action.option_strings]
            wrong = rest[0].partition("=")[0]
            what = "option" if wrong.startswith("-") else "word"
            raise UsageError(
                f"{what} {clean(without_keys(wrong), 60)} is not known.{closest(wrong, options) if what == 'option' else ''}",
                hint=self._hint(wrong, words) if what == "word" else self._way_on,
            )
        return known

    def _hint(self, word: str, words: Sequence[str]) -> str:
        """What a word too many was meant to be."""
        if _KEY.search(word):
            return "A key does not belong into a notebook, which saves it: take it out, and let %pixapi login ask for it."
        if f"--sweep={ALL}" in words:
            return f"For some of the controls write --sweep={clean(word, 60)}, in one word."
        return "The prompt goes beneath the first line of the cell." if self.prog.startswith("%%") else self._way_on


def _count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{clean(text, 40)!r} is not a whole number") from None


def _seconds(text: str) -> float:
    try:
        return float(text.removesuffix("s"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{clean(text, 40)!r} is not a number of seconds") from None


def _name(text: str) -> str:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise argparse.ArgumentTypeError(f"{clean(text, 40)!r} cannot be the name of a variable")
    return text


ALL = "*"
"""`--sweep` without names."""


def cell_words(line: str) -> list[str]:
    """The words of a cell's line. A bare `--sweep` takes no value: what follows it may be the model."""
    return [f"--sweep={ALL}" if word == "--sweep" else word for word in split(line)]


def cell_parser() -> Parser:
    """The options of the cell magic: their names are the API's, and a contract."""
    parser = Parser("%%pixapi")
    add = parser.add_argument
    add("model", nargs="?", help="a model's id or alias; %%pixapi models lists them")
    add("-n", type=_count, metavar="N", help="how many pictures")
    add("-s", "--size", help="WIDTHxHEIGHT, auto, 2K, 4K, or a ratio such as 16:9")
    add("-q", "--quality", help="low, medium, high or auto, where the model has it")
    add("--response-format", choices=("url", "b64_json"), help="how the server hands the pictures over")
    add(
        "-i",
        "--image",
        action="append",
        default=[],
        metavar="SRC",
        help="a picture to edit, or to start the video from",
    )
    add("-d", "--duration", type=_seconds, metavar="SECONDS", help="length of a video")
    add("--as", dest="kind", choices=("image", "video"), help="what the model makes, when the model list cannot tell")
    add("-o", "--out", type=_name, metavar="NAME", help="bind the job to this variable as soon as it is accepted")
    add("-b", "--background", action="store_true", help="the cell ends at once; the result arrives under it later")
    add("--reuse", action="store_const", const=True, help="answer from an earlier identical request, if there is one")
    add("--fresh", dest="reuse", action="store_const", const=False, help="do not")
    add("--yes", action="store_true", help="do not ask; accept a price that is not known")
    add("--sync", action="store_true", help="one long request, without a task to come back to")
    add("--dry-run", action="store_true", help="show the request and its price; send nothing")
    add("--interact", action="store_true", help="show the prompt's controls and a Generate button")
    add("--sweep", metavar="NAMES", help="a grid over the prompt's controls; =style,warmth over those")
    add("--steps", type=_count, metavar="K", help="how many stops of a range a sweep takes (5)")
    add("--models", metavar="A,B", help="the same with several models, side by side")
    add("--save", metavar="DIR", help="where the files go, seen from the notebook's folder")
    add("--embed", choices=("preview", "full", "link"), help="what the notebook itself carries")
    return parser
