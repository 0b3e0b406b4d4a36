"""Looking for a secret where it must not be."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any


def disguises(secret: str) -> list[bytes]:
    """The secret as it may be written: plain, quoted in a URL, in hex, and in base64 at each of the three alignments."""
    plain = secret.encode()
    forms = [plain, urllib.parse.quote(secret, safe="").encode(), plain.hex().encode(), secret.encode("utf-16-le")]
    for before in range(3):
        code = base64.b64encode(b"\0" * before + plain)
        # The characters at both ends also depend on the neighbours.
        forms.append(code[(0, 2, 3)[before] : len(code) - (0 if (before + len(plain)) % 3 == 0 else 4)])
    return list(dict.fromkeys(forms))


def found_in(secret: str, *texts: str | bytes | Mapping[str, Any] | Iterable[Any]) -> list[str]:
    """Where the texts hold the secret in any disguise; what is neither str nor bytes is read as JSON."""
    finds = []
    for text in texts:
        content = text if isinstance(text, bytes) else _text(text).encode("utf-8", "replace")
        finds += [
            content[max(0, place - 60) : place + 60].decode("utf-8", "replace")
            for form in disguises(secret)
            if (place := content.find(form)) >= 0
        ]
    return finds


def found_below(secret: str, *folders: Path) -> list[str]:
    """The files below the folders that hold the secret, in their bytes or their name; SQLite files also cell by cell."""
    finds = []
    for path in _files(folders):
        content = path.read_bytes() + os.fsencode(path.name)
        if content.startswith(b"SQLite format 3\0"):
            content += _cells(path)
        finds += [f"{path}: …{find}…" for find in found_in(secret, content)]
    return finds


def _files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        assert folder.exists(), f"{folder} is not there: nothing would be searched"
        yield from (path for path in sorted([folder, *folder.rglob("*")]) if path.is_file() and not path.is_symlink())


def _cells(path: Path) -> bytes:
    """Every value of every table: in the file a long one may be cut over pages."""
    database = sqlite3.connect(f"file:{urllib.parse.quote(str(path))}?mode=ro", uri=True)
    try:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        values = (value for table in tables for row in database.execute(f'SELECT * FROM "{table}"') for value in row)
        return b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in values)
    finally:
        database.close()


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
