"""The HTML of a sweep: its plan, its grid while it fills, and the contact sheet with a table that stays.

Lengths are fixed, so that the rows of a growing grid, each in a widget of its own, stand beneath each other.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from pixapi_nb.markup import GREY, bundle, note, table, words

__all__ = ["Sheet", "Slot", "badge", "file_link", "finished", "head", "plan", "row", "summary"]

_LABEL = 120  # CSS pixels of a row's label
_GAP = 4
_SMALL = "font-size:85%;line-height:1.35"


@dataclass(frozen=True)
class Slot:
    """A place in the growing grid: a thumbnail, or words; `percent` while it is being made."""

    text: str = ""
    thumb: bytes | None = None
    percent: float | None = None
    warned: bool = False
    label: str = ""


def head(columns: Sequence[str], width: int, *, corner: str = "", title: str = "", labels: bool = True) -> str:
    """The first row of a page: what stands over each column."""
    cells = [
        Markup('<div style="flex:none;width:{}px;margin:0 {}px 0 0;font-weight:600;overflow-wrap:anywhere">{}</div>').format(
            width, _GAP, words(text, 60)
        )
        for text in columns
    ]
    before = [_beside(words(corner, 80), "opacity:.72")] if labels else []
    over = _over(title, "" if labels else corner)
    return str(Markup("{}{}").format(over, _line([*before, *cells], "align-items:flex-end")))


def _over(title: str, axis: str) -> Markup:
    """What stands above a page: its title, and the axis where no row has a label, and so there is no corner."""
    named = Markup('<div style="font-weight:600;margin:10px 0 2px">{}</div>').format(words(title, 200)) if title else ""
    across = Markup('<div style="{};opacity:.72;margin:4px 0 2px">{}</div>').format(_SMALL, words(axis, 80)) if axis else ""
    return Markup("{}{}").format(named, across)


def row(label: str, slots: Sequence[Slot], size: tuple[int, int], *, labels: bool = True) -> str:
    """One row of places, `size` CSS pixels each."""
    before = [_beside(words(label, 80), "font-weight:600;align-self:center")] if labels else []
    return str(_line([*before, *(_slot(slot, size) for slot in slots)], "align-items:stretch"))


def _line(parts: Sequence[Markup], align: str) -> Markup:
    return Markup('<div style="display:flex;flex-wrap:nowrap;margin:0 0 {}px;{};{}">{}</div>').format(
        _GAP, _SMALL, align, Markup("").join(parts)
    )


def _beside(text: str, style: str) -> Markup:
    return Markup('<div style="flex:none;width:{}px;margin:0 10px 0 0;overflow-wrap:anywhere;{}">{}</div>').format(
        _LABEL - 10, style, text
    )


def _slot(slot: Slot, size: tuple[int, int]) -> Markup:
    width, height = size
    tint = "rgba(230,145,20,.18)" if slot.warned else GREY.format(".12")
    inner: Markup | str = ""
    if slot.thumb is not None:
        inner = Markup('<img src="{}" alt="{}" style="max-width:{}px;max-height:{}px;display:block;margin:0">').format(
            f"data:image/jpeg;base64,{base64.b64encode(slot.thumb).decode()}", words(slot.label, 200), width, height
        )
    elif slot.percent is not None:
        done = round(max(2.0, min(100.0, slot.percent)) * 0.7 * width / 100)
        bar = Markup('<div style="width:{}px;height:4px;border-radius:2px;background-color:{}">{}</div>').format(
            round(0.7 * width),
            GREY.format(".25"),
            Markup('<div style="width:{}px;height:4px;border-radius:2px;background-color:rgb(33,133,208)"></div>').format(done),
        )
        inner = Markup("<div>{}</div>").format(bar)
    elif slot.text:
        inner = Markup('<div style="padding:2px 4px;text-align:center;overflow:hidden;opacity:.85">{}</div>').format(
            words(slot.text, 90)
        )
    style = (
        f"flex:none;width:{width}px;height:{height}px;margin:0 {_GAP}px 0 0;display:flex;align-items:center;"
        f"justify-content:center;overflow:hidden;border-radius:3px;background-color:{tint}"
    )
    return Markup('<div style="{}" title="{}">{}</div>').format(style, words(f"{slot.label} {slot.text}", 300), inner)


def summary(text: str, hint: str = "") -> str:
    """The quiet lines above the grid."""
    quiet = Markup('<div style="opacity:.8;font-size:90%;line-height:1.5">{}</div>')
    return str(Markup("{}{}").format(quiet.format(words(text, 400)), quiet.format(words(hint, 400)) if hint else ""))


def badge(text: str) -> Markup:
    """A word in a frame."""
    style = f"border:1px solid {GREY.format('.6')};border-radius:4px;padding:0 5px;margin:0 4px 0 0"
    return Markup('<span style="{}">{}</span>').format(style, words(text, 60))


def file_link(file: Path, beside: Path | None) -> Markup:
    """A file's name; a link to it where it lies in the notebook's folder."""
    name = words(file.name, 200)
    try:
        inside = Path(os.path.abspath(file)).relative_to(os.path.abspath(beside)) if beside else None  # noqa: PTH100
        href = quote(os.fsencode(inside.as_posix()), safe="/") if inside else ""
    except (ValueError, UnicodeEncodeError):
        href = ""
    if not href:
        return Markup("<bdi>{}</bdi>").format(name)
    return Markup('<a href="{}" style="overflow-wrap:anywhere"><bdi>{}</bdi></a>').format(href, name)


def plan(axes: Sequence[tuple[str, Sequence[object]]], price: str, remark: str) -> dict[str, str]:
    """What a sweep is going to ask for, before it does."""
    count = 1
    for _, values in axes:
        count *= len(values)
    sums = " × ".join(str(len(values)) for _, values in axes)
    said = f"{count} request{'s' if count != 1 else ''}" + (f" ({sums})" if len(axes) > 1 else "") + f": {price}"
    rows = [(name, _few(values), len(values)) for name, values in axes]
    html = Markup('<div style="margin:4px 0">{}<div style="margin:6px 0"><b>{}</b></div>{}</div>').format(
        table(["axis", "values", ""], rows), words(said, 300), note(remark) if remark else ""
    )
    plain = [f"{name}: {values}" for name, values, _ in rows]
    return bundle(html, "\n".join([*plain, said, *([remark] if remark else [])]))


def _few(values: Sequence[object], most: int = 14) -> str:
    """The values; of many, the first and the last."""
    said = [words(value, 60) for value in values]
    return ", ".join(said if len(said) <= most else [*said[: most - 4], "…", *said[-2:]])


@dataclass(frozen=True)
class Sheet:
    """One page of the finished grid: its labels, and one picture of all its places, `size` CSS pixels each."""

    rows: Sequence[str]
    columns: Sequence[str]
    picture: tuple[bytes, str]
    corner: str = ""
    title: str = ""


def finished(
    sheets: Sequence[Sheet],
    size: tuple[int, int],
    *,
    said: str,
    local: bool,
    remarks: Sequence[tuple[str, str]],
    headers: Sequence[str],
    rows: Sequence[Sequence[object]],
    hidden: int = 0,
    file: Path | None,
    beside: Path | None,
    plain: str,
) -> dict[str, str]:
    """What stays: the contact sheet beneath its labels, and a table of all places that can be opened."""
    parts = [_page(sheet, size) for sheet in sheets]
    line = [badge("local sketch")] if local else []
    line.append(Markup('<span style="opacity:.8">{}</span>').format(words(said, 400)))
    if file is not None:
        line.append(Markup("· {}").format(file_link(file, beside)))
    parts.append(Markup('<div style="margin:6px 0;font-size:90%;line-height:1.5">{}</div>').format(Markup(" ").join(line)))
    parts += [note(text, "warning" if kind == "warning" else "info") for kind, text in remarks]
    which = f"{len(rows)} of {len(rows) + hidden} places (all: .rows())" if hidden else f"All {len(rows)} places"
    label = f"{which}: settings, files, seconds, credits, errors"
    parts.append(
        Markup('<details style="margin:6px 0"><summary style="font-size:90%;cursor:pointer">{}</summary>{}</details>').format(
            label, table(headers, rows)
        )
    )
    return bundle(Markup('<div style="margin:4px 0">{}</div>').format(Markup("").join(parts)), plain)


def _wide(pixels: int) -> str:
    """Just so wide, whatever stands in it."""
    return f"width:{pixels}px;min-width:{pixels}px;max-width:{pixels}px"


def _page(sheet: Sheet, size: tuple[int, int]) -> Markup:
    width, height = size[0] + _GAP, size[1] + _GAP
    whole = width * len(sheet.columns) - _GAP, height * len(sheet.rows) - _GAP
    labels = any(sheet.rows)
    th, bold, label = Markup('<th style="{}">{}</th>'), "font-weight:600;overflow-wrap:anywhere", _LABEL - 10
    top = f"padding:0 {_GAP}px 4px 0;text-align:left;vertical-align:bottom;{bold};{_wide(size[0])}"
    side = f"padding:0 10px 0 0;text-align:left;vertical-align:middle;{bold};height:{height}px;{_wide(label)}"
    corner = f"padding:0 10px 4px 0;text-align:left;vertical-align:bottom;font-weight:normal;opacity:.72;max-width:{label}px"
    data, kind = sheet.picture
    alt = f"contact sheet: {', '.join(filter(None, [sheet.title, sheet.corner]))}"
    image = Markup('<img src="{}" alt="{}" width="{}" height="{}" style="{}">').format(
        f"data:{kind};base64,{base64.b64encode(data).decode()}",
        alt,
        whole[0],
        whole[1],
        f"display:block;margin:0;max-width:none;width:{whole[0]}px;height:{whole[1]}px",
    )
    td = Markup('<td rowspan="{}" colspan="{}" style="padding:0;vertical-align:top;text-align:left">{}</td>').format(
        len(sheet.rows), len(sheet.columns), image
    )
    tr = Markup('<tr style="background-color:transparent">{}</tr>')
    first = [th.format(corner, words(sheet.corner, 80))] if labels else []
    lines = [tr.format(Markup("").join([*first, *(th.format(top, words(text, 60)) for text in sheet.columns)]))]
    for i, text in enumerate(sheet.rows):
        named = [th.format(side, words(text, 80))] if labels else []
        lines.append(tr.format(Markup("").join([*named, *([td] if i == 0 else [])])))
    over = _over(sheet.title, "" if labels else sheet.corner)
    grid = Markup(
        '<table style="margin:0;border-collapse:collapse;table-layout:fixed;font-size:85%;line-height:1.35">{}</table>'
    )
    return Markup('{}<div style="margin:4px 0;overflow-x:auto">{}</div>').format(over, grid.format(Markup("").join(lines)))
