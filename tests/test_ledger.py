"""The ledger: real files, real processes, and what becomes of it when the disk, the kernel or a neighbour fails."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixapi_nb import ledger_file
from pixapi_nb.errors import (
    BudgetExceeded,
    DownloadFailed,
    InvalidRequest,
    LocalServerError,
    NotSent,
    OutcomeUnknown,
    PixapiError,
    RateLimited,
    TaskFailed,
    TaskNotFound,
    Unauthorized,
    UnexpectedAnswer,
    Unreachable,
    UsageError,
)
from pixapi_nb.events import Completed, Delivered, Downloading, Processing, Retrying, Sending, Stopped, Submitted, Trouble
from pixapi_nb.ledger import Entry, Ledger, LedgerWarning, Owner, Spend, Spent, after
from pixapi_nb.media import Media

PIXAPI = "https://api.pixapi.ai"
STATES = ("sending", "submitted", "completed", "delivered", "refused", "failed", "unknown", "lost", "closed")
FINAL = ("delivered", "refused", "failed", "lost", "closed")
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX processes")


def an_entry(job_id="job1", **fields_given):
    if fields_given.get("estimate_high", 8.0) is None:
        fields_given = {"estimate_low": None} | fields_given
    known = {
        "job_id": job_id,
        "server": PIXAPI,
        "created": 1000.0,
        "kind": "image",
        "model": "nano",
        "endpoint": "async",
        "request": {"model": "nano", "prompt": "a {cup} of ☕", "n": 1},
        "digest": "d1",
        "estimate_low": 4.0,
        "estimate_high": 8.0,
    }
    return Entry(**(known | fields_given))


def the(ledger: Ledger, job_id: str) -> Entry:
    entry = ledger.get(job_id)
    assert entry is not None
    return entry


def a_file(folder: Path, name="one.png"):
    path = folder / name
    path.write_bytes(b"picture")
    return Media(path, "image/png")


@pytest.fixture
def ledger(tmp_path):
    found = Ledger.open(tmp_path / "home", clock=lambda: 2000.0)
    yield found
    found.disconnect()


@contextlib.contextmanager
def a_child(function, *args):
    """A process of its own that runs a function of this module; lines go in and come out."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_ledger; getattr(test_ledger, sys.argv[2])(*sys.argv[3:])"
    command = [sys.executable, "-W", "error::UserWarning", "-c", code, str(Path(__file__).parent), function.__name__, *args]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process):
    line = process.stdout.readline()
    assert line, "the child ended early"
    return json.loads(line)


def say(**what):
    print(json.dumps(what), flush=True)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_a_row_comes_back_as_it_was(ledger):
    full = an_entry(
        notebook="/home/me/çup.ipynb",
        kind="video",
        endpoint="sync",
        request={"prompt": "p", "inputs": [{"name": "cup.png", "sha256": "00ff"}]},
        estimate_low=None,
        estimate_high=None,
        state="completed",
        task_id="task_1",
        credits=1.5,
        files=("/a b/1.png", "/a b/2.png"),
        error="why",
        sweep="s1",
        place='{"style": "ink"}',
        updated=1500.0,
    )
    ledger.intend(full)
    assert ledger.get("job1") == full
    ledger.intend(an_entry("job2"))
    assert ledger.get("job2") == an_entry("job2", updated=1000.0)
    assert the(ledger, "job2").owner == Owner.current()


def test_the_columns_are_the_fields(ledger):
    assert {row["name"] for row in ledger._file.rows("PRAGMA table_info(jobs)")} == {field.name for field in fields(Entry)}


def test_text_that_is_no_text_is_taken(ledger):
    odd = "caf\udce9\x00"
    ledger.intend(an_entry(notebook=odd, model=odd, request={"prompt": odd}))
    assert the(ledger, "job1").request == {"prompt": odd}
    assert the(ledger, "job1").notebook == "caf?\x00"
    ledger.record("job1", Delivered((Media(Path(f"/{odd}.png"), "image/png"),)))
    assert the(ledger, "job1").files == (f"/{odd}.png",)


def test_neither_signatures_nor_their_remains_reach_the_file(ledger, tmp_path):
    url = "https://cdn.pixapi.ai/a.png?X-Signature=S3CRET&Expires=1#S3CRET"
    ledger.intend(an_entry(request={"prompt": "p", "inputs": [{"name": url, "sha256": "0"}]}))
    ledger.record("job1", Submitted("task_1"))
    ledger.record("job1", Stopped(DownloadFailed(f"GET '{url}' ended early (HTTP://CDN/b?S3CRET).")))
    found = ledger.get("job1")
    assert found.request["inputs"] == [{"name": "https://cdn.pixapi.ai/a.png?…", "sha256": "0"}]
    assert found.error == "GET 'https://cdn.pixapi.ai/a.png?…' ended early (HTTP://CDN/b?…"
    ledger.disconnect()
    assert not [path for path in (tmp_path / "home").iterdir() if b"S3CRET" in path.read_bytes()]


@posix
def test_prompts_are_private(ledger, tmp_path):
    ledger.intend(an_entry())
    home = tmp_path / "home"
    assert {path.name: path.stat().st_mode & 0o077 for path in (home, *home.iterdir())} == dict.fromkeys(
        ("home", "ledger.sqlite3", "ledger.sqlite3-wal", "ledger.sqlite3-shm"), 0
    )


# -- events ------------------------------------------------------------------------------------------------------------


def an_api_error(kind=InvalidRequest, status=400):
    return kind("no", status=status)


