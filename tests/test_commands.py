"""`%pixapi …` in a real kernel: what it lists, brings home and says; never the key, and nothing that is paid."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from pixapi_nb import books
from pixapi_nb.events import Completed, Delivered, Submitted
from pixapi_nb.jobs import Job
from pixapi_nb.ledger import Ledger
from pixapi_nb.models import ImageRequest
from pixapi_nb.pricing import Price
from tests.harness.canary import found_below, found_in
from tests.harness.kernels import Kernel
from tests.harness.messages import Run
from tests.harness.pixapi import KEY, PixapiServer

pytestmark = pytest.mark.kernel

PIXAPI = "https://api.pixapi.ai"
CELL = "%%pixapi gemini-2.5-flash-image -s 64x64 {}\n{}"


@pytest.fixture
def loaded(pixapi_server: PixapiServer, kernel: Kernel) -> Iterator[Kernel]:
    """A kernel with the extension. Whatever it said in the test, it never said the key."""
    pixapi_server.settings(seconds=0)
    kernel.run("%load_ext pixapi_nb", check=True)
    yield kernel
    for run in kernel.shell.runs.values():
        assert not found_in(KEY, run.text, *(output.data for output in run.outputs))
    assert not found_below(KEY, Path.cwd())


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    opened = Ledger.open(Path(os.environ["PIXAPI_HOME"]), create=False)
    yield opened
    opened.disconnect()


def made(kernel: Kernel, prompt: str = "a lake", options: str = "") -> Run:
    return kernel.run(CELL.format(options, prompt), check=True)


def rows(run: Run) -> list[list[str]]:
    """The cells of the table that was shown, as a reader sees them."""
    (shown,) = [output for output in run.displays if "<table" in output.data.get("text/html", "")]
    html = shown.data["text/html"]
    return [
        [unescape(re.sub("<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL)
    ]


def column(run: Run, name: str) -> list[str]:
    head, *body = rows(run)
    return [row[head.index(name)] for row in body]


def images(run: Run) -> int:
    return sum(output.data.get("text/html", "").count("<img") for output in run.displays)


def refusal(run: Run) -> str:
    assert run.error is not None
    assert "Traceback" not in run.error.traceback
    return f"{run.error.ename}: {run.error.traceback}"


# -- tasks and spend


def test_nothing_yet(loaded: Kernel) -> None:
    assert "Nothing has been asked for yet" in loaded.run("%pixapi tasks", check=True).text
    assert "Nothing has been spent yet" in loaded.run("%pixapi spend", check=True).text
    assert "is unfinished" in loaded.run("%pixapi resume", check=True).text
    assert not (Path(os.environ["PIXAPI_HOME"]) / "ledger.sqlite3").exists()


def test_a_half_done_sweep_is_named_and_given_up(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    loaded.run("%config PixapiMagics.budget = 5", check=True)
    loaded.run("%%pixapi nano-banana -s 64x64 --sweep --yes\ncup {{i: 1..4}}")
    said = re.search(r"(sweep_\w+) is half done", loaded.run("%pixapi tasks", check=True).text)
    assert said
    assert "is closed" in loaded.run(f"%pixapi tasks --close {said[1]}", check=True).text
    assert "half done" not in loaded.run("%pixapi tasks", check=True).text
    assert "is unfinished" in loaded.run("%pixapi resume", check=True).text
    assert len(pixapi_server.tasks()) == 2


def test_tasks_lists_what_was_asked_escaped(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    made(loaded, "<img src=x onerror=alert(1)> & 'quotes'\n" + "long " * 200)
    pixapi_server.faults({"match": {"method": "POST"}, "kind": "reset", "stage": "after"})
    lost = loaded.run(CELL.format("", "a lost one"))
    assert "OutcomeUnknown" in refusal(lost)
    pixapi_server.clear()
    run = loaded.run("%pixapi tasks", check=True)
    assert column(run, "state") == ["unknown", "delivered"]
    assert column(run, "credits") == ["up to 2", "2"]
    assert column(run, "prompt")[1].startswith("<img src=x onerror=alert(1)> & 'quotes' long")
    assert max(map(len, column(run, "prompt"))) < 100
    assert "<img" not in next(output.data["text/html"] for output in run.displays)
    assert "never sent again by itself" in run.text
    job_id = column(run, "id")[0]

    assert "its outcome is unknown" in refusal(loaded.run(f"%pixapi resume {job_id}"))
    spend = loaded.run("%pixapi spend", check=True)
    assert column(spend, "credits") == ["2", "2", "2"]
    assert all("2 reserved" in row[-1] for row in rows(spend)[1:])
    assert "closed" in loaded.run(f"%pixapi tasks --close {job_id}", check=True).text
    assert column(loaded.run("%pixapi tasks", check=True), "state") == ["closed", "delivered"]
    assert all("reserved" not in row[-1] for row in rows(loaded.run("%pixapi spend", check=True))[1:])
    assert len(pixapi_server.requests("POST")) == 2


def test_spend_in_credits_and_dollars_with_servers_apart(loaded: Kernel, ledger: Ledger, pixapi_server: PixapiServer) -> None:
    for server, charged, day in ((PIXAPI, 133.0, 0), (PIXAPI, 8.0, 1), ("local", 8.0, 0)):
        book(ledger, server=server, charged=charged, days_ago=day)
    run = loaded.run("%pixapi spend", check=True)
    table = rows(run)
    assert ["api.pixapi.ai" in row[0] or "local" in row[0] for row in table[1:]] == [True] * (len(table) - 1)
    days = [row for row in table if row[1] == "day" and "api.pixapi.ai" in row[0]]
    assert [row[4] for row in days] == ["133", "8"]
    assert [row[5] for row in days] == ["$1.33", "$0.08"]
    assert next(row for row in table if row[1] == "model" and "api.pixapi.ai" in row[0])[3:6] == ["2", "141", "$1.41"]
    assert {row[5] for row in table if row[0].startswith("local")} == {"–"}
    assert "no money" in run.text


def book(ledger: Ledger, *, server: str, charged: float, days_ago: int) -> Job:
    """A job that was delivered, in the ledger."""
    request = ImageRequest(model="gemini-3-pro-image-preview", prompt="earlier")
    job = Job(request, server=server, estimate=Price.of(charged))
    job.created -= 86_400 * days_ago
    ledger.intend(books.entry(job, books.fingerprint(request), notebook="study.ipynb"))
    for event in (Submitted(f"task_{job.id}"), Completed(f"task_{job.id}", (), charged), Delivered((), charged)):
        ledger.record(job.id, event)
    return job


# -- resume


def test_resume_brings_home_what_is_unfinished(loaded: Kernel, pixapi_server: PixapiServer, ledger: Ledger) -> None:
    """One by one, and all; what is finished is shown from its files, also where they had to be fetched again."""
    pixapi_server.faults({"match": {"server": "media"}, "kind": "html"})
    stopped = loaded.run(CELL.format("", "a lake"))
    assert "%pixapi resume task_" in refusal(stopped)
    pixapi_server.clear()
    (entry,) = ledger.recent()
    assert entry.state == "completed"
    assert images(loaded.run("%pixapi resume", check=True)) == 1
    (entry,) = ledger.recent()
    assert entry.state == "delivered"
    assert "is unfinished" in loaded.run("%pixapi resume", check=True).text

    asked = len(pixapi_server.requests())
    again = loaded.run(f"%pixapi resume {entry.task_id}", check=True)
    assert images(again) == 1
    assert "0 credits" in again.text + str(again.displays[0].data)
    assert len(pixapi_server.requests()) == asked

    Path(entry.files[0]).unlink()
    assert images(loaded.run(f"%pixapi resume {str(entry.task_id)[:12]}", check=True)) == 1
    assert Path(entry.files[0]).exists()
    assert len(pixapi_server.requests("POST")) == 1


def test_resume_of_what_the_server_forgot(loaded: Kernel, pixapi_server: PixapiServer, ledger: Ledger) -> None:
    made(loaded)
    (entry,) = ledger.recent()
    Path(entry.files[0]).unlink()
    pixapi_server.forget(str(entry.task_id))
    said = refusal(loaded.run(f"%pixapi resume {entry.task_id}"))
    assert "TaskNotFound" in said
    assert "goes on" not in said
    pixapi_server.settings(seconds=30)
    loaded.run(CELL.format("-b", "another"), allow_stdin=True, check=True)
    (waiting, *_) = loaded.until(lambda: [e for e in ledger.unfinished() if e.task_id], 20, "a task")
    pixapi_server.forget(str(waiting.task_id))
    loaded.until(lambda: ledger.recent()[0].state == "lost", 20, "its end")
    assert "is unfinished" in loaded.run("%pixapi resume", check=True).text
    assert column(loaded.run("%pixapi tasks", check=True), "state") == ["lost", "delivered"]


def test_resume_of_what_this_ledger_never_saw(loaded: Kernel, pixapi_server: PixapiServer, ledger: Ledger) -> None:
    made(loaded)
    (entry,) = ledger.recent()
    task, path = entry.task_id, ledger.path
    ledger.disconnect()
    loaded.run("from pixapi_nb import session\nsession.current().ledger.disconnect()", check=True)
    for file in path.parent.glob("ledger.sqlite3*"):
        file.unlink()
    assert images(loaded.run(f"%pixapi resume {task}", check=True)) == 1
    (adopted,) = ledger.recent()
    assert (adopted.state, adopted.credits, adopted.task_id) == ("delivered", 2, task)
    assert not Path(adopted.files[0] + ".json").exists()  # nobody knows how it was made
    assert "is on the books" in refusal(loaded.run("%pixapi resume nonsense"))
    assert "TaskNotFound" in refusal(loaded.run("%pixapi resume task_01NOBODYKNOWS"))
    assert len(ledger.recent()) == 1, "a slip of the pen is not booked"
    assert loaded.run(f"back = %pixapi resume {task}\nback.task_id", check=True).result == f"'{task}'"
    assert "is unfinished" in loaded.run("%pixapi resume", check=True).text


def test_resume_of_another_servers_task(loaded: Kernel, ledger: Ledger, pixapi_server: PixapiServer) -> None:
    """It is not asked for here. Its files, once they are at home, are shown all the same."""
    request = ImageRequest(model="nano-banana", prompt="elsewhere")
    job = Job(request, server=PIXAPI, estimate=Price.of(2))
    ledger.intend(books.entry(job, "d", notebook=None))
    ledger.record(job.id, Submitted("task_elsewhere"))
    said = refusal(loaded.run("%pixapi resume task_elsewhere"))
    assert f"belongs to {PIXAPI}" in said
    assert "PIXAPI_BASE_URL" in said
    assert f"Elsewhere there is something: {PIXAPI}" in loaded.run("%pixapi resume", check=True).text
    assert pixapi_server.requests() == []


def test_resume_of_a_synchronous_request(loaded: Kernel, pixapi_server: PixapiServer, ledger: Ledger) -> None:
    made(loaded, options="--sync")
    (entry,) = ledger.recent()
    assert entry.task_id is None
    assert images(loaded.run(f"%pixapi resume {entry.job_id}", check=True)) == 1
    Path(entry.files[0]).unlink()
    assert "it was a synchronous request" in refusal(loaded.run(f"%pixapi resume {entry.job_id}"))
    assert len(pixapi_server.requests("POST")) == 1


def test_a_synchronous_request_without_its_files_is_settled_by_the_person(
    loaded: Kernel, pixapi_server: PixapiServer, ledger: Ledger
) -> None:
    pixapi_server.faults({"match": {"server": "media"}, "kind": "status", "status": 403, "documented": False})
    assert "DownloadFailed" in refusal(loaded.run(CELL.format("--sync", "a lake")))
    (entry,) = ledger.recent()
    assert f"the files are lost: {entry.job_id}" in loaded.run("%pixapi resume", check=True).text
    loaded.run(f"%pixapi tasks --close {entry.job_id}", check=True)
    assert loaded.run("%pixapi resume", check=True).text.endswith("is unfinished.")


def test_one_interrupt_leaves_all_that_is_resumed(loaded: Kernel, pixapi_server: PixapiServer, ledger: Ledger) -> None:
    pixapi_server.settings(seconds=4)
    for prompt in ("one", "two", "three"):
        loaded.run(CELL.format("-b", prompt), allow_stdin=True, check=True)
    loaded.until(lambda: len([e for e in ledger.unfinished() if e.task_id]) == 3, 20, "three tasks")
    resumed = loaded.send("%pixapi resume", allow_stdin=True)
    loaded.until(lambda: sum("processing" in str(one.data) for one in resumed.displays) == 3, 20, "their progress")
    loaded.interrupt()
    loaded.wait(resumed, 5)
    assert "Detached" in refusal(resumed)
    loaded.until(lambda: images(resumed) == 3, 30, "three pictures")
    assert len(pixapi_server.requests("POST")) == 3


# -- the others


def test_config_says_what_is_in_force_and_not_the_key(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    loaded.run("%config PixapiMagics.budget = 12.5", check=True)
    run = loaded.run("%pixapi config", check=True)
    table = {row[0]: row[1] for row in rows(run)}
    assert table["server"] == pixapi_server.api
    assert table["key"] == "PIXAPI_KEY"
    assert table["budget"] == "12.5"
    assert table["ledger"].startswith(os.environ["PIXAPI_HOME"])
    assert table["files"].endswith("pixapi_out")
    loaded.run("%env PIXAPI_BASE_URL=https://me:s3cret@example.com/v1", check=True)
    said = loaded.run("%pixapi config", check=True)
    assert "s3cret" not in said.text + str(said.displays[0].data)


def test_login_keeps_the_key_to_itself(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    loaded.run("import os; del os.environ['PIXAPI_KEY']", check=True)
    assert "MissingKey" in refusal(loaded.run(CELL.format("", "a lake")))
    assert "nobody is there" in refusal(loaded.run("%pixapi login"))
    for slip in (f"%pixapi login {KEY}", f"%pixapi login={KEY}", f"%pixapi login --key={KEY}"):
        assert KEY not in refusal(loaded.run(slip))
    wrong = loaded.run("%pixapi login", answers=["two words"])
    assert "not a key" in refusal(wrong)
    assert "two words" not in refusal(wrong)
    said = loaded.run("%pixapi login", answers=[KEY], check=True)
    assert "memory" in said.text
    made(loaded)
    assert "%pixapi login" in loaded.run("%pixapi config", check=True).text
    loaded.run("%pixapi login --forget", check=True)
    assert "MissingKey" in refusal(loaded.run(CELL.format("", "a lake")))


def test_login_leaves_the_sketches_behind(kernel: Kernel) -> None:
    kernel.run("%load_ext pixapi_nb\nimport os\nos.environ['PIXAPI_BASE_URL'] = 'local'", check=True)
    said = kernel.run("%pixapi login", answers=[KEY], check=True).text
    assert "https://api.pixapi.ai" in said
    assert "%pixapi local" in said
    assert "https://api.pixapi.ai" in kernel.run("%pixapi config", check=True).text


def test_forgetting_does_not_claim_what_the_environment_has(loaded: Kernel) -> None:
    assert "PIXAPI_KEY is still set" in loaded.run("%pixapi login --forget", check=True).text


def test_models_and_help(loaded: Kernel) -> None:
    models = loaded.run("%pixapi models", check=True)
    assert "gemini-3-pro-image-preview" in column(models, "model")
    assert "nano-banana" in column(models, "aliases")
    assert "2026" in models.text  # the table of prices has a date
    helped = loaded.run("%pixapi help", check=True)
    for command in ("models", "tasks", "resume", "spend", "local", "login", "config", "recipe"):
        assert f"%pixapi {command}" in column(helped, "command")
    assert rows(loaded.run("%pixapi", check=True)) == rows(helped)
    unknown = refusal(loaded.run("%pixapi taks"))
    assert "Did you mean tasks" in unknown


def test_recipe_gives_a_cell_that_runs(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    loaded.run("lake = 'tarn'", check=True)
    made(loaded, r"a \{{lake}} at \"dawn\"" + "\nwith 'two' lines and {braces}", "-n 2 -o hero")
    run = loaded.run("%pixapi recipe hero[1]", check=True)
    _, _, cell = run.stdout.partition("makes it again:\n\n")
    assert cell.startswith("%%pixapi gemini-2.5-flash-image -n 2")
    loaded.run(cell.rstrip("\n"), check=True)
    first, second = (entry["fields"] for entry in pixapi_server.requests("POST"))
    assert first == second
    assert "{{lake}}" in first["prompt"]
    for wrong, said in (("nowhere.png", "does not exist"), ("", "required"), ("hero[7]", "hero[7]")):
        assert said in refusal(loaded.run(f"%pixapi recipe {wrong}"))


# -- trouble with the ledger


def _a_file(home: Path) -> None:
    home.rmdir()
    home.write_text("a file where the folder should be")


def _no_database(home: Path) -> None:
    (home / "ledger.sqlite3").mkdir()


FULL = """
import sqlite3
from pixapi_nb import ledger_file
real = ledger_file._connect
def full(database, **how):
    db = real(database, **how)
    if database != ":memory:":
        db.execute("PRAGMA max_page_count = 30")
    return db
