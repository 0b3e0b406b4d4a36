"""Files know how they were made and say no secrets; the same again costs nothing, on request."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pixapi_nb import pricing, recipes
from pixapi_nb.asking import Ask
from pixapi_nb.errors import BudgetExceeded, DownloadFailed, PixapiError, TaskNotFound, UsageError
from pixapi_nb.inputs import input_image
from pixapi_nb.jobs import Job
from pixapi_nb.ledger import Entry
from pixapi_nb.models import ImageRequest, InputImage, Request, VideoRequest
from pixapi_nb.session import Options, Session
from tests.harness.canary import found_in
from tests.harness.pixapi import KEY, PixapiServer
from tests.harness.waiting import until
from tests.raw import RawServer, answer

Make = Callable[..., Job]

PROMPTS = [
    "a plain prompt",
    "with {single} braces, $HOME and {a: 1}",
    "with {{two}} braces and {{{three}}} and \\{{ a backslash",
    "with \"double\" and 'single' quotes, and `ticks`",
    "over\nseveral\n\n  indented lines\n%%pixapi is no magic here\n-n 4",
    "ends with a backslash \\",
    "Übergröße, 東京, 🏔️, \u202e reversed",
    '{"json": [1, 2, {"deep": "{{x}}"}]}',
]


@pytest.fixture
def session(tmp_path: Path, pixapi_server: PixapiServer) -> Iterator[Session]:
    pixapi_server.settings(seconds=0)
    made = Session(folder=tmp_path / "out")
    yield made
    made.close()


def square(colour: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(out, "PNG")
    return out.getvalue()


def picture(prompt: str = "a lake", **fields: Any) -> ImageRequest:
    return ImageRequest(model="nano-banana", prompt=prompt, **({"size": "64x64"} | fields))


@pytest.fixture
def make(session: Session) -> Make:
    """Make something, and wait for it."""

    def ask(request: Request | None = None, **options: Any) -> Job:
        job = session.start(request or picture(), session.server(), Options(**options))
        list(job.events())
        if job.error:
            raise job.error
        return job

    return ask


def path_of(job: Job, index: int = 0) -> Path:
    found = job[index].path
    assert found is not None
    return found


# -- recipes


def test_a_png_has_its_recipe_inside_and_beside(make: Make, pixapi_server: PixapiServer) -> None:
    job = make(picture("a lake", n=2, quality="high"))
    inside = recipes.read(path_of(job, 1))
    beside = json.loads(recipes.sidecar(path_of(job, 1)).read_text())
    assert inside == beside
    asked = pixapi_server.requests("POST")[0]["fields"]
    assert {name: inside[name] for name in asked} == asked
    assert inside["task_id"] == job.task_id
    assert inside["credits"] == job.credits == 4
    assert inside["created"].endswith("Z")
    assert inside["pixapi_nb"]
    with Image.open(path_of(job)) as image:
        image.load()
        assert json.loads(image.info["pixapi_nb"])["prompt"] == "a lake"


def test_the_picture_itself_is_untouched(make: Make, pixapi_server: PixapiServer) -> None:
    job = make()
    (entry,) = pixapi_server.requests(server="media")
    served = pixapi_server.state / "media" / entry["path"].lstrip("/")
    with Image.open(served) as before, Image.open(path_of(job)) as after:
        assert before.tobytes() == after.tobytes()
        assert before.info.keys() <= after.info.keys()


def test_a_video_has_its_recipe_beside(make: Make) -> None:
    job = make(VideoRequest(model="wan", prompt="waves", size="128x72", duration=1, input_image=input_image(square())))
    found = recipes.read(path_of(job))
    assert (found["kind"], found["duration"], found["size"]) == ("video", 1, "128x72")
    assert found["inputs"][0]["sha256"] == input_image(square()).digest


def test_no_secret_in_any_file(make: Make, session: Session, pixapi_server: PixapiServer) -> None:
    make(picture("an edit", images=(input_image(path_of(make())),)))
    for path in session.folder.iterdir():
        data = path.read_bytes()
        assert not found_in(KEY, data)
        assert b"sig=" not in data
        assert pixapi_server.media.encode() not in data


def test_a_picture_given_by_address_is_named_without_its_signature(
    make: Make, pixapi_server: PixapiServer, session: Session
) -> None:
    task = make().task_id
    assert task is not None
    url = _address(session, task)
    assert "sig=" in url
    job = make(picture("an edit", images=(input_image(url),)))
    (given,) = recipes.read(path_of(job))["inputs"]
    assert given["name"] == url.partition("?")[0]
    row = session.ledger.get(job.id)
    assert row is not None
    assert "sig=" not in str(row)


def _address(session: Session, task: str) -> str:
    from pixapi_nb import portal
    from pixapi_nb.models import Completed

    status = portal.run(session.wire(session.server()).retrieve_task, task).result(10)
    assert isinstance(status, Completed)
    assert status.items[0].url
    return status.items[0].url


def test_they_can_be_left_out(make: Make, session: Session) -> None:
    job = make(recipes=False)
    assert [path.name for path in session.folder.iterdir()] == [path_of(job).name]
    with pytest.raises(UsageError, match="has no recipe"):
        recipes.read(path_of(job))


def test_a_file_that_is_gone_before_its_recipe_costs_nothing(
    make: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipes of the others are written all the same, and the result says what is missing."""
    write = recipes.write

    def late(job: Job, media: Any, *more: Any) -> None:
        media[0].path.unlink()
        write(job, media, *more)

    monkeypatch.setattr(recipes, "write", late)
    job = make(picture(n=2))
    assert any("no recipe" in note for note in job.notes)
    assert recipes.read(path_of(job, 1))["prompt"] == "a lake"
    assert not list(session.folder.glob("*.part"))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, b"not a picture"])
