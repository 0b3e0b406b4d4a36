"""One paid request from intent to files, against scripted answers: the rule of the POST, patience, and the event stream."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import threading

import pytest

from pixapi_nb.errors import (
    DownloadFailed,
    EndpointMissing,
    InsufficientCredits,
    InternalError,
    InvalidRequest,
    ModelNotFound,
    ModelUnavailable,
    NotSent,
    OutcomeUnknown,
    PixapiError,
    PromptRejected,
    RateLimited,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    UnexpectedAnswer,
    UsageError,
)
from pixapi_nb.events import Completed, Delivered, Downloading, Processing, Retrying, Sending, Stopped, Submitted, Trouble
from pixapi_nb.jobs import Job
from pixapi_nb.models import InputImage, VideoRequest
from pixapi_nb.pricing import Price
from pixapi_nb.session import Options, Session
from pixapi_nb.wire import Secret, Server
from tests.harness.waiting import until
from tests.raw import (
    CLOSE,
    GENERATE,
    HANG,
    KEY,
    PNG,
    RESET,
    SUBMIT,
    SUBMITTED,
    TASK,
    VIDEO,
    a_request,
    answer,
    completed,
    outcome,
    refusal,
    task,
)
from tests.raw import Trouble as Broken

pytest_plugins = ["tests.fixtures"]

CODE = base64.b64encode(PNG).decode()
HTML = answer(502, "<html>502 Bad Gateway</html>")
DONE = answer(200, {"created": 1, "data": [{"b64_json": CODE}]})
BUSY, BROKEN, DOWN = 429, 500, 503
NAMES = {429: "rate_limited", 500: "internal_error", 503: "model_unavailable"}


def refuses(status, *, shape=2, **headers):
    """A refusal that passes."""
    return refusal(status, NAMES[status], "Too busy.", shape=shape, **headers)


def accepts(raw, *states):
    """The server accepts the work, and its task goes through these states."""
    raw.on(SUBMIT, SUBMITTED)
    raw.on(TASK, *(states or [completed(raw.url + "/m.png")]))
    raw.on("GET /m.png", answer(200, PNG))


# -- the rule of the POST


@pytest.mark.parametrize("shape", [1, 2])
@pytest.mark.parametrize("refused", [BUSY, BROKEN, DOWN], ids=["429", "500", "503"])
@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("synchronous", [False, True], ids=["async", "sync"])
def test_a_refusal_that_passes_is_sent_again(raw, start, refused, shape, times, synchronous):
    accepts(raw)
    no = [refuses(refused, shape=shape)] * times
    raw.on(GENERATE if synchronous else SUBMIT, *no, DONE if synchronous else SUBMITTED)
    job = start(synchronous=synchronous)
    assert outcome(job) is None
    assert job[0].bytes == PNG
    assert raw.posts == times + 1
    sendings = [event.attempt for event in job.events() if isinstance(event, Sending)]
    retries = [event.attempt for event in job.events() if isinstance(event, Retrying)]
    assert (sendings, retries) == ([*range(1, times + 2)], [*range(1, times + 1)])


@pytest.mark.parametrize(
    ("refused", "kind"), [(BUSY, RateLimited), (BROKEN, InternalError), (DOWN, ModelUnavailable)], ids=["429", "500", "503"]
)
def test_five_tries_are_the_most(raw, start, refused, kind):
    raw.on(SUBMIT, refuses(refused))
    error = outcome(start())
    assert type(error) is kind
    assert error.attempts == raw.posts == 5
    assert "sent 5 times" in error.message
    assert "Nothing was charged" in str(error)


@pytest.mark.parametrize("value", ["0.3", "HTTP date"])
def test_retry_after_is_the_least_wait(raw, start, monkeypatch, value):
    from tests.test_wire import http_date

    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    accepts(raw)
    header = http_date(60) if value == "HTTP date" else "45.5"
    raw.on(SUBMIT, refuses(BUSY, Retry_After=header), refuses(DOWN, shape=1), SUBMITTED)
    monkeypatch.setattr("pixapi_nb.turns.anyio.sleep", sleep)
    job = start()
    assert outcome(job) is None
    first, second = (event for event in job.events() if isinstance(event, Retrying))
    assert 45 < first.wait <= 61
    assert second.wait < 1, "it holds for one wait"
    assert waits[:2] == [first.wait, second.wait]


def test_a_tasks_retry_after_is_the_pause(raw, start, monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    accepts(raw, task("submitted", wait="20"), task("processing", progress=30), completed(raw.url + "/m.png"))
    raw.on(SUBMIT, answer(200, {"id": "task_01K", "status": "submitted"}, Retry_After="50"))
    monkeypatch.setattr("pixapi_nb.turns.anyio.sleep", sleep)
    assert outcome(start()) is None
    assert waits[:2] == [50, 20]
    assert waits[2] < 10, "each holds for one wait"


def test_an_odd_wish_does_not_leave_what_is_paid_for_lying(raw, start, monkeypatch):
    waits = []

    async def sleep(seconds):
        waits.append(seconds)

    accepts(raw, task("processing", wait="3600", progress=30), refuses(BUSY, Retry_After="3600"), completed(raw.url + "/m.png"))
    monkeypatch.setattr("pixapi_nb.turns.anyio.sleep", sleep)
    assert outcome(start()) is None
    assert max(waits) < 70


REFUSED = [
    (400, "invalid_request_error", InvalidRequest),
    (401, "unauthorized", Unauthorized),
    (402, "insufficient_credits", InsufficientCredits),
    (404, "model_not_found", ModelNotFound),
    (422, "prompt_rejected", PromptRejected),
]


@pytest.mark.parametrize("shape", [1, 2])
@pytest.mark.parametrize(("status", "name", "kind"), REFUSED)
def test_a_refusal_that_stays_is_sent_once(raw, start, status, name, kind, shape):
    raw.on(SUBMIT, refusal(status, name, "The reason.", shape=shape))
    error = outcome(start())
    assert (type(error), error.attempts, raw.posts) == (kind, 1, 1)
    assert "Nothing was charged" in error.hint


@pytest.mark.parametrize(
    "unclear",
    [
        *[RESET, CLOSE, Broken("close", SUBMITTED[:-9]), HTML, answer(504), answer(500, "<html>"), answer(503), answer(408)],
        *[
            answer(200),
            answer(200, "<html>"),
            answer(200, []),
            answer(200, {"status": "submitted"}),
            answer(307, "", Location="/"),
        ],
        answer(500, {"error": {"type": "server_error", "message": "m", "code": None}}),
    ],
)
@pytest.mark.parametrize("synchronous", [False, True], ids=["async", "sync"])
def test_what_is_unclear_is_never_sent_again(raw, start, unclear, synchronous):
    raw.on("POST ", unclear)
    job = start(synchronous=synchronous)
    error = outcome(job)
    assert type(error) is OutcomeUnknown
    assert raw.posts == 1
    assert "may be running and may be charged" in error.hint
    assert (job.status, job.task_id, job.credits) == ("failed", None, None)


def test_what_is_unclear_after_a_refusal_is_not_sent_again_either(raw, start):
    raw.on(SUBMIT, refuses(BUSY), refuses(DOWN, shape=1), RESET, SUBMITTED)
    assert type(outcome(start())) is OutcomeUnknown
    assert raw.posts == 3


def test_what_never_left_is_sent_again(raw, session, brisk, tmp_path):
    """First nobody listens; then somebody does, before the tries are used up."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = Server(url, Secret(KEY), url)
        job = session.start(a_request(), server, Options())
        events = job.events()
        assert [type(next(events)) for _ in range(3)] == [Sending, Retrying, Sending]
        error = outcome(job)
    assert type(error) is NotSent
    assert [event.attempt for event in job.events() if isinstance(event, Sending)] == [1, 2, 3, 4, 5]
    assert "Nothing was sent" in error.hint

    host = "http://no-such-host.invalid"
    error = outcome(session.start(a_request(), Server(host, Secret(KEY), host), Options()))
    assert type(error) is NotSent


