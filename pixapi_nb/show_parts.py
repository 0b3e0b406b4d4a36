"""The HTML of what is not a result: what is under way, what is asked for, what did not end well."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from pixapi_nb.markup import bundle, note, table, words

__all__ = ["busy", "line", "progress", "prompt", "request", "stopped"]


def progress(text: str, hint: str | None = None) -> str:
    """The quiet line beneath a bar, and what a person can do."""
    return str(_quiet(text) + (_quiet(hint) if hint else ""))


def _quiet(text: str) -> Markup:
    return Markup('<div style="opacity:.8;font-size:90%;line-height:1.5">{}</div>').format(words(text))


def busy(label: str) -> str:
    """A bar that says only: something is going on."""
    return str(Markup('<progress aria-label="{}" style="width:100%;max-width:512px;height:18px"></progress>').format(label))


def prompt(spans: Sequence[tuple[str, str | None]]) -> str:
    """A prompt as it will be sent, the words that controls have put there marked. Line breaks are kept."""
    marked = [Markup("<mark>{}</mark>").format(text) if name else Markup("{}").format(text) for text, name in spans]
    style = "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.5;padding:6px 0"
    return str(Markup('<div style="{}" dir="auto">{}</div>').format(style, Markup("").join(marked)))


def line(text: str) -> str:
    """One line of words."""
    return str(Markup("<span>{}</span>").format(words(text)))


def stopped(text: str, why: str) -> dict[str, str]:
    """What stays where no picture came; `why` only where no error stands beneath it."""
    html = note(f"{text}: {why}", "error") if why else _quiet(text)
    return bundle(html, f"{text}: {why}" if why else text)


def request(rows: Sequence[tuple[str, object]], remark: str) -> dict[str, str]:
    """A request that is not sent, field by field."""
    plain = "\n".join(f"{name}: {words(value, 2000)}" for name, value in rows)
    shown = [(name, words(value, 2000)) for name, value in rows]
    return bundle(table(["field", "value"], shown) + note(remark), f"{plain}\n{remark}")
