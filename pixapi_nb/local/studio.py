"""Where accepted work is carried out: threads beside the event loop that draw and put files into the media folder."""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pixapi_nb.local.store import Failure, Store, Task
from pixapi_nb.local.validate import Order

_log = logging.getLogger(__name__)


class Studio:
    """Draws tasks in the order in which they came."""

    def __init__(self, store: Store, workers: int = 2) -> None:
        self._store = store
        self._waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._known: set[str] = set()
        for number in range(workers):
            # Daemons: a picture half drawn when the server stops is drawn again by the next one.
            threading.Thread(target=self._work, name=f"painter-{number}", daemon=True).start()

    def take(self, task: Task) -> None:
        """See to it that a task is drawn; asking again is free."""
        if task.drawn_at is None and task.failure is None and task.id not in self._known:
            self._known.add(task.id)
            self._waiting.put(task)

    def _work(self) -> None:
        # Imported here, because they take longer than the whole rest of the server's start.
        from pixapi_nb.local import art

        while True:
            task = self._waiting.get()
            try:
                self._draw(task, art.make)
            except Exception:  # noqa: BLE001
                _log.exception("task %s could not be drawn", task.id)
                error = {"code": "internal_error", "message": "The local sketch could not be drawn: this is a bug."}
                self._store.fail(task.id, Failure(error, at_progress=99))

    def _draw(self, task: Task, make: Callable[[Order, int, tuple[bytes, ...]], bytes]) -> None:
        inputs = self._store.inputs(task)
        for index, name in enumerate(task.media):
            path = self._store.media / name
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                _write(path, make(task.order, index, inputs))
        self._store.drawn(task.id, time.time())


def _write(path: Path, data: bytes) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(data)
    part.replace(path)
