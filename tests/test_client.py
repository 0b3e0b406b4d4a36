"""`Client` and `AsyncClient`: one suite for both faces, against the embedded Pixapi and against scripted answers."""

from __future__ import annotations

import asyncio
import io
import logging
import pickle
import signal
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from pixapi_nb import portal
from pixapi_nb.client import AsyncClient, Client
from pixapi_nb.errors import (
    Interrupted,
    InvalidRequest,
    MissingKey,
    ModelNotFound,
    PixapiError,
    PromptRejected,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    UsageError,
)
from pixapi_nb.events import Delivered
from pixapi_nb.models import Completed, media_type
from tests.harness.canary import found_below, found_in
from tests.harness.waiting import until
from tests.raw import GENERATE, KEY, MODELS, PNG, RESET, SUBMIT, SUBMITTED, TASK, answer, completed, refusal, task

pytest_plugins = ["tests.fixtures"]

MODEL, SMALL = "nano-banana", "96x64"


@pytest.fixture
def pixapi(pixapi_server):
    """The embedded Pixapi, quick."""
    pixapi_server.settings(seconds=0.05)
    return pixapi_server


def picture(colour="red", size=(32, 24)):
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


# -- both faces


@pytest.mark.parametrize("form", [None, "url", "b64_json"])
@pytest.mark.parametrize("synchronous", [False, True], ids=["async", "sync"])
@pytest.mark.parametrize("edit", [False, True], ids=["generate", "edit"])
def test_images(pixapi, face, form, synchronous, edit):
    fields = {"model": MODEL, "prompt": "a red cup", "n": 2, "size": SMALL, "response_format": form, "synchronous": synchronous}
    if edit:
        job = face(lambda client: client.images.edit(image=[picture(), Image.new("RGB", (8, 8))], **fields))
    else:
        job = face(lambda client: client.images.generate(**fields))
    assert [one.to_pil().size for one in job] == [(96, 64)] * 2
    assert [one.path.suffix for one in job] == [".png"] * 2
    (post,) = pixapi.requests("POST")
    assert post["path"] == f"/v1/{'' if synchronous else 'async/'}images/{'edits' if edit else 'generations'}"
    assert (post["fields"]["n"], post["fields"]["size"], post["authorization"]) == (2, SMALL, True)
    assert [charge["credits"] for charge in pixapi.charges()] == [4]
    assert (job.credits, job.task_id is None) == (None if synchronous else 4, synchronous)
    assert not any(entry["authorization"] for entry in pixapi.requests(server="media"))
    assert len(pixapi.requests(server="media")) == (0 if form == "b64_json" else 2)


@pytest.mark.parametrize("start", [None, picture(size=(96, 64))], ids=["text", "image"])
def test_videos(pixapi, face, start):
    job = face(lambda client: client.videos.generate(model="veo", prompt="a wave", duration=1, size="96x64", input_image=start))
    (film,) = job
    assert (film.kind, film.media_type, media_type(film.bytes[:16])) == ("video", "video/mp4", "video/mp4")
    (post,) = pixapi.requests("POST")
    assert (post["path"], post["fields"]["duration"]) == ("/v1/async/videos/generations", 1)
    assert ("input_image" in post["fields"]) is (start is not None)
    with pytest.raises(PixapiError, match="no picture"):
        film.to_pil()


