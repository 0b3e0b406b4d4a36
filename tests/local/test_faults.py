"""Every kind of trouble, at every stage at which there is one."""

import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pixapi_nb.local import faults
from tests.local.server import Server, get, request, until

BODY = {"model": "nano-banana", "prompt": "a lake", "size": "64x64"}
SUBMIT = "/v1/async/images/generations"
GONE = (httpx.ReadError, httpx.RemoteProtocolError)

Check = Callable[[httpx.Response], bool]

ANSWERS: dict[str, tuple[dict[str, Any], Check]] = {
    "documented": (
        {"kind": "status", "status": 503},
        lambda got: got.status_code == 503 and got.json()["error"]["code"] == "model_unavailable",
    ),
    "undocumented": (
        {"kind": "status", "status": 502, "documented": False},
        lambda got: got.status_code == 502 and "<html>" in got.text,
    ),
    "garbage": ({"kind": "garbage"}, lambda got: got.status_code == 200 and not _is_json(got)),
    "html": ({"kind": "html"}, lambda got: got.status_code == 200 and got.headers["content-type"].startswith("text/html")),
    "empty": ({"kind": "empty"}, lambda got: got.status_code == 200 and not got.content),
    "json": ({"kind": "json", "status": 201, "body": [1]}, lambda got: got.status_code == 201 and got.json() == [1]),
}
BREAKS: dict[str, tuple[dict[str, Any], tuple[type[Exception], ...]]] = {
    "reset": ({"kind": "reset"}, GONE),
    "hang": ({"kind": "hang"}, (httpx.ReadTimeout,)),
    "hang for a time": ({"kind": "hang", "seconds": 0.05}, GONE),
}


def _is_json(answer: httpx.Response) -> bool:
    try:
        answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return False
    return True


def _drain(answer: httpx.Response, into: bytearray) -> None:
    for part in answer.iter_bytes():
        into += part


def _accepted(server: Server) -> int:
    return len(server.back_door("GET", "tasks"))


@pytest.mark.parametrize("stage", ["before", "after"])
@pytest.mark.parametrize("kind", ANSWERS)
def test_another_answer(server: Server, kind: str, stage: str) -> None:
    rule, check = ANSWERS[kind]
    accepted = _accepted(server)
    server.faults({"match": {"path": "/v1/async"}, "stage": stage, "times": 1, "headers": {"Retry-After": "7"}, **rule})
    answer = server.client.post(SUBMIT, json=BODY)
    assert check(answer)
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-request-id"].startswith("req_")
    assert _accepted(server) - accepted == (stage == "after")
    entry = server.requests(SUBMIT)[-1]
    assert entry["fault"] == rule["kind"]
    assert entry["status"] == answer.status_code
    assert (entry["task"] is not None) == (stage == "after")
    assert server.client.post(SUBMIT, json=BODY).status_code == 200


@pytest.mark.parametrize("stage", ["before", "after", "body"])
@pytest.mark.parametrize("kind", BREAKS)
def test_a_broken_connection(server: Server, kind: str, stage: str) -> None:
    rule, errors = BREAKS[kind]
    timeout = 0.5 if kind == "hang" else 20
    accepted = _accepted(server)
    server.faults({"match": {"path": "/v1/async"}, "stage": stage, "times": 1, **rule})
    with (
        httpx.Client(base_url=server.api, headers=server.client.headers, timeout=timeout, verify=False) as client,
        pytest.raises(errors),
    ):
        client.post(SUBMIT, json=BODY)
    until(lambda: _accepted(server) - accepted == (stage != "before"))
    until(lambda: server.requests(SUBMIT)[-1]["fault"] == rule["kind"])
    assert server.requests(SUBMIT)[-1]["status"] == (200 if stage == "body" else None)
    assert server.client.post(SUBMIT, json=BODY).status_code == 200


@pytest.mark.parametrize(("kind", "at"), [("truncate", 0.5), ("truncate", 0), ("reset", 0.9), ("hang", 0.25)])
def test_a_download_that_breaks_off(server: Server, kind: str, at: float) -> None:
    url = server.urls(server.submit(size="256x256"))[0]
    whole = get(url).content
    server.faults({"match": {"server": "media"}, "kind": kind, "stage": "body", "at": at, "times": 1})
    got = bytearray()
    with httpx.Client(timeout=1, verify=False) as client, client.stream("GET", url) as answer:
        assert int(answer.headers["content-length"]) == len(whole)
        with pytest.raises((*GONE, httpx.ReadTimeout)):
            _drain(answer, got)
    assert got == whole[: len(got)]
    assert len(got) <= len(whole) * at + 1
    if kind != "reset":
        assert len(got) == int(len(whole) * at)
    rest = get(url, headers={"Range": f"bytes={len(got)}-", "If-Range": answer.headers["etag"]})
    assert rest.status_code == 206
    assert bytes(got) + rest.content == whole


@pytest.mark.parametrize("stage", ["before", "after", "body"])
def test_a_late_answer(server: Server, stage: str) -> None:
    server.faults({"match": {"path": "models"}, "kind": "delay", "stage": stage, "seconds": 0.2, "times": 1})
    begun = time.monotonic()
    assert server.client.get("/v1/models").json()["object"] == "list"
    assert time.monotonic() - begun >= 0.2