ledger_file._connect = full
"""


@pytest.mark.parametrize("harm", [_a_file, _no_database, FULL], ids=["home is a file", "no database", "full"])
def test_trouble_with_the_ledger_is_one_warning_and_the_work_goes_on(
    pixapi_server: PixapiServer, kernel: Kernel, harm: Callable[[Path], None] | str
) -> None:
    pixapi_server.settings(seconds=0)
    if isinstance(harm, str):
        kernel.run(harm, check=True)
    else:
        harm(Path(os.environ["PIXAPI_HOME"]))
    kernel.run("%load_ext pixapi_nb", check=True)
    prompt = "a lake " * (3000 if isinstance(harm, str) else 1)  # which a few pages do not hold
    runs = [kernel.run(CELL.format("", f"{number} {prompt}"), check=True) for number in range(5)]
    assert [images(run) for run in runs] == [1] * 5
    kernel.run("%config PixapiMagics.budget = 11", check=True)
    assert "10 are spent" in refusal(kernel.run(CELL.format("", "one more")))
    tasks = kernel.run("%pixapi tasks", check=True)
    assert column(tasks, "state") == ["delivered"] * 5
    everything: Any = "\n".join(run.stderr for run in kernel.shell.runs.values())
    assert everything.count("LedgerWarning") == 1
    assert "until it ends" in everything
    assert "in memory only" in kernel.run("%pixapi config", check=True).text