@pytest.mark.parametrize(
    ("sidecar", "said"),
    [(None, "has no recipe"), (b"{", "cannot be read"), (b"\xff\xfe", "cannot be read"), (b"[]", "not one of ours")],
)
def test_what_is_no_recipe_is_said_to_be_none(tmp_path: Path, content: bytes, sidecar: bytes | None, said: str) -> None:
    path = tmp_path / "some.png"
    path.write_bytes(content)
    if sidecar is not None:
        recipes.sidecar(path).write_bytes(sidecar)
    with pytest.raises(UsageError, match=said):
        recipes.read(path)


def test_a_recipe_from_a_stranger_is_only_words() -> None:
    odd = {"model": "x\n!rm -rf /", "prompt": "p", "inputs": "nothing", "size": "1; rm", "kind": "neither"}
    cell = recipes.as_cell(odd)
    assert cell.startswith("%%pixapi 'x")
    assert recipes.as_cell({"model": "m", "prompt": "p", "inputs": [1, {"name": "a b.png"}]}).startswith(
        "%%pixapi m -i 'a b.png'"
    )


# -- the cell that makes it again


def again(found: dict[str, Any], folder: Path) -> Request:
    """The request of the cell that a recipe gives."""
    first, _, body = recipes.as_cell(found).partition("\n")
    line = first.removeprefix("%%pixapi ")
    ask = Ask.read(line, body, defaults={"n": 1, "size": None, "quality": None}, variables={"two": 2, "x": 3}, folder=folder)
    known = pricing.find(ask.model)
    kind = ask.words.kind or (known.kind if known else "image")
    assert not ask.template.controls
    return ask.request(kind, {})


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_cell_asks_for_the_same(make: Make, pixapi_server: PixapiServer, prompt: str, tmp_path: Path) -> None:
    job = make(picture(prompt, n=2, quality="low"))
    request = again(recipes.read(path_of(job)), tmp_path)
    assert request.fields() == job.request.fields()
    make(request, recipes=False)
    first, second = (entry["fields"] for entry in pixapi_server.requests("POST"))
    assert first == second


@pytest.mark.parametrize(
    "request_",
    [
        picture("an edit", images=(input_image(square(), name="square.png"),), response_format="b64_json"),
        VideoRequest(model="wan", prompt="waves", size="128x72", duration=1.5),
        ImageRequest(model="gpt-image-2", prompt="a lake", size="auto", quality="low"),
        VideoRequest(model="a-model-of-tomorrow", prompt="waves", duration=2),
    ],
    ids=["an edit", "a video", "no pixels", "an unknown model"],
)
def test_the_cell_of_other_requests(request_: Request, tmp_path: Path) -> None:
    (tmp_path / "square.png").write_bytes(square())
    from pixapi_nb.pricing import Price

    found = json.loads(json.dumps(recipes.recipe(Job(request_, server="s", estimate=Price()))))
    made = again(found, tmp_path)
    assert made.kind == request_.kind
    assert made.fields() == request_.fields()
    assert [one.digest for one in made.inputs] == [one.digest for one in request_.inputs]


# -- coming back


def test_a_resumed_file_has_the_recipe_of_the_first_time(make: Make, session: Session) -> None:
    job = make(picture("an edit", images=(input_image(square()),), quality="high"))
    first = recipes.read(path_of(job))
    path_of(job).unlink()
    row = session.ledger.get(job.id)
    assert row is not None
    back = session.resume(row, session.server())
    list(back.events())
    assert back.error is None
    assert path_of(back) == path_of(job)
    assert recipes.read(path_of(back)) == first


