"""What is shown under a cell: media as MIME bundles. How its HTML is made and why, `markup` says."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal, Protocol, TypeAlias
from urllib.parse import quote

from markupsafe import Markup
from PIL import Image

from pixapi_nb import preview
from pixapi_nb.errors import PixapiError
from pixapi_nb.markup import GREY, bundle, note, words
from pixapi_nb.models import Kind, media_type

__all__ = ["Caption", "Embed", "MediaLike", "cell", "result"]

Embed: TypeAlias = Literal["preview", "full", "link"]

_VIDEO_BYTES = 8_000_000  # embedded at most, over all videos of an output
_FALLBACK_BYTES = 60_000
_INPUT_BYTES = 24_000
_BOXES = {1: (768, 512), 2: (384, 512), 3: (260, 347)}  # CSS pixels that a picture may take, by pictures in a row


class MediaLike(Protocol):
    """What is shown: a `pixapi_nb.media.Media`, or whatever else has these."""

    @property
    def path(self) -> Path | None: ...
    @property
    def media_type(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def bytes(self) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Caption:
    """The quiet line beneath a result. What is None is left out."""

    model: str
    size: str | None = None
    """What was asked for; said of videos alone, since pictures tell their own."""
    seconds: float | None = None
    credits: str | None = None
    """In words, such as "8 credits ($0.08)"."""
    note: str | None = None
    """One more remark, such as "from the earlier run, 0 credits"."""
    local: bool = False
    """Drawn by the embedded Pixapi, and marked so."""


def result(
    media: Sequence[MediaLike],
    *,
    prompt: str,
    caption: Caption | None = None,
    embed: Embed = "preview",
    beside: Path | None = None,
    inputs: Sequence[tuple[str, bytes]] = (),
    named: bool = True,
) -> dict[str, str]:
    """What stands under the cell: `text/html`, `text/plain`, and a small `image/jpeg` for front ends without HTML.

    `beside` is the notebook's folder: files inside it are linked, others are named. `inputs` are names and bytes of the
    pictures that went in. `named`: whether the caption tells the file. What cannot be shown becomes a note with the file's
    name: nothing is raised. What would have to be linked and lies outside the notebook's folder is embedded as a preview.
    """
    alt = words(prompt)
    before = [_input(name, data, len(inputs)) for name, data in inputs]
    columns = 1 if len(media) == 1 else 2 if len(media) in (2, 4) else 3
    edge, _ = preview.preview_sizes(len(media))
    left, room = preview.BUDGET - sum(item.weight for item in before), _VIDEO_BYTES
    items = []
    for i, medium in enumerate(media):
        place = _Place(alt, embed, beside, _BOXES[columns], edge, max(left, 0) // (len(media) - i))
        item = _video(medium, place, room) if medium.kind == "video" else _picture(medium, place)
        if medium.kind == "video":
            room -= item.weight
        else:
            left -= item.weight
        items.append(item)

    sizes = {item.size for item in items if item.size}
    if len(items) == 1:
        body, file = items[0].html, items[0].file if named else None
    else:
        body, file = _gallery(items, columns, sizes=len(sizes) > 1), None
    if before:
        body = _beside(before, body)
    said = _said(caption, sizes) if caption else []
    made = bundle(
        Markup('<div style="margin:4px 0">{}{}</div>').format(body, _line(said, file, local=bool(caption and caption.local))),
        "\n".join([*(item.plain for item in items), *([" · ".join(said)] if said else [])]),
    )
    shown = [item.image for item in items if item.image]
    if shown:
        data, _ = preview.encode(preview.contact_sheet(shown), _FALLBACK_BYTES)
        made["image/jpeg"] = base64.b64encode(data).decode()
    return made


@dataclass(frozen=True)
class _Place:
    """How a medium is to be shown: in a `box` of CSS pixels, with a preview of `edge` pixels and `weight` bytes."""

    alt: str
    embed: Embed
    beside: Path | None
    box: tuple[int, int]
    edge: int
    weight: int


@dataclass(frozen=True)
class _Item:
    """A medium, ready to be placed: itself, its file's name, what a terminal says, and the bytes that it embeds."""

    html: Markup
    file: Markup
    plain: str
    weight: int = 0
    size: tuple[int, int] | None = None
    image: Image.Image | None = None


