"""The controls of a prompt: what a name in it may stand for, and how such a value reads. Pure.

`Choices`, `Range` and `Scale` are declared in a prompt (`prompt`), `Free` is a name without a declaration.
"""

from __future__ import annotations

import difflib
import keyword
import numbers
import operator
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import TypeAlias, TypeVar

from pixapi_nb.errors import clean

__all__ = [
    "DIGITS",
    "MOST_STOPS",
    "NUMBER",
    "Choices",
    "Control",
    "ControlError",
    "Free",
    "Range",
    "Scale",
    "as_text",
    "check_name",
    "similar",
]

MOST_STOPS = 10_000
"""A range has at most this many stops."""
DIGITS = 15
"""Of any decimal number, a float keeps so many."""
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
"""A number as it is written in a declaration."""

_LONGEST = 350  # digits of a number; the largest float has 309
_Stop = TypeVar("_Stop")


class ControlError(ValueError):
    """A value that does not fit its control, or a control that makes no sense.

    `part` is the piece of the declaration at fault: "name", "range", "step", "default", or the index of a word.
    """

    def __init__(self, message: str, part: str | int | None = None) -> None:
        super().__init__(message)
        self.part = part


# ---- values as text


def as_text(value: object) -> str:
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
            return Decimal(float.__format__(value, f".{DIGITS}g"))
        return Decimal(str(value))  # NumPy's narrower floats print the digits that they mean
    except ArithmeticError:
        return Decimal("NaN")


def _exact(value: object) -> Fraction:
    if issubclass(type(value), str):
        raise ControlError("a range takes a number, not text.")
    return Fraction(as_text(value))


def similar(word: str, known: Iterable[object]) -> str:
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
        check_name(self.name)

    def coerce(self, value: object) -> str:
        """The value as text. Raises `ControlError` where it is neither text nor a number."""
        return as_text(value)


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
        words = tuple(map(as_text, options))
        return cls(name, words, "".join(words[:1]) if default is None else as_text(default))

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
            if NUMBER.fullmatch(stop):
                said = f"{clean(stop, 40)} is a number among words."
                raise ControlError(f"{said} A range is written 0..10; numbers to choose from 1 | 2 | 5.", index)

    @classmethod
    def of(cls, name: str, stops: Iterable[object], default: object = None) -> Scale:
        """The control for these stops. Without `default`: the middle, or the one before it. Raises `ControlError`."""
        words = tuple(map(as_text, stops))
        return cls(name, words, (_middle(words) if words else "") if default is None else as_text(default))

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
        check_name(self.name)
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
        if max(abs(grid.start), abs(grid.stop)) >= 10**DIGITS:
            raise ControlError(f"a range is exact to {DIGITS} digits, and this one needs more.", "range")
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
        parts = 10 ** max(len(as_text(v).partition(".")[2]) for v in (self.start, self.stop, self.step))
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
        steps = "" if self.step == 1 else f" in steps of {as_text(self.step)}"
        first, last = as_text(self.start), as_text(self._stop(grid[-1]))
        raise ControlError(f"{self.name} takes {kind} from {first} to {last}{steps}, not {clean(as_text(value), 40)}.")

    def declaration(self) -> str:
        """What stands after `name:` in a prompt."""
        steps = "" if isinstance(self.step, int) and self.step == 1 else f" step {as_text(self.step)}"
        ends = (as_text(self.start), as_text(self.stop) + steps)
        return _declaration(ends, "..", as_text(self.default), as_text(self._implied()))


Control: TypeAlias = Choices | Range | Scale | Free


def check_name(name: str) -> None:
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
    check_name(name)
    seen: set[str] = set()
    for index, word in enumerate(words):
        if not word.strip():
            raise ControlError(f"a {noun} is empty here: write something, or take the sign beside it away.", index)
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
        raise ControlError(what + similar(default, words), "default")


def _pick(name: str, words: tuple[str, ...], value: object) -> str:
    text = as_text(value)
    if text in words:
        return text
    shown = ", ".join(clean(word, 40) for word in words[:8]) + (f" … ({len(words)} in all)" if len(words) > 8 else "")
    raise ControlError(f"{name} takes one of {shown}; not “{clean(text, 40)}”.{similar(text, words)}")


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
    return float(f"1e-{max(1, *(len(as_text(bound).partition('.')[2]) for bound in bounds))}")


def _declaration(words: Iterable[str], joint: str, default: str, implied: str) -> str:
    return joint.join(words) + (f" = {_escape(default)}" if default != implied else "")


def _escape(word: str) -> str:
    word = re.sub(r"[\\{}|=]", r"\\\g<0>", word)
    return re.sub(r"(?<!\.)\.\.(?!\.)", r"\\.\\.", word)
