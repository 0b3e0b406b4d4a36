"""Sockets, start and stop: two loopback ports, one event loop, gone at once when told to."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from pixapi_nb.local import admin, app, media
from pixapi_nb.local.faults import Rule
from pixapi_nb.local.gate import Gate
from pixapi_nb.local.journal import Journal
from pixapi_nb.local.service import Service
from pixapi_nb.local.settings import Settings
from pixapi_nb.local.store import Store

HOST = "127.0.0.1"


@dataclass
class Plan:
    """What to serve, and where. Port 0 is any free one."""

    state: Path
    port: int = 0
    media_port: int = 0
    settings: Settings = field(default_factory=Settings)
    rules: list[Rule] = field(default_factory=list)
    admin: bool = False
    until_stdin_closes: bool = False


def run(plan: Plan, ready: Callable[[str, str], None]) -> None:
    """Serve until told to stop; ``ready`` gets the origins of the API and of the media host.

    Raises ``OSError`` when a port is taken.
    """
    sys.setswitchinterval(0.001)  # those who paint are many and slow: answers are not to wait 5 ms for each
    sockets = [_bound(plan.port), _bound(plan.media_port)]
    api, files = (f"http://{HOST}:{sock.getsockname()[1]}" for sock in sockets)
    store = Store(plan.state)
    try:
        both = _apps(plan, Service(store, plan.settings, files), sockets)
        asyncio.run(_serve(both, sockets, lambda: ready(api, files), plan.until_stdin_closes))
    finally:
        store.close()


def _bound(port: int) -> socket.socket:
    # asyncio turns Nagle's delay off only where the protocol is named: 40 ms an answer.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if sys.platform != "win32":
        # There, it would let two servers share a port.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        raise OSError(f"port {port} cannot be used: {error.strerror}") from None
    return sock


def _apps(plan: Plan, service: Service, sockets: list[socket.socket]) -> ASGIApp:
    """Both faces in one application: the port that a request came in by decides."""
    journal = Journal()
    back_door = admin.routes(service, journal, plan.rules) if plan.admin else []
    api_gate = Gate(app.create(service, back_door), "api", journal, plan.rules)
    media_gate = Gate(media.create(service), "media", journal, plan.rules)
    media_port = sockets[1].getsockname()[1]

    async def by_port(scope: Scope, receive: Receive, send: Send) -> None:
        gate = media_gate if scope["server"][1] == media_port else api_gate
        await gate(scope, receive, send)

    return by_port


class _Protocol(H11Protocol):
    """HTTP/1.1 with the transport within the application's reach: a fault must be able to break the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would wait for open connections."""
        yield


async def _serve(
    application: ASGIApp, sockets: list[socket.socket], ready: Callable[[], None], until_stdin_closes: bool
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    if until_stdin_closes:
        watch = threading.Thread(target=_watch_stdin, args=(lambda: loop.call_soon_threadsafe(stop.set),), daemon=True)
        watch.start()
    config = uvicorn.Config(
        application, http=_Protocol, ws="none", lifespan="off", log_level="error", access_log=False,
        server_header=False, timeout_keep_alive=75,
    )  # fmt: skip
    server = _Server(config, ready)
    serving = asyncio.create_task(server.serve(sockets))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    # What is cut off now is no error, and nobody is left to read of it.
    logging.disable()
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    serving.cancel()
    await asyncio.wait({serving}, timeout=0.2)


def _watch_stdin(closed: Callable[[], object]) -> None:
    """Returns when the other end of stdin is gone: the parent has let go of it, or died in whatever way."""
    with contextlib.suppress(OSError, ValueError):
        while os.read(sys.stdin.fileno(), 4096):
            pass
    with contextlib.suppress(RuntimeError):
        closed()
