"""The API over HTTP, against answers written by hand from pixapi-api.md: what is sent, what is read, what is raised."""

from __future__ import annotations

import copy
import email
import email.policy
import gzip
import pickle
import socket
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from pixapi_nb import wire as wire_module
from pixapi_nb.errors import (
    APIError,
    EndpointMissing,
    InvalidRequest,
    ModelNotFound,
    NotSent,
    OutcomeUnknown,
    PixapiError,
    RateLimited,
    TaskNotFound,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
    UsageError,
)
from pixapi_nb.models import Completed, InputImage, MediaItem, Processing, Submitted, VideoRequest
from pixapi_nb.wire import Secret, Server, retry_after
from tests.raw import (
    CLOSE,
    GENERATE,
    HANG,
    KEY,
    MODELS,
    PNG,
    RESET,
    SUBMIT,
    SUBMITTED,
    TASK,
    VIDEO,
    Trouble,
    a_request,
    answer,
    completed,
    on_wire,
    refusal,
    task,
)
from tests.test_errors import TABLE

pytest_plugins = ["tests.fixtures"]

ONE, TWO = InputImage(name='na"me\n.png', data=PNG), InputImage(name="猫.png", data=PNG + b"2")
HTML = answer(502, "<html><h1>502 Bad Gateway</h1></html>", Content_Type="text/html")


def submit(request=None):
    return lambda wire: wire.submit(request or a_request())


def generate(request=None):
    return lambda wire: wire.generate(request or a_request())


def retrieve(wire):
    return wire.retrieve_task("task_01K")


def list_models(wire):
    return wire.list_models()


PAID = [(SUBMIT, submit()), (GENERATE, generate())]
paid = pytest.mark.parametrize(("route", "call"), PAID, ids=["async", "sync"])
FREE = [(TASK, retrieve), (MODELS, list_models)]


# -- what is sent


def test_a_generation_is_json_with_the_documented_fields(raw):
    raw.on(SUBMIT, SUBMITTED)
    request = a_request(n=2, size="2K", quality="high", response_format="url", prompt='猫 {in} "quotes"')
    assert on_wire(raw.url, submit(request)) == Submitted("task_01K")
    (asked,) = raw.asked
    assert asked.json == {
        "model": "gemini-3-pro-image-preview", "prompt": "猫 {in} \"quotes\"", "n": 2,
        "size": "2K", "quality": "high", "response_format": "url",
    }  # fmt: skip
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"].startswith("pixapi_nb/")


@pytest.mark.parametrize(("path", "call"), [("/v1/async/images/edits", submit), ("/v1/images/edits", generate)])
def test_an_edit_is_a_form_with_several_image_fields(raw, path, call):
    raw.on(f"POST {path}", SUBMITTED if call is submit else answer(200, {"created": 1, "data": [{"url": "x"}]}))
    on_wire(raw.url, call(a_request(images=(ONE, TWO), size="auto")))
    (asked,) = raw.asked
    form = email.message_from_bytes(
        b"Content-Type: " + asked.headers["content-type"].encode() + b"\r\n\r\n" + asked.body, policy=email.policy.HTTP
    )
    parts = list(form.iter_parts())
    fields = {p.get_param("name", header="content-disposition"): p.get_content() for p in parts if not p.get_filename()}
    assert fields == {"model": "gemini-3-pro-image-preview", "prompt": "a cup", "n": "1", "size": "auto"}
    files = [p for p in parts if p.get_filename()]
    assert [p.get_param("name", header="content-disposition") for p in files] == ["image", "image"]
    assert [(p.get_payload(decode=True), p.get_content_type()) for p in files] == [
        (PNG, "image/png"),
        (PNG + b"2", "image/png"),
    ]


@pytest.mark.parametrize(
    ("image", "sent"),
    [(None, None), (ONE, "data:image/png;base64,iVBORw0KGgo"), (InputImage(name="x", url="https://x/y"), "https://x/y")],
)
def test_a_video_is_json_with_its_start_image_as_a_url(raw, image, sent):
    raw.on(VIDEO, SUBMITTED)
    on_wire(raw.url, submit(VideoRequest(model="veo", prompt="a wave", duration=6.0, size="16:9", input_image=image)))
    body = raw.asked[0].json
    assert (body.pop("input_image", None) or "")[:33] == (sent or "")[:33]
    assert body == {"model": "veo", "prompt": "a wave", "duration": 6, "size": "16:9"}


