"""Sweeps against a real server: what is sent, what stays where it failed, what a second try and a second kernel send."""

from __future__ import annotations

import base64
import collections
import io
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
import pytest
from PIL import Image

from pixapi_nb import contact, portal, session, show_grid, sweep
from pixapi_nb.errors import BudgetExceeded, PromptError, Unauthorized, UsageError
from pixapi_nb.session import Options
from pixapi_nb.sweep_cells import columns
from pixapi_nb.sweep_rows import SweepRows
from pixapi_nb.sweeps import Sweep
from pixapi_nb.view.sweep import SweepView, describe
from tests.harness.kernels import Kernel
from tests.harness.pixapi import PixapiServer

PROMPT = "A {{style: noir | studio | film}} cup, warmth {{warmth: 0..10}}"
SMALL: dict[str, Any] = {"model": "nano-banana", "size": "256x256"}


@pytest.fixture(autouse=True)
def own(pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[session.Session]:
    """A session of this test, with its own ledger and folder."""
    monkeypatch.setattr(session, "_current", None)
    pixapi_server.settings(seconds=[0.05, 0.15])
    yield session.current()
    session.current().close()


def prompts(server: PixapiServer) -> list[str]:
    """What was asked for, sorted."""
    return sorted(entry["fields"]["prompt"] for entry in server.requests("POST"))


def states(made: Sweep) -> dict[str, int]:
    return dict(collections.Counter(cell.state for cell in made))


def until(condition: Any, what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


# -- what it does


def test_a_grid_of_pictures_each_asked_for_once(pixapi_server: PixapiServer) -> None:
    made = sweep(PROMPT, **SMALL, axes={"style": None, "warmth": 2}).result(60)
    assert states(made) == {"done": 6}
    assert prompts(pixapi_server) == sorted(
        f"A {style} cup, warmth {warmth}" for style in ("noir", "studio", "film") for warmth in (0, 10)
    )
    assert len(pixapi_server.charges()) == 6
    row = made.rows()[1]
    assert (row["style"], row["warmth"], row["state"], row["credits"], row["error"]) == ("noir", 10, "done", 2.0, None)
    assert Path(row["file"]).is_file()
    assert row["seconds"] > 0
    assert made.counts.credits == 12
    assert [cell.settings["warmth"] for cell in made.at(style="film")] == [0, 10]
    picture = made.contact_sheet()
    assert picture.width > 400
    assert made.sheet_file is not None
    assert made.sheet_file.is_file()
    assert all(cell.thumb is not None and len(cell.thumb) < 60_000 for cell in made)


def test_it_can_be_awaited_and_shows_what_there_is_meanwhile(pixapi_server: PixapiServer) -> None:
    async def wait() -> Sweep:
        made = sweep(PROMPT, **SMALL, axes={"style": None}, start=False)
        assert (made.started, str(made.price)) == (False, "6 credits ($0.06)")
        with pytest.raises(UsageError, match="not been started"):
            await made
        made.start()
        assert len(made.rows()) == 3
        return await made

    import asyncio

    assert states(asyncio.run(wait())) == {"done": 3}
    assert len(prompts(pixapi_server)) == 3


def test_models_and_repetitions_are_axes(pixapi_server: PixapiServer) -> None:
    made = sweep("a cup", model=["nano-banana", "nano-banana-2"], n=2, size="512x512").result(60)
    sent = [entry["fields"] for entry in pixapi_server.requests("POST")]
    assert sorted((fields["model"], fields["n"]) for fields in sent) == [("nano-banana", 1)] * 2 + [("nano-banana-2", 1)] * 2
    assert made.pages[0].rows == ("nano-banana", "nano-banana-2")
    assert made.pages[0].columns == ("#1", "#2")


def test_nothing_is_sent_where_one_request_could_not_be(pixapi_server: PixapiServer) -> None:
    with pytest.raises(UsageError, match="size"):
        sweep("a {{style: noir | studio}} cup", model="nano-banana", axes={"size": ["256x256", "huge"]})
    with pytest.raises(PromptError):
        sweep("a {{material}} {{style: noir | studio}} cup", **SMALL)
    with pytest.raises(UsageError, match="nothing to vary"):
        sweep("a cup", **SMALL)
    assert prompts(pixapi_server) == []


def test_a_data_frame_where_there_is_pandas(pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    pixapi_server.faults({"match": {"method": "POST", "prompt": "noir"}, "kind": "fail_task"})
    made = sweep(PROMPT, **SMALL, axes={"style": None, "warmth": 2}).result(60)
    frame = made.to_dataframe()
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == ["style", "warmth", "state", "file", "seconds", "credits", "error", "task_id"]
    assert list(frame["style"]) == ["noir", "noir", "studio", "studio", "film", "film"]
    assert list(frame["warmth"]) == [0, 10] * 3
    assert frame["credits"].sum() == 8
    assert frame.groupby("style")["state"].unique().map(list).to_dict() == {
        "film": ["done"],
        "noir": ["failed"],
        "studio": ["done"],
    }
    assert frame.loc[frame["state"] == "failed", "error"].str.contains("could not finish").all()
    assert all(Path(file).is_file() for file in frame["file"].dropna())
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pandas", None)
        with pytest.raises(UsageError, match="needs pandas"):
            made.to_dataframe()


def test_a_setting_may_have_the_name_of_a_column(pixapi_server: PixapiServer) -> None:
    made = sweep("a {{state: solid | fluid}} body", **SMALL).result(60)
    assert [(row["setting_state"], row["state"]) for row in made.rows()] == [("solid", "done"), ("fluid", "done")]
    names = ["setting_state", "state", "file", "seconds", "credits", "error", "task_id"]
    assert list(made.to_dataframe().columns) == names
    assert columns(iter(["state", "setting_state", "style"])) == {
        "state": "setting_setting_state",
        "setting_state": "setting_state",
        "style": "style",
    }


def test_what_the_server_names_no_price_for_is_estimated(
    pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pixapi_server.faults({"match": {"method": "POST", "prompt": "film"}, "kind": "status", "status": 400})
    made = sweep(PROMPT, **SMALL, axes=["style"], synchronous=True).result(60)
    assert states(made) == {"done": 2, "failed": 1}
    assert [cell.credits for cell in made] == [None] * 3
    assert made.spent == "4 credits ($0.04) estimated"
    bundle = SweepView(made, beside=tmp_path).bundle()
    assert "4 credits ($0.04) estimated" in bundle["text/plain"]
    assert bundle["text/html"].count("2 credits ($0.02) estimated") == 2
    assert describe(made, 0).price == "4 credits ($0.04) estimated so far"

    made = sweep("a cup {{i: 0..3}}", **SMALL, steps=4, synchronous=True, budget=8).result(60)
    assert made.counts.waiting
    monkeypatch.setattr(session, "_current", None)
    later = session.current()
    (row,) = Sweep.half_done(later, later.server())
    row = replace(row, plan={**row.plan, "synchronous": False})
    again = Sweep.resumed(row, later, later.server(), Options(budget=100))
    assert again.spent == made.spent
    assert again.start().result(60).spent == "4 credits ($0.04) + 4 credits ($0.04) estimated"


def test_the_grid_has_the_shape_asked_for_before_a_picture_is_there() -> None:
    made = sweep(PROMPT, model="nano-banana", size="768x512", axes=["style"], start=False)
    assert made.cell_size[0] / made.cell_size[1] == pytest.approx(1.5, rel=0.01)


def test_a_single_axis_is_named_over_its_row(tmp_path: Path) -> None:
    made = sweep(PROMPT, **SMALL, axes=["style"]).result(60)
    html = SweepView(made, beside=tmp_path).bundle()["text/html"]
    assert html.index(">style →<") < html.index(">noir<")
    (page,) = made.pages
    head = show_grid.head(page.columns, 100, corner=page.corner, labels=any(page.rows))
    assert head.index(">style →<") < head.index(">noir<")


def test_the_gutters_suit_both_themes_and_the_file_is_on_white(tmp_path: Path) -> None:
    made = sweep(PROMPT, **SMALL, axes=["style"]).result(60)
    sources = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', SweepView(made, beside=tmp_path).bundle()["text/html"])
    with Image.open(io.BytesIO(base64.b64decode(sources[0]))) as shown:
        edge, gap = contact.DENSITY * made.cell_size[0], 4 * contact.DENSITY
        red, green, blue = shown.convert("RGB").getpixel((edge + gap // 2, shown.height // 2))
    assert all(90 < colour < 170 for colour in (red, green, blue))
    assert made.sheet_file is not None
    with Image.open(made.sheet_file) as sheet:
        assert sheet.convert("RGB").getpixel((2, 2)) == (255, 255, 255)


def test_videos_stand_there_with_their_first_frame_where_there_is_pyav(
    pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {"model": "wan", "size": "128x72", "duration": 1}
    made = sweep("a {{where: lake | city}}", **given).result(60)
    assert states(made) == {"done": 2}
    assert made.cell_size[1] / made.cell_size[0] == pytest.approx(72 / 128, rel=0.02)
    assert len({cell.thumb for cell in made} - {None}) == 2
    with Image.open(io.BytesIO(made[0].thumb or b"")) as frame:
        assert frame.width > frame.height > 30
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        made = sweep("a {{where: hill | wood}}", **given).result(60)
    assert [(cell.state, cell.thumb, cell.in_short) for cell in made] == [("done", None, "video")] * 2


# -- what goes wrong


def test_a_failure_stays_in_its_cell_and_is_tried_again_alone(pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"match": {"method": "POST", "prompt": "noir"}, "kind": "fail_task"})
    made = sweep(PROMPT, **SMALL, axes={"style": None}).result(60)
    assert states(made) == {"done": 2, "failed": 1}
    (failed,) = made.at(style="noir")
    assert "could not finish" in (failed.error or "")
    pixapi_server.clear()
    made.retry().result(60)
    assert states(made) == {"done": 3}
    assert collections.Counter(prompts(pixapi_server)) == {
        "A film cup, warmth 5": 1,
        "A noir cup, warmth 5": 2,
        "A studio cup, warmth 5": 1,
    }
    assert len(pixapi_server.charges()) == 3


def test_an_unknown_outcome_is_never_sent_again(pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"match": {"method": "POST", "prompt": "noir"}, "kind": "reset", "stage": "after"})
    made = sweep(PROMPT, **SMALL, axes={"style": None}).result(60)
    assert states(made) == {"done": 2, "unknown": 1}
    made.retry().result(60)
    assert states(made) == {"done": 2, "unknown": 1}
    assert len(prompts(pixapi_server)) == len({*prompts(pixapi_server)}) == 3


def test_a_bad_line_does_not_spend_the_whole_sweep_in_unknown_outcomes(pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"match": {"method": "POST"}, "kind": "reset", "stage": "after"})
    made = sweep("cup {{i: 0..39}}", **SMALL, steps=40)
    with pytest.raises(Exception, match="sent"):
        made.result(60)
    assert made.counts.unknown < 15
    assert made.counts.waiting == 40 - made.counts.unknown


def test_a_budget_stops_it_and_says_so(pixapi_server: PixapiServer) -> None:
    made = sweep("cup {{i: 0..9}}", **SMALL, steps=10, budget=7).result(60)
    assert states(made) == {"done": 3, "waiting": 7}
    assert isinstance(made.stopped, BudgetExceeded)
    assert len(pixapi_server.charges()) == 3
    made.start().result(60)
    assert states(made) == {"done": 3, "waiting": 7}


def test_what_befalls_all_is_asked_only_of_a_few(pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"match": {"method": "POST"}, "kind": "status", "status": 401})
    made = sweep("cup {{i: 0..39}}", **SMALL, steps=40)
    with pytest.raises(Unauthorized):
        made.result(60)
    assert len(prompts(pixapi_server)) <= 8
    pixapi_server.clear()
    made.retry().result(60)
    assert states(made) == {"done": 40}


def test_stopping_loses_nothing(pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=0.3, capacity=2, rate=20)
    made = sweep("cup {{i: 0..89}}", **SMALL, steps=90)
    until(lambda: made.counts.done, "the first picture")
    made.stop()
    made.result(60)
    assert 0 < made.counts.done == len(pixapi_server.tasks()) < 90
    pixapi_server.settings(seconds=0.05, capacity=None, rate=None)
    made.start().result(60)
    assert states(made) == {"done": 90}
    accepted = [task["prompt"] for task in pixapi_server.tasks()]
    assert len(accepted) == len({*accepted}) == 90


def test_a_refusal_for_now_slows_all_down_and_loses_none(pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(rate=6)
    made = sweep("cup {{i: 0..19}}", **SMALL, steps=20).result(60)
    assert states(made) == {"done": 20}
    statuses = [entry["status"] for entry in pixapi_server.requests("POST")]
    assert statuses.count(200) == 20
    assert 0 < statuses.count(429) <= 6
    assert len(pixapi_server.charges()) == 20


def test_memory_keeps_thumbnails_alone(own: session.Session) -> None:
    made = sweep(PROMPT, model="nano-banana", size="1024x1024", axes={"style": None}).result(60)
    assert own.jobs == {}
    assert all(medium.data is None for cell in made for medium in cell.media)
    assert not [thread for thread in threading.enumerate() if "sweep" in thread.name]


# -- coming back


def test_another_session_finishes_it_and_asks_only_for_what_is_missing(
    pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch, own: session.Session
) -> None:
    pixapi_server.faults(
        [
            {"match": {"method": "POST", "prompt": "cup 3"}, "kind": "reset", "stage": "after"},
            {"match": {"method": "POST", "prompt": "cup 2"}, "kind": "fail_task"},
        ]
    )
    made = sweep("cup {{i: 0..9}}", **SMALL, steps=10, budget=15).result(60)
    before = states(made)
    assert before["waiting"]
    monkeypatch.setattr(session, "_current", None)
    later = session.current()
    (row,) = Sweep.half_done(later, later.server())
    again = Sweep.resumed(row, later, later.server(), Options(budget=100))
    assert states(again) == before
    again.start().result(60)
    assert states(again) == {"done": 8, "failed": 1, "unknown": 1}
    assert len(prompts(pixapi_server)) == len({*prompts(pixapi_server)}) == 10
    assert Sweep.half_done(later, later.server()) == []
    assert all(cell.thumb for cell in again if cell.state == "done")


def test_a_killed_kernel_loses_nothing(pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=1, capacity=3)
    with Kernel() as first:
        first.run("%load_ext pixapi_nb", check=True)
        first.send("%%pixapi nano-banana --sweep --steps 12 --size 256x256 --yes\ncup {{i: 0..11}}")
        first.until(lambda: len(pixapi_server.charges()) >= 2, 60, "two pictures")
        first.kill()
    asked = len(prompts(pixapi_server))
    pixapi_server.settings(seconds=0.1, capacity=None)
    with Kernel() as second:
        assert "half-done sweep" in second.run("%load_ext pixapi_nb", check=True).text or asked == 12
        run = second.run("%pixapi resume", check=True)
        assert "12 of 12 done" in run.text or "unknown" in run.text
    sent = prompts(pixapi_server)
    assert len(sent) == len({*sent})
    # What became of a request whose answer the killed kernel never had, nobody waited for.
    until(lambda: len(pixapi_server.charges()) >= len(sent), "the last charges")
    assert len(pixapi_server.charges()) == len(sent)


def test_a_sweep_that_another_kernel_works_on_is_left_to_it(pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=2, capacity=2)
    with Kernel() as first:
        first.run("%load_ext pixapi_nb", check=True)
        first.send("%%pixapi nano-banana --sweep --size 256x256 --yes\ncup {{i: 0..4}}")
        first.until(lambda: len(prompts(pixapi_server)) >= 2, 60, "the first requests")
        mine = session.current()
        assert Sweep.half_done(mine, mine.server()) == []


def test_a_half_done_sweep_is_given_up_where_nobody_works_on_it(
    pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch, own: session.Session
) -> None:
    pixapi_server.settings(seconds=1, capacity=2)
    made = sweep("cup {{i: 0..9}}", **SMALL, steps=10, budget=15)
    until(lambda: made.counts.running, "the first")
    row = SweepRows(own.ledger).get(made.id)
    assert row is not None
    with pytest.raises(UsageError, match="is under way"):
        Sweep.give_up(row, own)
    made.result(60)
    assert made.counts.waiting
    Sweep.give_up(row, own)
    assert Sweep.half_done(own, own.server()) == []
    assert len(pixapi_server.tasks()) == len(made) - made.counts.waiting


def test_input_pictures_come_back_too(pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "in.png")
    made = sweep("make it {{style: noir | studio | film}}", **SMALL, image=tmp_path / "in.png", budget=3).result(60)
    assert states(made) == {"done": 1, "waiting": 2}
    (tmp_path / "in.png").unlink()
    monkeypatch.setattr(session, "_current", None)
    later = session.current()
    (row,) = Sweep.half_done(later, later.server())
    (kept,) = (later.home / "inputs").iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-10])
    with pytest.raises(UsageError, match="not here any more"):
        Sweep.resumed(row, later, later.server(), Options())
    kept.write_bytes(whole)
    again = Sweep.resumed(row, later, later.server(), Options(budget=100)).start().result(60)
    assert states(again) == {"done": 3}
    assert {entry["path"] for entry in pixapi_server.requests("POST")} == {"/v1/async/images/edits"}


def test_the_io_thread_is_free_afterwards() -> None:
    async def answer() -> int:
        return 42

    sweep(PROMPT, **SMALL, axes=["style"]).result(60)
    assert portal.wait(portal.run(answer), 5) == 42


# -- what would be paid twice, or past a budget


def test_trying_again_brings_home_what_was_accepted(pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"match": {"server": "media"}, "kind": "html"})
    made = sweep("a {{style: noir | studio}} cup", **SMALL).result(60)
    assert states(made) == {"failed": 2}
    pixapi_server.clear()
    made.retry().result(60)
    assert states(made) == {"done": 2}
    assert made.counts.credits == 4
    assert len(pixapi_server.tasks()) == 2


def test_what_another_kernel_has_finished_is_not_sent_again(
    pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch, own: session.Session
) -> None:
    made = sweep("cup {{i: 0..5}}", **SMALL, steps=6, budget=5).result(60)
    assert states(made) == {"done": 2, "waiting": 4}
    monkeypatch.setattr(session, "_current", None)
    later = session.current()
    (row,) = Sweep.half_done(later, later.server())
    assert states(Sweep.resumed(row, later, later.server(), Options(budget=100)).start().result(60)) == {"done": 6}
    made.spend(budget=100)
    assert states(made.start().result(60)) == {"done": 6}
    assert len(pixapi_server.tasks()) == 6


def test_a_resumed_sweep_reuses_and_keeps_its_own_budget(
    pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch, own: session.Session
) -> None:
    sweep("cup {{i: 0..5}}", **SMALL, axes={"i": [0, 1, 2]}).result(60)
    made = sweep("cup {{i: 0..5}}", **SMALL, steps=6, reuse=True, budget=7).result(60)
    assert made.counts.waiting == 3
    monkeypatch.setattr(session, "_current", None)
    later = session.current()
    (row,) = Sweep.half_done(later, later.server())
    again = Sweep.resumed(row, later, later.server(), Options()).start().result(60)
    assert states(again) == {"done": 3, "waiting": 3}, "its budget of 7 holds, and what is there is not paid for again"
    assert len(pixapi_server.tasks()) == 3


def test_a_resumed_sweep_asks_for_lost_files_again(
    pixapi_server: PixapiServer, monkeypatch: pytest.MonkeyPatch, own: session.Session
) -> None:
    """Of their tasks: they are paid for. What the server has forgotten stays paid for, without its picture."""
    made = sweep("cup {{i: 0..5}}", **SMALL, steps=3, budget=4).result(60)
    (one, other) = (cell for cell in made if cell.state == "done")
    for cell in (one, other):
        cell.files[0].unlink()
    pixapi_server.forget(str(other.task_id))
    monkeypatch.setattr(session, "_current", None)
    later = session.current()
    (row,) = Sweep.half_done(later, later.server())
    again = Sweep.resumed(row, later, later.server(), Options(budget=100)).start().result(60)
    assert states(again) == {"done": 3}
    back = next(cell for cell in again if cell.settings == one.settings)
    assert (back.files, back.credits, back.error) == (one.files, one.credits, None)
    assert back.files[0].exists()
    assert back.thumb
    gone = next(cell for cell in again if cell.settings == other.settings)
    assert (gone.files, gone.credits, gone.in_short) == ((), other.credits, "its file is gone.")
    assert len(prompts(pixapi_server)) == 3


def test_a_price_without_a_known_top_is_not_written_down_under_a_budget(
    pixapi_server: PixapiServer, own: session.Session
) -> None:
    with pytest.raises(BudgetExceeded, match="is not known"):
        sweep("a {{style: noir | studio}} cup", model="wan", budget=50)
    assert Sweep.half_done(own, own.server()) == []
    assert prompts(pixapi_server) == []


def test_values_are_what_the_controls_take(pixapi_server: PixapiServer) -> None:
    import numpy as np

    values: dict[str, Any] = {"warmth": np.int64(3), "other": object()}
    made = sweep(PROMPT, **SMALL, axes=["style"], values=values).result(60)
    assert states(made) == {"done": 3}
    assert prompts(pixapi_server)[0].endswith("warmth 3")
    with pytest.raises(UsageError, match="warmth takes"):
        sweep(PROMPT, **SMALL, axes=["style"], values={"warmth": 99})
    pictures = [Image.new("RGB", (64, 64))] * 2
    with pytest.raises(UsageError, match="one picture"):
        sweep("a {{style: noir | studio}} cup", model="wan", image=pictures)
    with pytest.raises(UsageError, match="makes videos"):
        sweep("a cup", model=["nano-banana", "wan"])
    for wrong in ({"n": "2"}, {"n": 0}, {"steps": 0}):
        with pytest.raises(UsageError, match="whole number"):
            sweep(PROMPT, **SMALL, **wrong)
    with pytest.raises(UsageError, match="no synchronous endpoint"):
        sweep("a {{style: noir | studio}} cup", model="wan", synchronous=True)


def test_a_grid_of_odd_words_and_of_many_columns_is_drawn(pixapi_server: PixapiServer) -> None:
    made = sweep("a {{thing: x}} cup".replace("{{thing: x}}", "{{thing}}"), **SMALL, axes={"thing": ["one\ntwo", "three"]})
    made.result(60)
    assert states(made) == {"done": 2}
    assert made.sheet_file is not None
    wide = sweep("{{i: 0..1999}}", **SMALL, steps=2000, start=False)
    assert max(wide.contact_sheet().size) < 20_000


def test_stopping_does_not_wait_for_a_server_that_wants_an_hour(pixapi_server: PixapiServer) -> None:
    busy = {"kind": "status", "status": 429, "headers": {"Retry-After": "3600"}}
    pixapi_server.faults({"match": {"method": "POST"}, **busy})
    made = sweep("cup {{i: 0..5}}", **SMALL, steps=6)
    until(lambda: prompts(pixapi_server), "the first refusal")
    made.stop()
    made.result(30)
    assert states(made) == {"waiting": 6}
    assert pixapi_server.tasks() == []
