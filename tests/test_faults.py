"""Trouble at every stage of a job, of every kind, over real sockets: what reached the server, what it charged, what came home.

Each line of the table is one job at the embedded Pixapi with one fault. Nothing is paid twice, and nothing that was paid
for is lost without a word.
"""

from __future__ import annotations

import base64
import dataclasses
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from pixapi_nb import lifecycle, outputs, polling
from pixapi_nb.errors import (
    APIError,
    DownloadFailed,
    OutcomeUnknown,
    PixapiError,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    UnexpectedAnswer,
)
from pixapi_nb.events import Event, Sending, Submitted
from pixapi_nb.jobs import Job
from pixapi_nb.ledger import Entry
from pixapi_nb.models import ImageRequest, Request, VideoRequest
from pixapi_nb.session import Options, Session
from pixapi_nb.wire import Wire
from tests.harness.pixapi import PixapiServer

What = Literal["image", "sync", "video"]
Outcome = Literal["delivered", "unknown", "refused", "waiting", "gone"]

SIZES = {"image": "64x64", "sync": "64x64", "video": "128x72"}
PRICES = {"image": 2.0, "sync": 2.0, "video": 2.0}
PATHS = {"image": "^/v1/async/images", "sync": "^/v1/images", "video": "^/v1/async/videos"}
SILENCE = 0.5  # seconds of it are a failure, where it is what goes wrong


@dataclass(frozen=True)
class Case:
    """One job, its fault, and how it ends: the POSTs that reached the server, how many of them it will charge for."""

    what: What
    name: str
    rule: Mapping[str, Any]
    outcome: Outcome
    posts: int = 1
    charged: int = 1
    error: type[PixapiError] | None = None

    def __str__(self) -> str:
        return f"{self.what}: {self.name}"


def status(code: int, documented: bool = True, **more: Any) -> dict[str, Any]:
    return {"kind": "status", "status": code, "documented": documented, **more}


AGAIN = {  # the server says that it did not accept it
    "429": status(429),
    "429 at once again": status(429, headers={"Retry-After": "0"}),
    "500": status(500),
    "503": status(503),
}
REFUSED = {"400": status(400), "401": status(401), "402": status(402), "422": status(422)}
UNCLEAR = {  # nothing can be known from it
    "500 without the API's words": status(500, False),
    "502": status(502, False),
    "503 without the API's words": status(503, False),
    "504": status(504, False),
    "408": status(408, False),
    "302": status(302, False),
    "garbage": {"kind": "garbage"},
    "a web page": {"kind": "html"},
    "nothing": {"kind": "empty"},
    "another JSON": {"kind": "json", "body": {"status": "submitted"}},
    "a list": {"kind": "json", "body": [1]},
    "a reset": {"kind": "reset"},
    "silence": {"kind": "hang"},
}
BROKEN = {"a reset": {"kind": "reset"}, "an end": {"kind": "truncate"}, "silence": {"kind": "hang"}}
PASSING = {  # a question that may be asked again
    "429": status(429),
    "500": status(500),
    "502": status(502, False),
    "503": status(503),
    "404 of a gateway": status(404, False),
    "the login page of a hotel": status(302, False),
    "403 of a gateway": status(403, False),
    "garbage": {"kind": "garbage"},
    "a web page": {"kind": "html"},
    "nothing": {"kind": "empty"},
    "an unknown state": {"kind": "task_status"},
    "a late 404": status(404),
    "a reset": {"kind": "reset"},
    "silence": {"kind": "hang"},
}
AWAY = {  # a file that may be asked for again
    "500": status(500, False),
    "503": status(503, False),
    "429": status(429, False),
    "a web page": {"kind": "html"},
    "garbage": {"kind": "garbage"},
    "nothing": {"kind": "empty"},
    "a reset": {"kind": "reset"},
    "silence": {"kind": "hang"},
}


