"""What `-i SRC` names: a URL, a variable (`hero`, `hero[1]`), or a file. Names and indices only, never an expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixapi_nb.errors import UsageError, clean
from pixapi_nb.inputs import input_image, is_url
from pixapi_nb.models import InputImage
from pixapi_nb.options import closest

__all__ = ["find_file", "find_image"]

_VARIABLE = re.compile(r"([^\W\d]\w*)(?:\[(-?\d{1,9})\])?")


def find_image(source: str, variables: Mapping[str, Any], folder: Path) -> InputImage:
    """The picture that `source` names; relative files are seen from `folder`. Raises UsageError."""
    if is_url(source):
        return input_image(source)
    path = _path(source, folder)
    named = _VARIABLE.fullmatch(source)
    bound = named is not None and named[1] in variables
    if bound and _is(path, Path.is_file):
        raise UsageError(
            f"-i {clean(source, 80)} is a variable and also a file.",
            hint=f"Write ./{clean(source, 80)} for the file, or rename one.",
        )
    if named is not None and bound:
        return _from_variable(source, variables[named[1]], named[2])
    if _is(path, Path.is_file):
        return input_image(path, name=clean(source, 200))
    if _is(path, Path.is_dir):
        raise UsageError(f"-i {clean(source, 80)} is a folder.", hint="Name one picture in it.")
    names = [name for name in variables if not name.startswith("_")]
    similar = closest(source.partition("[")[0], [*names, *_beside(path)])
    raise UsageError(
        f"-i {clean(source, 80)}: there is no such variable and no such file.{similar}",
        hint="A URL, a file, or a variable such as hero or hero[1] is what -i takes.",
    )


def find_file(source: str, variables: Mapping[str, Any], folder: Path) -> Path:
    """The file that `source` names: a path, seen from `folder`, or a variable that stands for one (`hero[0]`)."""
    named = _VARIABLE.fullmatch(source)
    path = _path(source, folder)
    if named is None or named[1] not in variables or _is(path, Path.exists):
        return path
    value = variables[named[1]]
    if named[2] is not None or (isinstance(value, Sequence) and not isinstance(value, str)):
        value = _item(source, value, int(named[2] or 0))
    found = getattr(value, "path", value)
    if not isinstance(found, (str, Path)):
        raise UsageError(f"{source} stands for no file.")
    return folder / found


def _path(source: str, folder: Path) -> Path:
    try:
        return folder / Path(source).expanduser()
    except RuntimeError:  # the home of nobody
        return folder / source


def _is(path: Path, question: Callable[[Path], bool]) -> bool:
    """What the disk answers; no, for a name that it cannot have."""
    try:
        return question(path)
    except (OSError, ValueError):
        return False


def _item(source: str, value: Any, index: int) -> Any:
    try:
        return value[index]
    except IndexError as error:
        number = len(value) if isinstance(value, Sequence) else 0
        there = f"it has {number}: {source.partition('[')[0].removeprefix('-i ')}[0]" if number else "it has none"
        last = f" to [{number - 1}]" if number > 1 else ""
        raise UsageError(f"{source} is not there; {there}{last}.") from error
    except (TypeError, KeyError) as error:
        raise UsageError(f"{source}: {clean(error, 120)}.", hint="Such as hero[0] for the first of several.") from error


def _from_variable(source: str, value: Any, index: str | None) -> InputImage:
    if index is not None:
        value = _item(f"-i {source}", value, int(index))
    return input_image(value, name=source)


def _beside(path: Path) -> list[str]:
    """Names of the files in the same folder, for a suggestion."""
    try:
        return sorted(one.name for one in path.parent.iterdir())[:1000]
    except (OSError, ValueError):
        return []
