"""IPython in a real terminal, typed at by a person."""

from __future__ import annotations

import os
import re
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import pexpect

if TYPE_CHECKING:
    from typing_extensions import Self

_PROMPT = r"In \[\d+\]: "
_MORE = r" {3,}\.\.\.: "


class Terminal:
    """`python -m IPython` behind a pseudo-terminal. A context manager; it is at its prompt when entered."""

    def __init__(self, *, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 30) -> None:
        self._env = dict(os.environ) | {"TERM": "dumb", "COLUMNS": "200"} | dict(env or {})
        self._cwd = str(cwd or Path.cwd())
        self._timeout = timeout
        self._child: pexpect.spawn[str]

    def __enter__(self) -> Self:
        options = ["--simple-prompt", "--no-banner", "--no-confirm-exit", "--colors=NoColor", "--HistoryManager.enabled=False"]
        with warnings.catch_warnings():
            # Python 3.12 warns of a fork beside threads; the child executes another program at once.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._child = pexpect.spawn(
                sys.executable,
                ["-m", "IPython", *options],
                env=self._env,
                cwd=self._cwd,
                timeout=self._timeout,
                encoding="utf-8",
                echo=False,
                dimensions=(50, 200),
            )
        self.wait_prompt(60)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._child.close(force=True)

    def run(self, line: str, timeout: float | None = None) -> str:
        """Type one line; what is printed until the next prompt."""
        self.send(line)
        return self.wait_prompt(timeout)

    def cell(self, code: str, timeout: float | None = None) -> str:
        """Type a cell of several lines; what is printed until the next prompt."""
        self.start(code)
        return self.wait_prompt(timeout)

    def start(self, code: str) -> None:
        """Type a cell of several lines, and do not wait for its end."""
        for line in code.splitlines():
            self.send(line)
            self.expect(_MORE)
        self.send("")

    def send(self, line: str) -> None:
        """Type one line and press Enter."""
        self._child.sendline(line)

    def expect(self, pattern: str, timeout: float | None = None) -> str:
        """Wait for a regular expression on the screen; what stands before and in it."""
        self._child.expect(pattern, timeout=self._timeout if timeout is None else timeout)
        return _plain((self._child.before or "") + self._child.match.group())

    def wait_prompt(self, timeout: float | None = None) -> str:
        """What is printed until the next prompt."""
        self._child.expect(_PROMPT, timeout=self._timeout if timeout is None else timeout)
        return _plain(self._child.before or "")

    def interrupt(self) -> float:
        """Ctrl-C; the time just before.

        It is lost on a program that is just about to block for good: Python looks at signals between instructions.
        """
        pressed = time.monotonic()
        self._child.sendintr()
        return pressed


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "")