@pytest.mark.parametrize(
    ("base", "path"),
    [("", "/v1/models"), ("/", "/v1/models"), ("/v1", "/v1/models"), ("/v1/", "/v1/models"), ("/proxy/v1", "/proxy/v1/models")],
)
def test_a_base_url_may_end_in_v1(raw, base, path):
    raw.on("GET ", answer(200, {"data": []}))
    assert on_wire(raw.url + base, list_models) == ()
    assert raw.asked[0].path == path


@pytest.mark.parametrize("name", ["../../etc", "a/b?c#d", "a b", "ö"])
def test_a_task_id_is_one_segment_of_the_path(raw, name):
    raw.on("GET /v1/tasks/", task("processing"))
    on_wire(raw.url, lambda wire: wire.retrieve_task(name))
    assert raw.asked[0].path.removeprefix("/v1/tasks/").count("/") == 0
    assert "?" not in raw.asked[0].path


# -- what is read


def test_the_documented_answers(raw):
    raw.on(SUBMIT, SUBMITTED)
    raw.on(GENERATE, answer(200, {"created": 1766880000, "data": [{"url": "https://cdn.pixapi.ai/a.png"}]}))
    raw.on(TASK, task("processing", progress=40), completed("https://cdn.pixapi.ai/a.png", None))
    raw.on(MODELS, answer(200, {"object": "list", "data": [{"id": "veo", "object": "model", "category": "video"}]}))
    item = MediaItem(url="https://cdn.pixapi.ai/a.png")
    assert on_wire(raw.url, submit()) == Submitted("task_01K")
    assert on_wire(raw.url, generate()) == Completed(None, (item,))
    assert on_wire(raw.url, retrieve) == Processing("task_01K", 40)
    assert on_wire(raw.url, retrieve) == Completed("task_01K", (item, MediaItem()), 1.5)
    assert [m.kind for m in on_wire(raw.url, list_models)] == ["video"]


def test_a_byte_order_mark_and_compression_do_no_harm(raw):
    raw.on(
        MODELS, answer(200, b'\xef\xbb\xbf{"data": []}'), answer(200, gzip.compress(b'{"data": []}'), Content_Encoding="gzip")
    )
    assert on_wire(raw.url, list_models) == on_wire(raw.url, list_models) == ()


# -- what is raised


async def raised(wire, call):
    """What the call raises."""
    with pytest.raises(PixapiError) as caught:
        await call(wire)
    return caught.value


@pytest.mark.parametrize(("route", "call"), [*PAID, *FREE])
def test_every_error_of_the_api_from_every_endpoint(raw, route, call):
    rows = [(shape, *row) for row in TABLE for shape in (1, 2)]
    headers = {"Retry_After": "7", "X_Request_Id": "req_header"}
    raw.on(route, *(refusal(status, name, "The reason.", shape=shape, **headers) for shape, status, name, _ in rows))

    async def ask_all(wire):
        return [await raised(wire, call) for _ in rows]

    for error, (shape, status, name, kind) in zip(on_wire(raw.url, ask_all), rows, strict=True):
        expected = TaskNotFound if status == 404 and call is retrieve else kind
        assert type(error) is expected
        assert (error.status, error.code, error.documented) == (status, name, True)
        assert error.request_id == ("req_7" if shape == 2 else "req_header")
        assert error.retry_after == (None if expected is TaskNotFound else 7)
        assert "The reason." in error.message or expected is TaskNotFound
    assert len(raw.asked) == len(rows)


