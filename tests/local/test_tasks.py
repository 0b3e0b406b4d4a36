"""Tasks over time: progress, queues, rates, and servers that come and go."""

import itertools
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from pixapi_nb.local import schedule
from tests.local.server import Server, get, request, until

Start = Callable[..., Server]


def test_progress_only_rises_and_ends_with_the_picture(start: Start) -> None:
    server = start("--seconds", "0.8")
    name = server.submit()
    seen = []
    while (task := server.task(name))["status"] != "completed":
        seen.append(task["progress"])
        assert "result" not in task
    assert seen == sorted(seen)
    assert len(set(seen)) > 4
    assert max(seen) < 100
    assert get(task["result"]["data"][0]["url"]).status_code == 200


def test_no_more_run_at_once_than_the_capacity(start: Start) -> None:
    server = start("--admin", "--seconds", "30", "--capacity", "2")
    names = [server.submit() for _ in range(6)]
    states = [server.task(name)["status"] for name in names]
    assert states == ["processing"] * 2 + ["submitted"] * 4
    tasks = {task["id"]: task for task in server.back_door("GET", "tasks")}
    spans = [(tasks[name]["starts_at"], tasks[name]["ends_at"]) for name in names]
    assert spans == sorted(spans)
    for at, _ in spans:
        assert sum(start <= at < end for start, end in spans) <= 2
    assert spans[-1][1] - spans[0][0] == pytest.approx(90, abs=1)


def test_a_larger_capacity_lets_the_waiting_in(start: Start) -> None:
    server = start("--admin", "--seconds", "60", "--capacity", "1")
    names = [server.submit() for _ in range(3)]
    assert [server.task(name)["status"] for name in names] == ["processing", "submitted", "submitted"]
    server.back_door("POST", "settings", {"capacity": None})
    assert [server.task(name)["status"] for name in names] == ["processing"] * 3


def test_the_rate(start: Start) -> None:
    server = start("--admin", "--seconds", "0.1", "--rate", "3")
    body = {"model": "nano-banana", "prompt": "a lake", "size": "64x64"}
    begun = time.monotonic()
    answers = [server.client.post("/v1/async/images/generations", json=body) for _ in range(8)]
    seconds = 1 + int(time.monotonic() - begun)
    accepted = [answer.status_code for answer in answers].count(200)
    assert 3 <= accepted <= 3 * seconds
    refused = next(answer for answer in answers if answer.status_code != 200)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limited"
    assert refused.headers["retry-after"] == "1"
    assert until(lambda: server.client.post("/v1/async/images/generations", json=body).status_code == 200)
    until(lambda: len(server.charges()) == accepted + 1)


@pytest.mark.parametrize("change", [{"seconds": "x"}, {"seconds": [2, 1]}, {"capacity": 0}, {"rate": "3"}, {"speed": 1}])
def test_settings_that_make_no_sense(server: Server, change: dict[str, object]) -> None:
    before = server.back_door("GET", "settings")
    assert request("POST", f"{server.api}/_local/settings", json=change).status_code == 400
    assert server.back_door("GET", "settings") == before


def test_a_video_takes_twice_as_long(server: Server) -> None:
    server.back_door("POST", "settings", {"seconds": [2, 2]})
    server.submit()
    server.submit("videos/generations", model="wan", duration=1, size="64x64")
    image, video = server.back_door("GET", "tasks")[-2:]
    assert image["ends_at"] - image["starts_at"] == pytest.approx(2)
    assert video["ends_at"] - video["starts_at"] == pytest.approx(4)


def test_durations_are_drawn_from_the_range(server: Server) -> None:
    server.back_door("POST", "settings", {"seconds": "0.02..0.08"})
    for _ in range(12):
        server.submit()
    lasts = [task["ends_at"] - task["starts_at"] for task in server.back_door("GET", "tasks")[-12:]]
    assert all(0.019 < span < 0.081 for span in lasts)
    assert max(lasts) - min(lasts) > 0.02


