"""Recipes: how a file was made, kept with it. In a PNG as a text chunk, and for every kind as a `.json` beside it.

Never in a recipe: the key, and whatever signs a URL.
"""

from __future__ import annotations

import json
import os
import shlex
import struct
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pixapi_nb import pricing
from pixapi_nb.errors import UsageError, clean
from pixapi_nb.jobs import Job
from pixapi_nb.media import Media
from pixapi_nb.prompt import Template
from pixapi_nb.version import __version__

__all__ = ["as_cell", "inputs_of", "read", "write"]

_KEYWORD = b"pixapi_nb"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LARGEST = 1_000_000  # characters of a recipe


def recipe(job: Job, inputs: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """What is kept: the request's fields, and what came of it. `inputs` are named where the request has them no more."""
    present = [{"name": _public(image.name, image.url), "sha256": image.digest} for image in job.request.inputs]
    inputs = present or list(inputs)
    return {
        "pixapi_nb": __version__,
        "kind": job.request.kind,
        "server": job.server,
        **job.request.fields(),
        **({"inputs": inputs} if inputs else {}),
        "task_id": job.task_id,
        "credits": job.credits,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(job.created)),
    }


def _public(name: str, url: str | None) -> str:
    if url is None or url.startswith("data:"):
        return name
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def write(job: Job, media: tuple[Media, ...], inputs: Sequence[Mapping[str, Any]] = ()) -> None:
    """Write the recipe of each file. Raises OSError, after it has tried all of them."""
    text = json.dumps(recipe(job, inputs), ensure_ascii=False, indent=1)
    failed: OSError | None = None
    for one in media:
        try:
            if one.path is not None:
                if one.media_type == "image/png":
                    _replace(one.path, _with_text(one.path.read_bytes(), text))
                _replace(sidecar(one.path), f"{text}\n".encode())
        except OSError as error:  # noqa: PERF203  # each of them is tried
            failed = error
    if failed is not None:
        raise failed


def _replace(path: Path, data: bytes) -> None:
    """All of it or nothing, also when the power fails meanwhile: what is replaced was paid for."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")  # two kernels may bring one task home
    try:
        with part.open("wb") as sink:
            sink.write(data)
            sink.flush()
            os.fsync(sink.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def sidecar(path: Path) -> Path:
    """The file beside a file."""
    return path.with_name(path.name + ".json")


def read(path: Path) -> dict[str, Any]:
    """The recipe of a file, from inside it or from beside it. Raises UsageError."""
    try:
        text = _text_of(path.read_bytes()) if path.suffix.lower() == ".png" else None
        text = text or sidecar(path).read_text(encoding="utf-8")
    except OSError as error:
        what = "does not exist" if not path.exists() else "has no recipe"
        raise UsageError(f"{clean(path, 200)} {what}.", hint="Files that pixapi_nb wrote have one.") from error
    except ValueError as error:
        raise UsageError(f"the recipe of {clean(path, 200)} cannot be read.") from error
    try:
        found = json.loads(text[:_LARGEST])
    except ValueError as error:
        raise UsageError(f"the recipe of {clean(path, 200)} cannot be read.") from error
    if not isinstance(found, dict) or not isinstance(found.get("prompt"), str) or not isinstance(found.get("model"), str):
        raise UsageError(f"the recipe of {clean(path, 200)} is not one of ours.")
    return found


def inputs_of(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The input pictures of a recipe, by name."""
    inputs = found.get("inputs")
    return [one for one in inputs if isinstance(one, Mapping)] if isinstance(inputs, list) else []


def as_cell(found: Mapping[str, Any]) -> str:
    """The cell that makes it again. Input pictures have to be named again: only their names are known."""
    flags = {"n": "-n", "size": "--size", "quality": "--quality", "duration": "-d", "response_format": "--response-format"}
    words = ["%%pixapi", shlex.quote(found["model"])]
    known = pricing.find(found["model"])
    if found.get("kind") in ("image", "video") and (known is None or known.kind != found["kind"]):
        words += ["--as", found["kind"]]
    for field, flag in flags.items():
        value = found.get(field)
        if value is not None and not (field == "n" and value == 1):
            words += [flag, shlex.quote(str(value))]
    for one in inputs_of(found):
        words += ["-i", shlex.quote(str(one.get("name", "PICTURE")))]
    prompt = Template(text=found["prompt"], parts=(found["prompt"],), controls={}).unparse()
    return " ".join(words) + "\n" + prompt


def _chunks(data: bytes) -> list[tuple[bytes, int, int]]:
    """Each chunk of a PNG: its name, where it begins, where it ends (PNG specification, 5.3)."""
    found, at = [], len(_SIGNATURE)
    while data.startswith(_SIGNATURE) and at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        found.append((data[at + 4 : at + 8], at, at + 12 + length))
        at += 12 + length
    return found


def _with_text(data: bytes, text: str) -> bytes:
    """The PNG with one more `iTXt` chunk, before its first picture data; the picture itself is not touched."""
    body = b"iTXt" + _KEYWORD + b"\0\0\0\0\0" + text.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    at = next((start for name, start, _ in _chunks(data) if name == b"IDAT"), None)
    return data if at is None else data[:at] + chunk + data[at:]


def _text_of(data: bytes) -> str | None:
    for name, start, end in _chunks(data):
        head = _KEYWORD + b"\0\0\0\0\0"
        body = data[start + 8 : end - 4]
        if name == b"iTXt" and body.startswith(head):
            return body[len(head) :].decode("utf-8", "replace")
    return None