def test_tasks_and_models(pixapi, face):
    job = face(lambda client: client.images.generate(model=MODEL, prompt="a cup", size=SMALL))
    status = face(lambda client: client.tasks.retrieve(job.task_id))
    assert isinstance(status, Completed)
    assert (status.id, len(status.items), status.credits) == (job.task_id, 1, 2)
    with pytest.raises(TaskNotFound, match="task_none"):
        face(lambda client: client.tasks.retrieve("task_none"))
    models = face(lambda client: client.models.list())
    assert {"veo": "video", "gemini-3-pro-image-preview": "image"}.items() <= {one.id: one.kind for one in models}.items()
    assert face(lambda client: client.models.list()) is models, "asked once"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"prompt": "a forbidden-test-prompt"}, PromptRejected),
        ({"model": "no-such-model"}, ModelNotFound),
        ({"n": 99}, InvalidRequest),
        ({"api_key": "not_a_pixapi_key"}, Unauthorized),
        ({"prompt": " "}, UsageError),
        ({"n": 0}, UsageError),
    ],
)
def test_refusals(pixapi, face, fields, kind):
    asked = {"model": MODEL, "prompt": "a cup"} | fields
    options = {"api_key": asked.pop("api_key", None)}
    with pytest.raises(kind):
        face(lambda client: client.images.generate(**asked), **options)
    assert len(pixapi.requests("POST")) == (0 if kind is UsageError else 1)
    assert pixapi.charges() == []


def test_a_failed_task(pixapi, face):
    pixapi.faults({"kind": "fail_task", "task": {"error": {"code": 500, "message": "No paint.", "type": "internal_error"}}})
    with pytest.raises(TaskFailed, match=r"No paint\."):
        face(lambda client: client.images.generate(model=MODEL, prompt="a cup", size=SMALL))


@pytest.mark.parametrize("image", [[], (), None, "missing.png", 7, [picture(), b"text"]])
def test_an_edit_without_a_picture_is_refused_and_is_no_generation(raw, face, image):
    with pytest.raises(UsageError):
        face(lambda client: client.images.edit(model=MODEL, prompt="p", image=image), base_url=raw.url, api_key=KEY)
    assert raw.asked == []


def test_an_earlier_result_is_an_input(pixapi, face):
    first = face(lambda client: client.images.generate(model=MODEL, prompt="a cup", size=SMALL))
    for image in (first, first[0], [first, first[0]]):
        job = face(lambda client: client.images.edit(model=MODEL, prompt="in blue", image=image, size=SMALL))  # noqa: B023
        assert job.request.inputs[0].data == first[0].bytes
        assert job[0].to_pil().size == (96, 64)


def test_without_a_key_the_way_on_is_named(face, monkeypatch):
    for name in ("PIXAPI_KEY", "PIXAPI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MissingKey, match="PIXAPI_KEY") as caught:
        face(lambda client: client.images.generate(model=MODEL, prompt="p"))
    assert "%pixapi local" in str(caught.value)


def test_configuration_is_read_when_it_is_needed(raw, session, monkeypatch):
    monkeypatch.delenv("PIXAPI_KEY", raising=False)
    client = Client(session=session)
    monkeypatch.setenv("PIXAPI_BASE_URL", raw.url + "/")
    monkeypatch.setenv("PIXAPI_KEY", f" {KEY}\n")
    raw.on(MODELS, answer(200, {"data": [{"id": "m"}]}))
    assert [one.id for one in client.models.list()] == ["m"]
    assert raw.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert repr(client) == f"<Client {raw.url}>"


# -- loops and threads


@pytest.fixture
def at_raw(raw, session, brisk):
    """Clients of the raw server, whose tasks are done at once."""
    raw.on(SUBMIT, SUBMITTED)
    raw.on(TASK, completed(raw.url + "/m.png"))
    raw.on("GET /m.png", answer(200, PNG))
    return lambda kind: kind(api_key=KEY, base_url=raw.url, session=session)


def test_one_async_client_on_two_loops(raw, at_raw):
    client = at_raw(AsyncClient)

    async def first():
        return client.images.generate(model=MODEL, prompt="begun in the first")

    async def second(earlier):
        later = client.images.generate(model=MODEL, prompt="two")
        return await asyncio.gather(earlier, later, client.tasks.retrieve("task_01K"))

    earlier = asyncio.run(first())
    one, two, state = asyncio.run(second(earlier))
    assert one is earlier
    assert [job[0].kind for job in (one, two)] == ["image"] * 2
    assert isinstance(state, Completed)
    assert raw.posts == 2


def test_a_call_that_waits_inside_a_running_loop_lets_the_other_tasks_go_on(raw, at_raw):
    client, ticks, rest = at_raw(Client), [], threading.Event()

    def late(_):
        rest.wait(20)
        return completed(raw.url + "/m.png")

    raw.on(TASK, late)

    async def tick():
        while True:
            ticks.append(1)
            if len(ticks) == 5:
                rest.set()
            await asyncio.sleep(0.005)

    async def cell():
        ticking = asyncio.ensure_future(tick())
        job = client.images.generate(model=MODEL, prompt="p")  # blocks this task, and no other
        ticking.cancel()
        listed = [client.images.generate(model=MODEL, prompt="p", wait=False) for _ in range(2)]
        return job, [one[0] for one in listed]

    job, others = asyncio.run(cell())
    assert len(ticks) >= 5
    assert job.done
    assert len(others) == 2


def test_one_client_in_many_threads(raw, at_raw):
    client = at_raw(Client)
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda number: client.images.generate(model=MODEL, prompt=f"cup {number}"), range(16)))
    assert len({job.id for job in jobs}) == len({job[0].path for job in jobs}) == raw.posts == 16
    assert sorted(asked.json["prompt"] for asked in raw.seen("POST")) == sorted(f"cup {number}" for number in range(16))


