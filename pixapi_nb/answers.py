"""From the server's JSON to our types. Pure; what does not fit raises UnexpectedAnswer.

Shapes as in Pixapi's API Reference, Async Media Tasks and Model Catalog. What is not documented there (what a failed
task says, what a task carries for `b64_json`) is read in every documented shape, and may be absent.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping
from typing import Any

from pixapi_nb.errors import UnexpectedAnswer, clean
from pixapi_nb.models import Completed, Failed, Kind, MediaItem, Model, Processing, Submitted, TaskStatus

__all__ = ["parse_images", "parse_models", "parse_submission", "parse_task"]


def parse_images(body: Any) -> Completed:
    """The answer of a synchronous endpoint."""
    return Completed(id=None, items=_items(_mapping(body).get("data")), credits=_number(body.get("credits_cost")))


def parse_submission(body: Any) -> Submitted:
    """The answer of an asynchronous endpoint: only its id matters."""
    found = _mapping(body).get("id")
    if not isinstance(found, str) or not found.strip():
        raise UnexpectedAnswer("the server accepted a task without giving its id.")
    return Submitted(id=found, progress=_percent(body.get("progress")))


def parse_task(body: Any, task_id: str) -> TaskStatus:
    """The state of a task. An unknown status is UnexpectedAnswer: waiting for it might never end."""
    body = _mapping(body)
    status = body.get("status")
    said = body.get("id")
    if status in ("completed", "failed") and isinstance(said, str) and said != task_id:
        raise UnexpectedAnswer(f"asked about task {task_id}, the server answered about {clean(said, 80)}.")
    if status == "submitted":
        return Submitted(id=task_id, progress=_percent(body.get("progress")))
    if status == "processing":
        return Processing(id=task_id, progress=_percent(body.get("progress")))
    if status == "completed":
        result = body.get("result")
        data = result.get("data") if isinstance(result, Mapping) else body.get("data")
        return Completed(id=task_id, items=_items(data), credits=_number(body.get("credits_cost")))
    if status == "failed":
        reason, code = _reason(body.get("error"))
        return Failed(id=task_id, reason=reason, code=code)
    raise UnexpectedAnswer(f"task {task_id} has a status this version does not know: {clean(status, 60)!r}.")


def parse_models(body: Any) -> tuple[Model, ...]:
    """The models of this account."""
    rows = _mapping(body).get("data")
    if not isinstance(rows, list):
        raise UnexpectedAnswer("the server's list of models has no data.")
    return tuple(
        Model(
            id=row["id"],
            kind=_kind(row.get("category")),
            capabilities=tuple(c for c in _list(row.get("capabilities")) if isinstance(c, str)),
            extra=row,
        )
        for row in rows
        if isinstance(row, Mapping) and isinstance(row.get("id"), str)
    )


def _mapping(body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise UnexpectedAnswer(f"the server answered with {type(body).__name__} where the API documents an object.")
    return body


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _kind(category: Any) -> Kind | None:
    return category if category in ("image", "video") else None


def _number(value: Any) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) and found >= 0 else None


def _percent(value: Any) -> float:
    return min(100.0, _number(value) or 0.0)


def _items(data: Any) -> tuple[MediaItem, ...]:
    """What can be read; one medium that cannot be does not cost the others."""
    rows = _list(data)
    if not rows:
        raise UnexpectedAnswer("the server says that the work is done, and sent no media.")
    read = [_item_or_why_not(row) for row in rows]
    items = tuple(one if isinstance(one, MediaItem) else MediaItem() for one in read)
    wrong = next((one for one in read if isinstance(one, UnexpectedAnswer)), None)
    if wrong is not None and all(item == MediaItem() for item in items):
        raise wrong
    return items


def _item_or_why_not(row: Any) -> MediaItem | UnexpectedAnswer:
    try:
        return _item(row)
    except UnexpectedAnswer as error:
        return error


def _item(row: Any) -> MediaItem:
    row = _mapping(row)
    url, encoded = row.get("url"), row.get("b64_json")
    if isinstance(encoded, str) and encoded:
        return MediaItem(data=_decoded(encoded))
    if isinstance(url, str) and url.startswith("data:"):
        return MediaItem(data=_decoded(url))
    return MediaItem(url=url if isinstance(url, str) and url else None)


def _decoded(encoded: str) -> bytes:
    """Base64, bare or as a data URL. Line breaks, the alphabet of URLs and missing padding do no harm."""
    bare = "".join(encoded.rpartition(",")[2].split()).translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnexpectedAnswer("the server sent a picture whose base64 cannot be decoded.") from error


def _reason(error: Any) -> tuple[str | None, str | None]:
    if isinstance(error, Mapping):
        said = error.get("message")
        name = next((error[k] for k in ("code", "type") if isinstance(error.get(k), str)), None)
        return (clean(said) if said else None), (clean(name, 80) if name else None)
    return (clean(error), None) if isinstance(error, str) and error else (None, None)
