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

import difflib
import keyword
import numbers
import operator
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import NamedTuple, TypeAlias, TypeVar

from pixapi_nb.errors import PromptError, clean

__all__ = ["MOST_STOPS", "Choices", "Control", "ControlError", "Free", "Placeholder", "Range", "Scale", "Template"]

MOST_STOPS = 10_000
"""A range has at most this many stops."""

_DIGITS = 15  # of any decimal number, a float keeps so many
_LONGEST = 350  # digits of a number; the largest float has 309
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_STEPS = re.compile(r"(\S+)(?:\s+step\s+(\S+))?")
_SIGN = re.compile(r"\\[\\{}|=.]|\{\{|[{}|=]|(?<!\.)\.\.(?!\.)")
_ESCAPED = re.compile(r"\\([\\{}|=.])")
_Stop = TypeVar("_Stop")


class ControlError(ValueError):
    """A value that does not fit its control, or a control that makes no sense.

    `part` is the piece of the declaration at fault: "name", "range", "step", "default", or the index of a word.
    """

    def __init__(self, message: str, part: str | int | None = None) -> None:
        super().__init__(message)
        self.part = part


# ---- values as text


def _text(value: object) -> str:
    """A value as it reads in a prompt: text as it is; a number in plain decimals, without float noise."""
    kind = type(value)  # isinstance would ask the value's own __class__
    if issubclass(kind, str):
        return str.__str__(value)
    if kind is bool or not issubclass(kind, (numbers.Real, Decimal)):
        what = repr(value) if value is None or kind is bool else f"a value of type {clean(kind.__name__, 40)}"
        raise ControlError(f"a prompt takes text or a number, not {what}.")
    number = _decimal(value)
    if not number.is_finite() or abs(number.adjusted()) > _LONGEST:
        raise ControlError("a prompt takes text, or a number that can be written out.")
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _decimal(value: object) -> Decimal:
    """The decimals that a number means; NaN where there are none, or too many."""
    try:
        if isinstance(value, numbers.Integral):
            whole = operator.index(value)
            return Decimal(whole if int.bit_length(whole) <= 4 * _LONGEST else "NaN")
        if isinstance(value, Decimal):
            return Decimal(value)
        if isinstance(value, numbers.Rational):
            value = float(value)
        if isinstance(value, float):
            return Decimal(float.__format__(value, f".{_DIGITS}g"))
        return Decimal(str(value))  # NumPy's narrower floats print the digits that they mean
    except ArithmeticError:
        return Decimal("NaN")


def _exact(value: object) -> Fraction:
    if issubclass(type(value), str):
        raise ControlError("a range takes a number, not text.")
    return Fraction(_text(value))


def _similar(word: str, known: Iterable[object]) -> str:
    """A question, or nothing. Long words and long lists are left alone: comparing them takes time."""
    short = [w for w in islice(known, 5000) if type(w) is str and len(w) <= 60 and not w.startswith("_")]
    found = difflib.get_close_matches(word, short, n=2) if len(word) <= 60 else []
    return f" Did you mean {' or '.join(map(clean, found))}?" if found else ""


# ---- controls


class _Control:
    def coerce(self, value: object) -> object:
        raise NotImplementedError

    def fits(self, value: object) -> bool:
        """Whether `coerce` takes the value."""
        try:
            self.coerce(value)
        except ControlError:
            return False
        return True


@dataclass(frozen=True)
class Free(_Control):
    """`{{name}}` without a declaration: any text or number."""

    name: str

    def __post_init__(self) -> None:
        _check_name(self.name)

    def coerce(self, value: object) -> str:
        """The value as text. Raises `ControlError` where it is neither text nor a number."""
        return _text(value)


@dataclass(frozen=True)
class Choices(_Control):
    """`{{name: a | b | c = b}}`: one of two or more options, in no particular order.

    >>> Choices.of("style", ["noir", "studio"])
    Choices(name='style', options=('noir', 'studio'), default='noir')
    """

    name: str
    options: tuple[str, ...]
    default: str

    def __post_init__(self) -> None:
        _check_words(self.name, self.options, self.default, "choice")

    @classmethod
    def of(cls, name: str, options: Iterable[object], default: object = None) -> Choices:
        """The control for these options. Without `default`: the first. Raises `ControlError`."""
        words = tuple(map(_text, options))
        return cls(name, words, "".join(words[:1]) if default is None else _text(default))

    def values(self) -> tuple[str, ...]:
        """All options."""
        return self.options

    def coerce(self, value: object) -> str:
        """The option that the value names; the number 2 names the option `2`. Raises `ControlError`."""
        return _pick(self.name, self.options, value)

    def declaration(self) -> str:
        """What stands after `name:` in a prompt."""
        return _declaration(map(_escape, self.options), " | ", self.default, self.options[0])


