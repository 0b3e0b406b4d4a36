"""From the server's JSON to our types: written by hand from pixapi-api.md, and what is outside of it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixapi_nb.answers import parse_images, parse_models, parse_submission, parse_task
from pixapi_nb.errors import UnexpectedAnswer
from pixapi_nb.models import Completed, Failed, MediaItem, Processing, Submitted
from tests.raw import PNG

CODE = base64.b64encode(PNG).decode()
URL = "https://cdn.pixapi.ai/a.png"


def task(status="processing", **fields):
    return parse_task({"id": "task_1", "status": status, **fields}, "task_1")


def test_the_documented_answers():
    assert parse_images({"created": 1766880000, "data": [{"url": URL}]}) == Completed(None, (MediaItem(url=URL),))
    assert parse_images({"created": 1, "data": [{"b64_json": CODE}]}).items == (MediaItem(data=PNG),)
    accepted = {"status": "submitted", "id": "task_01K", "progress": 0, "created_at": 1703884800, "model": "m"}
    assert parse_submission(accepted) == Submitted("task_01K")
    assert task("submitted", progress=0, created=1) == Submitted("task_1")
    assert task("processing", progress=40, created_at=1) == Processing("task_1", 40)
    result = {"type": "image", "data": [{"url": URL}, {}]}
    assert task("completed", credits_cost=1.5, result=result) == Completed("task_1", (MediaItem(url=URL), MediaItem()), 1.5)
    rows = [{"id": "veo", "object": "model", "category": "video", "capabilities": ["text-to-video"]}]
    (model,) = parse_models({"object": "list", "data": rows})
    assert (model.id, model.kind, model.capabilities) == ("veo", "video", ("text-to-video",))


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        ({"code": 400, "message": "No paint.", "type": "invalid_request_error"}, "No paint.", "invalid_request_error"),
        ({"code": "generation_failed", "message": "No paint.", "request_id": "r"}, "No paint.", "generation_failed"),
        ("No paint.", "No paint.", None),
        ({"message": "\x1b[1mNo\u202e paint."}, "No paint.", None),
        (None, None, None),
        ({}, None, None),
        ([], None, None),
        ("", None, None),
        ({"message": None, "code": 7}, None, None),
    ],
)
def test_a_failed_task_says_why_in_either_shape_or_not_at_all(error, reason, code):
    assert task("failed", error=error) == Failed("task_1", reason, code)
    assert task("failed") == Failed("task_1")


@pytest.mark.parametrize(
    "fields",
    [
        {"b64_json": CODE},
        {"b64_json": f"data:image/png;base64,{CODE}"},
        {"b64_json": "\n".join(CODE[at : at + 60] for at in range(0, len(CODE), 60))},
        {"b64_json": CODE.rstrip("=")},
        {"b64_json": base64.urlsafe_b64encode(PNG).decode()},
        {"url": f"data:image/png;base64,{CODE}"},
        {"url": None, "b64_json": CODE},
        {"url": URL, "b64_json": CODE},
    ],
)
def test_pictures_inside_the_answer_are_read_in_all_their_dress(fields):
    assert parse_images({"data": [fields]}).items == (MediaItem(data=PNG),)
    assert task("completed", result={"data": [fields]}).items == (MediaItem(data=PNG),)


@pytest.mark.parametrize("bad", [None, 7, [], "text", {"b64_json": "%%%"}, {"url": "data:image/png;base64,%%%"}])
def test_one_unreadable_item_does_not_cost_the_others(bad):
    done = parse_images({"data": [{"url": URL}, bad, {"b64_json": CODE}]})
    assert done.items == (MediaItem(url=URL), MediaItem(), MediaItem(data=PNG))
    with pytest.raises(UnexpectedAnswer):
        parse_images({"data": [bad]})


@pytest.mark.parametrize("item", [{}, {"url": None}, {"url": ""}, {"url": 7}, {"b64_json": None}])
def test_an_item_without_anything_is_possible(item):
    assert parse_images({"data": [item]}).items == (MediaItem(),)


@pytest.mark.parametrize("body", [None, [], "text", 7, True])
def test_anything_but_an_object_is_refused(body):
    for parse in (parse_images, parse_submission, parse_models, lambda given: parse_task(given, "task_1")):
        with pytest.raises(UnexpectedAnswer):
            parse(body)


@pytest.mark.parametrize("data", [None, [], {}, "text", 7])
def test_done_without_media_is_refused(data):
    with pytest.raises(UnexpectedAnswer, match="no media"):
        parse_images({"data": data})
    results: list[object] = [None, [], "text", {"data": data}]
    for result in results:
        with pytest.raises(UnexpectedAnswer, match="no media"):
            task("completed", result=result)


@pytest.mark.parametrize("found", [None, "", " ", 7, ["task_1"], True])
def test_a_submission_without_an_id_is_refused(found):
    with pytest.raises(UnexpectedAnswer, match="id"):
        parse_submission({"status": "submitted", "id": found})


@pytest.mark.parametrize("status", ["paused", "COMPLETED", None, 7, {}, "\x1b[31mqueued\x1b[0m" * 100])
def test_an_unknown_status_is_refused_with_its_name(status):
    with pytest.raises(UnexpectedAnswer) as caught:
        task(status)
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        *[(0, 0), (99.5, 99.5), (100, 100), (250, 100), (-3, 0), (float("nan"), 0), (float("inf"), 0), (10**400, 0)],
        *[(None, 0), ("50", 0), (True, 0), ([], 0)],
    ],
)
def test_progress_is_a_number_from_0_to_100(given, shown):
    assert task(progress=given) == Processing("task_1", shown)
    assert parse_submission({"id": "task_1", "progress": given}) == Submitted("task_1", shown)


@pytest.mark.parametrize(
    ("given", "charged"), [(0, 0), (1.5, 1.5), (float("nan"), None), (-1, None), ("2", None), (10**400, None), (False, None)]
)
def test_a_charge_that_is_no_amount_is_unknown_and_never_0(given, charged):
    assert task("completed", credits_cost=given, result={"data": [{"url": URL}]}).credits == charged


def test_models_of_other_servers_are_listed_as_far_as_they_say():
    rows = [{"id": "flux"}, {"id": "x", "category": "audio", "capabilities": "text"}, {"name": "no id"}, None, {"id": 7}]
    assert [(m.id, m.kind, m.capabilities) for m in parse_models({"data": rows})] == [("flux", None, ()), ("x", None, ())]
    with pytest.raises(UnexpectedAnswer):
        parse_models({"object": "list"})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "id", "data", "result", "error", "url", "b64_json", "progress", "message", "code"])
            | st.text(max_size=4),
            inner | st.sampled_from(["completed", "failed", "processing", "submitted"]),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(anything)
def test_whatever_comes_is_read_or_refused(body):
    for parse in (parse_images, parse_submission, parse_models, lambda given: parse_task(given, "task_1")):
        said = refused(parse, body)
        assert said is None or said.isprintable()


def refused(parse, body):
    try:
        parse(body)
    except UnexpectedAnswer as error:
        return error.message
    return None
