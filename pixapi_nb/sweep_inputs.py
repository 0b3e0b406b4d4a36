"""The input pictures of sweeps, which the ledger does not have: kept for a kernel that finishes what another one began."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pixapi_nb.errors import UsageError, clean
from pixapi_nb.models import InputImage

__all__ = ["keep", "kept"]


def _folder(home: Path) -> Path:
    return home / "inputs"


def keep(home: Path, images: Sequence[InputImage]) -> None:
    """Keep them. A disk that takes no files costs nobody a sweep."""
    for image in images:
        path = _folder(home) / image.digest
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if image.data is not None:
                path.write_bytes(image.data)
            else:
                path.with_suffix(".url").write_text(image.url or "", "utf-8")


def kept(home: Path, wanted: Iterable[Mapping[str, str]]) -> list[InputImage]:
    """Those that were kept: `name` and `sha256` of each. Raises UsageError for one that is gone."""
    images = []
    for one in wanted:
        image = _read(_folder(home) / one["sha256"], one["name"])
        if image is None or image.digest != one["sha256"]:  # gone, or not what it was
            raise UsageError(
                f"the input picture {clean(one['name'], 80)!r} of this sweep is not here any more.",
                hint="What was paid for comes home one by one: %pixapi tasks lists it. Run the cell again for the rest.",
            )
        images.append(image)
    return images


def _read(path: Path, name: str) -> InputImage | None:
    try:
        if path.with_suffix(".url").exists():
            return InputImage(name=name, url=path.with_suffix(".url").read_text("utf-8"))
        return InputImage(name=name, data=path.read_bytes())
    except OSError:
        return None