@dataclass(frozen=True)
class Scale(_Control):
    """`{{name: calm .. lively .. wild}}`: two or more words in order; a slider whose stops are words.

    >>> Scale.of("mood", ["calm", "lively", "wild"])
    Scale(name='mood', stops=('calm', 'lively', 'wild'), default='lively')
    """

    name: str
    stops: tuple[str, ...]
    default: str

    def __post_init__(self) -> None:
        _check_words(self.name, self.stops, self.default, "stop")
        for index, stop in enumerate(self.stops):
            if _NUMBER.fullmatch(stop):
                said = f"{clean(stop, 40)} is a number among words."
                raise ControlError(f"{said} A range is written 0..10; numbers to choose from 1 | 2 | 5.", index)

    @classmethod
    def of(cls, name: str, stops: Iterable[object], default: object = None) -> Scale:
        """The control for these stops. Without `default`: the middle, or the one before it. Raises `ControlError`."""
        words = tuple(map(_text, stops))
        return cls(name, words, (_middle(words) if words else "") if default is None else _text(default))

    def values(self) -> tuple[str, ...]:
        """All stops, in order."""
        return self.stops

    def sample(self, k: int) -> tuple[str, ...]:
        """`k` stops, evenly spaced, both ends among them; all where there are fewer. One stop is the default."""
        return _spread(self.stops, k) if k != 1 else (self.default,)

    def coerce(self, value: object) -> str:
        """The stop that the value names. Raises `ControlError`."""
        return _pick(self.name, self.stops, value)

    def declaration(self) -> str:
        """What stands after `name:` in a prompt."""
        return _declaration(map(_escape, self.stops), " .. ", self.default, _middle(self.stops))


@dataclass(frozen=True)
class Range(_Control):
    """`{{name: 0..1 step 0.1 = 0.5}}`: the numbers from `start` in steps of `step`, up to `stop`.

    All four are ints where start, stop and step are whole, else floats. `stop` itself is one of the stops only if a
    step lands on it.

    >>> Range.of("warmth", 0, 10)
    Range(name='warmth', start=0, stop=10, step=1, default=5)
    >>> Range.of("grain", 0, 1, 0.1).values()[3]
    0.3
    """

    name: str
    start: int | float
    stop: int | float
    step: int | float
    default: int | float

    def __post_init__(self) -> None:
        _check_name(self.name)
        start, stop, step = _exact(self.start), _exact(self.stop), _exact(self.step)
        if start >= stop:
            raise ControlError("a range goes up: its first number is below its second.", "range")
        if step <= 0:
            raise ControlError("a step is above 0.", "step")
        if step > stop - start:
            raise ControlError("this step is larger than the range.", "step")
        if (stop - start) // step >= MOST_STOPS:
            raise ControlError(f"a range has at most {MOST_STOPS:,} stops; give it a larger step.", "range")
        grid, parts = self._grid
        if max(abs(grid.start), abs(grid.stop)) >= 10**_DIGITS:
            raise ControlError(f"a range is exact to {_DIGITS} digits, and this one needs more.", "range")
        for part, number in (("start", start), ("stop", stop), ("step", step)):
            object.__setattr__(self, part, int(number) if parts == 1 else float(number))
        try:
            object.__setattr__(self, "default", self.coerce(self.default))
        except ControlError as error:
            raise ControlError(str(error), "default") from None

    @classmethod
    def of(cls, name: str, start: object, stop: object, step: object = None, default: object = None) -> Range:
        """The control for these numbers. Raises `ControlError`.

        Without `step`: 1 between ints, else as fine as the bounds are, and 0.1 at most.
        Without `default`: the middle stop, or the one before it.
        """
        made = cls(name, *map(_number, (start, stop, _fineness(start, stop) if step is None else step, start)))
        return replace(made, default=made._implied() if default is None else _number(default))

    @cached_property
    def _grid(self) -> tuple[range, int]:
        """The stops as whole numbers of a part, and how many parts make 1: exact, whatever the decimal context is."""
        start, stop, step = _exact(self.start), _exact(self.stop), _exact(self.step)
        parts = 10 ** max(len(_text(v).partition(".")[2]) for v in (self.start, self.stop, self.step))
        return range(int(start * parts), int(stop * parts) + 1, int(step * parts)), parts

    def _stop(self, place: int) -> int | float:
        parts = self._grid[1]
        return place if parts == 1 else place / parts

    def _implied(self) -> int | float:
        return self._stop(_middle(self._grid[0]))

    def values(self) -> tuple[int | float, ...]:
        """All stops, in order."""
        return tuple(map(self._stop, self._grid[0]))

    def sample(self, k: int) -> tuple[int | float, ...]:
        """`k` stops, evenly spaced, both ends among them; all where there are fewer. One stop is the default.

        >>> Range.of("warmth", 0, 10).sample(3)
        (0, 5, 10)
        """
        return _spread(self.values(), k) if k != 1 else (self.default,)

    def coerce(self, value: object) -> int | float:
        """The stop that the number is, rid of float noise. Raises `ControlError` for text and between stops."""
        grid, parts = self._grid
        place = _exact(value) * parts
        if place.denominator == 1 and int(place) in grid:
            return self._stop(int(place))
        kind = "a whole number" if parts == 1 else "a number"
        steps = "" if self.step == 1 else f" in steps of {_text(self.step)}"
        first, last = _text(self.start), _text(self._stop(grid[-1]))
        raise ControlError(f"{self.name} takes {kind} from {first} to {last}{steps}, not {clean(_text(value), 40)}.")

    def declaration(self) -> str:
        """What stands after `name:` in a prompt."""
        steps = "" if isinstance(self.step, int) and self.step == 1 else f" step {_text(self.step)}"
        ends = (_text(self.start), _text(self.stop) + steps)
        return _declaration(ends, "..", _text(self.default), _text(self._implied()))