def _picture(medium: MediaLike, place: _Place) -> _Item:
    name, file, href = _file(medium, place.beside)
    try:
        original = medium.bytes
        picture = preview.read(original, place.edge)
        image: Image.Image | None = picture.image
        if place.embed == "link" and href:
            src, weight, image = href, 0, None
        elif place.embed == "full":
            kind = media_type(original[:16])
            if kind not in ("image/png", "image/jpeg", "image/gif"):
                original, kind = preview.encode(preview.read(original).image)
            src, weight = _data_url(original, kind), len(original)
        else:
            data, kind = preview.encode(picture.image, place.weight)
            src, weight = _data_url(data, kind), len(data)
    except (PixapiError, OSError, preview.UnreadableError) as error:
        return _failed(name, file, error)
    html = _img(src, place.alt or name, _fitted(picture.size, place.box), picture.image)
    return _Item(html, file, name, weight, picture.size, image)


def _video(medium: MediaLike, place: _Place, room: int) -> _Item:
    name, file, href = _file(medium, place.beside)
    src, weight = href, 0
    if place.embed != "link" or not href:
        try:
            data = medium.bytes
        except (PixapiError, OSError) as error:
            return _failed(name, file, error)
        if place.embed == "full" or len(data) <= room or medium.path is None:  # in memory: shown here or nowhere
            kind = media_type(data[:16])
            src, weight = _data_url(data, "video/webm" if kind == "video/webm" else "video/mp4"), len(data)
    if not src:
        remark = f"{name} is too large to be embedded, and outside the notebook's folder; open the file to watch it."
        return _Item(note(remark), file, name)
    alt = place.alt or name
    html = Markup(
        '<video controls playsinline preload="metadata" src="{}" aria-label="{}" title="{}" style="{}">{}</video>'
    ).format(src, alt, words(alt, 200), f"{_SHAPE};max-height:{place.box[1]}px", file)
    return _Item(Markup('<div style="max-width:{}px">{}</div>').format(place.box[0], html), file, name, weight)


def _failed(name: str, file: Markup, error: Exception) -> _Item:
    if isinstance(error, PixapiError):
        reason = str(error)  # with its hint: the way on
    else:
        reason = f"{name} {error if isinstance(error, preview.UnreadableError) else 'cannot be read'}."
    return _Item(note(reason, "warning"), file, f"{name} (not shown: {words(reason)})")


def _file(medium: MediaLike, beside: Path | None) -> tuple[str, Markup, str | None]:
    """Its path in words, its name for a caption, and the link to it if it lies in the notebook's folder."""
    if medium.path is None:
        return f"{medium.kind} without a file", _faint("no file"), None
    inside = _inside(medium.path, beside)
    href = inside and _href(inside)
    if not inside or not href:
        name = words(medium.path, 400)
        return name, Markup('<bdi style="{};overflow-wrap:break-word">{}</bdi>').format(_FAINT, name), None
    link = Markup('<a href="{}" style="overflow-wrap:break-word"><bdi>{}</bdi></a>').format(href, words(inside.name, 200))
    return words(inside.as_posix(), 400), link, href


def _inside(path: Path, folder: Path | None) -> PurePath | None:
    """The path as seen from the folder, or None where it is not inside it. By its words, with no look at the disk."""
    if folder is None:
        return None
    try:
        inside = PurePath(os.path.abspath(path)).relative_to(os.path.abspath(folder))  # noqa: PTH100
    except ValueError:
        return None
    return inside if inside.parts else None


def _href(path: PurePath) -> str | None:
    """A relative URL. Every colon is encoded, so that no name can be a scheme."""
    try:
        return quote(os.fsencode(path.as_posix()), safe="/")
    except UnicodeEncodeError:  # a name that the file system could not have
        return None


# Looks. Sizes in per cent are of the front end's own.
_SHAPE = "display:block;max-width:100%;margin:0;border-radius:6px"
_FAINT = "opacity:.72"
_SMALL = "margin:4px 0 0;font-size:85%;line-height:1.4"
_BADGE = f"border:1px solid {GREY.format('.6')};border-radius:4px;padding:0 5px;margin:0 4px 0 0"
_CHECKS = "linear-gradient(45deg,{0} 25%,transparent 25%,transparent 75%,{0} 75%)".format(GREY.format(".14"))
_SEE_THROUGH = (  # a chequered grey, as in image editors: black and white both show on it, in any theme
    f";background-color:{GREY.format('.2')};background-image:{_CHECKS},{_CHECKS}"
    ";background-size:16px 16px;background-position:0 0,8px 8px"
)
_GRIDS = {  # as many columns as fit, from one on a narrow screen up to two or three
    2: "display:grid;grid-template-columns:repeat(auto-fill,minmax(262px,1fr));gap:16px 12px;max-width:780px",
    3: "display:grid;grid-template-columns:repeat(auto-fill,minmax(200px,1fr));gap:16px 12px;max-width:804px",
}