def test_a_synchronous_request_takes_as_long_as_a_task(start: Start) -> None:
    server = start("--admin", "--seconds", "0.4")
    begun = time.monotonic()
    body = {"model": "nano-banana", "prompt": "a lake", "size": "64x64"}
    server.client.post("/v1/images/generations", json=body).raise_for_status()
    assert 0.4 <= time.monotonic() - begun < 4
    charge = server.charges()[0]
    assert charge["id"].startswith("req_")
    assert (charge["model"], charge["credits"]) == ("gemini-2.5-flash-image", 2)


def test_work_is_charged_though_nobody_waits(start: Start) -> None:
    server = start("--admin", "--seconds", "0.1")
    body = {"model": "nano-banana", "prompt": "a lake", "size": "64x64"}
    with pytest.raises(httpx.ReadTimeout):
        server.client.post("/v1/images/generations", json=body, timeout=0.05)
    name = server.submit()
    until(lambda: len(server.charges()) == 2)
    assert server.charges()[1]["id"] == name


def _plan(server: Server) -> list[tuple[str, float, float]]:
    return [(task["id"], task["starts_at"], task["ends_at"]) for task in server.back_door("GET", "tasks")]


def test_a_restarted_server_goes_on(start: Start, tmp_path: Path) -> None:
    first = start("--state", tmp_path, "--seconds", "0.2")
    done = first.submit(prompt="the first")
    old = get(first.urls(done)[0]).content
    first.client.close()
    running = Server("--state", str(tmp_path), "--seconds", "1.5", "--admin")
    names = [running.submit(prompt=f"number {number}") for number in range(3)]
    edit = running.client.post(
        "/v1/async/images/edits", data={"model": "nano-banana", "prompt": "warmer", "size": "64x64"}, files={"image": old}
    ).json()["id"]
    planned = _plan(running)
    running.process.kill()
    running.close()

    second = start("--state", tmp_path, "--admin")
    assert _plan(second) == planned
    assert all(get(url).status_code == 200 for name in [*names, edit] for url in second.urls(name))
    assert second.urls(done)[0].startswith(second.media)
    assert get(second.urls(done)[0]).content == old
    assert len(second.charges()) == 5


def test_two_servers_share_a_folder(start: Start, tmp_path: Path) -> None:
    one = start("--state", tmp_path, "--seconds", "0.2", "--capacity", "1")
    other = start("--state", tmp_path, "--seconds", "0.2", "--capacity", "1", "--admin")
    names = [(one, other)[number % 2].submit() for number in range(4)]
    assert all(other.finished(name)["status"] == "completed" for name in names)
    spans = [(task["starts_at"], task["ends_at"]) for task in other.back_door("GET", "tasks")]
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert len({charge["id"] for charge in other.charges()}) == len(other.charges()) == 4
    # A URL that one server handed out works at the other.
    url = httpx.URL(one.urls(names[0])[0])
    assert get(url.copy_with(port=httpx.URL(other.media).port)).status_code == 200


def test_a_forgotten_task(server: Server) -> None:
    name = server.submit()
    server.finished(name)
    server.back_door("POST", f"forget/{name}")
    assert server.client.get(f"/v1/tasks/{name}").status_code == 404
    assert name in [charge["id"] for charge in server.charges()]
    assert request("POST", f"{server.api}/_local/forget/task_none").status_code == 404


@pytest.mark.parametrize(
    ("ends", "capacity", "starts"),
    [([], 2, 10), ([15, 12], None, 10), ([15], 2, 10), ([15, 12], 2, 12), ([15, 12, 11], 2, 12), ([9, 8], 1, 10)],
)
def test_when_a_task_starts(ends: list[float], capacity: int | None, starts: float) -> None:
    assert schedule.start(10, ends, capacity) == starts


def test_progress_is_a_function_of_the_clock() -> None:
    course = [schedule.progress(now / 10, 1, 5) for now in range(80)]
    assert course == sorted(course)
    assert (course[0], course[10], course[-1]) == (0, 0, 99)
    assert schedule.progress(30, 10, 50) > 50
