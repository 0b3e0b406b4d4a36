"""The embedded Pixapi as tests use it: a process of its own, with its back door open."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import httpx

KEY = "sk_test_canary_7f3a9c1e5b"
"""The key that tests use; it may turn up nowhere."""

SECONDS = (0.3, 0.6)
"""How long a task takes, unless a test says otherwise (a video twice that)."""


class PixapiServer:
    """`python -m pixapi_nb.local --admin`. `begin()` makes it new for a test; what tests ask is what came since then."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.api = ""
        """The base URL for PIXAPI_BASE_URL."""
        self.media = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._http = httpx.Client(timeout=20)
        self._requests = self._tasks = 0  # the number from which on they are of this test

    def begin(self) -> None:
        """Start it if it does not run; forget faults and settings, and count from here."""
        if self._process is None or self._process.poll() is not None:
            self._start()
            self._warm_up()
        self.clear()
        self.settings(seconds=list(SECONDS), capacity=None, rate=None)
        for entry in self._get("requests", self._requests)[-1:]:
            self._requests = entry["number"] + 1
        for task in self._get("tasks", self._tasks)[-1:]:
            self._tasks = task["number"] + 1

    def close(self) -> None:
        """End it: it lives as long as its standard input."""
        self._http.close()
        self._end()

    @property
    def env(self) -> dict[str, str]:
        """For a process that is to use it."""
        return {"PIXAPI_BASE_URL": self.api, "PIXAPI_KEY": KEY}

    # -- the back door

    def faults(self, rules: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Ask for trouble: rules as in `pixapi_nb.local.faults`."""
        self._post("faults", dict(rules) if isinstance(rules, Mapping) else [dict(rule) for rule in rules])

    def clear(self) -> None:
        """No more trouble."""
        self._http.delete(f"{self.api}/_local/faults").raise_for_status()

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change `seconds` (a number or a pair), `capacity`, `rate`; what they are then."""
        return dict(self._post("settings", changes))

    def requests(self, method: str | None = None, path: str | None = None, server: str | None = None) -> list[dict[str, Any]]:
        """What reached the API and the media host in this test, in order; `path` is a part of it."""
        return [
            entry
            for entry in self._get("requests", self._requests)
            if method in (None, entry["method"]) and server in (None, entry["server"]) and (path or "") in entry["path"]
        ]

    def charges(self) -> list[dict[str, Any]]:
        """What was charged for what was accepted in this test: `id`, `model`, `credits`."""
        return self._get("charges", self._tasks)

    def tasks(self) -> list[dict[str, Any]]:
        """What was accepted in this test."""
        return self._get("tasks", self._tasks)

    def forget(self, task: str) -> None:
        """The server no longer knows the task."""
        self._post(f"forget/{task}")

    def expire(self, task: str) -> None:
        """The URLs of its media are no longer valid."""
        self._post(f"expire/{task}")

    # -- the process

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def restart(self) -> None:
        """End it and start it again over the same state, on other ports."""
        self._start()

    def _get(self, what: str, since: int) -> list[dict[str, Any]]:
        answer = self._http.get(f"{self.api}/_local/{what}", params={"since": since}).raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    def _post(self, what: str, value: object = None) -> Any:
        return self._http.post(f"{self.api}/_local/{what}", json=value).raise_for_status().json()

    def _warm_up(self) -> None:
        """The first picture: what draws it is imported only then, and keeps everything else waiting for that while."""
        first = {"model": "nano-banana", "prompt": "the first", "size": "64x64"}
        headers = {"Authorization": f"Bearer {KEY}"}
        self.settings(seconds=0)
        self._http.post(f"{self.api}/v1/images/generations", json=first, headers=headers).raise_for_status()

    def _start(self) -> None:
        self._end()
        self._requests = 0
        self.state.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pixapi_nb.local", "--admin", "--port", "0", "--state", str(self.state)]
        command += ["--seconds", "..".join(map(str, SECONDS)), "--until-stdin-closes"]
        with (self.state / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        lines: SimpleQueue[bytes] = SimpleQueue()
        out = self._process.stdout
        assert out is not None
        threading.Thread(target=lambda: lines.put(out.readline()), daemon=True).start()
        try:
            said = json.loads(lines.get(timeout=60) or b"{}")
        except Empty:
            said = {}
        if "api" not in said:
            self._end()
            raise RuntimeError(f"the embedded Pixapi did not start:\n{(self.state / 'server.log').read_text()[-2000:]}")
        self.api, self.media = said["api"], said["media"]

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
