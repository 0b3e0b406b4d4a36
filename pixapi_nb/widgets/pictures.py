"""Looking at pictures: `compare` two of them, or many in a `gallery`. What is saved of either is a plain picture."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from anywidget import AnyWidget
from markupsafe import Markup
from PIL import Image
from traitlets import List, Tuple, Unicode

from pixapi_nb import markup, preview
from pixapi_nb.errors import UsageError
from pixapi_nb.inputs import input_image
from pixapi_nb.jobs import Job
from pixapi_nb.media import Media
from pixapi_nb.sweep_cells import Cell
from pixapi_nb.widgets import pieces
from pixapi_nb.widgets.place import Place

__all__ = ["Compare", "Gallery", "compare", "gallery"]

_EDGE, _WEIGHT = 1024, 260_000  # pixels and bytes of a picture that is compared
_LARGE, _SMALL = (1024, 160_000), (440, 30_000)  # of one in a gallery, enlarged and not
_MOST = 100  # pictures of a gallery
_HELD, _SAVED = 6_000_000, 1_000_000  # bytes of all of them, in the page and in the notebook


class Shown(AnyWidget):
    """A widget that leaves a plain picture in a saved notebook."""

    def _still(self) -> Markup:
        raise NotImplementedError

    def _words(self) -> str:
        raise NotImplementedError

    def _ipython_display_(self, **_: Any) -> None:
        Place(self, self._still, self._words).open()


class Compare(Shown):
    """Two pictures above each other, and a line between them that is moved."""

    _esm = Path(__file__).with_name("compare.js")
    _css = Path(__file__).with_name("compare.css")
    before = Unicode().tag(sync=True)
    after = Unicode().tag(sync=True)
    labels = Tuple(Unicode(), Unicode()).tag(sync=True)

    def _still(self) -> Markup:
        return pieces.side_by_side([(self.before, self.labels[0]), (self.after, self.labels[1])])

    def _words(self) -> str:
        return f"{self.labels[0]} | {self.labels[1]}"


class Gallery(Shown):
    """A grid of pictures with captions; click or Enter enlarges, arrows move, Escape comes back."""

    _esm = Path(__file__).with_name("gallery.js")
    _css = Path(__file__).with_name("gallery.css")
    items: List[Any] = List().tag(sync=True)
    action = Unicode(help="What the button beneath an enlarged picture says, if there is one.").tag(sync=True)

    def __init__(self, items: Sequence[dict[str, str]], sources: Sequence[Any]) -> None:
        super().__init__(items=list(items))
        self._sources = sources

    def offer(self, action: str, take: Callable[[Any], None]) -> None:
        """Have a button beneath an enlarged picture, which hands to `take` what the picture was made of."""
        self.action = action
        self.on_msg(lambda _, content, __: take(self._sources[content["index"]]))

    def _still(self) -> Markup:
        return pieces.side_by_side([(one["small"], one["caption"]) for one in self.items], width=pieces.SMALL)

    def _words(self) -> str:
        return "\n".join(one["caption"] for one in self.items)


def compare(before: Any, after: Any = None, *, labels: Sequence[str] = ("before", "after")) -> Compare:
    """A slider over two pictures: Media, a Job (its first), a path, bytes, a PIL image or an array. Raises UsageError.

    `compare(edit)` shows what a Job made of the first picture that went into it. The second is cut to the shape of the first
    where they differ, about its middle.
    """
    if isinstance(labels, str) or len(labels) != 2:
        raise UsageError("labels are two words, one for each picture.", hint="Such as labels=('before', 'after').")
    if after is None:
        before, after = _gone_in(before), before
    first = _read(before, labels[0])
    second = _fitted(_read(after, labels[1]), first.size)
    names = (markup.words(labels[0], 80), markup.words(labels[1], 80))
    return Compare(before=_url(first, _EDGE, _WEIGHT), after=_url(second, _EDGE, _WEIGHT), labels=names)


def _gone_in(job: Any) -> Any:
    """The picture that a Job started from."""
    if not isinstance(job, Job):
        raise UsageError("compare takes two pictures, or one edit.", hint="Such as compare(hero, night), or compare(edit).")
    if not job.request.inputs:
        raise UsageError("no picture went into this job, so there is nothing before it.", hint="compare(a, b) takes any two.")
    if job.request.kind == "video":
        raise UsageError("a video cannot be compared.", hint="compare takes two pictures, or one edit.")
    return job.request.inputs[0]


def gallery(
    results: Any, *, captions: Sequence[str] | None = None, unreadable: Literal["refused", "left out"] = "refused"
) -> Gallery:
    """A grid of pictures from Jobs and a Sweep's cells (all of each), Media, paths, PIL images…; one of them, or an iterable.

    Videos are left out, and with `unreadable="left out"` what cannot be read. Captions are `captions`, or each picture's
    prompt, its settings in the sweep, or its file's name. Raises UsageError.
    """
    found = list(_flat(results))
    if captions is not None and len(captions) != len(found):
        raise UsageError(f"there are {len(found)} pictures and {len(captions)} captions.")
    if not found:
        raise UsageError("there is no picture to show.")
    if len(found) > _MOST:
        raise UsageError(
            f"{len(found)} pictures are too many for one gallery.", hint=f"Show at most {_MOST}: results[:{_MOST}]."
        )
    small, large = min(_SMALL[1], _SAVED // len(found)), min(_LARGE[1], _HELD // len(found))
    items, shown = list[dict[str, str]](), list[Any]()
    for index, one in enumerate(found):
        try:
            image = _read(one.source, f"picture {index}")
        except UsageError:
            if unreadable == "refused":
                raise
            continue
        words = markup.words(captions[index] if captions is not None else one.caption, 300)
        urls = {"small": _url(image, _SMALL[0], small), "large": _url(image, _LARGE[0], large)}
        items.append({**urls, "alt": words or "picture", "caption": words})
        shown.append(one.source)
    return Gallery(items, shown)


@dataclass(frozen=True)
class _One:
    source: Any
    caption: str


def _flat(results: Any) -> Iterable[_One]:
    if isinstance(results, (Job, Cell)):
        media = results if isinstance(results, Job) else results.media  # a job waits for its own
        words = results.request.prompt if isinstance(results, Job) else pieces.names(results.settings)
        pictures = [one for one in media if one.kind == "image"]
        for index, one in enumerate(pictures):
            number = f" [{index}]" if len(pictures) > 1 else ""
            yield _One(one, f"{markup.words(words, 200)}{number}")
    elif isinstance(results, Media):
        if results.kind == "image":
            yield _One(results, results.path.name if results.path else "")
    elif isinstance(results, (str, Path)):
        yield _One(results, Path(results).name)
    elif (
        isinstance(results, (bytes, bytearray, memoryview)) or hasattr(results, "__array_interface__") or not _is_many(results)
    ):
        yield _One(results, "")
    else:
        for one in results:
            yield from _flat(one)


def _is_many(value: Any) -> bool:
    return isinstance(value, Iterable) and not hasattr(value, "read")


def _read(source: Any, name: str) -> Image.Image:
    data = input_image(source).data
    if data is None:
        raise UsageError(f"{name} is a URL, and pictures are not fetched to be looked at.", hint="Download it first.")
    try:
        return preview.read(data, _EDGE).image
    except preview.UnreadableError as error:
        raise UsageError(f"{name} {error}.") from error


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Cut to the shape of `size`, about its middle."""
    if math.isclose(image.width / image.height, size[0] / size[1], rel_tol=0.01):
        return image
    scale = min(image.width / size[0], image.height / size[1])
    width, height = max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _url(image: Image.Image, edge: int, weight: int) -> str:
    small = image.copy()
    small.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    data, kind = preview.encode(small, weight)
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
