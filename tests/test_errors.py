"""The one error tree: both shapes of the API, what is in neither, and what a person gets to read."""

from __future__ import annotations

import pickle

import pytest

from pixapi_nb import errors
from pixapi_nb.errors import (
    APIError,
    DownloadFailed,
    EndpointMissing,
    InsufficientCredits,
    InternalError,
    InvalidRequest,
    ModelNotFound,
    ModelUnavailable,
    PixapiError,
    PromptError,
    PromptRejected,
    RateLimited,
    TaskFailed,
    Unauthorized,
    clean,
)

TABLE = [  # of pixapi-api.md
    (400, "invalid_request_error", InvalidRequest),
    (400, "invalid_request", InvalidRequest),
    (401, "unauthorized", Unauthorized),
    (402, "insufficient_credits", InsufficientCredits),
    (404, "model_not_found", ModelNotFound),
    (422, "prompt_rejected", PromptRejected),
    (429, "rate_limited", RateLimited),
    (500, "internal_error", InternalError),
    (503, "model_unavailable", ModelUnavailable),
]


@pytest.mark.parametrize(("status", "name", "kind"), TABLE)
@pytest.mark.parametrize("shape", [1, 2])
def test_both_shapes_of_the_api_are_the_same_typed_error(status, name, kind, shape):
    numeric = {"code": status, "message": "The reason.", "type": name}
    named = {"code": name, "message": "The reason.", "request_id": "req_1"}
    error = APIError.from_response(status, {"error": [numeric, named][shape - 1]}, request_id="req_header", retry_after=2)
    assert type(error) is kind
    assert (error.message, error.status, error.code, error.documented) == ("The reason.", status, name, True)
    assert error.request_id == ["req_header", "req_1"][shape - 1]
    assert (error.retry_after, error.attempts) == (2, 1)
    assert str(error.request_id) in "\n".join("\n".join(error._render_traceback_()).splitlines())


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (502, None, APIError, "HTTP 502"),
        (401, None, Unauthorized, "HTTP 401"),
        (404, None, EndpointMissing, "HTTP 404"),
        (405, {"detail": "Method Not Allowed"}, EndpointMissing, "Method Not Allowed"),
        (500, [], InternalError, "HTTP 500"),
        (500, {"error": "as text"}, InternalError, "as text"),
        (500, {"error": {"message": "no code"}}, InternalError, "no code"),
        (500, {"error": {"code": None, "type": "server_error", "message": "OpenAI's"}}, InternalError, "OpenAI's"),
        (500, {"error": {"code": "internal_error", "message": {"not": "text"}}}, InternalError, "HTTP 500"),
        (500, {"error": {"code": "internal_error", "message": "\x1b[0m\u202e "}}, InternalError, "HTTP 500"),
        (400, {"message": "flat"}, InvalidRequest, "flat"),
        (400, {"detail": [{"loc": ["body"]}]}, InvalidRequest, "HTTP 400"),
        (403, {"error": {"code": "unauthorized", "message": "by name"}}, Unauthorized, "by name"),
        (418, {"error": {"code": "teapot", "message": "unheard of"}}, APIError, "unheard of"),
        (404, {"error": {"code": "oops", "type": "model_not_found", "message": "either field"}}, ModelNotFound, "either field"),
        (
            404,
            {"error": {"code": None, "type": "invalid_request_error", "message": "Invalid URL"}},
            EndpointMissing,
            "Invalid URL",
        ),
    ],
)
def test_what_is_in_neither_shape_is_typed_by_its_status_and_keeps_its_message(status, body, kind, message):
    error = APIError.from_response(status, body)
    assert type(error) is kind
    assert message in error.message


@pytest.mark.parametrize("body", [None, [], {}, {"error": None}, {"error": "x"}, {"error": {"message": "m", "type": "t"}}])
def test_only_the_apis_own_shapes_count_as_documented(body):
    assert not APIError.from_response(503, body).documented


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m alert", "red alert"),
        ("\x1b]0;title\x07done", "done"),
        ("a\x00b\x08c\x9bd", "a b c d"),
        ("one\n\n  two\r\nthree", "one two three"),
        ("safe \u202egnp.exe\u202c \u2066x\u2069", "safe gnp.exe x"),
        ("half \ud83d of it", "half of it"),
        ("Zürich 猫 ☕", "Zürich 猫 ☕"),
        (None, "None"),
    ],
)
def test_text_from_outside_is_cleaned(text, shown):
    assert clean(text) == shown


def test_text_from_outside_is_not_endless():
    assert clean("word " * 1_000_000, 50) == ("word " * 10)[:49] + "…"


def test_what_a_server_says_is_cleaned_in_every_field():
    nasty = "\x1b[2J\u202eevil\x00"
    body = {"error": {"code": nasty, "type": nasty, "message": nasty, "request_id": nasty}}
    error = APIError.from_response(400, body)
    assert {error.message, error.code, error.request_id} == {"evil"}


def test_every_error_says_what_and_how_to_go_on():
    made = [
        TaskFailed("task_1", "no paint"),
        TaskFailed("task_1"),
        DownloadFailed("gone.", task_id="task_1"),
        errors.Detached("task_1", hint="come back"),
        errors.OutcomeUnknown("lost"),
        errors.MissingKey(),
        *(APIError.from_response(status, None) for status, _, _ in TABLE if status != 500),  # whose hint the job adds
    ]
    for error in made:
        head, *rest = "\n".join(error._render_traceback_()).splitlines()
        assert type(error).__name__ in head
        assert error.message in head
        assert rest, f"{type(error).__name__} names no way on"
        assert "Traceback" not in str(error)


def test_a_prompt_error_points_at_its_place():
    error = PromptError("no such variable", prompt="first\nA {{cup}} here", start=8, end=15)
    assert error.message.splitlines()[1:] == ["  A {{cup}} here", "    ^^^^^^^"]


def test_the_tree_is_complete_and_in_order():
    kinds = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, PixapiError)}
    assert set(errors.__all__) == kinds | {"Interrupted", "clean"}
    listed = errors.__doc__ or ""
    assert all(name in listed for name in kinds)


@pytest.mark.parametrize(
    "error",
    [PixapiError("a", hint="b"), APIError.from_response(429, None, retry_after=1), TaskFailed("t", "r"), DownloadFailed("m")],
)
def test_errors_survive_a_process_boundary(error):
    """From a pool of processes, say; an exception that cannot be unpickled breaks the pool."""
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert vars(back) == vars(error)