UNCLEAR = {
    "read timeout": HANG,
    "reset before the answer": RESET,
    "closed before the answer": CLOSE,
    "closed in the head": Trouble("close", b"HTTP/1.1 200 OK\r\nContent-Le"),
    "closed in the body": Trouble("close", answer(200, b'{"id": "task_01K"}')[:-5]),
    "reset in the body": Trouble("reset", answer(200, b'{"id": "task_01K"}')[:-5]),
    "hangs in the body": Trouble("hang", answer(200, b'{"id": "task_01K"}')[:-5]),
    "not HTTP": Trouble("close", b"\x15\x03\x01\x00\x02\x02\x50 nonsense\r\n\r\n"),
    "bad gateway in HTML": HTML,
    "gateway timeout": answer(504, {"error": {"code": "timeout", "message": "m"}}),
    "request timeout": answer(408, {"error": {"code": "timeout", "message": "m"}}),
    "client closed": answer(499),
    "500 in HTML": answer(500, "<html>oops</html>"),
    "503 without a body": answer(503),
    "500 in another shape": answer(500, {"error": {"code": None, "type": "server_error", "message": "m"}}),
    "503 as a list": answer(503, [{"error": "x"}]),
    "520 of a proxy": answer(520, {"error": {"code": "internal_error", "message": "m"}}),
    "redirect": answer(307, "", Location="/elsewhere"),
    "HTML with 200": answer(200, "<html>Welcome to the hotel</html>"),
    "empty with 200": answer(200),
    "no content": answer(204, "", Content_Length=""),
    "truncated JSON": answer(200, '{"id": "task_01K", "stat'),
    "not UTF-8": answer(200, b'{"id": "\xff\xfe"}'),
    "a list": answer(200, [{"id": "task_01K"}]),
    "a text": answer(200, '"task_01K"'),
    "null": answer(200, "null"),
    "nothing of use": answer(200, {"status": "paused"}),
    "an error with 200": answer(200, {"error": {"code": "internal_error", "message": "m"}}),
    "bottomless JSON": answer(200, "[" * 200_000),
    "broken compression": answer(200, b"not gzip at all", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("trouble", UNCLEAR)
def test_a_request_with_an_unclear_end_is_sent_once_and_an_unknown_outcome_where_it_is_paid(raw, trouble):
    raw.on("", UNCLEAR[trouble])

    async def ask_all(wire):
        return [await raised(wire, call) for _, call in [*PAID, *FREE]]

    errors = on_wire(raw.url, ask_all, timeout=0.2)
    assert raw.posts == 2
    for error in errors[:2]:
        assert type(error) is OutcomeUnknown
        assert error.message.startswith("the request was sent")
        assert "charged" in str(error.hint)
    for error in errors[2:]:
        assert type(error) is not NotSent
        assert not isinstance(error, OutcomeUnknown)
        if isinstance(error, APIError):
            assert error.status >= 300, "an answer that cannot be read is no refusal"
    for error in errors:
        assert len(error.message) < 400
        assert error.message.isprintable()


def test_an_unreadable_answer_about_a_task_does_not_say_that_the_task_is_gone(raw):
    for page in (answer(404, "<html>nginx</html>"), answer(404), answer(200, "<html>"), answer(200), answer(302), answer(403)):
        raw.on(TASK, page)
        with pytest.raises(Unreachable, match="did not answer as the API does"):
            on_wire(raw.url, retrieve)
    raw.on(TASK, answer(404, {"detail": "Not Found"}))
    with pytest.raises(UnexpectedAnswer):
        on_wire(raw.url, retrieve)
    raw.on(TASK, refusal(404, "not_found", shape=1))
    with pytest.raises(TaskNotFound):
        on_wire(raw.url, retrieve)


@pytest.mark.parametrize(
    "url",
    [
        *["http://127.0.0.1:{closed}", "http://no-such-host.invalid", "https://127.0.0.1:{raw}", "ftp://127.0.0.1"],
        *["http://" + "a" * 70 + ".example", "http://a..example"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", [submit(), generate(), retrieve, list_models], ids=["submit", "generate", "task", "models"])
def test_what_never_left_is_not_sent(raw, url, call):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        raw.on("", answer(500))
        with pytest.raises(NotSent, match="cannot be reached"):
            on_wire(url.format(closed=unused.getsockname()[1], raw=raw.port), call)
    assert raw.posts == 0


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:port", "http://["])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(UsageError, match="is not one"):
        Server(url, Secret(KEY), url)


def test_an_answer_without_end_is_cut_off(raw, monkeypatch):
    monkeypatch.setattr(wire_module, "_LARGEST_ANSWER", 1000)
    raw.on("", answer(200, b" " * 5000))
    with pytest.raises(OutcomeUnknown, match="larger than any answer"):
        on_wire(raw.url, submit())
    with pytest.raises(UnexpectedAnswer, match="larger than any answer"):
        on_wire(raw.url, retrieve)


@pytest.mark.parametrize(
    "refused",
    [
        answer(404, {"error": {"message": "Invalid URL", "type": "invalid_request_error", "param": None, "code": None}}),
        answer(404, {"detail": "Not Found"}),
        answer(404, "<html>nginx</html>"),
        answer(404),
        answer(405, {"error": {"message": "No POST", "type": "invalid_request_error", "code": "method_not_supported"}}),
        answer(405),
    ],
    ids=["OpenAI", "FastAPI", "nginx", "empty", "OpenAI 405", "empty 405"],
)  # fmt: skip
@paid
def test_an_endpoint_that_is_not_there(raw, route, call, refused):
    raw.on(route, refused)
    with pytest.raises(EndpointMissing, match="this server has no /v1/"):
        on_wire(raw.url, call)


def test_a_model_that_is_not_there_is_no_missing_endpoint(raw):
    openais = {
        "message": "The model 'x' does not exist",
        "type": "invalid_request_error",
        "param": None,
        "code": "model_not_found",
    }
    for body in (openais, {"code": 404, "type": "model_not_found", "message": "The model 'x' does not exist"}):
        raw.on(SUBMIT, answer(404, {"error": body}))
        with pytest.raises(ModelNotFound, match="does not exist"):
            on_wire(raw.url, submit())


# -- Retry-After


def http_date(seconds):
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3),
        ("0.5", 0.5),
        (" 7 ", 7),
        ("-5", 0),
        ("999999999", 3600),
        ("inf", 3600),
        ("nan", 0),
        ("", None),
        ("soon", None),
        (30, 30),
        (-30, 0),
        (10**6, 3600),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(value, seconds):
    found = retry_after({"retry-after": http_date(value) if isinstance(value, int) else value})
    assert found == (None if seconds is None else pytest.approx(seconds, abs=3))


def test_retry_after_reaches_the_error(raw):
    raw.on(SUBMIT, refusal(429, "rate_limited", shape=2, Retry_After=http_date(30)))
    with pytest.raises(RateLimited) as caught:
        on_wire(raw.url, submit())
    assert caught.value.retry_after == pytest.approx(30, abs=3)


# -- the key


@pytest.mark.parametrize("echoed", [KEY, f"Bearer {KEY}", KEY.replace("_", "\\u005f")])
@pytest.mark.parametrize(("route", "call"), [*PAID, *FREE])
def test_a_key_that_the_server_repeats_does_not_come_out(raw, echoed, route, call):
    said = f"Incorrect key {echoed} \\u001b[31m!"
    body = f'{{"error": {{"code": "{echoed}", "type": "{echoed}", "message": "{said}", "request_id": "{echoed}"}}}}'
    raw.on(route, answer(401, body, X_Request_Id=KEY))
    with pytest.raises(Unauthorized) as caught:
        on_wire(raw.url, call)
    shown = repr(vars(caught.value)) + str(caught.value) + "".join(caught.value._render_traceback_()[1:])
    assert KEY[6:] not in shown
    assert "sk_…" in caught.value.message
    assert "\x1b" not in shown


def test_a_key_that_a_failed_task_repeats_does_not_come_out(raw):
    raw.on(TASK, task("failed", error={"message": f"with {KEY}", "code": KEY}), task(f"odd {KEY}"))
    assert KEY not in repr(on_wire(raw.url, retrieve))
    with pytest.raises(UnexpectedAnswer) as caught:
        on_wire(raw.url, retrieve)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("key", ["x", "A", "none", "EMPTY", "iVBORw"])
def test_a_key_that_is_no_secret_does_not_spoil_what_is_paid_for(raw, key):
    """Local OpenAI-compatible servers take any word; as a piece of base64 or of a URL it must stay."""
    code = InputImage(name="x", data=PNG).as_url()
    raw.on(GENERATE, answer(200, {"data": [{"b64_json": code}, {"url": "https://EMPTY.example/none/x"}]}))
    done = on_wire(raw.url, generate(), key=key)
    assert done.items == (MediaItem(data=PNG), MediaItem(url="https://EMPTY.example/none/x"))


@pytest.mark.parametrize(
    "key", ["", "  ", "sk_with space", "sk_line\nbreak", "sk_umläut", "sk_zero\u200bwidth", "sk_\x00", "sk_…"]
)
def test_what_cannot_be_a_key_is_refused_without_being_repeated(key):
    with pytest.raises(UsageError) as caught:
        Secret(key)
    assert "sk_" not in str(caught.value)


def test_a_secret_shows_itself_nowhere():
    secret = Secret(f" {KEY}\n")
    assert secret.reveal() == KEY
    assert secret == Secret(secret) == copy.copy(secret) == copy.deepcopy(secret)
    server = Server("https://api.pixapi.ai", secret, "https://api.pixapi.ai")
    for shown in (repr(secret), str(secret), f"{secret}", repr(server), repr({secret: 1})):
        assert KEY not in shown
    for holder in (secret, server):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(holder)


# -- the media host


def fetch(url, **options):
    async def read(wire):
        async with wire.media(url, **options) as response:
            return response.status_code, await response.aread()

    return read


def test_the_media_host_never_sees_the_key_also_after_redirects(raw, media_host):
    """Not on its own host, not back on the API's, and not by cookies."""
    raw.on("GET /a", answer(302, "", Location=media_host.url + "/b", Set_Cookie="s=1"))
    media_host.on("GET /b", answer(302, "", Location=raw.url + "/c"))
    raw.on("GET /c", answer(200, PNG))
    raw.on(MODELS, answer(200, {"data": []}, Set_Cookie="session=secret"))

    async def both(wire):
        await wire.list_models()
        return await fetch("/a")(wire)

    assert on_wire(raw.url, both) == (200, PNG)
    asked = [*raw.seen("GET /a"), *raw.seen("GET /c"), *media_host.asked]
    assert len(asked) == 3
    for one in asked:
        assert "authorization" not in one.headers
        assert KEY not in repr(one.headers)
        assert "session=secret" not in one.headers.get("cookie", "")
        assert one.headers["accept-encoding"] == "identity", "ranges are counted in the file's own bytes"


def test_a_range_is_asked_for_with_its_validator(media_host):
    media_host.on("GET ", answer(206, PNG[5:], Content_Range=f"bytes 5-{len(PNG) - 1}/{len(PNG)}"))
    on_wire("http://127.0.0.1:9", fetch(media_host.url + "/m", start=5, validator='"v1"'))
    assert (media_host.asked[0].headers["range"], media_host.asked[0].headers["if-range"]) == ("bytes=5-", '"v1"')


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("ftp://example.org/a.png", UnexpectedAnswer),
        ("file:///etc/passwd", UnexpectedAnswer),
        ("http://[", UnexpectedAnswer),
        ("http://127.0.0.1:99999/", UnexpectedAnswer),
        ("http://" + "a" * 70 + ".example/", Unreachable),
        ("{raw}/loop", UnexpectedAnswer),
        ("{raw}/reset", Unreachable),
        ("{raw}/cut", Unreachable),
        ("http://no-such-host.invalid/", Unreachable),
    ],
)
def test_media_that_cannot_be_had(raw, url, kind):
    raw.on("GET /loop", answer(302, "", Location="/loop"))
    raw.on("GET /reset", RESET)
    raw.on("GET /cut", Trouble("close", answer(200, PNG)[:-9]))
    with pytest.raises(kind) as caught:
        on_wire(raw.url, fetch(url.format(raw=raw.url)))
    assert type(caught.value) is kind


# -- the environment


def test_no_proxy_of_the_environment_stands_before_this_machine(raw, media_host, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, media_host.url)
    raw.on(MODELS, answer(200, {"data": []}))
    raw.on("GET /m", answer(200, PNG))
    for host in ("127.0.0.1", "localhost"):
        base = f"http://{host}:{raw.port}"
        assert on_wire(base, list_models) == ()
        assert on_wire(base, fetch(base + "/m")) == (200, PNG)
    assert media_host.asked == []
    media_host.on("GET http://example.invalid/", answer(400, {"error": {"code": "through_proxy", "message": "m"}}))
    with pytest.raises(InvalidRequest):  # elsewhere, it does
        on_wire("http://example.invalid", list_models)
