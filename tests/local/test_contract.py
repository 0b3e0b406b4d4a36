"""The HTTP contract, as Pixapi's API Reference states it."""

import base64
import io
import time

import pytest
from PIL import Image

from tests.local.server import KEY, Server, get, request


def _picture(colour: str = "orange", size: tuple[int, int] = (120, 80)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def _fetch(url: str) -> Image.Image:
    return Image.open(io.BytesIO(get(url).raise_for_status().content))


def test_a_submission_and_its_task(server: Server) -> None:
    before = int(time.time())
    answer = server.client.post(
        "/v1/async/images/generations",
        json={"model": "nano-banana-pro", "prompt": "a fox in the snow", "n": 2, "size": "96x64"},
    )
    submitted = answer.json()
    assert answer.status_code == 200
    assert submitted["id"].startswith("task_")
    assert {**submitted, "id": "", "created_at": 0} == {
        "status": "submitted", "id": "", "progress": 0, "created_at": 0, "model": "gemini-3-pro-image-preview",
    }  # fmt: skip
    assert before <= submitted["created_at"] <= time.time()

    task = server.finished(submitted["id"])
    assert task["status"] == "completed"
    assert task["progress"] == 100
    assert task["model"] == "gemini-3-pro-image-preview"
    assert task["credits_cost"] == 16
    assert task["created"] == submitted["created_at"]
    assert task["completed"] >= task["created"]
    assert task["result"]["type"] == "image"
    pictures = [_fetch(item["url"]) for item in task["result"]["data"]]
    assert [picture.size for picture in pictures] == [(96, 64)] * 2
    assert all(item["url"].startswith(server.media) for item in task["result"]["data"])


def test_synchronous_generation(server: Server) -> None:
    body = {"model": "gemini-2.5-flash-image", "prompt": "a cup", "size": "64x64"}
    answer = server.client.post("/v1/images/generations", json=body).json()
    assert answer.keys() == {"created", "data"}
    assert _fetch(answer["data"][0]["url"]).size == (64, 64)


@pytest.mark.parametrize("way", ["images", "async/images"])
def test_base64_instead_of_a_url(server: Server, way: str) -> None:
    body = {"model": "gpt-image-1.5", "prompt": "a cup", "size": "64x64", "response_format": "b64_json"}
    answer = server.client.post(f"/v1/{way}/generations", json=body).json()
    items = server.finished(answer["id"])["result"]["data"] if "id" in answer else answer["data"]
    assert [item.keys() for item in items] == [{"b64_json"}]
    assert Image.open(io.BytesIO(base64.b64decode(items[0]["b64_json"]))).size == (64, 64)


@pytest.mark.parametrize("way", ["images", "async/images"])
@pytest.mark.parametrize("field", ["image", "image[]"])
def test_edits_take_one_or_several_files(server: Server, way: str, field: str) -> None:
    files = [(field, ("a.png", _picture(), "image/png")), (field, ("b.png", _picture("teal"), "image/png"))]
    form = {"model": "nano-banana", "prompt": "put them together", "n": "1", "size": "128x128"}
    answer = server.client.post(f"/v1/{way}/edits", data=form, files=files).json()
    items = server.finished(answer["id"])["result"]["data"] if "id" in answer else answer["data"]
    assert _fetch(items[0]["url"]).size == (128, 128)
    entry = server.requests("/edits")[-1]
    assert entry["fields"] == {
        "model": "nano-banana",
        "prompt": "put them together",
        "n": 1,
        "size": "128x128",
        "image": "2 file(s)",
    }


def test_an_edit_of_automatic_size_keeps_the_shape(server: Server) -> None:
    files = [("image", ("a.png", _picture(size=(300, 150)), "image/png"))]
    answer = server.client.post("/v1/images/edits", data={"model": "nano-banana", "prompt": "warmer"}, files=files).json()
    assert _fetch(answer["data"][0]["url"]).size == (1024, 512)


def test_the_catalogue(server: Server) -> None:
    answer = server.client.get("/v1/models").json()
    assert answer["object"] == "list"
    by_id = {model["id"]: model for model in answer["data"]}
    assert list(by_id) == [
        "gemini-2.5-flash-image", "gemini-3.1-flash-image-preview", "gemini-3-pro-image-preview", "gpt-image-1.5",
        "gpt-image-2", "veo", "kling", "wan", "sora-2",
    ]  # fmt: skip
    assert by_id["veo"] == {
        "id": "veo", "object": "model", "category": "video", "capabilities": ["text-to-video", "image-to-video"],
    }  # fmt: skip
    assert by_id["gpt-image-2"]["capabilities"] == ["text-to-image", "image-to-image"]


@pytest.mark.parametrize("key", [None, "", "nonsense", "Bearer pk_1", "Basic sk_1", "Bearer sk-1"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/models"), ("POST", "/v1/images/generations"), ("GET", "/v1/tasks/x")]
)
def test_without_a_key(server: Server, key: str | None, method: str, path: str) -> None:
    answer = request(method, server.api + path, headers={} if key is None else {"Authorization": key})
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"


VALID = {"model": "nano-banana", "prompt": "a lake"}


@pytest.mark.parametrize(
    ("change", "status", "name", "says"),
    [
        ({"model": None}, 400, "invalid_request_error", "model"),
        ({"prompt": None}, 400, "invalid_request_error", "prompt"),
        ({"prompt": "  "}, 400, "invalid_request_error", "prompt"),
        ({"prompt": 7}, 400, "invalid_request_error", "prompt"),
        ({"prompt": "x" * 32_001}, 400, "invalid_request_error", "prompt"),
        ({"n": 0}, 400, "invalid_request_error", "n:"),
        ({"n": 11}, 400, "invalid_request_error", "n:"),
        ({"n": 1.5}, 400, "invalid_request_error", "n:"),
        ({"n": "2"}, 400, "invalid_request_error", "n:"),
        ({"n": True}, 400, "invalid_request_error", "n:"),
        ({"size": "big"}, 400, "invalid_request_error", "size"),
        ({"size": "63x64"}, 400, "invalid_request_error", "64 to 4096"),
        ({"size": "4097x64"}, 400, "invalid_request_error", "64 to 4096"),
        ({"size": "9:1"}, 400, "invalid_request_error", "ratio"),
        ({"model": "gpt-image-1.5", "size": "2K"}, 400, "invalid_request_error", "WIDTHxHEIGHT"),
        ({"model": "gpt-image-2", "size": "1000x1000"}, 400, "invalid_request_error", "multiples of 16"),
        ({"model": "gpt-image-2", "size": "512x512"}, 400, "invalid_request_error", "655,360"),
        ({"model": "gpt-image-2", "size": "4096x4096"}, 400, "invalid_request_error", "8,294,400"),
        ({"model": "gpt-image-2", "size": "3200x640"}, 400, "invalid_request_error", "3:1"),
        ({"quality": "best"}, 400, "invalid_request_error", "quality"),
        ({"response_format": "png"}, 400, "invalid_request_error", "response_format"),
        ({"model": "veo"}, 400, "invalid_request_error", "videos"),
        ({"model": "midjourney"}, 404, "model_not_found", "midjourney"),
        ({"prompt": "a Forbidden-Test-Prompt here"}, 422, "prompt_rejected", "policy"),
    ],
)  # fmt: skip
def test_what_does_not_fit(server: Server, change: dict[str, object], status: int, name: str, says: str) -> None:
    body = {key: value for key, value in {**VALID, **change}.items() if value is not None}
    answer = server.client.post("/v1/async/images/generations", json=body)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert says in error["message"]
    if status == 400:
        assert error.keys() == {"code", "message", "type"}
        assert (error["code"], error["type"]) == (400, name)
    else:
        assert error.keys() == {"code", "message", "request_id"}
        assert (error["code"], error["request_id"]) == (name, answer.headers["x-request-id"])


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_that_is_no_json_object(server: Server, body: bytes) -> None:
    answer = server.client.post("/v1/images/generations", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("form", "file", "says"),
    [
        ({}, None, "image"),
        ({}, b"not an image", "image"),
        ({"n": "many"}, _picture(), "n:"),
        ({"model": "veo"}, _picture(), "videos"),
    ],
)
def test_an_edit_that_does_not_fit(server: Server, form: dict[str, str], file: bytes | None, says: str) -> None:
    files = [("image", ("a.png", file, "image/png"))] if file else [("other", ("a.txt", b"x", "text/plain"))]
    answer = server.client.post("/v1/images/edits", data=VALID | form, files=files)
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"duration": 0}, "1 to 15"), ({"duration": 16}, "1 to 15"), ({"duration": "6"}, "number"),
        ({"size": "721x405"}, "even"), ({"model": "nano-banana"}, "images"),
        ({"input_image": "cat.png"}, "URL"), ({"input_image": "data:image/png;base64,?"}, "base64"),
        ({"input_image": "data:image/png;base64,AAAA"}, "not an image"), ({"input_image": "data:,hello"}, "base64"),
    ],
)  # fmt: skip
def test_a_video_that_does_not_fit(server: Server, change: dict[str, object], says: str) -> None:
    body = {"model": "veo", "prompt": "waves", "duration": 1, "size": "128x72"} | change
    answer = server.client.post("/v1/async/videos/generations", json=body)
    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/tasks/task_none", 404, "task_not_found"), ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/images/generations", 405, "method_not_allowed"), ("POST", "/v1/videos/generations", 404, "not_found"),
    ],
)  # fmt: skip
def test_what_is_not_there(server: Server, method: str, path: str, status: int, code: str) -> None:
    answer = server.client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.headers["x-request-id"].startswith("req_")


def test_nothing_refused_is_charged(server: Server) -> None:
    before = len(server.charges())
    server.client.post("/v1/async/images/generations", json={"model": "nano-banana"})
    server.client.post("/v1/async/images/generations", json=VALID, headers={"Authorization": "Bearer no"})
    assert len(server.charges()) == before


def test_the_record_knows_no_keys(server: Server) -> None:
    server.urls(server.submit())
    record = server.back_door("GET", "requests")
    assert KEY not in str(record)
    assert any(entry["authorization"] for entry in record)


def test_the_back_door_is_shut_by_default(start) -> None:
    closed = start()
    assert closed.client.get("/_local/requests").status_code == 404
    assert closed.client.post("/_local/faults", json={"kind": "reset"}).status_code == 404