# -- servers without tasks


NO_ENDPOINT = {
    "OpenAI's 404": answer(404, {"error": {"message": "Invalid URL", "type": "invalid_request_error", "code": None}}),
    "404 in HTML": answer(404, "<html>"),
    "405": answer(405),
    "405 as JSON": answer(405, {"detail": "Method Not Allowed"}),
}  # fmt: skip


@pytest.mark.parametrize("missing", NO_ENDPOINT)
def test_a_server_without_tasks_is_used_without_them_and_this_is_said_once(raw, start, missing):
    raw.on(SUBMIT, NO_ENDPOINT[missing])
    raw.on(GENERATE, DONE)
    """One such answer may be a gateway's slip: the second one settles it."""
    jobs = []
    for _ in range(3):
        jobs.append(start())
        assert outcome(jobs[-1]) is None
    assert [bool(job.notes) for job in jobs] == [True, False, False]
    assert "no asynchronous endpoints" in jobs[0].notes[0]
    both = ["/v1/async/images/generations", "/v1/images/generations"]
    assert [asked.path for asked in raw.seen("POST")] == [*both, *both, both[1]]
    assert (jobs[0].task_id, jobs[0][0].bytes) == (None, PNG)


def test_a_server_with_tasks_has_them(raw, start):
    """Where work was accepted with a task, a page in its place is a gateway's: nobody knows what became of the request."""
    accepts(raw, completed(raw.url + "/m.png"))
    assert outcome(start()) is None
    raw.on(SUBMIT, answer(404, "<html>"))
    assert type(outcome(start())) is OutcomeUnknown
    raw.on(SUBMIT, answer(404, {"detail": "Not Found"}))
    assert type(outcome(start())) is OutcomeUnknown
    assert raw.posts == 3