def test_one_client_in_loops_of_many_threads_and_in_many_tasks(at_raw):
    client = at_raw(Client)

    async def cell(number):
        beside = asyncio.ensure_future(asyncio.sleep(0.01, number))
        return client.images.generate(model=MODEL, prompt=f"cup {number}").done, await beside

    async def cells():
        return await asyncio.gather(*(cell(number) for number in range(4)))

    def in_a_loop(number):
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(cell(number))
        finally:
            loop.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(in_a_loop, range(8))) == [(True, number) for number in range(8)]
    assert asyncio.run(cells()) == [(True, number) for number in range(4)]


def test_wait_false_returns_before_the_answer(raw, at_raw):
    rest = threading.Event()

    def late(_):
        rest.wait(20)
        return SUBMITTED

    raw.on(SUBMIT, late)
    job = at_raw(Client).images.generate(model=MODEL, prompt="p", wait=False)
    assert not job.done
    assert job.task_id is None
    rest.set()
    assert isinstance(list(job.events())[-1], Delivered)


def test_an_interrupted_wait_leaves_the_job_running(raw, at_raw, session):
    rest = threading.Event()

    def late(_):
        rest.wait(20)
        return completed(raw.url + "/m.png")

    raw.on(TASK, late)

    def interrupt():
        until(lambda: raw.seen(TASK))
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt) as caught:
        at_raw(Client).images.generate(model=MODEL, prompt="p")
    thread.join()
    assert type(caught.value) is Interrupted
    (said,) = caught.value._render_traceback_()
    assert "task task_01K goes on, and is charged." in said
    assert "%pixapi resume task_01K" in said
    assert len(said.splitlines()) == 2
    (job,) = session.jobs.values()
    assert not job.done
    rest.set()
    assert job.result(20)[0].kind == "image"
    assert raw.posts == 1


def test_nobody_awaits(raw, at_raw, caplog):
    """A job that fails unheard prints nothing, and a loop that ends before its answers come does no harm."""
    raw.on(GENERATE, refusal(422, "prompt_rejected", shape=2))
    raw.on(TASK, task("processing"))
    client = at_raw(AsyncClient)

    async def forgetful():
        jobs = [
            client.images.generate(model=MODEL, prompt="p", synchronous=True),
            client.images.generate(model=MODEL, prompt="p"),
        ]
        for job in jobs:
            asyncio.ensure_future(asyncio.shield(job))  # noqa: RUF006  # on purpose
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(jobs[1], 0.05)
        return jobs

    first, second = asyncio.run(forgetful())
    raw.on(TASK, completed(raw.url + "/m.png"))
    assert isinstance(list(second.events())[-1], Delivered)
    assert isinstance(first.error, PromptRejected)
    assert "Event loop is closed" not in caplog.text
    assert "calling callback" not in caplog.text