def table() -> Iterator[Case]:
    kinds: tuple[What, ...] = ("image", "sync", "video")
    for what in kinds:
        post = {"match": {"method": "POST", "path": PATHS[what]}, "times": 1}

        def before(name: str, rule: Mapping[str, Any], *more: Any, what: What = what, post: Any = post, **fields: Any) -> Case:
            return Case(what, f"{name}, nothing accepted", {**post, **rule}, *more, **fields)

        for name, rule in AGAIN.items():
            yield before(name, rule, "delivered", posts=2)
        for name, rule in REFUSED.items():
            yield before(name, rule, "refused", charged=0, error=APIError)
        for name, rule in UNCLEAR.items():
            # A fault is the same for all three; the two that matter most are met by each.
            if what == "image" or name in ("502", "silence"):
                yield before(name, rule, "unknown", charged=0, error=OutcomeUnknown)
            if what == "image" or name in ("504", "a reset"):
                yield Case(what, f"{name}, accepted", {**post, **rule, "stage": "after"}, "unknown", error=OutcomeUnknown)
        for name, rule in BROKEN.items():
            yield Case(what, f"{name} in the answer", {**post, **rule, "stage": "body"}, "unknown", error=OutcomeUnknown)
        if what != "sync":
            for number in range(3) if what == "image" else (0,):
                poll = {"match": {"method": "GET", "path": "^/v1/tasks/"}, "skip": number, "times": 1 + (number == 0)}
                for name, rule in PASSING.items():
                    if what == "image" or name in ("502", "a reset"):
                        yield Case(what, f"{name} at question {number + 1}", {**poll, **rule}, "delivered")
                for name, rule in BROKEN.items():
                    cut = {**poll, **rule, "stage": "body"}
                    yield Case(what, f"{name} in answer {number + 1}", cut, "delivered")
        file = {"match": {"server": "media"}, "times": 2}
        for name, rule in AWAY.items():
            if what == "image" or name in ("503", "a reset"):
                yield Case(what, f"{name} instead of the file", {**file, **rule}, "delivered")
        for share in (0.0, 0.1, 0.5, 0.9):
            for name, rule in BROKEN.items():
                if what != "sync" or share == 0.5:
                    cut = {**file, **rule, "stage": "body", "at": share}
                    yield Case(what, f"{name} at {share:.0%} of the file", cut, "delivered")
        gone = {**file, **status(403, False)}
        if what == "sync":
            yield Case(what, "an address that does not work yet", gone, "delivered")
            ended = {"match": {"server": "media"}, **status(403, False)}
            yield Case(what, "an address that has ended", ended, "gone", error=DownloadFailed)
        else:
            yield Case(what, "an address that has ended", gone, "delivered")
            yield Case(what, "no address at first", {"kind": "no_url", "times": 1}, "delivered")
            yield Case(what, "no address ever", {"kind": "no_url"}, "waiting", error=DownloadFailed)
            yield Case(what, "no result ever", {"kind": "no_data"}, "waiting", error=UnexpectedAnswer)
            yield Case(what, "a state nobody knows", {"kind": "task_status"}, "waiting", error=UnexpectedAnswer)
            wrong_key = {"match": {"path": "^/v1/tasks/"}, **status(401)}
            yield Case(what, "a key that ended", wrong_key, "waiting", error=Unauthorized)


CASES = list(table())


