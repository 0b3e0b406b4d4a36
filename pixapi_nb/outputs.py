"""Files: media come as a stream into `….part`, are checked, and are renamed when they are whole.

The type of a file is decided by its bytes. A disk that takes no files costs nobody a picture: it stays in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import glob
import io
import os
import random
import re
import time
import unicodedata
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import anyio
import httpx
import psutil

from pixapi_nb.checks import LARGEST_INPUT
from pixapi_nb.errors import DownloadFailed, UnexpectedAnswer, Unreachable, UsageError, clean
from pixapi_nb.events import Downloading, Event, Trouble
from pixapi_nb.media import Media
from pixapi_nb.models import InputImage, MediaItem, media_type, suffix
from pixapi_nb.pictures import from_data_url, sendable
from pixapi_nb.polling import backoff
from pixapi_nb.wire import Wire, retry_after

__all__ = ["Expired", "Outputs", "fetched", "file_stem"]

_LARGEST = 2 * 1024**3  # bytes of one medium
_PATIENCE = 2 * 3600.0  # seconds of trouble in a row
_LEAST_TRIES = 30  # before that patience ends: a laptop that slept has lost hours, and tried once
_WRONG_TYPE_TRIES = 5
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")

Report = Callable[[Event], Awaitable[None]]


class Expired(Exception):
    """The URL does not work any more; its task may give another."""


def file_stem(prompt: str, created: float, job_id: str, index: int, count: int) -> str:
    """A file's name without its suffix: words of the prompt, local time, the job's id, and a number where n > 1.

    >>> file_stem("A cup, on a table!", 0.0, "abcdef123456", 1, 4)[:14]
    'a-cup-on-a-tab'
    """
    words = unicodedata.normalize("NFKC", prompt[:200]).lower()
    slug = re.sub(r"[^\w]+", "-", words).strip("-_")[:40].strip("-_") or "pixapi"
    at = time.strftime("%Y%m%d-%H%M%S", time.localtime(created))
    return f"{slug}-{at}-{job_id[:6]}" + (f"-{index + 1}" if count > 1 else "")


async def fetched(wire: Wire, image: InputImage) -> InputImage:
    """A picture given by URL, with its bytes. Fetched without the key. Raises UsageError: nothing was sent yet."""
    if image.data is not None:
        return image
    url = image.url or ""
    data = from_data_url(url) if url.startswith("data:") else await _fetch(wire, url)
    return replace(sendable(data, image.name), url=image.url)


async def _fetch(wire: Wire, url: str) -> bytes:
    data = bytearray()
    try:
        async with wire.media(url) as response:
            if not response.is_success:
                raise Unreachable(f"its server answered HTTP {response.status_code}.")
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > LARGEST_INPUT:
                    raise Unreachable(f"it is larger than {LARGEST_INPUT // 1024**2} MiB.")
    except (Unreachable, UnexpectedAnswer) as error:
        public = clean(url.partition("?")[0], 120)
        raise UsageError(f"the picture {public} cannot be fetched: {error.message}", hint="Nothing was sent.") from error
    return bytes(data)


class Outputs:
    """Where one job's media go. `again`: another kernel may have begun to fetch them, and died."""

    def __init__(self, folder: Path, report: Report, *, again: bool = False) -> None:
        self._folder = folder
        self._report = report
        self._again = again

    async def receive(self, wire: Wire, item: MediaItem, stem: str, index: int, count: int) -> Media:
        """One medium, as a file. Raises Expired, or DownloadFailed after long patience."""
        if item.data is not None:
            return await self._kept(item.data, stem)
        if item.url is None:
            raise Expired
        part = self._part(stem)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("w+b") as sink:
                kind = await self._download(wire, item.url, sink, index, count)
                await asyncio.to_thread(os.fsync, sink.fileno())
            target = self._folder / (stem + suffix(kind))
            part.replace(target)
            if self._again:  # it reads the whole folder, which may hold thousands
                _remove_left_behind(self._folder, stem)
            return Media(target, kind)
        except OSError as error:
            self._warn(error)
            memory = io.BytesIO()
            kind = await self._download(wire, item.url, memory, index, count)
            return Media(None, kind, memory.getvalue())
        finally:
            _remove(part)

    async def _kept(self, data: bytes, stem: str) -> Media:
        kind = media_type(data[:16])
        if kind is None:
            raise DownloadFailed("the server sent data that is neither a picture nor a video we know.")
        part, target = self._part(stem), self._folder / (stem + suffix(kind))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(_write, part, data)
            part.replace(target)
        except OSError as error:
            self._warn(error)
            return Media(None, kind, data)
        finally:
            _remove(part)
        return Media(target, kind)

    def _part(self, stem: str) -> Path:
        return self._folder / f"{stem}.{os.getpid()}.part"  # two kernels may bring one task home

    def _warn(self, error: OSError) -> None:
        with contextlib.suppress(UserWarning):  # a warning made an error must not cost the picture
            text = f"cannot write to {self._folder} ({error.strerror}); the result is in memory only: save it with .save()."
            warnings.warn_explicit(text, UserWarning, "pixapi_nb", 0)  # a line of ours would tell nobody anything

    async def _download(self, wire: Wire, url: str, sink: BinaryIO, index: int, count: int) -> str:
        """Stream into `sink`, going on where a broken try ended; returns the media type. Raises Expired, DownloadFailed."""
        failures, wrong, since, validator = 0, 0, time.monotonic(), None
        while True:
            have, wish = sink.seek(0, io.SEEK_END), None
            start = have if validator else 0
            try:
                async with wire.media(url, start=start, validator=validator) as response:
                    trouble = _trouble(response, start, validator)
                    if trouble is None:
                        validator = _validator(response)
                        await self._stream(response, sink, start, index, count)
                        sink.seek(0)
                        kind = media_type(sink.read(16))
                        if kind is not None:
                            return kind
                        wrong, validator = wrong + 1, None
                        trouble = Unreachable("the media server sent something that is no picture or video.")
                    else:
                        validator = None  # a range that cannot be had, perhaps: from the start, then
                        wish = retry_after(response.headers)
            except Unreachable as error:
                trouble = error
            except UnexpectedAnswer as error:  # an address that leads nowhere: the task may have another
                raise Expired from error
            grown = sink.seek(0, io.SEEK_END) > have
            failures, since = (1, time.monotonic()) if grown and not wrong else (failures + 1, since)
            if wrong >= _WRONG_TYPE_TRIES or (failures >= _LEAST_TRIES and time.monotonic() - since > _PATIENCE):
                raise DownloadFailed(trouble.message)
            pause = backoff(failures, random.random(), retry_after=wish)  # noqa: S311
            await self._report(Trouble(failures, pause, trouble))
            await anyio.sleep(pause)

    async def _stream(self, response: httpx.Response, sink: BinaryIO, start: int, index: int, count: int) -> None:
        start = start if response.status_code == 206 else 0
        sink.truncate(start)
        sink.seek(start)
        announced = response.headers.get("content-length", "")
        total = start + int(announced) if announced.isdigit() and _is_plain(response) else None
        received, shown = start, -1.0
        async for chunk in response.aiter_bytes():
            received += len(chunk)
            if received > _LARGEST:
                raise DownloadFailed(f"the medium is larger than {_LARGEST // 1024**3} GiB.")
            sink.write(chunk)
            if time.monotonic() - shown > 0.2:
                shown = time.monotonic()
                await self._report(Downloading(index, count, received, total))
        sink.flush()
        if total is not None and received != total:
            raise Unreachable(f"the medium ended after {received} of {total} bytes.")