# -- the key


ECHO = answer(401, {"error": {"code": "unauthorized", "message": f"wrong key {KEY}", "request_id": KEY}})
TROUBLES = {
    "refused": (SUBMIT, ECHO),
    "lost": (SUBMIT, RESET),
    "garbage": (SUBMIT, answer(200, f"<html>{KEY}")),
    "undocumented": (SUBMIT, answer(500, f"{KEY}")),
    "failed": (TASK, task("failed", error={"code": KEY, "message": f"no credit on {KEY}"})),
    "odd": (TASK, task(KEY)),
    "unauthorized": (TASK, ECHO),
    "gone": ("GET /m.png", answer(404, KEY)),
    "delivered": ("GET /m.png", answer(200, PNG)),
}


def whole_traceback(error):
    """Everything that a debugger, a log or an error reporter could show of it, but the test's own frame."""
    error.__traceback__ = error.__traceback__.tb_next
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()) + "".join(
        f"{vars(one)!r} {one.args!r}" + "".join(traceback.TracebackException.from_exception(one, capture_locals=True).format())
        for one in _chained(error)
    )


def _chained(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_key_comes_out_nowhere(raw, at_raw, session, tmp_path, monkeypatch, caplog, capfd, trouble):
    route, given = TROUBLES[trouble]
    raw.on(route, given)
    monkeypatch.setenv("PIXAPI_KEY", KEY)
    monkeypatch.setenv("PIXAPI_BASE_URL", raw.url)
    caplog.set_level(logging.DEBUG)
    client, async_client = Client(session=session), at_raw(AsyncClient)
    shown = [repr(one) for one in (client, async_client, session, client.images, client.tasks, portal)]
    job, error = None, None
    try:
        job = client.images.generate(model=MODEL, prompt="p")
    except PixapiError as caught:
        error = caught
        shown += [whole_traceback(caught), repr(caught), str(caught), *caught._render_traceback_(), repr(pickle.dumps(caught))]
    assert (error is None) == (trouble == "delivered")
    if job is not None:
        shown += [repr(job), repr(list(job.events())), repr(vars(job)), repr(job.data), repr(pickle.dumps(job.data))]
    session.close()
    assert found_in(KEY, *shown, caplog.text, *capfd.readouterr()) == []
    assert found_below(KEY, tmp_path) == []
    assert "httpcore" in caplog.text, "the log was on"


@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "https://user:pass@example.org", "http://127.0.0.1:1", "http://["])
def test_the_key_is_in_no_traceback_of_a_wrong_address(session, brisk, url):
    client = Client(api_key=KEY, base_url=url, session=session)
    with pytest.raises((PixapiError, ValueError)) as caught:
        client.images.generate(model=MODEL, prompt="p")
    assert found_in(KEY, whole_traceback(caught.value)) == []


def test_clients_and_what_they_hold_are_not_pickled_with_the_key(at_raw, session, monkeypatch):
    monkeypatch.setenv("PIXAPI_KEY", KEY)
    for one in (at_raw(Client), at_raw(AsyncClient), at_raw(Client)._key, session.server(base_url="https://x.example")):
        with pytest.raises(TypeError):
            pickle.dumps(one)
    assert KEY not in repr(vars(at_raw(Client)))


def test_numpys_numbers_are_numbers(raw, at_raw):
    import numpy as np

    raw.on(SUBMIT, answer(200, SUBMITTED))
    raw.on(TASK, completed(raw.url + "/m.png"))
    at_raw(Client).images.generate(model=MODEL, prompt="p", n=np.int64(2), wait=False)
    until(lambda: raw.seen("POST"))
    assert raw.seen("POST")[0].json["n"] == 2
    with pytest.raises(UsageError, match="n is of type float"):
        at_raw(Client).images.generate(model=MODEL, prompt="p", n=2.5)