Control: TypeAlias = Choices | Range | Scale | Free


def _check_name(name: str) -> None:
    said = f"“{clean(name, 40)}”"
    if not name:
        raise ControlError("a placeholder needs a name: {{name}}.", "name")
    if not name.isidentifier():
        why = "Names are Python identifiers, such as light_2; expressions are not evaluated, so name the value first."
        raise ControlError(rf"{said} is not a name. {why} A literal {{{{ is written \{{{{.", "name")
    if keyword.iskeyword(name):
        raise ControlError(f"{said} is a word of Python's own, and no name for a variable.", "name")
    if name.startswith("__") and name.endswith("__"):
        raise ControlError(f"{said} is one of Python's own names, and not for a prompt.", "name")


def _check_words(name: str, words: tuple[str, ...], default: str, noun: str) -> None:
    _check_name(name)
    seen: set[str] = set()
    for index, word in enumerate(words):
        if not word.strip():
            raise ControlError(f"an empty {noun}.", index)
        if word != word.strip():
            raise ControlError(f"a {noun} has no space around it: “{clean(word, 40)}”.", index)
        if word in seen:
            raise ControlError(f"“{clean(word, 40)}” is here twice.", index)
        seen.add(word)
    if len(words) < 2:
        forms = "Choices are written a | b, ranges 0..10, scales calm .. wild."
        raise ControlError(f"one value alone leaves nothing to choose. {forms}", "range")
    if default not in seen:
        what = f"“{clean(default, 40)}” is not among the {noun}s."
        raise ControlError(what + _similar(default, words), "default")


def _pick(name: str, words: tuple[str, ...], value: object) -> str:
    text = _text(value)
    if text in words:
        return text
    shown = ", ".join(clean(word, 40) for word in words[:8]) + (f" … ({len(words)} in all)" if len(words) > 8 else "")
    raise ControlError(f"{name} takes one of {shown}; not “{clean(text, 40)}”.{_similar(text, words)}")


def _middle(stops: Sequence[_Stop]) -> _Stop:
    return stops[(len(stops) - 1) // 2]


def _spread(stops: Sequence[_Stop], k: int) -> tuple[_Stop, ...]:
    if k < 1:
        raise ValueError(f"a sample has at least one stop, not {k}")
    if k >= len(stops):
        return tuple(stops)
    return tuple(stops[(2 * i * (len(stops) - 1) + k - 1) // (2 * (k - 1))] for i in range(k))


def _number(value: object) -> int | float:
    exact = _exact(value)
    return int(exact) if issubclass(type(value), numbers.Integral) else float(exact)


def _fineness(*bounds: object) -> int | float:
    if all(issubclass(type(bound), numbers.Integral) for bound in bounds):
        return 1
    return float(f"1e-{max(1, *(len(_text(bound).partition('.')[2]) for bound in bounds))}")


def _declaration(words: Iterable[str], joint: str, default: str, implied: str) -> str:
    return joint.join(words) + (f" = {_escape(default)}" if default != implied else "")


def _escape(word: str) -> str:
    word = re.sub(r"[\\{}|=]", r"\\\g<0>", word)
    return re.sub(r"(?<!\.)\.\.(?!\.)", r"\\.\\.", word)


# ---- templates


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
                return _text(control.coerce(values[name]))
            if not isinstance(control, Free):
                return _text(control.default)
            raise ControlError(f"no variable is named {clean(name, 60)}.{_similar(name, [*self.defaults(), *values])}")
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
            _check_name(name)
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
            if joint == ".." and cuts and _NUMBER.fullmatch(pieces[0].raw):
                return self.range(name, pieces, default, places)
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
        if not _NUMBER.fullmatch(piece.raw):
            raise self.error(f"“{clean(piece.raw, 40)}” is not a number; a range is written 0..10.", piece)
        if sum(map(str.isdigit, piece.raw)) > _DIGITS:
            raise self.error(f"a number in a range has at most {_DIGITS} digits.", piece)
        return float(piece.raw) if "." in piece.raw else int(piece.raw)

    def piece(self, start: int, end: int) -> _Piece:
        raw = self.text[start:end].strip()
        if not raw:
            return _Piece("", start - 1, end)  # there is nothing to point at but the sign before it
        start = self.text.index(raw[0], start)
        return _Piece(raw, start, start + len(raw))

    def error(self, message: str, piece: _Piece) -> PromptError:
        return PromptError(message, prompt=self.text, start=piece.start, end=piece.end)