def _faint(text: str) -> Markup:
    return Markup('<bdi style="{}">{}</bdi>').format(_FAINT, text)


def _data_url(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _fitted(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """CSS pixels: as large as the box allows, never larger than the picture is."""
    scale = min(1, box[0] / size[0], box[1] / size[1])
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _img(src: str, alt: str, size: tuple[int, int], image: Image.Image) -> Markup:
    style = f"{_SHAPE};height:auto{_SEE_THROUGH if image.mode == 'RGBA' else ''}"
    return Markup('<img src="{}" alt="{}" width="{}" height="{}" style="{}">').format(src, alt, *size, style)


def _gallery(items: Sequence[_Item], columns: int, *, sizes: bool) -> Markup:
    """The pictures, each with the index that a Job has it under."""
    figures = [
        Markup('<figure style="margin:0">{}<figcaption style="{}">{}</figcaption></figure>').format(
            item.html,
            _SMALL,
            Markup(" ").join([_faint(f"[{i}]"), item.file, *([_faint(f"· {_by(item.size)}")] if sizes and item.size else [])]),
        )
        for i, item in enumerate(items)
    ]
    return Markup('<div style="{};align-items:end">{}</div>').format(_GRIDS[columns], Markup("").join(figures))


def _input(name: str, data: bytes, count: int) -> _Item:
    label = words(name, 80)
    side = 160 if count == 1 else 112
    try:
        picture = preview.read(data, 2 * side)
    except preview.UnreadableError as error:
        return _failed(label, Markup(""), error)
    small, kind = preview.encode(picture.image, _INPUT_BYTES // max(1, count // 4))
    box = _fitted(picture.size, (side, side))
    html = Markup('<figure style="margin:0;width:{}px">{}<figcaption style="{}">{}</figcaption></figure>').format(
        side,
        _img(_data_url(small, kind), f"input: {label}", box, picture.image),
        f"{_SMALL};overflow-wrap:break-word",
        _faint(label),
    )
    return _Item(html, Markup(""), label, len(small), box)


def _beside(before: Sequence[_Item], after: Markup) -> Markup:
    """What went in, an arrow at the height of its middle, what came out; on a narrow screen beneath each other."""
    tall = max((item.size[1] for item in before[:2] if item.size), default=24)
    return Markup('<div style="{}"><div style="{}">{}</div><div style="{}">→</div><div style="{}">{}</div></div>').format(
        "display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start",
        "display:flex;flex-wrap:wrap;gap:8px;max-width:232px",
        Markup("").join(item.html for item in before),
        f"{_FAINT};font-size:20px;line-height:{tall}px",
        "flex:1 1 280px;min-width:0",
        after,
    )


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} × {size[1]}"


def _said(caption: Caption, sizes: set[tuple[int, int]]) -> list[str]:
    own = next(iter(sizes)) if len(sizes) == 1 else None  # several are said in the gallery
    size = _by(own) if own else None if sizes else caption.size
    seconds = None if caption.seconds is None else _duration(caption.seconds)
    mark = "local sketch" if caption.local else None
    parts = (mark, caption.model, size, seconds, caption.credits, caption.note)
    return [words(part, 200) for part in parts if part]


def _duration(seconds: float) -> str:
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def _line(said: Sequence[str], file: Markup | None, *, local: bool) -> Markup:
    """The caption; it breaks after its dots."""
    parts = [
        Markup('<bdi style="{};white-space:{}">{}</bdi>').format(_FAINT, "nowrap" if len(part) <= 40 else "normal", part)
        for part in said
    ]
    mark = Markup('<bdi style="{}">{}</bdi> ').format(_BADGE, parts.pop(0)) if local else ""
    line = Markup("\u00a0· ").join([*parts, *([file] if file else [])])
    return Markup('<div style="margin:6px 0 0;font-size:90%;line-height:1.5">{}{}</div>').format(mark, line)


def cell(medium: MediaLike, *, of: int, alt: str = "", width: int = 200) -> Markup:
    """A picture among `of` others, as a preview, `width` CSS pixels at most."""
    edge, weight = preview.preview_sizes(of)
    place = _Place(words(alt), "preview", None, (width, width), min(edge, 2 * width), weight)
    return Markup('<div style="width:{}px">{}</div>').format(width, _picture(medium, place).html)