def test_what_is_at_home_is_shown_without_asking(make: Make, session: Session, pixapi_server: PixapiServer) -> None:
    """Also what the server has forgotten, and what never had a task."""
    for synchronous in (False, True):
        job = make(synchronous=synchronous)
        if job.task_id:
            pixapi_server.forget(job.task_id)
        before = len(pixapi_server.requests())
        row = session.ledger.get(job.id)
        assert row is not None
        back = session.resume(row, session.server())
        assert back.done
        assert back.media == job.media
        assert len(pixapi_server.requests()) == before


@pytest.mark.parametrize("synchronous", [False, True])
def test_what_is_neither_at_home_nor_at_the_server(
    make: Make, session: Session, pixapi_server: PixapiServer, synchronous: bool
) -> None:
    job = make(synchronous=synchronous)
    path_of(job).unlink()
    row = session.ledger.get(job.id)
    assert row is not None
    if synchronous:
        with pytest.raises(UsageError, match="synchronous request"):
            session.resume(row, session.server())
    else:
        pixapi_server.forget(str(job.task_id))
        back = session.resume(row, session.server())
        list(back.events())
        assert isinstance(back.error, TaskNotFound)
    assert len(pixapi_server.requests("POST")) == 1


# -- reuse


def test_reuse_answers_from_the_files(make: Make, session: Session, pixapi_server: PixapiServer) -> None:
    first = make(picture("an edit", images=(input_image(square()),)))
    again = make(picture("an edit", images=(input_image(square()),)), reuse=True)
    assert again.reused
    assert again.media == first.media
    assert again.price == "from the earlier run, 0 credits"
    assert len(pixapi_server.requests("POST")) == 1
    assert len(session.ledger.recent()) == 1


@pytest.mark.parametrize(
    "other",
    [
        picture("another"),
        picture(n=2),
        picture(size="80x64"),
        picture(quality="low"),
        picture(images=(input_image(square("blue")),)),
        ImageRequest(model="gemini-3-pro-image-preview", prompt="a lake", size="64x64"),
    ],
    ids=["prompt", "n", "size", "quality", "the bytes of an input", "model"],
)
def test_another_request_is_another(make: Make, pixapi_server: PixapiServer, other: ImageRequest) -> None:
    make(picture(images=(input_image(square()),)) if other.images else None)
    assert not make(other, reuse=True).reused
    assert len(pixapi_server.requests("POST")) == 2


def test_an_alias_asks_for_the_same(make: Make) -> None:
    make()
    assert make(ImageRequest(model="gemini-2.5-flash-image", prompt="a lake", size="64x64"), reuse=True).reused


def test_without_the_wish_it_is_made_anew(make: Make, pixapi_server: PixapiServer) -> None:
    make()
    assert not make().reused
    assert not make(reuse=False).reused
    assert len(pixapi_server.requests("POST")) == 3


def _spoilt(path: Path) -> None:
    path.write_bytes(b"")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [Path.unlink, _spoilt, _folder], ids=["deleted", "empty", "a folder"])
def test_files_that_are_not_there_any_more_are_asked_for_again(
    make: Make, session: Session, pixapi_server: PixapiServer, harm: Callable[[Path], None]
) -> None:
    """Of their task, which costs nothing; anew only where the server does not have it any more."""
    job = make(picture(n=2))
    before = [one.to_pil().tobytes() for one in job]
    harm(path_of(job, 1))
    again = make(picture(n=2), reuse=True)
    assert (again.id, again.reused, again.price) == (job.id, True, "from the earlier run, 0 credits")
    assert [one.to_pil().tobytes() for one in again] == before
    assert len(pixapi_server.requests("POST")) == len(session.ledger.recent()) == 1
    row = session.ledger.get(job.id)
    assert row is not None
    assert row.credits == job.credits == 4, "what it cost then"

    path_of(job, 0).unlink()
    pixapi_server.forget(str(job.task_id))
    anew = make(picture(n=2), reuse=True)
    assert (anew.reused, anew.credits, len(anew)) == (False, 4, 2)
    assert anew.id != job.id
    assert anew.task_id != job.task_id
    assert len(pixapi_server.requests("POST")) == 2
    # What lay in memory, because a folder was in the way, is lost with its task.
    earlier = "lost" if harm is _folder else "delivered"
    assert {one.job_id: one.state for one in session.ledger.recent()} == {job.id: earlier, anew.id: "delivered"}
    assert recipes.read(path_of(anew))["task_id"] == anew.task_id
    assert not session.jobs


def test_a_task_that_gives_half_of_it_is_not_the_earlier_run(make: Make, pixapi_server: PixapiServer) -> None:
    job = make(picture(n=2))
    path_of(job).unlink()
    fetched = pixapi_server.requests(server="media")[-1]["path"]
    (pixapi_server.state / "media" / fetched.lstrip("/")).unlink()
    anew = make(picture(n=2), reuse=True)
    assert (anew.reused, len(anew), anew.notes) == (False, 2, [])