def _remove(part: Path) -> None:
    with contextlib.suppress(OSError):
        part.unlink(missing_ok=True)


def _remove_left_behind(folder: Path, stem: str) -> None:
    """What kernels that died in the middle of this download have left."""
    for part in folder.glob(f"{glob.escape(stem)}.*.part"):
        pid = part.name.split(".")[-2]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            _remove(part)


def _write(path: Path, data: bytes) -> None:
    """So that it survives a power cut: there may be no second copy."""
    with path.open("wb") as sink:
        sink.write(data)
        sink.flush()
        os.fsync(sink.fileno())


def _trouble(response: httpx.Response, start: int, validator: str | None) -> Unreachable | None:
    """What is wrong with an answer of the media server, None if nothing. Raises Expired for a URL that has ended."""
    status = response.status_code
    if status == 200:
        return None
    if status == 206:
        found = _RANGE.fullmatch(response.headers.get("content-range", "").strip())
        rest = found is not None and int(found[1]) == start and found[3] in ("*", str(int(found[2]) + 1))
        if rest and (validator is None or response.headers.get("etag", validator) == validator):
            return None
        return Unreachable("the media server sent another part than it was asked for.")
    if status in (408, 416, 425, 429) or status >= 500:
        return Unreachable(f"the media server answered HTTP {status}.")
    raise Expired


def _is_plain(response: httpx.Response) -> bool:
    """Whether the bytes on the way are those of the file."""
    return str(response.headers.get("content-encoding", "identity")).lower() == "identity"


def _validator(response: httpx.Response) -> str | None:
    """What makes going on safe: a strong ETag, and a server that says it can."""
    etag = response.headers.get("etag", "")
    can = response.headers.get("accept-ranges") == "bytes" or response.status_code == 206
    return etag if can and etag and not etag.startswith("W/") and _is_plain(response) else None