@pytest.mark.parametrize(
    ("start", "event", "state", "changed"),
    [
        ("sending", Sending(2), "sending", {}),
        ("sending", Retrying(1, 0.5, NotSent("no")), "sending", {}),
        ("submitted", Processing("task_1", 50), "submitted", {}),
        ("submitted", Trouble(1, 0.5, Unreachable("no")), "submitted", {}),
        ("completed", Downloading(0, 1, 10, 20), "completed", {}),
        ("sending", Submitted("task_1"), "submitted", {"task_id": "task_1"}),
        ("unknown", Submitted("task_1"), "submitted", {"task_id": "task_1"}),
        ("completed", Submitted("task_1"), "completed", {"task_id": "task_1"}),
        ("sending", Completed(None, (), 3.0), "completed", {"credits": 3.0}),
        ("submitted", Completed("task_1", (), 3.0), "completed", {"task_id": "task_1", "credits": 3.0}),
        ("submitted", Completed("task_1", ()), "completed", {"task_id": "task_1"}),
        ("completed", Delivered((), 3.0), "delivered", {"credits": 3.0}),
        ("sending", Stopped(an_api_error()), "refused", {"credits": 0.0, "error": "no"}),
        ("sending", Stopped(an_api_error(RateLimited, 429)), "refused", {"credits": 0.0, "error": "no"}),
        ("sending", Stopped(NotSent("no")), "refused", {"credits": 0.0, "error": "no"}),
        ("sending", Stopped(UsageError("no")), "refused", {"credits": 0.0, "error": "no"}),
        ("sending", Stopped(LocalServerError("no")), "refused", {"credits": 0.0, "error": "no"}),
        ("sending", Stopped(OutcomeUnknown("no")), "unknown", {"error": "no"}),
        ("sending", Stopped(Unreachable("no")), "unknown", {"error": "no"}),
        ("sending", Stopped(PixapiError("no")), "unknown", {"error": "no"}),
        ("submitted", Stopped(TaskFailed("task_1", "x")), "failed", {"credits": 0.0, "error": "task task_1 failed: x"}),
        ("submitted", Stopped(an_api_error(TaskNotFound, 404)), "lost", {"error": "no"}),
        ("submitted", Stopped(an_api_error(Unauthorized, 401)), "submitted", {"error": "no"}),
        ("submitted", Stopped(UnexpectedAnswer("no")), "submitted", {"error": "no"}),
        ("completed", Stopped(DownloadFailed("no")), "completed", {"error": "no"}),
        ("completed", Stopped(OutcomeUnknown("no")), "completed", {"error": "no"}),
        ("completed", Stopped(an_api_error(TaskNotFound, 404)), "lost", {"error": "no"}),
        ("unknown", Stopped(NotSent("no")), "unknown", {"error": "no"}),
        # late: nothing moves back from its end
        *[(final, Stopped(OutcomeUnknown("no")), final, {}) for final in FINAL],
        *[(final, Stopped(TaskFailed("task_1")), final, {}) for final in FINAL],
        *[(final, Submitted("task_1"), final, {"task_id": "task_1"}) for final in FINAL],
        *[(final, Completed("task_1", (), 3.0), final, {"task_id": "task_1", "credits": 3.0}) for final in FINAL],
        *[(final, Delivered((), 3.0), "delivered", {"credits": 3.0}) for final in FINAL],
    ],
)
def test_what_an_event_changes(ledger, start, event, state, changed):
    before = an_entry(state=start, updated=1000.0)
    ledger.intend(before)
    ledger.record("job1", event)
    expected = replace(before, state=state, **changed)
    assert ledger.get("job1") == (expected if expected == before else replace(expected, updated=2000.0))


def test_from_the_intent_to_the_files(ledger, tmp_path):
    ledger.intend(an_entry())
    ledger.record("job1", Submitted("task_1"))
    ledger.record("job1", Completed("task_1", (), 6.0))
    ledger.record("job1", Stopped(DownloadFailed("the disk is full", task_id="task_1")))
    assert the(ledger, "job1").error == "the disk is full"
    one, in_memory = a_file(tmp_path), Media(None, "image/png", b"data")
    ledger.record("job1", Delivered((one, in_memory)))
    found = ledger.get("job1")
    assert (found.state, found.credits, found.files, found.error) == ("completed", 6.0, (str(one.path),), None)
    ledger.record("job1", Delivered((one,), missing=1))
    assert [entry.job_id for entry in ledger.unfinished()] == ["job1"], "what is not all here can be fetched again"
    ledger.record("job1", Delivered((a_file(tmp_path, "again.png"),), 6.0))
    assert the(ledger, "job1").files == (str(tmp_path / "again.png"),)