def test_what_is_not_all_here_is_unfinished(
    make: Make, session: Session, pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixapi_nb.polling._FIRST_BACKOFF", 0.01)
    pixapi_server.faults({"kind": "status", "status": 404, "documented": False, "match": {"server": "media", "path": "/1.png"}})
    job = make(picture(n=2))
    assert (len(job), len(job.notes)) == (1, 1)
    pixapi_server.clear()
    (row,) = session.ledger.unfinished()
    back = session.resume(row, session.server())
    list(back.events())
    assert (len(back), back.credits) == (2, 4)
    assert session.ledger.unfinished() == []
    assert len(pixapi_server.requests("POST")) == 1


def test_an_address_that_does_not_work_yet_costs_no_synchronous_picture(make: Make, pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"kind": "status", "status": 404, "documented": False, "match": {"server": "media"}, "times": 2})
    assert len(make(synchronous=True)) == 1
    assert len(pixapi_server.requests("POST")) == 1


def test_reuse_joins_what_is_under_way(session: Session, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=1)
    first = session.start(picture(), session.server(), Options(reuse=True))
    assert session.start(picture(), session.server(), Options(reuse=True)) is first
    assert len(first) == 1
    assert len(pixapi_server.requests("POST")) == 1


def test_reuse_brings_home_what_another_kernel_left(session: Session, tmp_path: Path, pixapi_server: PixapiServer) -> None:
    """As after a kernel that died, and Run All."""
    pixapi_server.settings(seconds=1)
    first = session.start(picture(), session.server())
    until(lambda: first.task_id, 10)
    other = Session(folder=tmp_path / "other")
    try:
        again = other.start(picture(), other.server(), Options(reuse=True))
        assert (len(again), again.id, again.reused) == (1, first.id, True)
    finally:
        other.close()
    assert len(first) == 1
    assert len(pixapi_server.requests("POST")) == len(session.ledger.recent()) == 1


def test_reuse_never_pays_twice_for_what_cannot_be_fetched_now(
    make: Make, session: Session, pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixapi_nb.polling._FIRST_BACKOFF", 0.01)
    pixapi_server.faults({"kind": "status", "status": 404, "documented": False, "match": {"server": "media"}})
    for reuse in (False, True):
        with pytest.raises(DownloadFailed, match="resume task_"):
            make(reuse=reuse)
    pixapi_server.clear()
    assert make(reuse=True).reused
    assert len(pixapi_server.requests("POST")) == 1


def test_reuse_knows_a_picture_by_its_bytes_and_not_by_its_address(make: Make, pixapi_server: PixapiServer) -> None:
    with RawServer() as raw:
        raw.on("GET /a.png", answer(200, square("red")))
        raw.on("GET /b.png", answer(200, square("blue")))
        red, blue = (InputImage(name="a.png", url=f"{raw.url}/{name}.png") for name in "ab")
        first = make(picture("an edit", images=(red,)))
        again = make(picture("an edit", images=(red,)), reuse=True)
        assert (again.reused, again.media, again.task_id) == (True, first.media, first.task_id)
        assert not make(picture("an edit", images=(blue,)), reuse=True).reused
    assert len(pixapi_server.requests("POST")) == 2


def test_what_was_synchronous_has_no_task_to_ask(make: Make, pixapi_server: PixapiServer) -> None:
    path_of(make(synchronous=True)).unlink()
    assert not make(reuse=True, synchronous=True).reused
    assert len(pixapi_server.requests("POST")) == 2


def test_a_budget_holds_where_the_task_is_gone(make: Make, session: Session, pixapi_server: PixapiServer) -> None:
    job = make()
    path_of(job).unlink()
    assert make(reuse=True, budget=2).reused
    path_of(job).unlink()
    pixapi_server.forget(str(job.task_id))
    with pytest.raises(BudgetExceeded, match="would pass the budget"):
        make(reuse=True, budget=2)
    assert len(pixapi_server.requests("POST")) == 1


def test_reuse_knows_the_server_and_only_what_was_delivered(make: Make, session: Session, pixapi_server: PixapiServer) -> None:
    job = make()
    row = session.ledger.get(job.id)
    assert isinstance(row, Entry)
    assert session.ledger.identical("https://api.pixapi.ai", row.digest) == []
    pixapi_server.faults({"kind": "fail_task", "task": {"at_progress": 0}})
    with pytest.raises(PixapiError):
        make(picture("fails"))
    pixapi_server.clear()
    assert not make(picture("fails"), reuse=True).reused
