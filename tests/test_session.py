"""Whom to ask, with which key, and what a model makes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pixapi_nb import portal
from pixapi_nb.errors import MissingKey, PixapiError, Unauthorized, Unreachable, UsageError
from pixapi_nb.models import ImageRequest, InputImage
from pixapi_nb.session import DEFAULT_BASE_URL, Session, current
from pixapi_nb.wire import Secret
from tests.raw import HANG, KEY, MODELS, PNG, RESET, answer, refusal

pytest_plugins = ["tests.fixtures"]


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch):
    for name in ("PIXAPI_KEY", "PIXAPI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


# -- configuration


def test_the_default_is_pixapi_and_never_the_embedded_one(session, monkeypatch):
    assert session.address() == DEFAULT_BASE_URL == "https://api.pixapi.ai"
    with pytest.raises(MissingKey):
        session.server()
    assert not session.embedded.running
    monkeypatch.setenv("PIXAPI_KEY", KEY)
    server = session.server()
    assert (server.base_url, server.name, server.key) == (DEFAULT_BASE_URL, DEFAULT_BASE_URL, Secret(KEY))


def test_what_is_said_nearer_wins(session, monkeypatch):
    monkeypatch.setenv("PIXAPI_BASE_URL", " https://from.environment/v1/ ")
    monkeypatch.setenv("PIXAPI_KEY", "sk_environment")
    assert session.server().base_url == "https://from.environment/v1"
    session.base_url, session.key = "https://from.session", Secret("sk_session")
    assert (session.server().base_url, session.server().key.reveal()) == ("https://from.session", "sk_session")
    given = session.server(base_url="https://given/", key="sk_given")
    assert (given.base_url, given.key.reveal()) == ("https://given", "sk_given")


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "api.pixapi.ai", "ftp://x", "file:///etc", "https://", "https:///v1", "http://x:99999", "http://x:y"),
        "http://[",
    ],
)
def test_an_address_that_is_none_is_refused(session, url):
    with pytest.raises(UsageError, match="is not one"):
        session.server(base_url=url, key=KEY)


def test_a_password_in_an_address_is_refused_and_not_repeated(session):
    with pytest.raises(UsageError) as caught:
        session.server(base_url="https://me:canary@example.org", key=KEY)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("key", ["sk_zero\u200bwidth", "sk_two words", "sk_ümläut"])
def test_a_key_that_cannot_be_one_is_refused_and_not_repeated(session, monkeypatch, key):
    monkeypatch.setenv("PIXAPI_KEY", key)
    with pytest.raises(UsageError) as caught:
        session.server(base_url="https://example.org")
    assert "sk_" not in str(caught.value)


def test_state_and_files_are_where_they_were_asked_for(monkeypatch, tmp_path):
    made = Session()
    assert made.folder == Path.cwd() / "pixapi_out"
    monkeypatch.chdir("/")
    assert made.folder == tmp_path / "pixapi_out", "not a moving working directory"
    monkeypatch.setenv("PIXAPI_HOME", "~/pixapi")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert made.home == tmp_path / "pixapi"
    assert not made.folder.exists()
    assert not made.home.exists()


def test_there_is_one_session_for_a_process():
    assert current() is current()
    assert KEY not in repr(current())


def test_connections_are_kept_by_server_and_key(session):
    one, same, other = (session.server(base_url="https://x.example", key=key) for key in (KEY, KEY, "sk_other"))
    assert session.wire(one) is session.wire(same)
    assert session.wire(one) is not session.wire(other)


# -- models


def models(session, server):
    return portal.run(session.models, server).result(20)


def kind(session, server, model):
    return portal.run(session.kind, server, model).result(20)


def test_models_are_asked_for_once_by_however_many(raw, session):
    raw.on(MODELS, answer(200, {"data": [{"id": "m", "category": "video"}]}))
    server = session.server(base_url=raw.url, key=KEY)
    asked = [portal.run(session.models, server) for _ in range(5)]
    assert {one.result(20)[0].id for one in asked} == {"m"}
    assert kind(session, server, "m") == "video"
    assert len(raw.asked) == 1


@pytest.mark.parametrize("trouble", [RESET, refusal(503, "model_unavailable", shape=1), answer(200, "<html>"), answer(200, [])])
def test_a_list_that_could_not_be_had_is_asked_for_again(raw, session, trouble):
    raw.on(MODELS, trouble, trouble, answer(200, {"data": [{"id": "new-model", "category": "video"}]}))
    server = session.server(base_url=raw.url, key=KEY)
    with pytest.raises(PixapiError):
        models(session, server)
    assert kind(session, server, "veo") == "video", "what is in the catalogue does not ask again so soon"
    assert kind(session, server, "new-model") == "image", "an unknown model is passed on"
    assert kind(session, server, "new-model") == "video"
    assert kind(session, server, "new-model") == "video"
    assert len(raw.asked) == 3


def test_what_is_in_the_catalogue_does_not_wait_for_a_list_for_ever(raw, session, monkeypatch):
    monkeypatch.setattr("pixapi_nb.session._MODELS_PATIENCE", 0.1)
    raw.on(MODELS, HANG)
    server = session.server(base_url=raw.url, key=KEY)
    assert [kind(session, server, "veo") for _ in range(2)] == ["video", "video"]
    assert len(raw.asked) == 1


@pytest.mark.parametrize("address", ["https://API.pixapi.ai", "https://api.pixapi.ai/v1/", "https://api.pixapi.ai:443"])
def test_one_server_has_one_name_however_it_is_written(session, monkeypatch, address):
    """Budgets and books are kept by it."""
    monkeypatch.setenv("PIXAPI_BASE_URL", address)
    monkeypatch.setenv("PIXAPI_KEY", KEY)
    assert session.server().name == session.server_name() == DEFAULT_BASE_URL


def test_an_interrupted_question_does_not_spoil_the_next(raw, session):
    raw.on(MODELS, HANG, answer(200, {"data": [{"id": "m"}]}))
    server = session.server(base_url=raw.url, key=KEY)
    first = portal.run(session.models, server)
    second = portal.run(session.models, server)
    first.cancel()
    raw.hang_up()
    with pytest.raises(Unreachable):
        second.result(20)


@pytest.mark.parametrize(
    ("listed", "model", "expected"),
    [
        ([{"id": "veo", "category": "image"}], "veo", "image"),  # the server knows best
        ([{"id": "gemini-2.5-flash-image", "category": "image"}], "nano-banana", "image"),  # aliases
        ([{"id": "veo"}], "veo", "video"),  # it does not say
        ([{"id": "veo", "category": "film"}], "veo", "video"),
        ([], "veo", "video"),
        ([], "nano-banana", "image"),
        ([], "flux-dev", "image"),
    ],
)
def test_what_a_model_makes(raw, session, listed, model, expected):
    raw.on(MODELS, answer(200, {"data": listed}))
    assert kind(session, session.server(base_url=raw.url, key=KEY), model) == expected


@pytest.mark.parametrize(
    ("model", "capabilities", "refused"),
    [
        ("flux-dev", ["text-to-image"], True),
        ("flux-dev", ["text-to-image", "image-to-image"], False),
        ("flux-dev", [], False),
        ("unlisted", ["text-to-image"], False),
        ("nano-banana", ["text-to-image"], False),  # the catalogue knows better
        ("veo", ["image-to-image"], True),
    ],
)
def test_a_picture_for_a_model_that_is_known_not_to_edit(raw, session, model, capabilities, refused):
    raw.on(MODELS, answer(200, {"data": [{"id": one, "capabilities": capabilities} for one in ("flux-dev", "nano-banana")]}))
    server = session.server(base_url=raw.url, key=KEY)
    models(session, server)
    request = ImageRequest(model=model, prompt="a cup", images=(InputImage(name="cup.png", data=PNG),))
    if refused:
        with pytest.raises(UsageError, match="does not edit pictures"):
            session.start(request, server)
    else:
        session.checked_price(request, server)
    assert raw.posts == 0


def test_a_wrong_key_is_said_at_once(raw, session):
    raw.on(MODELS, refusal(401, "unauthorized", shape=2))
    server = session.server(base_url=raw.url, key=KEY)
    with pytest.raises(Unauthorized):
        kind(session, server, "veo")


def test_whom_to_ask_is_found_out_without_blocking_the_io_thread(raw, session, monkeypatch):
    monkeypatch.setenv("PIXAPI_BASE_URL", raw.url)
    monkeypatch.setenv("PIXAPI_KEY", KEY)
    raw.on(MODELS, answer(200, {"data": [{"id": "m", "category": "video"}]}))
    server, found = portal.run(session.ready, "m").result(20)
    assert (server.base_url, found) == (raw.url, "video")


def test_closing_twice_and_using_again(raw, session):
    raw.on(MODELS, answer(200, {"data": []}))
    server = session.server(base_url=raw.url, key=KEY)
    assert models(session, server) == ()
    session.close()
    session.close()
    assert asyncio.run(_listed(session, server)) == ()


async def _listed(session, server):
    wire = session.wire(server)
    return await portal.left_alone(portal.run(wire.list_models), asyncio.get_running_loop())
