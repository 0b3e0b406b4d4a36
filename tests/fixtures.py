"""The fixtures of the core's and the engine's tests; a module asks for them with `pytest_plugins = ["tests.fixtures"]`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from pixapi_nb import lifecycle, outputs, turns
from pixapi_nb.client import AsyncClient, Client
from pixapi_nb.jobs import Job
from pixapi_nb.models import Request
from pixapi_nb.session import Options, Session
from pixapi_nb.wire import Secret, Server
from tests.raw import KEY, Face, RawServer, a_request


@pytest.fixture
def raw() -> Iterator[RawServer]:
    """An API of scripted answers."""
    with RawServer() as server:
        yield server


@pytest.fixture
def media_host() -> Iterator[RawServer]:
    """A media host of scripted answers: another origin."""
    with RawServer() as server:
        yield server


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A session of its own; its files go to `out` in the test's folder."""
    made = Session(folder=tmp_path / "out")
    yield made
    made.close()


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause lasts longer than a hundredth of a second."""

    async def sleep(seconds: float) -> None:
        await anyio.sleep(min(seconds, 0.01))

    for module in (lifecycle, outputs, turns):
        monkeypatch.setattr(module, "anyio", SimpleNamespace(sleep=sleep))


@pytest.fixture
def start(raw: RawServer, session: Session, brisk: None) -> Callable[..., Job]:
    """Start a job at the raw server, without waiting. Its files are what was received, without recipes."""

    def begin(request: Request | None = None, **options: object) -> Job:
        server = Server(raw.url, Secret(KEY), raw.url)
        return session.start(request or a_request(), server, Options(recipes=False, **options))  # type: ignore[arg-type]

    return begin


@pytest.fixture(params=[Client, AsyncClient], ids=["sync", "async"])
def face(request: pytest.FixtureRequest, session: Session) -> Face:
    """Both clients, one after the other."""
    return Face(request.param, session)
