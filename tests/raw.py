"""A server of bytes written by hand, so that the client and the embedded Pixapi cannot agree on the same mistake.

It parses only what it must to find the end of a request, and answers from a script.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

from pixapi_nb.client import AsyncClient, Client
from pixapi_nb.events import Stopped
from pixapi_nb.jobs import Job
from pixapi_nb.models import ImageRequest
from pixapi_nb.session import Session
from pixapi_nb.wire import Secret, Server, Wire

if TYPE_CHECKING:
    from typing_extensions import Self

KEY = "sk_test_canary_7f3a9c1e5b"
PNG = bytes.fromhex(  # 1 × 1 pixel
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)
SUBMIT, GENERATE = "POST /v1/async/images/generations", "POST /v1/images/generations"
VIDEO, TASK, MODELS = "POST /v1/async/videos/generations", "GET /v1/tasks/", "GET /v1/models"


@dataclass
class Asked:
    """One request, as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


Answer: TypeAlias = "bytes | Trouble | Callable[[Asked], bytes]"


class Trouble:
    """What happens to the connection; `first` is sent before."""

    def __init__(self, kind: str, first: bytes = b"") -> None:
        self.kind, self.first = kind, first

    def __repr__(self) -> str:
        return self.kind


RESET, CLOSE, HANG = Trouble("reset"), Trouble("close"), Trouble("hang")


def answer(status: int = 200, body: bytes | str | Any = b"", **headers: str) -> bytes:
    """An HTTP answer: bytes and text as they are, anything else as JSON. `Retry_After="3"` is the header Retry-After."""
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} Whatever"]
    named = {"Content-Length": str(len(content))} | {name.replace("_", "-"): value for name, value in headers.items()}
    lines += [f"{name}: {value}" for name, value in named.items() if value]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


def refusal(status: int, name: str, message: str = "no", *, shape: int, **headers: str) -> bytes:
    """An error in one of the two shapes of pixapi-api.md."""
    numeric = {"code": status, "message": message, "type": name}
    named = {"code": name, "message": message, "request_id": "req_7"}
    return answer(status, {"error": numeric if shape == 1 else named}, **headers)


SUBMITTED = answer(
    200,
    {"status": "submitted", "id": "task_01K", "progress": 0, "created_at": 1703884800, "model": "gemini-3-pro-image-preview"},
)


def task(status: str, wait: str = "", **fields: Any) -> bytes:
    """A task's state; `wait` is a Retry-After."""
    body = {"id": "task_01K", "status": status, "model": "m", "created": 1703884800, **fields}
    return answer(200, body, Retry_After=wait)


def completed(*urls: str | None, **fields: Any) -> bytes:
    """A finished task; an item without URL for None."""
    data = [{} if url is None else {"url": url} for url in urls]
    body: dict[str, Any] = {"credits_cost": 1.5, "result": {"type": "image", "data": data}} | fields
    return task("completed", **body)


class RawServer:
    """On a loopback port. `on("GET /v1/models", answer, …)`: in this order, the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._scripts: list[tuple[str, list[Answer]]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()

    def on(self, route: str, *answers: Answer) -> None:
        """What requests whose first line begins so get; a later call for the same route replaces it."""
        with self._lock:
            self._scripts = [one for one in self._scripts if one[0] != route]
            self._scripts.append((route, list(answers)))
            self._scripts.sort(key=lambda one: -len(one[0]))

    def hang_up(self) -> None:
        """End every connection, and answer nothing more."""
        self._closing.set()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def seen(self, route: str) -> list[Asked]:
        """The requests whose first line begins so."""
        return [one for one in self.asked if one.line.startswith(route)]

    @property
    def posts(self) -> int:
        return len(self.seen("POST"))

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open.add(connection)
        try:
            with contextlib.suppress(OSError), connection.makefile("rb") as stream:
                while not self._closing.is_set() and (asked := _read(stream)) and self._reply(connection, asked):
                    pass
        finally:
            with self._lock:
                self._open.discard(connection)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _reply(self, connection: socket.socket, asked: Asked) -> bool:
        """Answer; whether the connection goes on."""
        with self._lock:
            self.asked.append(asked)
            script = next((answers for route, answers in self._scripts if asked.line.startswith(route)), None)
            given = answer(404) if script is None else script.pop(0) if len(script) > 1 else script[0]
        if not isinstance(given, Trouble):
            connection.sendall(given if isinstance(given, bytes) else given(asked))
            return True
        connection.sendall(given.first)
        if given.kind == "hang":
            self._closing.wait(60)
        if given.kind == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
        return False


def _read(stream: Any) -> Asked | None:
    if stream.peek(1)[:1] == b"\x16":  # somebody speaks TLS
        return None
    first = stream.readline().decode("latin-1").rstrip("\r\n")
    if not first:
        return None
    headers = {}
    while line := stream.readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Asked(first, headers, stream.read(int(headers.get("content-length", 0))))


# -- what the tests share


def a_request(**fields: Any) -> ImageRequest:
    return ImageRequest(**({"model": "gemini-3-pro-image-preview", "prompt": "a cup"} | fields))


def on_wire(url: str, call: Callable[[Wire], Awaitable[Any]], *, timeout: float | None = None, key: str = KEY) -> Any:
    """The result of one call of the wire, on a loop of its own."""

    async def main() -> Any:
        wire = Wire(Server(url, Secret(key), url), timeout=timeout)
        try:
            return await asyncio.wait_for(call(wire), 30)
        finally:
            await wire.aclose()

    return asyncio.run(main())


def ended(job: Job) -> Job:
    """The job when it has ended, well or not."""
    for _ in job.events():
        pass
    return job


def outcome(job: Job) -> Any:
    """The error with which the job stopped, None if it delivered."""
    last = list(job.events())[-1]
    return last.error if isinstance(last, Stopped) else None


class Face:
    """`Client` or `AsyncClient`, behind one way to ask."""

    def __init__(self, kind: type[Client | AsyncClient], session: Session) -> None:
        self.kind, self.session = kind, session

    def __call__(self, ask: Callable[[Any], Any], **options: Any) -> Any:
        """The result of `ask(client)`; awaited where it has to be."""
        if self.kind is Client:
            return ask(Client(session=self.session, **options))

        async def main() -> Any:
            return await ask(AsyncClient(session=self.session, **options))

        return asyncio.run(main())