def test_pages_of_a_hotel_end_some_time(raw, start):
    login = answer(200, "<html>Please sign in</html>")
    accepts(raw, *[login] * 20, completed(raw.url + "/m.png"))
    job = start()
    assert outcome(job) is None
    assert (raw.posts, len(job)) == (1, 1)


@pytest.mark.parametrize("missing", NO_ENDPOINT)
def test_videos_there_are_a_clear_error(raw, start, missing):
    raw.on(VIDEO, NO_ENDPOINT[missing])
    error = outcome(start(VideoRequest(model="veo", prompt="a wave")))
    assert type(error) is EndpointMissing
    assert "this server has no /v1/async/videos/generations" in error.message
    assert raw.posts == 1


def test_a_base_url_ending_in_v1_is_an_openai_compatible_server(raw, session, brisk):
    raw.on("POST /compatible/v1/images/generations", DONE)
    url = raw.url + "/compatible/v1"
    job = session.start(a_request(), Server(url, Secret(KEY), url), Options())
    assert outcome(job) is None
    assert [asked.path for asked in raw.asked] == [
        "/compatible/v1/async/images/generations",
        "/compatible/v1/images/generations",
    ]


def test_a_server_that_knows_neither_is_not_remembered_as_one_without_tasks(raw, start):
    """A model that it does not know may be all that the 404 was about."""
    odd = answer(404, {"error": {"code": 404, "message": "no such model", "type": "not_found"}})
    raw.on(SUBMIT, odd, SUBMITTED)
    raw.on(GENERATE, odd)
    error = outcome(start())
    assert type(error) is EndpointMissing
    assert "no such model" in error.message
    accepts(raw)
    job = start()
    assert outcome(job) is None
    assert job.task_id == "task_01K"


# -- asking about the task


PASSING = {
    "HTML": HTML,
    "HTML with 200": answer(200, "<html>Welcome to the hotel</html>"),
    "empty": answer(200),
    "a list": answer(200, [1]),
    "busy": refuses(BUSY, shape=1),
    "500": refuses(BROKEN),
    "500 as HTML": answer(500, "<html>"),
    "503": refuses(DOWN),
    "504": answer(504),
    "408": answer(408),
    "login page": answer(302, "", Location="/login"),
    "forbidden by a gateway": answer(403, "<html>"),
    "404 of a gateway": answer(404, "<html>nginx</html>"),
    "not known yet": refusal(404, "not_found", shape=2),
    "reset": RESET,
    "closed": CLOSE,
    "cut": Broken("close", task("processing")[:-5]),
    "unknown status": task("paused"),
}


