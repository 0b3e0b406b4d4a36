"""Starting the embedded Pixapi: a child process that ends with this one, and is started again if it dies.

Its tasks live in `PIXAPI_HOME/local`, so the next process continues them; on the same ports if it can, where jobs ask.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

from pixapi_nb.errors import LocalServerError, clean

__all__ = ["Embedded"]

_START = 30.0  # seconds


class Embedded:
    """One embedded Pixapi. `address()` starts it when needed."""

    def __init__(self, home: Path) -> None:
        self._state = home / "local"
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""
        self._ports: list[str] = []  # options that ask for those of the process before

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def address(self) -> str:
        """Its base URL. Raises LocalServerError when it cannot be started."""
        with self._lock:
            if not self.running:
                self._close()  # it has died
                self._start()
            return self._address

    def revive(self) -> None:
        """Start it again if it has died; not if it was stopped. Raises LocalServerError when it cannot be started."""
        with self._lock:
            died = self._process is not None and not self.running
        if died:
            self.address()

    def stop(self) -> None:
        """End it; its tasks are kept."""
        with self._lock:
            if self._process is not None:
                self._process.terminate()
            self._close()

    def _start(self) -> None:
        self._state.mkdir(parents=True, exist_ok=True)
        if self._ports:
            ports, self._ports = self._ports, []
            with contextlib.suppress(LocalServerError):  # somebody else has them by now, perhaps
                self._launch(ports)
                return
        self._launch([])

    def _launch(self, ports: list[str]) -> None:
        command = [sys.executable, "-m", "pixapi_nb.local", "--until-stdin-closes", "--state", str(self._state), *ports]
        command += os.environ.get("PIXAPI_LOCAL_OPTIONS", "").split()
        log = self._state / f"server-{os.getpid()}.log"
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                # An interrupt goes to the kernel's whole process group: the server is not to hear it.
                start_new_session=True,
            )
        atexit.register(self.stop)
        line = self._first_line(self._process)
        try:
            said = json.loads(line)
            self._address = str(said["api"])
            self._ports = [f"--port={urlsplit(said['api']).port}", f"--media-port={urlsplit(said['media']).port}"]
        except (ValueError, KeyError, TypeError):
            self._process.kill()
            self._close()
            raise LocalServerError(
                f"the embedded Pixapi could not be started: {clean(log.read_text()[-500:]) or 'it did not say why'}",
                hint="It needs: pip install 'pixapi-nb[local]'",
            ) from None

    def _first_line(self, process: subprocess.Popen[bytes]) -> bytes:
        """What it says when it is ready; empty if it ends before, or takes too long."""
        lines: SimpleQueue[bytes] = SimpleQueue()
        out = process.stdout
        assert out is not None
        threading.Thread(target=lambda: lines.put(out.readline()), daemon=True).start()
        try:
            return lines.get(timeout=_START)
        except Empty:
            return b""

    def _close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            atexit.unregister(self.stop)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