@pytest.fixture(autouse=True)
def _brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses are as short as can be."""
    monkeypatch.setattr(polling, "_FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(polling, "SHORTEST", 0.02)
    monkeypatch.setattr(polling, "LONGEST", 0.05)


@dataclass
class Desk:
    """A session at the embedded Pixapi."""

    session: Session
    server: PixapiServer
    events: list[Event] = field(default_factory=list)

    def start(self, what: What, prompt: str = "a lake at dawn", **options: Any) -> Job:
        request: Request = ImageRequest(model="gemini-2.5-flash-image", prompt=prompt, size=SIZES[what])
        if what == "video":
            request = VideoRequest(model="wan", prompt=prompt, size=SIZES[what], duration=1)
        asked = self.session.server()
        job = self.session.start(request, asked, Options(synchronous=what == "sync", recipes=False, **options))
        job.watch(self.events.append)
        return job

    def resume(self, entry: Entry) -> Job:
        return self.session.resume(entry, self.session.server(), Options(recipes=False))

    @property
    def posts(self) -> int:
        return len(self.server.requests("POST"))

    @property
    def entry(self) -> Entry:
        (found,) = self.session.ledger.recent()
        return found


@pytest.fixture
def desk(pixapi_server: PixapiServer, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    pixapi_server.settings(seconds=0)
    session = Session(folder=tmp_path / "out")
    server = session.server()
    if "silence" in request.node.name:
        wire = session._wires[server] = Wire(server, timeout=SILENCE)
        wire._media.timeout = httpx.Timeout(SILENCE)
    yield Desk(session, pixapi_server)
    session.close()


def error_of(job: Job) -> PixapiError | None:
    list(job.events())
    return job.error


def original(server: PixapiServer) -> bytes:
    """The file as the server has it."""
    (path,) = {entry["path"] for entry in server.requests("GET", server="media")}
    content: bytes = (server.state / "media" / path.lstrip("/")).read_bytes()
    return content


def test_the_table_has_every_stage_and_kind() -> None:
    assert len({str(case) for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=str)
def test_trouble(desk: Desk, case: Case) -> None:
    server = desk.server
    server.settings(seconds=0.15 if "question" in case.name or "in answer" in case.name else 0)
    server.faults(case.rule)
    job = desk.start(case.what)
    error = error_of(job)
    server.clear()

    assert desk.posts == case.posts
    assert len(server.tasks()) == case.charged
    entry = desk.entry
    if case.error is not None:
        assert isinstance(error, case.error)
    _CHECKS[case.outcome](desk, case, job, entry)
    # What is booked is what the server charged, or will, or as much as is known of it.
    assert desk.posts == case.posts, "something paid was sent again"
    assert not list(desk.session.folder.glob("*.part"))
    assert not any(entry["authorization"] for entry in server.requests(server="media"))


def delivered(desk: Desk, case: Case, job: Job, entry: Entry) -> None:
    assert job.error is None
    assert entry.state == "delivered"
    (one,) = job.media
    assert one.path is not None
    assert one.path.read_bytes() == original(desk.server)
    assert entry.files == (str(one.path),)
    (charge,) = desk.server.charges()
    if case.what == "sync":  # its answer names no price: the estimate stands, and says that it is one
        assert entry.credits is None
        assert "the server names no price" in job.price
        assert entry.estimate_high == charge["credits"] == PRICES["sync"]
    else:
        assert entry.credits == job.credits == charge["credits"]
        assert entry.task_id == job.task_id == charge["id"]


def unknown(desk: Desk, case: Case, job: Job, entry: Entry) -> None:
    assert entry.state == "unknown"
    assert entry.task_id is None
    assert entry.files == ()
    assert [one.job_id for one in desk.session.ledger.unknown()] == [job.id]
    assert "may be running and may be charged" in str(job.error)
    spent = desk.session.ledger.spent(entry.server, 0)
    assert (spent.charged, spent.reserved) == (0, entry.estimate_high or entry.estimate_low)


def refused(desk: Desk, case: Case, job: Job, entry: Entry) -> None:
    assert entry.state == "refused"
    assert entry.credits == 0
    assert desk.session.ledger.spent(entry.server, 0) == (0, 0)


def waiting(desk: Desk, case: Case, job: Job, entry: Entry) -> None:
    """It stopped, and is on the books; once the trouble is over it is brought home, for nothing."""
    assert entry.task_id
    assert entry.task_id in str(job.error)
    assert "%pixapi resume" in str(job.error)
    assert [one.job_id for one in desk.session.ledger.unfinished()] == [job.id]
    again = desk.resume(entry)
    assert error_of(again) is None
    delivered(desk, case, again, desk.entry)


def gone(desk: Desk, case: Case, job: Job, entry: Entry) -> None:
    """A synchronous request has nothing to come back to; that it was paid stays on the books."""
    assert entry.state == "completed"
    assert entry.task_id is None
    assert desk.session.ledger.spent(entry.server, 0).reserved == entry.estimate_high


_CHECKS = {"delivered": delivered, "unknown": unknown, "refused": refused, "waiting": waiting, "gone": gone}


# -- what the table cannot hold


@pytest.mark.parametrize("code", [500, 503])
def test_the_one_assumption(desk: Desk, code: int) -> None:
    """Pixapi says to repeat on a documented 500 and 503. Should it have accepted the work all the same, it is paid twice."""
    desk.server.faults({"match": {"method": "POST"}, "times": 1, "stage": "after", **status(code)})
    assert error_of(desk.start("image")) is None
    assert desk.posts == 2
    assert len(desk.server.tasks()) == 2


@pytest.mark.parametrize("code", [429, 500, 503])
def test_five_tries_are_the_most(desk: Desk, code: int) -> None:
    desk.server.faults({"match": {"method": "POST"}, **status(code)})
    error = error_of(desk.start("image"))
    assert desk.posts == 5
    assert desk.server.tasks() == []
    assert isinstance(error, APIError)
    assert error.attempts == 5
    assert "sent 5 times" in error.message
    assert desk.entry.state == "refused"


def test_a_server_without_asynchronous_endpoints(desk: Desk) -> None:
    desk.server.faults({"match": {"method": "POST", "path": "^/v1/async"}, **status(404, False)})
    job = desk.start("image")
    assert error_of(job) is None
    assert [entry["path"] for entry in desk.server.requests("POST")] == [
        "/v1/async/images/generations",
        "/v1/images/generations",
    ]
    assert len(desk.server.tasks()) == 1
    assert "synchronous one was used" in job.notes[0]


def test_a_task_that_fails_costs_nothing_and_frees_its_reservation(desk: Desk) -> None:
    desk.server.faults({"kind": "fail_task", "task": {"error": {"code": "nsfw", "message": "not that"}, "at_progress": 0}})
    error = error_of(desk.start("image"))
    assert isinstance(error, TaskFailed)
    assert error.reason == "not that"
    assert desk.entry.state == "failed"
    assert desk.session.ledger.spent(desk.entry.server, 0) == (0, 0)


def test_a_task_that_the_server_forgot_is_said_to_be_so_and_closed(desk: Desk) -> None:
    desk.server.settings(seconds=60)
    job = desk.start("image")
    task_id = next(event.id for event in job.events() if isinstance(event, Submitted))
    desk.server.forget(task_id)
    error = error_of(job)
    assert isinstance(error, TaskNotFound)
    assert "does not know" in error.message
    assert "goes on" not in str(error)
    assert desk.entry.state == "lost"
    assert desk.session.ledger.unfinished() == []


def test_one_medium_that_cannot_be_had_does_not_cost_the_others(desk: Desk) -> None:
    desk.server.faults({"match": {"server": "media", "path": "/0.png$"}, "kind": "html"})
    request = ImageRequest(model="nano-banana", prompt="two", n=2, size="64x64")
    job = desk.session.start(request, desk.session.server(), Options(recipes=False))
    assert error_of(job) is None
    assert len(job) == 1
    assert any("result 1 of 2" in note for note in job.notes)
    assert desk.posts == 1


def test_no_medium_at_all_says_how_to_come_back(desk: Desk) -> None:
    desk.server.faults({"match": {"server": "media"}, "kind": "html"})
    job = desk.start("image")
    error = error_of(job)
    assert isinstance(error, DownloadFailed)
    assert f"%pixapi resume {job.task_id}" in str(error)
    assert desk.entry.state == "completed"
    desk.server.clear()
    assert error_of(desk.resume(desk.entry)) is None


def test_a_download_goes_on_where_it_broke(desk: Desk) -> None:
    desk.server.faults({"match": {"server": "media"}, "times": 1, "kind": "truncate", "stage": "body", "at": 0.5})
    assert error_of(desk.start("video")) is None
    ranges = [entry["range"] for entry in desk.server.requests(server="media")]
    assert ranges[0] is None
    assert ranges[1] is not None
    assert int(ranges[1].removeprefix("bytes=").removesuffix("-")) > 0


def test_whoever_watches_may_fail_and_the_job_does_not(desk: Desk) -> None:
    desk.server.faults({"match": {"method": "POST"}, "kind": "delay", "seconds": 0.2})
    failures: list[Event] = []

    def careless(event: Event) -> None:
        if isinstance(event, Sending):
            return
        failures.append(event)
        raise RuntimeError("the user's loop is closed")

    job = desk.start("image")
    job.watch(careless)
    assert error_of(job) is None  # which watches too, and comes after
    assert failures
    assert desk.entry.state == "delivered"


@pytest.mark.parametrize("moment", ["finish", "record", "explain"])
def test_a_fault_of_ours_does_not_cost_what_is_paid(desk: Desk, moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = desk.session._launch

    def broken(*_: Any) -> None:
        raise ValueError("half a character")

    def sabotaged(course: Any) -> None:
        launch(dataclasses.replace(course, **{moment: broken}))

    monkeypatch.setattr(desk.session, "_launch", sabotaged)
    if moment == "explain":
        desk.server.faults({"match": {"method": "POST"}, **status(402)})
    job = desk.start("image")
    error = error_of(job)
    if moment == "explain":
        assert isinstance(error, APIError)
    else:
        assert error is None
        assert job[0].path is not None
        assert job.notes
    assert desk.posts == 1


@pytest.mark.parametrize("strict", [False, True], ids=["warnings", "warnings as errors"])
def test_a_disk_that_takes_nothing(desk: Desk, strict: bool) -> None:
    """Neither files nor books: the picture is in memory, and the work goes on after one warning of each."""
    desk.session.folder.parent.mkdir(exist_ok=True)
    desk.session.folder.write_text("a file where the folder should be")
    with warnings.catch_warnings(record=not strict) as heard:
        warnings.simplefilter("error" if strict else "always")
        job = desk.start("image")
        assert error_of(job) is None
    assert job[0].path is None
    assert len(job[0].bytes) > 100
    assert desk.entry.state == "completed", "it can be fetched again"
    if not strict:
        assert len([one for one in heard or [] if "in memory only" in str(one.message)]) == 1


class _Asleep:
    """`time` of a laptop whose lid is shut after every look at the clock, on a system whose clock goes on meanwhile."""

    strftime, localtime = staticmethod(time.strftime), staticmethod(time.localtime)

    def __init__(self) -> None:
        self._looks = 0

    def monotonic(self) -> float:
        self._looks += 1
        return time.monotonic() + self._looks * 8 * 3600


@pytest.mark.parametrize("where", ["^/v1/tasks/", "png$"], ids=["waiting", "downloading"])
def test_a_laptop_that_slept_goes_on_waiting(desk: Desk, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "time", _Asleep())
    monkeypatch.setattr(outputs, "time", _Asleep())
    desk.server.faults({"match": {"method": "GET", "path": where}, "times": 4, **status(502, False)})
    assert error_of(desk.start("image")) is None
    assert desk.entry.state == "delivered"


def test_a_patience_that_ends_leaves_the_task_to_be_resumed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "_PATIENCE", 0.1)
    monkeypatch.setattr(lifecycle, "_LEAST_TRIES", 3)
    desk.server.faults({"match": {"method": "GET", "path": "^/v1/tasks/"}, **status(502, False)})
    job = desk.start("image")
    assert "%pixapi resume task_" in str(error_of(job))
    assert desk.entry.state == "submitted"
    desk.server.clear()
    assert error_of(desk.resume(desk.entry)) is None


def test_an_answer_about_another_task_is_not_taken_for_ours(desk: Desk) -> None:
    stranger = {"id": "task_of_somebody", "status": "completed", "credits_cost": 999, "result": {"data": [{"url": "/no"}]}}
    desk.server.faults({"match": {"path": "^/v1/tasks/"}, "times": 2, "kind": "json", "body": stranger})
    job = desk.start("image")
    assert error_of(job) is None
    assert job.credits == 2


def test_fewer_media_than_asked_for_are_said_to_be_fewer(desk: Desk) -> None:
    drawn = desk.session.start(ImageRequest(model="nano-banana", prompt="one", size="64x64"), desk.session.server())
    list(drawn.events())
    one = {"data": [{"b64_json": base64.b64encode(drawn[0].bytes).decode()}]}
    desk.server.faults({"match": {"method": "POST"}, "kind": "json", "body": one})
    request = ImageRequest(model="nano-banana", prompt="three", n=3, size="64x64")
    job = desk.session.start(request, desk.session.server(), Options(synchronous=True))
    assert error_of(job) is None
    assert len(job) == 1
    assert job.notes == ["the server made 1 of 3"]