@pytest.mark.parametrize("passing", PASSING)
def test_trouble_while_asking_passes_and_nothing_is_sent_again(raw, start, passing):
    accepts(raw, PASSING[passing], PASSING[passing], task("processing", progress=50), completed(raw.url + "/m.png"))
    job = start()
    assert outcome(job) is None, outcome(job)
    assert raw.posts == 1
    assert job[0].bytes == PNG
    assert [event.failures for event in job.events() if isinstance(event, Trouble)] == [1, 2]


@pytest.mark.parametrize(
    ("odd", "kind", "hint"),
    [
        (task("paused"), UnexpectedAnswer, "resume task_01K"),
        (completed(), UnexpectedAnswer, "resume task_01K"),
        (refusal(404, "not_found", shape=2), TaskNotFound, "limited time"),
        (refusal(401, "unauthorized", shape=2), Unauthorized, "resume task_01K"),
    ],
)
def test_an_answer_that_stays_odd_ends_the_wait_and_not_the_way_back(raw, start, odd, kind, hint):
    accepts(raw, odd)
    job = start()
    error = outcome(job)
    assert type(error) is kind
    assert hint in error.hint
    assert (raw.posts, job.task_id) == (1, "task_01K")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"code": 400, "message": "No \x1b[31mpaint.", "type": "invalid_request_error"}, ": No paint."),
        ({"code": "generation_failed", "message": "No paint.", "request_id": "r"}, ": No paint."),
        ("No paint.", ": No paint."),
        (None, "gave no reason"),
        ([], "gave no reason"),
    ],
)
def test_a_failed_task_is_a_typed_error_with_its_reason(raw, start, said, reason):
    accepts(raw, task("failed", error=said, progress=40))
    job = start()
    error = outcome(job)
    assert type(error) is TaskFailed
    assert reason in error.message
    assert "not charged" in error.hint
    assert (job.status, raw.posts) == ("failed", 1)


def test_nan_and_other_nonsense_in_numbers_do_no_harm(raw, start):
    nan = answer(200, '{"status": "processing", "progress": NaN, "created": Infinity, "credits_cost": -1}')
    huge = answer(200, '{"status": "processing", "progress": 1' + "0" * 400 + "}")
    accepts(raw, nan, huge, completed(raw.url + "/m.png", credits_cost="many"))
    job = start()
    assert outcome(job) is None
    assert job.credits is None
    assert "no price" in job.price


# -- bringing it home


def test_a_picture_inside_a_task_is_as_good_as_a_url(raw, start):
    accepts(raw, completed(result={"type": "image", "data": [{"b64_json": CODE}, {"url": f"data:image/png;base64,{CODE}"}]}))
    assert [media.bytes for media in start()] == [PNG, PNG]
    assert raw.seen("GET /m.png") == []


def test_one_of_four_that_cannot_be_had_does_not_cost_the_others(raw, start):
    page = raw.url + "/page"
    raw.on("GET /page", answer(200, "<html>"))
    accepts(raw, completed(raw.url + "/m.png", None, page, raw.url + "/m.png"))
    job = start()
    assert outcome(job) is None
    assert [media.bytes for media in job] == [PNG, PNG]
    assert sorted(path.name[-6:] for path in (media.path for media in job)) == ["-1.png", "-4.png"]
    assert [note for note in job.notes if "2 of 4" in note]
    assert [note for note in job.notes if "3 of 4" in note]
    assert job.credits == 1.5


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        ([None], "gives no address"),
        (["/gone"], "does not work any more"),
        (["ftp://x/y"], "does not work any more"),
        (["/page"], "no picture or video"),
        ([None, "/gone"], "2 of 2"),
    ],
)
def test_nothing_that_can_be_had_is_a_download_failed_with_the_way_back(raw, start, urls, said):
    raw.on("GET /page", answer(200, "<html>"))
    accepts(raw, completed(*urls))
    error = outcome(start())
    assert type(error) is DownloadFailed
    assert said in error.message
    assert "paid for" in str(error)
    assert "task_01K" in str(error)


