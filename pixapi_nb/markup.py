"""Pieces of HTML of which all views are made.

HTML is made by `Markup(...).format(...)` alone, which escapes whatever is not Markup itself. Styles are inline, and of those
alone that JupyterLab keeps in a notebook that is not trusted: plain lengths, named and rgba() colours, no var(),
currentColor, calc() or object-fit. Opacity and half-transparent greys suit any theme.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal, TypeAlias

from markupsafe import Markup

__all__ = ["GREY", "NoteKind", "bundle", "note", "table", "words"]

NoteKind: TypeAlias = Literal["info", "warning", "error"]

GREY = "rgba(128,128,128,{})"


def words(text: object, longest: int = 1000) -> str:
    """Text from outside on one line: no control characters, none that turn or hide other text, and not endless.

    Joiners stay: emoji and several scripts need them.
    """
    kept = "".join(_INSTEAD.get(unicodedata.category(c), c) if c not in "\u200c\u200d" else c for c in str(text)[:20_000])
    kept = " ".join(kept.split())
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"


_INSTEAD = {"Cc": " ", "Zl": " ", "Zp": " ", "Cf": "", "Cs": "\ufffd"}


def bundle(html: Markup, plain: str) -> dict[str, str]:
    """A MIME bundle: HTML, and its text for terminals.

    Notebooks typeset mathematics in HTML, and two prices would be a formula: the classes tell MathJax 2 to 4 to keep out.
    """
    kept_out = Markup('<div class="tex2jax_ignore mathjax_ignore">{}</div>').format(html)
    return {"text/html": str(kept_out), "text/plain": plain}


_COLOURS: dict[NoteKind, str] = {"info": "33,133,208", "warning": "230,145,20", "error": "214,57,57"}


def note(text: str, kind: NoteKind = "info") -> Markup:
    """A remark in a quiet box of its own. Markup stays as it is, all else is escaped."""
    return Markup('<div style="{}">{}</div>').format(
        f"margin:4px 0;padding:6px 12px;max-width:720px;overflow-wrap:break-word;border-radius:2px;"
        f"border-left:3px solid rgba({_COLOURS[kind]},.9);background-color:rgba({_COLOURS[kind]},.1)",
        text if isinstance(text, Markup) else words(text),
    )


def table(headers: Sequence[object], rows: Sequence[Sequence[object]], *, foot: Sequence[object] | None = None) -> Markup:
    """A table; columns of numbers stand to the right. `foot` is a last row with the totals. Markup stays as it is."""
    numbers = [
        bool(rows) and all(row[i] is None or isinstance(row[i], (int, float)) for row in rows) for i in range(len(headers))
    ]

    def line(tag: Markup, row: Sequence[object], style: str) -> Markup:
        cells = [
            tag.format(
                f"padding:4px 20px 4px 0;vertical-align:top;text-align:{'right' if number else 'left'};"
                f"white-space:{'normal' if len(str(value)) > 40 else 'nowrap'}",
                value if isinstance(value, Markup) else words("" if value is None else value, 400),
            )
            for value, number in zip(row, numbers, strict=True)
        ]
        return Markup('<tr style="background-color:transparent;{}">{}</tr>').format(style, Markup("").join(cells))

    th, td, rule = (
        Markup('<th style="{}">{}</th>'),
        Markup('<td style="{}">{}</td>'),
        f"border-bottom:1px solid {GREY.format('.25')}",
    )
    body = [line(td, row, rule) for row in rows]
    if foot is not None:
        body.append(line(Markup('<td style="{};font-weight:bold">{}</td>'), foot, ""))
    return _scrolled(
        Markup('<table style="margin:0;border-collapse:collapse"><thead>{}</thead><tbody>{}</tbody></table>').format(
            line(th, headers, rule), Markup("").join(body)
        )
    )


def _scrolled(html: Markup) -> Markup:
    return Markup('<div style="margin:4px 0;overflow-x:auto">{}</div>').format(html)