def test_a_task_that_fails(server: Server) -> None:
    server.faults({"match": {"path": SUBMIT}, "kind": "fail_task", "times": 1})
    task = server.finished(server.submit())
    assert (task["status"], task["progress"], task["credits_cost"]) == ("failed", 40, 0)
    assert task["error"]["code"] == "generation_failed"
    assert "result" not in task
    assert task["id"] not in [charge["id"] for charge in server.charges()]
    assert server.finished(server.submit())["status"] == "completed"


@pytest.mark.parametrize("error", [None, "out of paint", {"code": 500, "message": "no", "type": "server_error"}])
def test_what_a_failed_task_carries(server: Server, error: object) -> None:
    server.faults({"match": {"path": SUBMIT}, "kind": "fail_task", "task": {"error": error, "at_progress": 80}})
    task = server.finished(server.submit())
    assert (task["status"], task["progress"]) == ("failed", 80)
    assert task.get("error") == error
    assert ("error" in task) == (error is not None)


def test_a_synchronous_request_that_fails(server: Server) -> None:
    charged = len(server.charges())
    server.faults({"kind": "fail_task", "times": 1})
    assert server.client.post("/v1/images/generations", json=BODY).status_code == 500
    assert len(server.charges()) == charged


def test_answers_with_something_missing_or_odd(server: Server) -> None:
    name = server.submit()
    whole = server.finished(name)
    del whole["result"]  # its URLs tell the time
    for rule, expected, result in (
        ({"kind": "task_status"}, whole | {"status": "paused"}, None),
        ({"kind": "task_status", "value": "cancelled"}, whole | {"status": "cancelled"}, None),
        ({"kind": "no_url"}, whole, {"type": "image", "data": [{}]}),
        ({"kind": "no_data"}, whole, {"type": "image"}),
    ):
        server.faults({"match": {"path": "/v1/tasks"}, "times": 1, **rule})
        answer = server.task(name)
        assert answer.pop("result") == result or result is None
        assert answer == expected
    for rule, keys in (({"kind": "no_url"}, {"created", "data"}), ({"kind": "no_data"}, {"created"})):
        server.faults({"match": {"method": "POST"}, "times": 1, **rule})
        said = server.client.post("/v1/images/generations", json=BODY)
        assert said.status_code == 200
        assert said.json().keys() == keys


def test_which_requests_a_rule_meets(server: Server) -> None:
    server.faults({"kind": "status", "match": {"method": "GET", "path": "^/v1/models$"}, "skip": 1, "times": 2})
    assert [server.client.get("/v1/models").status_code for _ in range(4)] == [200, 500, 500, 200]
    server.faults({"kind": "status", "status": 429, "match": {"prompt": "second$"}})
    assert [server.client.post(SUBMIT, json=BODY | {"prompt": word}).status_code for word in ("first", "second")] == [200, 429]
    server.back_door("DELETE", "faults")
    assert server.client.post(SUBMIT, json=BODY | {"prompt": "second"}).status_code == 200


def test_probability_has_a_seed(server: Server) -> None:
    rule = {"kind": "status", "match": {"path": "models"}, "probability": 0.4, "seed": 5}
    runs = []
    for _ in range(2):
        server.back_door("DELETE", "faults")
        server.faults(rule)
        runs.append([server.client.get("/v1/models").status_code for _ in range(40)])
    assert runs[0] == runs[1]
    assert 6 < runs[0].count(500) < 28


def test_rules_for_results_are_not_used_up_by_tasks_without_one(server: Server) -> None:
    server.back_door("POST", "settings", {"seconds": 0.2})
    server.faults({"kind": "no_url", "times": 1}, {"kind": "fail_task", "times": 1, "match": {"prompt": "doomed"}})
    server.client.get("/v1/models")
    name = server.submit()
    assert server.task(name)["status"] == "processing"
    assert server.finished(name)["result"]["data"] == [{}]
    assert server.finished(name)["result"]["data"] != [{}]
    assert server.finished(server.submit(prompt="doomed"))["status"] == "failed"


def test_a_server_without_the_asynchronous_endpoints(server: Server) -> None:
    server.faults({"kind": "status", "status": 404, "documented": False, "match": {"path": "^/v1/async"}})
    assert server.client.post(SUBMIT, json=BODY).status_code == 404
    assert server.client.post("/v1/images/generations", json=BODY).status_code == 200


def test_faults_to_begin_with(start: Callable[..., Server], tmp_path: Any) -> None:
    file = tmp_path / "faults.json"
    file.write_text(json.dumps({"kind": "status", "status": 402, "match": {"path": "models"}}))
    answer = start("--faults", file).client.get("/v1/models")
    assert answer.status_code == 402
    assert answer.json()["error"]["code"] == "insufficient_credits"


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"kind": "explode"}, "kind"), ({}, "kind"), ("reset", "object"), ({"kind": "garbage", "stage": "body"}, "stage"),
        ({"kind": "delay"}, "seconds"), ({"kind": "reset", "match": {"host": "x"}}, "match"),
        ({"kind": "reset", "often": 3}, "often"), ({"kind": "reset", "match": {"path": "("}}, "unterminated"),
        ({"kind": "reset", "probability": 2}, "between"),
    ],
)  # fmt: skip
def test_rules_that_make_no_sense(server: Server, rule: object, says: str) -> None:
    answer = request("POST", f"{server.api}/_local/faults", json=rule)
    assert answer.status_code == 400
    assert says in answer.text
    with pytest.raises(ValueError, match=says):
        faults.parse(rule)
