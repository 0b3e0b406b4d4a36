"""What the API does, apart from HTTP: takes orders, tells how tasks are, hands out media."""

import base64
import collections
import hashlib
import hmac
import math
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pixapi_nb.local import ids
from pixapi_nb.local.errors import ApiError
from pixapi_nb.local.settings import Settings
from pixapi_nb.local.store import Failure, Store, Task
from pixapi_nb.local.studio import Studio
from pixapi_nb.local.validate import Order

URL_SECONDS = 3600
"""How long a media URL works."""


class Service:
    """One server's work. ``media`` is the origin of its media host, such as ``http://127.0.0.1:8081``."""

    def __init__(self, store: Store, settings: Settings, media: str) -> None:
        self.store, self.settings = store, settings
        self.studio = Studio(store)
        self._media = media
        self._accepted: collections.deque[float] = collections.deque()
        for task in store.undrawn():
            self.studio.take(task)

    def accept(self, order: Order, *, sync: bool, arrived: float, failure: Mapping[str, Any] | None = None) -> Task:
        """Take an order on that came at ``arrived``. Raises `ApiError` 429 above the rate."""
        self._admit(arrived)
        now = time.time()
        task = self.store.accept(
            order, ids.new("req" if sync else "task"), sync=sync, now=now, capacity=self.settings.capacity,
            duration=self.settings.draw() * (2 if order.kind == "video" else 1),
            failure=None if failure is None else _failure(failure),
        )  # fmt: skip
        self.studio.take(task)
        return task

    def task(self, name: str, *, sync: bool = False) -> Task:
        """A task by its id. Raises `ApiError` 404."""
        task = self.store.task(name, sync=sync)
        if task is None:
            raise ApiError(404, f"There is no task {name!r}.", name="task_not_found")
        # Another server of this folder may have accepted it and died since.
        self.studio.take(task)
        return task

    def describe(self, task: Task) -> dict[str, Any]:
        """A task as ``GET /v1/tasks/{id}`` shows it."""
        now = time.time()
        state = task.state(now)
        shown: dict[str, Any] = {
            "id": task.id,
            "status": state,
            "progress": task.progress(now),
            "model": task.order.model,
            "created": int(task.accepted_at),
        }
        if state in ("completed", "failed") and task.finished_at is not None:
            shown |= {"completed": int(task.finished_at), "credits_cost": 0}
        if state == "completed":
            kind = "video" if task.order.kind == "video" else "image"
            shown |= {"credits_cost": task.order.credits, "result": {"type": kind, "data": self.items(task)}}
        if state == "failed" and task.failure is not None and task.failure.error is not None:
            shown["error"] = task.failure.error
        return shown

    def items(self, task: Task) -> list[dict[str, str]]:
        """The media of a completed task, as the request wanted them."""
        if task.order.response_format == "b64_json":
            files = [self.store.media / path for path in task.media]
            return [{"b64_json": base64.b64encode(file.read_bytes()).decode()} for file in files]
        expires = int(time.time()) + URL_SECONDS
        return [
            {"url": f"{self._media}/{path}?expires={expires}&sig={self._sign(path, expires, task.revision)}"}
            for path in task.media
        ]

    def permits(self, task: Task, path: str, query: str) -> bool:
        """Whether a URL of a task's file, split into path and query, is one that was handed out and still works."""
        given = parse_qs(query)
        try:
            expires = int(given["expires"][0])
            signature = given["sig"][0]
        except (KeyError, ValueError):
            return False
        return expires > time.time() and hmac.compare_digest(signature, self._sign(path, expires, task.revision))

    def own_media(self, url: str) -> bytes | None:
        """The file behind one of this folder's own URLs, whichever port they were handed out with."""
        path = urlsplit(url).path.lstrip("/")
        task = self.store.owner(path.partition("/")[0])
        if task is None or path not in task.media or not path.endswith(".png"):
            return None
        file = self.store.media / path
        return file.read_bytes() if file.exists() else None

    def _sign(self, path: str, expires: int, revision: int) -> str:
        return hmac.new(self.store.secret, f"{path} {expires} {revision}".encode(), hashlib.sha256).hexdigest()[:32]

    def _admit(self, now: float) -> None:
        """Let no more in than the rate allows, over any window of a second."""
        rate = self.settings.rate
        while self._accepted and self._accepted[0] <= now - 1:
            self._accepted.popleft()
        if rate is not None and len(self._accepted) >= rate:
            wait = max(1, math.ceil(self._accepted[0] + 1 - now))
            raise ApiError(429, headers={"Retry-After": str(wait)})
        self._accepted.append(now)


def _failure(wanted: Mapping[str, Any]) -> Failure:
    usual = {"code": "generation_failed", "message": "The provider could not finish this generation."}
    return Failure(wanted.get("error", usual), int(wanted.get("at_progress", 40)))