def test_a_url_that_has_expired_is_asked_for_again_through_its_task(raw, start):
    raw.on("GET /old", answer(403, "expired"))
    accepts(raw, completed("/old", "/old"), completed("/old", "/old"), completed("/m.png", "/m.png"))
    job = start()
    assert outcome(job) is None
    assert len(job) == 2
    assert raw.posts == 1


@pytest.mark.parametrize(
    "then", [refusal(404, "task_not_found", shape=2), refusal(401, "unauthorized", shape=2), task("failed")]
)
def test_a_fresh_url_that_cannot_be_had_does_not_cost_what_is_here(raw, start, then):
    raw.on("GET /old", answer(403, "expired"))
    accepts(raw, completed("/m.png", "/old"), then)
    job = start()
    assert outcome(job) is None
    assert [media.bytes for media in job] == [PNG]
    assert job.notes


def test_an_edit_with_a_picture_by_url_sends_its_bytes(raw, media_host, start):
    """The endpoint takes files: the picture is fetched first, by the client without the key."""
    media_host.on("GET /in.png", answer(200, PNG))
    raw.on("POST /v1/async/images/edits", SUBMITTED)
    raw.on(TASK, completed(result={"data": [{"b64_json": CODE}]}))
    job = start(a_request(images=(InputImage(name="image", url=media_host.url + "/in.png?sig=1"),)))
    assert outcome(job) is None
    (asked,) = raw.seen("POST")
    assert PNG in asked.body
    assert b'filename="image.png"' in asked.body
    assert "authorization" not in media_host.asked[0].headers
    assert job.request.inputs[0].data == PNG

    media_host.on("GET /in.png", answer(404))
    error = outcome(start(a_request(images=(InputImage(name="i", url=media_host.url + "/in.png"),))))
    assert type(error) is UsageError
    assert raw.posts == 1, "nothing was sent"


# -- the stream


def test_the_stream_is_whole_for_whoever_comes_when(raw, start):
    accepts(raw, task("submitted"), task("processing", progress=50), completed(raw.url + "/m.png"))
    job = start()
    seen: list[object] = []
    job.watch(seen.append)
    early = list(job.events())
    late = list(job.events())

    async def awaited():
        return [event async for event in job.aevents()]

    kinds = [Sending, Submitted, Submitted, Processing, Completed, Downloading, Delivered]
    for stream in (early, late, asyncio.run(awaited()), seen):
        assert [type(event) for event in stream] == kinds
    assert [one.progress for one in job.seen] == [0, 0, 50]
    assert (job.status, job.progress, job.credits, job.done, job.error) == ("completed", 100, 1.5, True, None)


def a_job(**fields):
    return Job(a_request(**fields), server="https://api.pixapi.ai", estimate=Price.of(8))


def test_a_watcher_that_fails_costs_neither_the_job_nor_the_others(raw, start):
    accepts(raw)
    seen: list[object] = []

    def broken(event):
        raise RuntimeError("a widget that is gone")

    job = start()
    job.watch(broken)
    job.watch(seen.append)
    assert outcome(job) is None
    assert isinstance(seen[-1], Delivered)


def test_a_loop_that_is_closed_while_it_watches_costs_nothing(raw, start, caplog):
    accepts(raw, task("processing", progress=1))
    job, loop = start(), asyncio.new_event_loop()

    watched = job.aevents()

    async def begin():
        await anext(watched)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(job, 0.01)
        asyncio.ensure_future(job)  # noqa: RUF006  # nobody will ever wait for it

    loop.run_until_complete(begin())
    loop.close()
    accepts(raw)
    assert outcome(job) is None
    assert caplog.text == "", "nothing stray is printed"


def test_unwatch():
    job = a_job()
    seen: list[object] = []
    job.watch(seen.append)
    job.publish(Sending())
    job.unwatch(seen.append)
    job.unwatch(seen.append)
    job.publish(Submitted("t"))
    assert seen == [Sending()]