def test_relative_paths_are_made_absolute(ledger, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ledger.intend(an_entry())
    ledger.record("job1", Delivered((Media(Path("one.png"), "image/png"),)))
    assert the(ledger, "job1").files == (str(tmp_path / "one.png"),)


def test_an_event_for_a_job_that_was_never_intended_is_nothing(ledger):
    ledger.record("job1", Stopped(BudgetExceeded("no")))
    assert ledger.get("job1") is None
    ledger.close("job1")


EVENTS = st.one_of(
    st.builds(Submitted, st.just("task_1")),
    st.builds(Completed, st.sampled_from([None, "task_1"]), st.just(()), st.sampled_from([None, 2.0])),
    st.builds(Delivered, st.just((Media(Path("/one.png"), "image/png"),)), st.sampled_from([None, 2.0])),
    st.builds(
        Stopped,
        st.sampled_from(
            [
                an_api_error(),
                an_api_error(TaskNotFound, 404),
                TaskFailed("t"),
                NotSent("n"),
                OutcomeUnknown("o"),
                PixapiError("p"),
            ]
        ),
    ),
)


@given(st.sampled_from(STATES), st.lists(EVENTS, max_size=8))
def test_any_course_keeps_what_was_paid_and_received(start, course):
    entry = an_entry(state=start)
    for event in course:
        late = entry.state in FINAL
        changed = after(entry, event)
        assert changed.state in STATES
        assert changed.state == entry.state or not late or isinstance(event, Delivered)
        assert changed.state != "sending" or entry.state == "sending"
        assert changed.files or not entry.files
        assert changed.task_id == entry.task_id or entry.task_id is None
        assert changed.credits is not None or entry.credits is None
        entry = changed


# -- whose kernel died -------------------------------------------------------------------------------------------------


def intend_and_wait(home):
    ledger = Ledger.open(Path(home))
    ledger.intend(an_entry("dies-sending"))
    ledger.intend(an_entry("dies-submitted"))
    ledger.record("dies-submitted", Submitted("task_9"))
    say(ready=True)
    sys.stdin.readline()


@posix
def test_a_kernel_killed_between_intent_and_task_id(ledger, tmp_path):
    with a_child(intend_and_wait, str(tmp_path / "home")) as child:
        assert said(child) == {"ready": True}
        assert the(ledger, "dies-sending").state == "sending"
        assert ledger.unknown() == []
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert the(ledger, "dies-sending").state == "unknown"  # not yet reaped by its parent, and dead all the same
        child.wait()
        for again in (ledger, Ledger.open(tmp_path / "home")):
            assert the(again, "dies-sending").state == "unknown"
            assert again.recent(1, PIXAPI)[0].job_id == "dies-submitted"
            assert [e.job_id for e in again.unknown()] == ["dies-sending"]
            assert [(e.state, e.task_id) for e in again.unfinished()] == [("submitted", "task_9")]
            assert again.spent(PIXAPI, 0) == Spent(0, 16)
    ledger.close("dies-sending")
    assert the(ledger, "dies-sending").state == "closed"
    assert ledger.unknown() == []
    assert ledger.spent(PIXAPI, 0) == Spent(0, 8)


def write_for_ever(home):
    ledger = Ledger.open(Path(home))
    for number in range(1_000_000):
        name = f"job{number}"
        ledger.intend(an_entry(name))
        ledger.record(name, Submitted(f"task{number}"))
        say(number=number)


@posix
def test_a_kernel_killed_while_it_writes_has_written_what_it_said(tmp_path):
    with a_child(write_for_ever, str(tmp_path)) as child:
        for _ in range(100):
            said(child)
        child.kill()
        last = 100 + len(child.stdout.read().splitlines())
    ledger = Ledger.open(tmp_path)
    assert all(the(ledger, f"task{number}").state == "submitted" for number in range(last))
    assert len(ledger.recent(last + 10)) <= last + 1
    assert ledger._file.rows("PRAGMA integrity_check")[0][0] == "ok"


@pytest.mark.parametrize(
    ("owner", "state"),
    [
        (Owner.current(), "sending"),
        (replace(Owner.current(), started=Owner.current().started + 1), "sending"),  # the clock was set
        (replace(Owner.current(), started=Owner.current().started - 60), "unknown"),  # its id is somebody else's now
        (replace(Owner.current(), pid=2**22 + 1), "unknown"),
        (replace(Owner.current(), host="elsewhere", pid=1), "sending"),
    ],
)
def test_whether_the_owner_lives(ledger, owner, state):
    ledger.intend(an_entry(owner=owner, updated=1900.0))
    assert the(ledger, "job1").state == state


def test_another_host_is_believed_for_ten_minutes(tmp_path):
    now = [1000.0]
    ledger = Ledger.open(tmp_path, clock=lambda: now[0])
    ledger.intend(an_entry(owner=Owner(1, 1.0, "elsewhere")))
    now[0] += 599
    assert the(ledger, "job1").state == "sending"
    now[0] += 2
    assert the(ledger, "job1").state == "unknown"


def test_closing_leaves_what_has_ended(ledger):
    for state in STATES:
        ledger.intend(an_entry(state, state=state))
        ledger.close(state)
        assert the(ledger, state).state == (state if state in FINAL else "closed")


# -- the budget --------------------------------------------------------------------------------------------------------


def test_the_budget_counts_charges_reservations_and_this_request(ledger):
    ledger.intend(an_entry("charged", state="delivered", credits=5.0, estimate_high=90.0))
    ledger.intend(an_entry("by estimate", state="delivered", estimate_high=2.5))
    ledger.intend(an_entry("reserved", state="submitted", estimate_high=2.5))
    ledger.intend(an_entry("refused", state="refused", estimate_high=90.0))
    ledger.intend(an_entry("yesterday", state="unknown", estimate_high=90.0, created=99.0))
    ledger.intend(an_entry("local", server="local", state="unknown", estimate_high=90.0))
    assert ledger.spent(PIXAPI, 100.0) == Spent(7.5, 2.5)
    ledger.intend(an_entry("fits", estimate_high=10.0), budget=20.0, since=100.0)
    with pytest.raises(BudgetExceeded) as caught:
        ledger.intend(an_entry("too much", estimate_high=0.5), budget=20.0, since=100.0)
    assert caught.value.message == (
        "this request may cost 0.5 credits, and would pass the budget of 20: "
        "7.5 are spent and 12.5 reserved for open work at https://api.pixapi.ai."
    )
    assert ledger.get("too much") is None
    ledger.intend(an_entry("unpriced", estimate_high=None), budget=20.0, since=100.0)
    ledger.record("fits", Stopped(NotSent("no")))
    ledger.intend(an_entry("room again", estimate_high=9.0), budget=20.0, since=100.0)


def test_a_budget_of_cents_is_not_lost_to_rounding(ledger):
    for number in range(10):
        ledger.intend(an_entry(str(number), estimate_high=0.1), budget=1.0, since=0)
    with pytest.raises(BudgetExceeded):
        ledger.intend(an_entry("11", estimate_high=0.1), budget=1.0, since=0)


@pytest.mark.parametrize(
    ("state", "charged", "high", "spent", "unpriced"),
    [
        *[(state, None, 8.0, Spent(0, 8), 0) for state in ("sending", "submitted", "completed", "unknown")],
        *[(state, None, None, Spent(0, 0), 1) for state in ("sending", "submitted", "completed", "unknown", "delivered")],
        *[(state, None, 8.0, Spent(0, 0), 0) for state in ("failed", "lost", "closed")],
        ("completed", 3.0, 8.0, Spent(3, 0), 0),
        ("delivered", 3.0, None, Spent(3, 0), 0),
        ("delivered", None, 8.0, Spent(8, 0), 0),
        ("closed", 3.0, 8.0, Spent(3, 0), 0),
        ("failed", 0.0, None, Spent(0, 0), 0),
    ],
)
def test_what_a_row_costs(ledger, state, charged, high, spent, unpriced):
    ledger.intend(an_entry(state=state, credits=charged, estimate_high=high))
    assert ledger.spent(PIXAPI, 0) == spent
    estimated = spent.charged if charged is None else 0
    assert ledger.spend() == [Spend(PIXAPI, "nano", 1, spent.charged, estimated, spent.reserved, unpriced)]


def test_where_no_top_is_known_the_beginning_counts(ledger):
    ledger.intend(an_entry("from 4", estimate_low=4.0, estimate_high=None), budget=10.0, since=0)
    assert ledger.spent(PIXAPI, 0) == Spent(0, 4)
    with pytest.raises(BudgetExceeded, match="may cost 7 credits"):
        ledger.intend(an_entry("too much", estimate_low=7.0, estimate_high=None), budget=10.0, since=0)
    ledger.record("from 4", Delivered(()))
    assert ledger.spent(PIXAPI, 0) == Spent(4, 0)


def spend_all(home, name, budget):
    ledger = Ledger.open(Path(home))
    say(ready=True)
    sys.stdin.readline()
    done, longest = 0, 0.0
    with contextlib.suppress(BudgetExceeded):
        while True:
            started = time.monotonic()
            ledger.intend(an_entry(f"{name}-{done}", estimate_high=1.0), budget=float(budget), since=0)
            longest = max(longest, time.monotonic() - started)
            done += 1
    say(done=done, longest=longest)


def test_two_kernels_never_overspend_and_neither_starves(ledger, tmp_path):
    home = str(tmp_path / "home")
    with a_child(spend_all, home, "a", "1000") as a, a_child(spend_all, home, "b", "1000") as b:
        for child in (a, b):
            assert said(child) == {"ready": True}
        for child in (a, b):
            child.stdin.write("go\n")
            child.stdin.flush()
        results = said(a), said(b)
    assert sum(one["done"] for one in results) == 1000
    assert ledger.spent(PIXAPI, 0) == Spent(0, 1000)
    assert min(one["done"] for one in results) >= 20
    assert max(one["longest"] for one in results) < 5


def open_at_once(home, name):
    say(ready=True)
    sys.stdin.readline()
    ledger = Ledger.open(Path(home))
    ledger.intend(an_entry(name))
    say(trouble=ledger.trouble)


def test_kernels_that_begin_together_make_one_file(tmp_path):
    with contextlib.ExitStack() as stack:
        children = [stack.enter_context(a_child(open_at_once, str(tmp_path / "a" / "home"), f"job{n}")) for n in range(5)]
        for child in children:
            assert said(child) == {"ready": True}
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        assert [said(child) for child in children] == [{"trouble": None}] * 5
    assert len(Ledger.open(tmp_path / "a" / "home").recent()) == 5


def test_many_threads_share_it(ledger, tmp_path):
    def one_job(number):
        name = f"job{number}"
        ledger.intend(an_entry(name, estimate_high=1.0), budget=100, since=0)
        ledger.record(name, Submitted(f"task{number}"))
        ledger.record(name, Completed(f"task{number}", (), 1.0))
        ledger.record(name, Delivered((), 1.0))
        return the(ledger, f"task{number}").state

    with ThreadPoolExecutor(12) as pool:
        states = list(pool.map(one_job, range(100)))
    assert states == ["delivered"] * 100
    assert ledger.spent(PIXAPI, 0) == Spent(100, 0)


def fork_and_write(home):
    ledger = Ledger.open(Path(home))
    ledger.intend(an_entry("before"))
    child = os.fork()
    ledger.intend(an_entry("parent" if child else "child"))
    if child == 0:
        os._exit(0 if ledger.trouble is None else 1)
    _, status = os.waitpid(child, 0)
    ledger.intend(an_entry("after"))
    say(status=status, found=sorted(e.job_id for e in ledger.recent()), trouble=ledger.trouble)


@posix
def test_a_fork_opens_its_own_file(tmp_path):
    with a_child(fork_and_write, str(tmp_path)) as child:
        assert said(child) == {"status": 0, "found": ["after", "before", "child", "parent"], "trouble": None}
    ledger = Ledger.open(tmp_path)
    assert the(ledger, "child").state == "unknown"  # it ended without a word
    assert ledger._file.rows("PRAGMA integrity_check")[0][0] == "ok"


# -- finding -----------------------------------------------------------------------------------------------------------


def test_ids_and_their_beginnings(ledger):
    for number, task in enumerate(["task_01KA", "task_01KB", None, "task_%_", "job3"]):
        ledger.intend(an_entry(f"job{number}", task_id=task, created=1000.0 + number))
    assert the(ledger, "job3").job_id == "job3"
    assert the(ledger, "task_01KA").job_id == "job0"
    assert the(ledger, "task_01KB").job_id == the(ledger, "job1").job_id == "job1"
    assert the(ledger, "task_%").job_id == "job3"
    assert ledger.get("TASK_01KA") is ledger.get("task_02") is ledger.get("_") is ledger.get("%") is ledger.get("") is None
    with pytest.raises(UsageError) as caught:
        ledger.get("task_01K")
    assert caught.value.message == "'task_01K' is the beginning of several ids: task_01KB, task_01KA."
    with pytest.raises(UsageError, match="job3, job3, job2, job1, job0"):
        ledger.get("jo")


def test_many_candidates_are_not_all_named(ledger):
    for number in range(20):
        ledger.intend(an_entry(f"job{number:02}"))
    with pytest.raises(UsageError, match=r"(job\d\d, ){5}…\."):
        ledger.get("job")


def test_lists(ledger):
    for number, state in enumerate(STATES):
        for server in (PIXAPI, "local"):
            ledger.intend(an_entry(f"{state}@{server}", server=server, state=state, created=1000.0 + number))
    assert [e.job_id for e in ledger.recent(3, PIXAPI)] == [f"{state}@{PIXAPI}" for state in ("closed", "lost", "unknown")]
    assert len(ledger.recent(7)) == 7
    assert [e.state for e in ledger.unfinished("local")] == ["completed", "submitted"]
    assert len(ledger.unfinished()) == 4
    assert len(ledger.unfinished(limit=1)) == 1
    assert [e.job_id for e in ledger.unknown("local")] == ["unknown@local"]
    assert len(ledger.unknown()) == 2


def test_what_was_delivered_for_an_identical_request(ledger, tmp_path):
    one, two = a_file(tmp_path, "1.png"), a_file(tmp_path, "2.png")
    for number, (media, other) in enumerate(
        [((one,), {}), ((one, two), {}), ((), {}), ((two,), {"server": "local"}), ((two,), {"digest": "d2"})]
    ):
        ledger.intend(an_entry(f"job{number}", created=1000.0 + number, **other))
        ledger.record(f"job{number}", Delivered(media))
    ledger.intend(an_entry("newer", created=2000.0))
    assert [row.job_id for row in ledger.identical(PIXAPI, "d1")] == ["newer", "job2", "job1", "job0"]
    assert [row.job_id for row in ledger.identical("local", "d1")] == ["job3"]
    assert ledger.identical(PIXAPI, "d3") == []


def test_a_sweep(ledger):
    for number in range(3):
        ledger.intend(an_entry(f"job{number}", sweep="s1", place=f'{{"warmth": {number}}}', created=1000.0 + number))
    ledger.intend(an_entry("other", sweep="s2"))
    ledger.intend(an_entry("none"))
    assert [e.place for e in ledger.sweep("s1")] == ['{"warmth": 0}', '{"warmth": 1}', '{"warmth": 2}']
    assert ledger.sweep("s3") == []


@posix
def test_what_was_spent(ledger, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        evening, day = 1_763_809_200.0, 86_400.0  # 2025-11-22 11:00 UTC: there it is midnight
        rows = [
            ("1", PIXAPI, "nano", "/a.ipynb", evening - 1, "delivered", 4.0),
            ("2", PIXAPI, "nano", "/b.ipynb", evening, "delivered", None),
            ("3", PIXAPI, "veo", None, evening, "submitted", None),
            ("4", PIXAPI, "veo", None, evening, "refused", 0.0),
            ("5", "local", "nano", "/a.ipynb", evening + day, "delivered", 100.0),
        ]
        names = ("job_id", "server", "model", "notebook", "created", "state", "credits")
        for row in rows:
            ledger.intend(an_entry(**dict(zip(names, row, strict=True))))
        by_model = [
            Spend(PIXAPI, "nano", 2, 12, 8, 0, 0),
            Spend(PIXAPI, "veo", 1, 0, 0, 8, 0),
            Spend("local", "nano", 1, 100, 0, 0, 0),
        ]
        assert ledger.spend() == ledger.spend("model") == by_model
        assert ledger.spend("model", server="local") == by_model[2:]
        assert ledger.spend("day") == [
            Spend(PIXAPI, "2025-11-23", 2, 8, 8, 8, 0),
            Spend(PIXAPI, "2025-11-22", 1, 4, 0, 0, 0),
            Spend("local", "2025-11-24", 1, 100, 0, 0, 0),
        ]
        assert ledger.spend("day", since=evening, server=PIXAPI) == [Spend(PIXAPI, "2025-11-23", 2, 8, 8, 8, 0)]
        assert [one.name for one in ledger.spend("notebook", server=PIXAPI)] == ["/b.ipynb", "/a.ipynb", None]
        assert len(ledger.spend("notebook", limit=2)) == 2
    finally:
        monkeypatch.undo()
        time.tzset()


def test_no_question_reads_the_whole_table(ledger, monkeypatch):
    asked = []
    rows = ledger._file.rows

    def note(sql, **values):
        asked.append((sql, values))
        return rows(sql, **values)

    monkeypatch.setattr(ledger._file, "rows", note)
    ledger.intend(an_entry(task_id="task_1"))
    for ask in (
        lambda: ledger.get("task_1"),
        lambda: ledger.get("tas"),
        ledger.recent,
        ledger.unfinished,
        ledger.unknown,
        lambda: ledger.identical(PIXAPI, "d1"),
        lambda: ledger.sweep("s1"),
        lambda: ledger.spent(PIXAPI, 0),
    ):
        ask()
    for sql, values in asked:
        for step in rows("EXPLAIN QUERY PLAN " + sql, **values):
            assert not step["detail"].startswith("SCAN") or "USING INDEX jobs_created" in step["detail"], (
                sql
            )  # and LIMIT ends it


# -- versions ----------------------------------------------------------------------------------------------------------

# What version 1 left behind. Never changed: files like this exist.
VERSION_1 = """
CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY NOT NULL, server TEXT NOT NULL, created REAL NOT NULL, updated REAL NOT NULL, notebook TEXT,
    kind TEXT NOT NULL, model TEXT NOT NULL, endpoint TEXT NOT NULL, request TEXT NOT NULL, digest TEXT NOT NULL,
    estimate_low REAL, estimate_high REAL, state TEXT NOT NULL, task_id TEXT, credits REAL, files TEXT NOT NULL, error TEXT,
    sweep TEXT, place TEXT, owner TEXT NOT NULL);
CREATE INDEX jobs_created ON jobs (created);
CREATE INDEX jobs_spent ON jobs (server, created, state, credits, estimate_high);
CREATE INDEX jobs_state ON jobs (state, created);
CREATE INDEX jobs_digest ON jobs (digest, server, created);
CREATE INDEX jobs_task ON jobs (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX jobs_sweep ON jobs (sweep, created) WHERE sweep IS NOT NULL;
INSERT INTO jobs VALUES ('job1', 'https://api.pixapi.ai', 1000.0, 1001.0, '/a.ipynb', 'video', 'veo', 'async',
    '{"model": "veo", "prompt": "waves", "inputs": [{"name": "sea.png", "sha256": "00"}]}', 'd1', 8.0, 96.0, 'submitted',
    'task_1', NULL, '[]', NULL, NULL, NULL, '{"pid": 4194305, "started": 1.5, "host": "gone"}');
INSERT INTO jobs VALUES ('job2', 'local', 1002.0, 1003.0, NULL, 'image', 'nano', 'sync', '{}', 'd2', NULL, NULL,
    'sending', NULL, NULL, '[]', NULL, 's1', '{"style": "ink"}', '{"pid": 4194305, "started": 1.5, "host": "gone"}');
PRAGMA user_version = 1;
"""


@pytest.fixture
def from_version_1(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as db:
        db.executescript(VERSION_1)
    return tmp_path


def check_version_1(ledger):
    first, second = ledger.get("job1"), ledger.get("job2")
    assert first == Entry(
        job_id="job1",
        server=PIXAPI,
        created=1000.0,
        updated=1001.0,
        notebook="/a.ipynb",
        kind="video",
        model="veo",
        endpoint="async",
        request={"model": "veo", "prompt": "waves", "inputs": [{"name": "sea.png", "sha256": "00"}]},
        digest="d1",
        estimate_low=8.0,
        estimate_high=96.0,
        state="submitted",
        task_id="task_1",
        owner=Owner(4194305, 1.5, "gone"),
    )
    assert (second.state, second.sweep, second.place) == ("unknown", "s1", '{"style": "ink"}')


def version(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


def test_version_1_is_read_and_continued(from_version_1):
    ledger = Ledger.open(from_version_1)
    check_version_1(ledger)
    ledger.record("job1", Completed("task_1", (), 48.0))
    assert ledger.spent(PIXAPI, 0) == Spent(48, 0)
    assert version(ledger.path) == len(ledger_file.STEPS)


def test_a_new_file_has_the_tables_of_one_that_was_migrated(from_version_1, tmp_path_factory):
    def tables(home):
        ledger = Ledger.open(home)
        return ["".join((row["sql"] or "").split()) for row in ledger._file.rows("SELECT sql FROM sqlite_master ORDER BY name")]

    assert tables(from_version_1) == tables(tmp_path_factory.mktemp("new"))


def test_a_later_step_is_taken_once_and_the_old_kernel_goes_on(from_version_1, monkeypatch):
    old = Ledger.open(from_version_1)
    step = ("ALTER TABLE jobs ADD COLUMN stars INTEGER", "UPDATE jobs SET stars = 5")
    monkeypatch.setattr(ledger_file, "STEPS", (*ledger_file.STEPS, step))
    for _ in range(2):
        new = Ledger.open(from_version_1)
        check_version_1(new)
        assert {row["stars"] for row in new._file.rows("SELECT stars FROM jobs")} == {5}
        assert version(new.path) == len(ledger_file.STEPS)
    old.intend(an_entry("job3"))
    assert the(new, "job3").state == "sending"
    check_version_1(old)


def test_a_step_that_fails_leaves_the_version_before(from_version_1, monkeypatch):
    monkeypatch.setattr(ledger_file, "STEPS", (*ledger_file.STEPS, ("ALTER TABLE jobs ADD COLUMN stars INTEGER", "NONSENSE")))
    with pytest.raises(sqlite3.OperationalError, match="NONSENSE"):
        Ledger.open(from_version_1)
    monkeypatch.undo()
    check_version_1(Ledger.open(from_version_1))


def test_a_newer_file_is_left_alone(from_version_1):
    path = from_version_1 / "ledger.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.executescript("ALTER TABLE jobs ADD COLUMN stars; PRAGMA user_version = 99;")
    before = path.read_bytes()
    with pytest.warns(LedgerWarning, match="a newer version of pixapi_nb wrote it; update this one") as told:
        ledger = Ledger.open(from_version_1)
    check_version_1(ledger)
    ledger.intend(an_entry("job3"), budget=104.0, since=0)
    assert the(ledger, "job3").state == "sending"
    assert ledger.trouble == str(told[0].message)
    assert len(told) == 1
    assert path.read_bytes() == before


# -- when the file fails -----------------------------------------------------------------------------------------------


def check_it_goes_on(ledger, tmp_path, expected=0.0):
    """The session's own budget and tasks work, without another warning."""
    assert ledger.trouble
    ledger.intend(an_entry("goes-on"), budget=expected + 8.0, since=0)
    with pytest.raises(BudgetExceeded):
        ledger.intend(an_entry("too-much"), budget=expected + 8.0, since=0)
    ledger.record("goes-on", Submitted("task_on"))
    assert the(ledger, "task_on").state == "submitted"
    ledger.record("goes-on", Delivered((a_file(tmp_path),), 8.0))
    assert ledger.identical(PIXAPI, "d1")[0].job_id == "goes-on"


def a_file_in_its_way(folder):
    (folder / "home").write_text("no folder")
    return folder / "home"


def a_folder_in_its_way(folder):
    (folder / "ledger.sqlite3").mkdir()
    return folder


@pytest.mark.parametrize(
    "blocked",
    [
        a_file_in_its_way,
        a_folder_in_its_way,
        pytest.param(lambda _: Path("/proc/pixapi"), marks=pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")),
    ],
)
def test_a_place_that_takes_no_file(tmp_path, blocked):
    home = blocked(tmp_path)
    with pytest.warns(LedgerWarning, match="cannot be used: .* is known to this kernel only") as told:
        ledger = Ledger.open(home)
    assert len(told) == 1
    check_it_goes_on(ledger, tmp_path)


def test_without_create_nothing_is_made_until_it_is_needed(tmp_path):
    home = tmp_path / "home"
    ledger = Ledger.open(home, create=False)
    assert ledger.recent() == ledger.unfinished() == ledger.unknown() == ledger.sweep("s") == []
    assert ledger.spend() == []
    assert ledger.get("job1") is None
    assert ledger.identical(PIXAPI, "d1") == []
    assert ledger.spent(PIXAPI, 0) == Spent(0, 0)
    assert not home.exists()
    neighbour = Ledger.open(home)
    neighbour.intend(an_entry())
    assert the(ledger, "job1").job_id == "job1"
    other = Ledger.open(tmp_path / "other", create=False)
    other.intend(an_entry())
    assert (tmp_path / "other" / "ledger.sqlite3").exists()


def test_a_full_disk(ledger, tmp_path):
    ledger.intend(an_entry("before", state="unknown"))
    full = ledger._file.rows("PRAGMA page_count")[0][0]
    ledger._file.rows(f"PRAGMA max_page_count = {full}")
    big = an_entry("big", request={"prompt": "p" * 100_000}, estimate_high=0.0)
    with pytest.warns(LedgerWarning, match="is full") as told:
        ledger.intend(big)
    assert len(told) == 1
    assert the(ledger, "big").request == big.request
    assert [e.job_id for e in ledger.unknown()] == ["before"]
    check_it_goes_on(ledger, tmp_path, expected=8.0)
    again = Ledger.open(tmp_path / "home")
    assert [e.job_id for e in again.recent()] == ["before"]


def write_until_the_disk_is_full(home):
    import resource

    ledger = Ledger.open(Path(home))
    ledger.intend(an_entry("before"))
    limit = Path(f"{ledger.path}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        ledger.record("before", Submitted("task_1"))
        for number in range(3):
            ledger.intend(an_entry(f"after{number}"))
    say(
        told=len(told), state=the(ledger, "task_1").state, count=len(ledger.recent()), reserved=ledger.spent(PIXAPI, 0).reserved
    )


@posix
def test_a_disk_that_takes_nothing_more(tmp_path):
    with a_child(write_until_the_disk_is_full, str(tmp_path)) as child:
        assert said(child) == {"told": 1, "state": "submitted", "count": 4, "reserved": 32.0}
        child.wait()
    assert [(e.job_id, e.state) for e in Ledger.open(tmp_path).recent()] == [("before", "unknown")]  # the file is whole


def test_a_file_that_may_only_be_read(ledger, tmp_path):
    ledger.intend(an_entry("before", state="submitted", task_id="task_0"))
    ledger._file.rows("PRAGMA query_only = ON")  # root may write any file: so SQLite is asked to refuse
    with pytest.warns(LedgerWarning, match="readonly") as told:
        ledger.record("before", Completed("task_0", (), 8.0))
    assert len(told) == 1
    assert the(ledger, "task_0").state == "completed"
    check_it_goes_on(ledger, tmp_path, expected=8.0)


def test_a_file_that_stays_locked(ledger, tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_file, "_PATIENCE", 0.05)
    ledger.intend(an_entry("before", state="submitted"))
    with contextlib.closing(sqlite3.connect(ledger.path, isolation_level=None)) as neighbour:
        neighbour.execute("BEGIN IMMEDIATE")
        with pytest.warns(LedgerWarning, match="locked") as told:
            ledger.intend(an_entry("big", estimate_high=0.0))
        assert len(told) == 1
    assert [e.job_id for e in ledger.unfinished()] == ["before"]
    check_it_goes_on(ledger, tmp_path, expected=8.0)


def test_a_lock_that_ends_is_waited_for(ledger):
    neighbour = sqlite3.connect(ledger.path, isolation_level=None, check_same_thread=False)
    neighbour.execute("BEGIN IMMEDIATE")
    with contextlib.closing(neighbour), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ledger.intend, an_entry())
        assert not waiting.done()
        neighbour.execute("COMMIT")
        waiting.result(30)
    assert ledger.trouble is None
    assert the(ledger, "job1").state == "sending"


@pytest.mark.parametrize("content", [b"this is no database " * 500, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_a_damaged_file_is_kept_and_another_begun(tmp_path, content):
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(content)
    with pytest.warns(LedgerWarning, match="is damaged") as told:
        ledger = Ledger.open(tmp_path)
    assert len(told) == 1
    (kept,) = tmp_path.glob("*.damaged-*")
    assert kept.name in str(told[0].message)
    assert kept.read_bytes() == content
    assert ledger.trouble is None
    ledger.intend(an_entry())
    assert the(Ledger.open(tmp_path), "job1").state == "sending"


def test_damage_found_later_saves_what_can_be_read(tmp_path):
    first = Ledger.open(tmp_path)
    for number in range(200):
        state = "submitted" if number % 50 == 0 else "delivered"
        first.intend(an_entry(f"job{number:03}", state=state, request={"prompt": "p" * 1000}, created=1000.0 + number))
    first.disconnect()
    path = tmp_path / "ledger.sqlite3"
    content = bytearray(path.read_bytes())
    at = content.index(b"job120" + PIXAPI.encode())  # in the page of that row, and not in an index
    page = int.from_bytes(content[16:18], "big")
    content[at - at % page : at - at % page + page] = b"\xee" * page
    path.write_bytes(content)
    ledger = Ledger.open(tmp_path)
    with pytest.warns(LedgerWarning, match="is damaged") as told:
        ledger.recent(200)
    assert len(told) == 1
    assert [e.job_id for e in ledger.unfinished()] == ["job150", "job100", "job050", "job000"]
    assert the(ledger, "job199").state == "delivered"
    (kept,) = (one for one in tmp_path.glob("*.damaged-*") if not one.name.endswith(("-wal", "-shm")))
    assert kept.read_bytes() == content
    assert ledger.trouble is None
    ledger.record("job150", Completed("task_1", (), 1.0))
    assert the(Ledger.open(tmp_path), "job150").state == "completed"


def test_a_damaged_file_that_cannot_be_kept(tmp_path, monkeypatch):
    (tmp_path / "ledger.sqlite3").write_bytes(b"no database " * 500)

    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.warns(LedgerWarning, match="file is not a database") as told:
        ledger = Ledger.open(tmp_path)
    assert len(told) == 1
    check_it_goes_on(ledger, tmp_path)
    assert (tmp_path / "ledger.sqlite3").read_bytes() == b"no database " * 500


@posix
@pytest.mark.parametrize("successor", [True, False])
def test_a_file_that_is_taken_away(ledger, tmp_path, successor):
    ledger.intend(an_entry("before", state="submitted"))
    for path in (tmp_path / "home").iterdir():
        path.unlink()
    other = Ledger.open(tmp_path / "home") if successor else None
    with pytest.warns(LedgerWarning, match="another file has taken its place" if successor else "No such file") as told:
        ledger.record("before", Completed("task_1", ()))
    assert len(told) == 1
    assert the(ledger, "before").state == "completed"
    check_it_goes_on(ledger, tmp_path, expected=8.0)
    assert other is None or other.recent() == []


def test_two_kernels_that_find_the_same_damage_begin_one_file(tmp_path):
    ledgers = [Ledger.open(tmp_path), Ledger.open(tmp_path)]
    ledgers[0].intend(an_entry("before", state="submitted"))
    damage = sqlite3.DatabaseError("database disk image is malformed")
    for number, one in enumerate(ledgers):
        failed: list[bool] = []

        def fails_once(failed=failed):
            if not failed:
                failed.append(True)
                raise damage

        with pytest.warns(LedgerWarning, match="is damaged"):
            one._file._safely(fails_once)
        one.intend(an_entry(f"job{number}"))
    assert len([one for one in tmp_path.glob("*.damaged-*") if not one.name.endswith(("-wal", "-shm"))]) == 1
    for one in (*ledgers, Ledger.open(tmp_path)):
        assert sorted(e.job_id for e in one.recent()) == ["before", "job0", "job1"]
        assert one.trouble is None


def test_a_warning_that_is_an_error_comes_after_the_work(ledger, tmp_path):
    ledger.intend(an_entry())
    ledger._file.rows("PRAGMA query_only = ON")
    with pytest.raises(LedgerWarning):
        ledger.record("job1", Submitted("task_1"))
    assert the(ledger, "task_1").state == "submitted"


def test_a_fault_of_ours_is_not_taken_for_one_of_the_file(ledger):
    ledger.intend(an_entry())
    with pytest.raises(sqlite3.IntegrityError):
        ledger.intend(an_entry())
    assert ledger.trouble is None


def test_an_interrupt_between_two_lines_blocks_nobody(ledger, tmp_path):
    ledger.intend(an_entry())
    ledger._file._db.execute("BEGIN IMMEDIATE")
    ledger.intend(an_entry("job2"))
    ledger._file._db.execute("BEGIN IMMEDIATE")
    assert len(ledger.recent()) == 2
    Ledger.open(tmp_path / "home").intend(an_entry("job3"))
    assert ledger.trouble is None


def test_an_interrupt_in_a_transaction_undoes_it(ledger):
    def interrupted(db):
        db.execute("DELETE FROM jobs")
        raise KeyboardInterrupt

    ledger.intend(an_entry())
    with pytest.raises(KeyboardInterrupt):
        ledger._file.write(interrupted, durable=True)
    assert the(ledger, "job1").state == "sending"


def test_what_protects_money_survives_a_power_cut(ledger):
    asked: list[str] = []
    ledger.intend(an_entry())
    ledger._file._db.set_trace_callback(asked.append)

    def levels(action, *args):
        asked.clear()
        action(*args)
        return [one.split()[-1] for one in asked if one.startswith("PRAGMA synchronous")]

    assert levels(ledger.intend, an_entry("job2")) == ["FULL"]
    assert levels(ledger.record, "job1", Submitted("task_1")) == ["FULL"]
    assert levels(ledger.record, "job2", Completed(None, (), 1.0)) == ["FULL"]
    assert levels(ledger.record, "job1", Completed("task_1", (), 1.0)) == ["NORMAL"]
    assert levels(ledger.record, "job1", Delivered(())) == ["NORMAL"]
    assert levels(ledger.record, "job1", Processing("task_1", 1)) == []
    assert ledger._file.rows("PRAGMA journal_mode")[0][0] == "wal"
    ledger._file._db.set_trace_callback(None)


def test_disconnect_and_on(ledger, tmp_path):
    ledger.intend(an_entry())
    ledger.disconnect()
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["ledger.sqlite3"]
    assert the(ledger, "job1").state == "sending"
    thread = threading.Thread(target=ledger.disconnect)
    thread.start()
    thread.join(30)
    ledger.record("job1", Submitted("task_1"))
    assert the(ledger, "job1").task_id == "task_1"
