r"""The prompt template language: what `{{…}}` means in a prompt.

    {{name}}                            a notebook variable, looked up by its name
    {{name: noir | studio = studio}}    choices; the default follows `=` (without it: the first)
    {{name: 0..10}}                     a range of whole numbers (default: the middle)
    {{name: 0..1 step 0.1 = 0.7}}       a range with a step and a default
    {{name: calm .. lively .. wild}}    a scale, words in order (default: the middle one)

A name is a Python identifier. Nothing is ever evaluated: no attributes, no calls, no format specifications; and what a
variable holds is not read as a template again. A name declared once may be repeated as a bare `{{name}}`.

Everything else is literal: single braces (so JSON survives), a `}}` outside a placeholder, backslashes.
- `\{{` is a literal `{{`; before a `{{`, and only there, `\\` is one backslash. Of more than two `{` in a row the last
  two open, as in an f-string: `{{{n}}}` is `{`, the value, `}`.
- Inside a declaration `\` takes away the meaning of the next `|`, `=`, `.`, `{`, `}` or `\`. Between balanced single
  braces `|`, `=` and `..` have no meaning: a choice may be JSON. Beside a `|`, `..` is ordinary text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pixapi_nb.controls import DIGITS, NUMBER, Choices, Control, ControlError, Free, Range, Scale, as_text, check_name, similar
from pixapi_nb.errors import PromptError, clean

__all__ = ["Placeholder", "Template"]

_STEPS = re.compile(r"(\S+)(?:\s+step\s+(\S+))?")
_NEARLY = re.compile(rf"({NUMBER.pattern})\s*(?:to|…|\.\.\.|[-–—])\s*({NUMBER.pattern})(?:\s+step\s.*)?")
_FORMS = "Choices are written a | b, ranges 0..10, scales calm .. wild; a variable has no colon."
_SIGN = re.compile(r"\\[\\{}|=.]|\{\{|[{}|=]|(?<!\.)\.\.(?!\.)")
_ESCAPED = re.compile(r"\\([\\{}|=.])")


@dataclass(frozen=True)
class Placeholder:
    """One `{{…}}` of a prompt: `text[start:end]`. `declared` is None where the name stands alone."""

    name: str
    declared: Choices | Range | Scale | None
    start: int = field(compare=False)
    end: int = field(compare=False)

    def __str__(self) -> str:
        return f"{{{{{self.name}: {self.declared.declaration()}}}}}" if self.declared else f"{{{{{self.name}}}}}"


@dataclass(frozen=True)
class Template:
    """A parsed prompt. Two templates are equal if their parts are, however they were spelt.

    >>> cup = Template.parse("A {{material}} cup, {{style: noir | studio}}, warmth {{warmth: 0..10}}")
    >>> cup.names
    ('material',)
    >>> cup.defaults()
    {'style': 'noir', 'warmth': 5}
    >>> cup.render({"material": "jade", "warmth": 7})
    'A jade cup, noir, warmth 7'
    """

    text: str = field(compare=False)
    parts: tuple[str | Placeholder, ...] = field(repr=False)
    controls: Mapping[str, Control] = field(repr=False, compare=False)
    """By name, in the order in which the names first appear."""

    @staticmethod
    def parse(text: str) -> Template:
        r"""Read a prompt. Raises `PromptError`, which points at the place, where it is malformed.

        >>> Template.parse(r'{"a": {"b": 1}} and \{{').render({})
        '{"a": {"b": 1}} and {{'
        >>> Template.parse("a {{cup.color}} cup")  # doctest: +IGNORE_EXCEPTION_DETAIL
        Traceback (most recent call last):
        pixapi_nb.errors.PromptError: “cup.color” is not a name. …
        """
        return _Parser(text).template()

    @property
    def names(self) -> tuple[str, ...]:
        """The names without a declaration: the variables that the prompt needs."""
        return tuple(name for name, control in self.controls.items() if isinstance(control, Free))

    def defaults(self) -> dict[str, str | int | float]:
        """The default of each declared control, by name."""
        return {n: control.default for n, control in self.controls.items() if not isinstance(control, Free)}

    def render(self, values: Mapping[str, object]) -> str:
        """The prompt as it is sent. A declared name that `values` lacks takes its default; other keys are left alone.

        Raises `PromptError` where a free name has no value, or a value does not fit.
        """
        return "".join(text for text, _ in self.spans(values))

    def spans(self, values: Mapping[str, object]) -> list[tuple[str, str | None]]:
        """The prompt as `render` gives it, in pieces: the text, and the name it stands for (None: literal text).

        >>> Template.parse("a {{n: 1..9}} b").spans({"n": 2})
        [('a ', None), ('2', 'n'), (' b', None)]
        """
        known: dict[str, str] = {}
        for part in self.parts:
            if isinstance(part, Placeholder) and part.name not in known:
                known[part.name] = self._value(part, values)
        return [(p, None) if isinstance(p, str) else (known[p.name], p.name) for p in self.parts]

    def _value(self, place: Placeholder, values: Mapping[str, object]) -> str:
        name, control = place.name, self.controls[place.name]
        try:
            if name in values:
                return as_text(control.coerce(values[name]))
            if not isinstance(control, Free):
                return as_text(control.default)
            guess = similar(name, [*self.defaults(), *values])
            way = f" Give it a value ({clean(name, 60)} = …), or write choices here: {{{{{clean(name, 60)}: one | another}}}}."
            raise ControlError(f"no variable is named {clean(name, 60)}.{guess or way}")
        except ControlError as error:
            raise PromptError(str(error), prompt=self.text, start=place.start, end=place.end) from None

    def unparse(self) -> str:
        """The template in its canonical spelling; parsed again, it is equal to this one."""
        last = len(self.parts) - 1
        return "".join(
            str(part) if isinstance(part, Placeholder) else _escape_literal(part, followed=index < last)
            for index, part in enumerate(self.parts)
        )

    __str__ = unparse


def _escape_literal(text: str, *, followed: bool) -> str:
    """Literal text as it is written in a template, `followed` by a placeholder or by nothing."""
    padded = text + "{{" if followed else text

    def spell(run: re.Match[str]) -> str:
        braces = len(run[2]) - (2 if followed and run.end() == len(padded) else 0)
        return run[1] * 2 + r"\{{" * (braces // 2) + "{" * (braces % 2)

    return re.sub(r"(?<!\\)(\\*)(\{{2,})", spell, padded)


# ---- parsing


class _Piece(NamedTuple):
    """Part of a declaration without the space around it: `raw` as it is written, and the place to point at."""

    raw: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return _ESCAPED.sub(r"\1", self.raw)


def _with_hyphen(number: str) -> str:
    """A number with the minus sign of the keyboard: editors and phones write the true one."""
    return number.replace("\N{MINUS SIGN}", "-")


class _Parser:
    """One pass from left to right, which looks at every character a fixed number of times."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.declared: dict[str, Choices | Range | Scale] = {}

    def template(self) -> Template:
        parts: list[str | Placeholder] = []
        literal: list[str] = []
        at = 0
        while (brace := self.text.find("{{", at)) >= 0:
            before = self.text[at:brace].rstrip("\\")
            pairs, escaped = divmod(brace - at - len(before), 2)
            literal += before, "\\" * pairs
            if escaped:
                literal.append("{{")
                at = brace + 2
                continue
            while self.text.startswith("{", brace + 2):
                literal.append("{")
                brace += 1
            place = self.placeholder(brace)
            parts += ["".join(literal), place]
            literal, at = [], place.end
        parts.append("".join(literal) + self.text[at:])
        names = dict.fromkeys(part.name for part in parts if isinstance(part, Placeholder))
        controls = {name: self.declared.get(name) or Free(name) for name in names}
        return Template(self.text, tuple(part for part in parts if part != ""), controls)

    def placeholder(self, start: int) -> Placeholder:
        close, marks = self.scan(start)
        end = close + 2
        colon = self.text.find(":", start, close)
        label = self.piece(start + 2, colon if colon >= 0 else close)
        name = unicodedata.normalize("NFKC", label.raw) if label.raw.isidentifier() else label.raw  # as Python does
        try:
            check_name(name)
        except ControlError as error:
            raise self.error(str(error), label if label.raw else _Piece("", start, end)) from None
        if colon < 0:
            return Placeholder(name, None, start, end)
        control = self.declaration(name, colon + 1, close, [mark for mark in marks if mark[0] > colon])
        if self.declared.setdefault(name, control) != control:
            said = f"{clean(name, 60)} is declared a second time, and differently. A bare {{{{name}}}} repeats it."
            raise self.error(said, _Piece("", start, end))
        return Placeholder(name, control, start, end)

    def scan(self, start: int) -> tuple[int, list[tuple[int, str]]]:
        """Where the placeholder that opens at `start` closes, and the `|`, `=` and `..` in it that have a meaning."""
        depth = 0
        marks: list[tuple[int, str]] = []
        for match in _SIGN.finditer(self.text, start + 2):
            at, sign = match.start(), match.group()
            if sign == "{{":
                break
            if sign == "{":
                depth += 1
            elif sign == "}" and depth:
                depth -= 1
            elif sign == "}" and self.text.startswith("}}", at):
                return at, marks
            elif sign in ("|", "=", "..") and not depth:
                marks.append((at, sign))
        inner = r" (a single { inside it is open; by itself it is written \{)" if depth else ""
        said = rf"this {{{{ is not closed{inner}. A literal {{{{ is written \{{{{."
        raise self.error(said, _Piece("", start, start + 2))

    def declaration(self, name: str, start: int, end: int, marks: list[tuple[int, str]]) -> Choices | Range | Scale:
        """What `text[start:end]`, the part after the colon, declares."""
        default = None
        equals = next((at for at, sign in marks if sign == "="), None)
        if equals is not None:
            if any(at > equals and sign != ".." for at, sign in marks):
                said = r"the default comes last, after one =. A literal = is written \=."
                raise self.error(said, _Piece("", equals, equals + 1))
            default, end = self.piece(equals + 1, end), equals
            if not default.raw:
                raise self.error("there is no default after this =.", default)
        joint = "|" if any(sign == "|" for _, sign in marks) else ".."
        cuts = [at for at, sign in marks if sign == joint and at < end]
        pieces = [*map(self.piece, [start, *(cut + len(joint) for cut in cuts)], [*cuts, end])]
        whole = self.piece(start, end)
        places: dict[str | int | None, _Piece] = {**dict(enumerate(pieces)), "default": default or whole}
        try:
            if not whole.raw:
                raise ControlError(f"nothing is declared after this colon. {_FORMS}", "range")
            if joint == ".." and cuts and NUMBER.fullmatch(_with_hyphen(pieces[0].raw)):
                return self.range(name, pieces, default, places)
            if joint == ".." and not cuts and (nearly := _NEARLY.fullmatch(_with_hyphen(whole.raw))):
                raise ControlError(f"a range is written with two dots: {nearly[1]}..{nearly[2]}.", "range")
            kind = Scale if joint == ".." and cuts else Choices
            return kind.of(name, [piece.text for piece in pieces], default and default.text)
        except ControlError as error:
            raise self.error(str(error), places.get(error.part, whole)) from None

    def range(self, name: str, pieces: list[_Piece], default: _Piece | None, places: dict[str | int | None, _Piece]) -> Range:
        low, rest = pieces[0], pieces[1]
        match = _STEPS.fullmatch(rest.raw)
        if len(pieces) > 2 or not match:
            raise ControlError("a range is written 0..10, or 0..1 step 0.1 = 0.5.", "range")
        high = _Piece(match[1], rest.start, rest.start + match.end(1))
        step = _Piece(match[2], rest.start + match.start(2), rest.end) if match[2] else None
        if step:
            places["step"] = step
        return Range.of(name, *(self.number(piece) if piece else None for piece in (low, high, step, default)))

    def number(self, piece: _Piece) -> int | float:
        raw = _with_hyphen(piece.raw)
        if not NUMBER.fullmatch(raw):
            raise self.error(f"“{clean(piece.raw, 40)}” is not a number; a range is written 0..10.", piece)
        if sum(map(str.isdigit, raw)) > DIGITS:
            raise self.error(f"a number in a range has at most {DIGITS} digits.", piece)
        return float(raw) if "." in raw else int(raw)

    def piece(self, start: int, end: int) -> _Piece:
        raw = self.text[start:end].strip()
        if not raw:
            return _Piece("", start - 1, end)  # there is nothing to point at but the sign before it
        start = self.text.index(raw[0], start)
        return _Piece(raw, start, start + len(raw))

    def error(self, message: str, piece: _Piece) -> PromptError:
        return PromptError(message, prompt=self.text, start=piece.start, end=piece.end)