def test_events_and_subscribers_from_many_threads_miss_nothing():
    job, streams, ready = a_job(), [], threading.Barrier(9)
    events = [Processing("t", float(number)) for number in range(300)]

    def read():
        ready.wait()
        streams.append(list(job.events()))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    ready.wait()
    for event in [*events, Stopped(PixapiError("x"))]:
        job.publish(event)
    for thread in threads:
        thread.join(20)
    assert [stream[:-1] for stream in streams] == [events] * 8


# -- waiting


def test_a_wait_that_ends_leaves_the_job_running(raw, start):
    accepts(raw, task("processing", progress=10))
    job = start()

    async def impatient():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(job, 0.02)
        waiting = asyncio.ensure_future(_awaited(job))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    with pytest.raises(TimeoutError, match=r"no result within 0\.02 s; the work goes on"):
        job.result(0.02)
    asyncio.run(impatient())
    assert not job.done
    accepts(raw)
    assert job.result(30) is job
    assert raw.posts == 1


def test_the_job_stands_for_its_result(raw, start, tmp_path):
    accepts(raw, completed(*[raw.url + "/m.png"] * 3))
    job = start()
    assert bool(job), "which does not wait"
    assert len(job) == 3
    assert list(job) == list(job.data) == [job[0], job[1], job[-1]]
    assert job[:2] == job.media[:2]
    assert job.index(job[1]) in (0, 1)
    with pytest.raises(IndexError):
        job[3]
    saved = job.save(str(tmp_path / "kept"))
    assert [path.read_bytes() for path in saved] == [PNG] * 3
    assert asyncio.run(_awaited(job)) is job


async def _awaited(job):
    return await job


def test_what_a_failed_job_answers(raw, start):
    raw.on(SUBMIT, refusal(422, "prompt_rejected", shape=1))
    job = start()
    for ask in (
        job.result,
        lambda: len(job),
        lambda: job[0],
        lambda: list(job),
        lambda: job.data,
        lambda: asyncio.run(_awaited(job)),
    ):
        with pytest.raises(PromptRejected) as caught:
            ask()
        assert caught.value is job.error
    assert (job.status, job.media, bool(job)) == ("failed", (), True)


def test_prices_before_and_after(raw, start):
    accepts(raw, completed(raw.url + "/m.png", credits_cost=8))
    job = start()
    assert str(job.estimate) == "8 credits ($0.08)"
    assert outcome(job) is None
    assert job.price.startswith("8 credits ($0.08)")
    accepts(raw, completed(raw.url + "/m.png", credits_cost=16))
    job = start()
    assert outcome(job) is None
    assert job.price == "16 credits ($0.16), estimated 8 credits ($0.08)"


# -- how it shows


def test_a_big_answer_is_one_short_line(raw, start):
    big = base64.b64encode(PNG + bytes(1_500_000)).decode()
    raw.on(GENERATE, answer(200, {"data": [{"b64_json": big}]}))
    job = start(synchronous=True)
    assert outcome(job) is None
    shown = [
        repr(job),
        str(job),
        repr(job[0]),
        repr(job.media),
        repr(list(job.events())),
        repr(job.request),
        f"{job._repr_mimebundle_()['text/plain']}",
    ]
    for text in shown:
        assert len(text) < 800
        assert "\n" not in text
        assert big[100:160] not in text


def test_a_repr_is_short_and_clean_whatever_the_server_says():
    job = a_job(model="m" * 500 + "\x1b[31m\n")
    job.publish(Submitted("task\u202e\n" + "x" * 1000))
    assert re.fullmatch(r"<Job m+…: submitted, task x+…>", repr(job))
    assert len(repr(job)) < 160


def test_urls_of_media_are_in_no_repr(raw, start):
    """They are signed."""
    accepts(raw, completed(raw.url + "/m.png?signature=canary"))
    job = start()
    assert outcome(job) is None
    assert "canary" not in repr(list(job.events())) + repr(job) + repr(job.data)


def test_closing_the_session_does_not_wait_for_answers(raw, tmp_path, brisk):
    made = Session(folder=tmp_path)
    raw.on(SUBMIT, HANG)
    job = made.start(a_request(), Server(raw.url, Secret(KEY), raw.url), Options())
    until(lambda: raw.posts)
    made.close()
    raw.hang_up()
    assert type(outcome(job)) is OutcomeUnknown
