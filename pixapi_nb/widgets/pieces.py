"""The HTML of a panel: the prompt, a card of the strip, and what stays in a saved notebook.

Made by `Markup(...).format(...)` as all HTML here, which escapes whatever is not Markup itself.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from pixapi_nb import markup, show
from pixapi_nb.jobs import Job
from pixapi_nb.media import Media
from pixapi_nb.wire import LOCAL

__all__ = ["LARGE", "SMALL", "card", "faint", "names", "panel", "place", "prompt", "rules", "side_by_side", "still", "worded"]

LARGE, SMALL = 512, 220  # CSS pixels that a picture is wide
_CARRIED = 1_000_000  # bytes of a video that is shown among older results and in a saved notebook
_NO_FORMULAS = "tex2jax_ignore mathjax_ignore"  # two prices are none
_FAINT = "opacity:.75;font-size:90%;line-height:1.45;overflow-wrap:anywhere"
_MARK = "background-color:rgba(255,170,0,.26);color:inherit;border-radius:3px;padding:1px 3px"
_SHEET = (
    "white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.55;max-height:220px;overflow-y:auto;"
    "padding:8px 12px;border:1px solid rgba(128,128,128,.35);border-radius:6px"
)


def rules() -> Markup:
    """The panel's style sheet, which is ours alone."""
    css = Path(__file__).with_name("panel.css").read_text("utf-8")
    return Markup("<style>{}</style>").format(Markup(css))  # noqa: S704  # our own file


def names(values: Mapping[str, object]) -> str:
    """Settings in words: `style: noir · warmth: 7`."""
    return " · ".join(f"{name}: {markup.words(value, 80)}" for name, value in values.items())


def worded(job: Job) -> str:
    """The request in words: model, size, quality, duration, and what it cost."""
    asked = job.request.fields()
    number = asked.get("n")
    parts = [
        "local sketch" if job.server == LOCAL and job.error is None else None,
        job.request.model,
        asked.get("size"),
        f"quality {asked['quality']}" if asked.get("quality") else None,
        f"{asked['duration']} s long" if asked.get("duration") else None,
        f"{number} pictures" if isinstance(number, int) and number > 1 else None,
        f"took {job.seconds:.0f} s" if job.done and job.error is None and not job.reused else None,
        job.price.removesuffix(", as estimated") if job.error is None else None,
        *job.notes,
    ]
    return " · ".join(markup.words(part, 120) for part in parts if part)


def prompt(spans: Sequence[tuple[str, str | None]], label: str = "The prompt as it will be sent") -> Markup:
    """A prompt, the words that controls have put there marked; a name without a value is shown by its name."""
    pieces = [
        Markup('<mark style="{}" title="{}">{}</mark>').format(_MARK, name, text or f"‹{name}›")
        if name
        else Markup("{}").format(text)
        for text, name in spans
    ]
    # It may be scrolled, so it can be reached with the keyboard.
    sheet = Markup('<div style="{}" dir="auto" role="region" tabindex="0" aria-label="{}">{}</div>')
    return faint(label) + sheet.format(_SHEET, label, Markup("").join(pieces))


def card(job: Job, values: Mapping[str, object], *, width: int, pictures: bool = True) -> Markup:
    """A result with its settings, or why there is none. Its pictures may be shown by somebody else."""
    body = markup.note(str(job.error), "error") if job.error is not None else _pictures(job, width) if pictures else ""
    lines = [faint(line) for line in (names(values), worded(job), _files(job)) if line]
    return Markup('<div>{}<div style="margin:6px 0 0">{}</div></div>').format(body, Markup("").join(lines))


def _files(job: Job) -> str:
    """Where its files are, seen from the notebook's folder where they lie in it."""
    paths = [one.path for one in job.media if one.path is not None]
    if not paths:
        return ""
    first, here = paths[0], os.getcwd()  # noqa: PTH109
    shown = first.relative_to(here) if first.is_relative_to(here) else first
    return markup.words(f"{shown} and {len(paths) - 1} more" if len(paths) > 1 else shown, 300)


def faint(text: str) -> Markup:
    """A quiet line."""
    return Markup('<div style="{}" dir="auto">{}</div>').format(_FAINT, text)


def _pictures(job: Job, width: int) -> Markup:
    several = len(job.media) > 1
    shown = [_medium(one, job, min(width, 248 if several and width > SMALL else width)) for one in job.media[: _most(width)]]
    hidden = len(job.media) - len(shown)
    if hidden > 0:
        shown.append(faint(f"and {hidden} more"))
    return Markup('<div style="display:flex;flex-wrap:wrap;gap:10px">{}</div>').format(Markup("").join(shown))


def _most(width: int) -> int:
    return 16 if width > SMALL else 1


def _medium(medium: Media, job: Job, width: int) -> Markup:
    if medium.kind == "video":
        name = medium.path.name if medium.path else "in memory"
        if width <= SMALL and (medium.path is None or not medium.path.is_file() or medium.path.stat().st_size > _CARRIED):
            return markup.note(f"video: {name}")
        return _film(medium, job, width)
    return show.cell(medium, of=len(job.media) * (1 if width > SMALL else 4), alt=job.request.prompt, width=width)


def _film(medium: Media, job: Job, width: int) -> Markup:
    """A video, no wider than its card; `show` says what can be embedded."""
    shown = Markup(show.result([medium], prompt=job.request.prompt, named=False)["text/html"])  # noqa: S704  # made there
    return Markup('<div style="max-width:{}px;overflow:hidden">{}</div>').format(width, shown)


def place(name: str) -> Markup:
    """Where a live widget puts itself; empty in a saved notebook."""
    return Markup('<div class="{}"></div>').format(f"pixapi-place-{name} {_NO_FORMULAS}")


def still(name: str, content: Markup) -> Markup:
    """What stays beneath it; `place.js` hides it where the widget is alive."""
    return Markup('<div class="{}" style="max-width:1080px">{}</div>').format(f"pixapi-still-{name} {_NO_FORMULAS}", content)


def panel(
    spans: Sequence[tuple[str, str | None]], settings: Mapping[str, object], cards: Sequence[Markup], older: int = 0
) -> Markup:
    """A panel without its controls: prompt, settings, and the cards of its results, newest first."""
    shown = [Markup('<div style="max-width:{}px">{}</div>').format(SMALL, one) for one in cards]
    more = [faint(f"and {older} older results")] if older else []
    row = Markup('<div style="display:flex;flex-wrap:wrap;gap:16px;margin:12px 0 4px">{}</div>')
    said = prompt(spans, "The prompt as the controls stood") if any(text for text, _ in spans) else Markup("")
    said += faint(names(settings)) + faint("The controls come back when the cell is run again.")
    return said + row.format(Markup("").join([*shown, *more]))


def side_by_side(pictures: Sequence[tuple[str, str]], *, width: int = 440) -> Markup:
    """Pictures (data URLs) with their captions, beside each other where there is room."""
    look = "display:block;max-width:100%;margin:0;border-radius:6px"
    figure = Markup(
        '<figure style="margin:0;max-width:{}px"><img src="{}" alt="{}" style="{}"><figcaption>{}</figcaption></figure>'
    )
    shown = [figure.format(width, src, words, look, faint(words)) for src, words in pictures]
    return Markup('<div style="display:flex;flex-wrap:wrap;gap:12px">{}</div>').format(Markup("").join(shown))
