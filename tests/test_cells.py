"""`%%pixapi` in real kernels: queues, interrupts, clicks, errors, and what is left behind."""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.harness.kernels import Kernel
from tests.harness.messages import Run
from tests.harness.pixapi import PixapiServer

pytestmark = pytest.mark.kernel

VERSION = tuple(int(part) for part in version("ipykernel").split(".")[:2])
MODEL = "gemini-3-pro-image-preview"
TIME_FAILS = int(version("ipython").split(".")[0]) >= 9
"""Whether a cell under `%%time` fails: before IPython 9 it showed the error and was well."""

SOON = 4.0  # seconds until an interrupt has ended a cell, on a machine under load; without a wake-up it took 5 and more


@pytest.fixture
def loaded(pixapi_server: PixapiServer, kernel: Kernel) -> Kernel:
    """A kernel with the extension; its pictures are small, and soon painted."""
    kernel.run('%load_ext pixapi_nb\n%config PixapiMagics.size = "160x96"', check=True)
    return kernel


def cell(body: str = "a cup", options: str = "", model: str = MODEL) -> str:
    return f"%%pixapi {model} {options}\n{body}\n"


def prompts(server: PixapiServer) -> list[str]:
    """Of the paid requests that reached the server, in order."""
    return [entry["fields"]["prompt"] for entry in server.requests("POST")]


def pictures(run: Run) -> int:
    """How many displays beneath the cell are pictures."""
    return sum("<img " in output.data.get("text/html", "") for output in run.displays)


def widgets(run: Run) -> int:
    return sum("application/vnd.jupyter.widget-view+json" in output.data for output in run.displays)


def task_of(kernel: Kernel, run: Run) -> str:
    """The id of the task that the cell waits for, as a person reads it: beneath the cell, or in its widget."""

    def found() -> str | None:
        texts = [run.text, *(str(model.state.get("value", "")) for model in kernel.models)]
        return next((match[0] for text in texts if (match := re.search(r"task_\w+", text))), None)

    return kernel.until(found, 20, "a task's id") or ""


# -- queues


@pytest.mark.parametrize("person", [True, False], ids=["person", "nobody"])
def test_all_queued_cells_run_in_order_and_nothing_stray_is_printed(
    loaded: Kernel, pixapi_server: PixapiServer, person: bool
) -> None:
    cells = [
        cell("one"),
        cell("two"),
        f"%%time\n{cell('three {{word}}')}",
        f"%%capture kept\n{cell('four')}",
        "print('printed')",
        cell("five", "--sync"),
        cell("six", "-n 3"),
        "kept()",
    ]
    loaded.run("word = 'times'", check=True)
    runs = loaded.queue(cells, allow_stdin=person)
    assert [run.status for run in runs] == ["ok"] * len(cells), [run.error for run in runs]
    assert sorted(runs, key=lambda run: run.started or 0) == sorted(runs, key=lambda run: run.finished or 0) == runs
    assert prompts(pixapi_server) == ["one", "two", "three times", "four", "five", "six"]
    assert [run.stderr for run in runs] == [""] * len(cells)
    assert [run.stdout for run in runs if run not in (runs[2], runs[4])] == [""] * (len(cells) - 2)
    assert re.fullmatch(r"CPU times: .*\nWall time: .*\n", runs[2].stdout)
    assert runs[4].stdout == "printed\n"
    loaded.until(lambda: [pictures(run) for run in runs] == [1, 1, 1, 0, 0, 1, 1, 1])
    assert [widgets(run) for run in runs] == [0] * len(cells)
    assert [len(run.displays) for run in runs[:7]] == [1, 1, 1, 0, 0, 1, 1]
    assert loaded.lost_updates == []


def test_other_tasks_of_the_loop_go_on_while_a_cell_waits(loaded: Kernel) -> None:
    loaded.run(
        "import asyncio\nturns = []\n"
        "async def turn():\n    while True:\n        turns.append(1)\n        await asyncio.sleep(0.02)\n"
        "turning = asyncio.ensure_future(turn())",
        check=True,
    )
    for around in ("", "%%time\n"):
        before = int(loaded.run("len(turns)", check=True).result or 0)
        loaded.run(around + cell(), check=True)
        assert int(loaded.run("len(turns)", check=True).result or 0) > before + 5


def test_a_magic_in_a_function_and_in_a_loop(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    loop = f"""\
def draw(what):
    return get_ipython().run_cell_magic("pixapi", "{MODEL}", "a " + what + " cup")
jobs = [draw(what) for what in ("clay", "glass")]
print([len(job) for job in jobs])"""
    first, second = loaded.queue([loop, cell("behind")])
    assert first.stdout == "[1, 1]\n"
    assert (pictures(first), pictures(second)) == (2, 1)
    assert prompts(pixapi_server) == ["a clay cup", "a glass cup", "behind"]


BODIES = [
    'it\'s "quoted", \'\'\'thrice\'\'\' and """thrice"""',
    "two\n\n\nparts\\n \\\\ \\",
    "żółw 猫 🧑‍🚀 {x} $x %s",
    "!ls\n%time\n%%time\n?\nawait x",
]


def test_prompts_and_lines_arrive_as_they_were_written(loaded: Kernel, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    loaded.run("x = 'expanded'", check=True)
    for run in loaded.queue([cell(body, "--save '{x} $x {1/0}'") for body in BODIES]):
        assert not run.error, run.error
    assert prompts(pixapi_server) == BODIES
    assert len(list((tmp_path / "{x} $x {1/0}").glob("*.png"))) == len(BODIES)


@pytest.mark.parametrize("before", ["\n\n", "  \n\n", "# why\n", "# why\n\n# and how\n"], ids=repr)
def test_what_may_stand_before_the_magic(loaded: Kernel, before: str) -> None:
    """Blank lines may; before any other cell magic a comment may not, and IPython says so."""
    run = loaded.run(before + cell())
    reference = loaded.run(before + "%%time\n1\n")
    assert (run.error is None) == (reference.error is None)


def test_without_autoawait_the_cell_blocks_and_shows_the_same(loaded: Kernel) -> None:
    loaded.run("%autoawait False", check=True)
    first, second = loaded.queue([cell("one", "-o hero"), "len(hero)"], allow_stdin=True)
    assert pictures(first) == 1
    assert (first.stdout, first.stderr, second.result) == ("", "", "1")


# -- interrupts


def interrupted(kernel: Kernel, code: str) -> tuple[Run, str]:
    """A cell that was interrupted while it waited, with one queued behind it; and its task."""
    run, behind = kernel.send(code, allow_stdin=True), kernel.send("print('behind')", allow_stdin=True)
    task = task_of(kernel, run)
    kernel.interrupt()
    kernel.wait(run, SOON)
    kernel.wait(behind, SOON)
    assert run.error
    assert_stopped(run, behind)
    return run, task


def assert_stopped(run: Run, behind: Run) -> None:
    """The cell has failed, and the one queued behind it has not run."""
    if TIME_FAILS or "%%time" not in run.code:
        assert (run.status, behind.status, behind.stdout) == ("error", "aborted", "")


@pytest.mark.parametrize("around", ["", "%%time\n"], ids=["awaited", "under %%time"])
def test_an_interrupt_leaves_the_wait_and_the_picture_still_arrives(
    loaded: Kernel, pixapi_server: PixapiServer, around: str
) -> None:
    pixapi_server.settings(seconds=3)
    run, task = interrupted(loaded, around + cell("a cup", "-o hero"))
    assert run.error
    assert run.error.ename == "Detached"
    assert task in run.error.traceback
    assert f"%pixapi resume {task}" in run.error.traceback
    assert not re.search(r"asyncio|File |\.py", run.error.traceback)
    assert len(run.error.traceback.splitlines()) <= 4
    assert pictures(run) == 0
    assert loaded.run("hero.task_id, hero.done", check=True).result == f"('{task}', False)"
    loaded.until(lambda: pictures(run) == 1, 20, lambda: run.text)
    assert widgets(run) == 0
    assert loaded.run("hero.status, len(hero)", check=True).result == "('completed', 1)"
    assert len(pixapi_server.requests("POST")) == 1
    assert loaded.lost_updates == []


def test_a_failure_after_an_interrupt_is_told_beneath_the_cell(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=2)
    pixapi_server.faults({"kind": "fail_task", "match": {"method": "POST"}, "task": {"error": "the model is tired"}})
    run, _ = interrupted(loaded, cell())
    loaded.until(lambda: "the model is tired" in run.displays[0].data.get("text/plain", ""), 20, lambda: run.text)
    assert "the model is tired" in run.displays[0].data["text/html"]


def test_an_interrupt_before_the_answer_names_the_job(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    """There is no task yet: the job's own id is the way back; the name is bound when the server has accepted."""
    pixapi_server.faults({"kind": "delay", "seconds": 2, "match": {"method": "POST"}})
    loaded.run("hero = 'of an earlier run'", check=True)
    run = loaded.send(cell("a cup", "-o hero"), allow_stdin=True)
    loaded.until(lambda: pixapi_server.requests("POST"))
    loaded.interrupt()
    loaded.wait(run, SOON)
    assert run.error
    assert run.error.ename == "Detached"
    assert re.search(r"%pixapi resume \w+", run.error.traceback)
    assert loaded.run("'hero' in globals()", check=True).result == "False"
    loaded.until(lambda: pictures(run) == 1, 20, lambda: run.text)
    assert loaded.run("len(hero)", check=True).result == "1"


def test_an_interrupt_of_code_that_waits_for_a_job_is_quick_and_leaves_nothing_to_be_printed(
    loaded: Kernel, pixapi_server: PixapiServer
) -> None:
    """Asyncio tells of a task whose failure nobody has looked at, when it is collected: beneath whatever cell runs then."""
    pixapi_server.settings(seconds=8)
    pixapi_server.faults({"kind": "fail_task", "match": {"method": "POST"}, "task": {"error": "tired", "at_progress": 80}})
    run, _ = interrupted(loaded, cell(options="-o hero"))
    for code in ("await hero", "hero.result()", "hero[0]"):
        waiting = loaded.send(f"print('waits')\n{code}", allow_stdin=True)
        loaded.until(lambda waiting=waiting: waiting.stdout)  # type: ignore[misc]
        loaded.interrupt()
        loaded.wait(waiting, SOON)
        assert waiting.status == "error"
        assert "tired" not in waiting.text, "it was left before the end"
    loaded.until(lambda: "tired" in run.text, 20, lambda: run.text)
    for _ in range(3):
        later = loaded.run("import asyncio, gc\nawait asyncio.sleep(0.1)\ngc.collect();", check=True)
        assert (later.stdout, later.stderr) == ("", "")


@pytest.mark.parametrize("around", ["", "%%time\n"], ids=["awaited", "under %%time"])
def test_an_interrupt_before_anything_is_sent(loaded: Kernel, pixapi_server: PixapiServer, around: str) -> None:
    pixapi_server.faults({"kind": "hang", "seconds": 15, "match": {"path": "/v1/models"}})
    run = loaded.send(around + cell(), allow_stdin=True)
    loaded.until(lambda: pixapi_server.requests("GET", "/v1/models"))
    loaded.interrupt()
    loaded.wait(run, SOON)
    assert run.error
    assert not re.search(r"asyncio|File |\.py", run.error.traceback)
    assert pixapi_server.requests("POST") == []


def test_an_interrupt_of_the_wait_for_an_input(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=8)
    loaded.run(cell(options="-b -o slow"), allow_stdin=True, check=True)
    run, behind = loaded.send(cell("in green", "-i slow"), allow_stdin=True), loaded.send("print('behind')")
    loaded.until(lambda: "Waiting for slow" in run.text, 20, lambda: run.text)
    loaded.interrupt()
    loaded.wait(run, SOON)
    loaded.wait(behind, SOON)
    assert_stopped(run, behind)
    assert run.error
    assert "nothing was sent" in run.error.evalue
    assert "Waiting for slow" not in run.text
    loaded.until(lambda: loaded.run("'slow' in globals() and slow.done", check=True).result == "True", 20)
    assert len(pixapi_server.requests("POST")) == 1


# -- clicks


@pytest.mark.skipif(VERSION < (7, 1), reason="ipykernel 6 handles a click after the cell")
def test_a_click_under_a_waiting_cell_is_handled_while_it_waits(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    loaded.run(
        "import ipywidgets\nbutton = ipywidgets.Button(description='Go')\n"
        "button.on_click(lambda _: setattr(button, 'description', 'gone'))\nbutton",
        check=True,
    )
    pixapi_server.settings(seconds=2)
    waiting, behind = loaded.send(cell(), allow_stdin=True), loaded.send("print('behind')", allow_stdin=True)
    task_of(loaded, waiting)
    loaded.click("Go")
    loaded.until(lambda: any(model.state.get("description") == "gone" for model in loaded.models))
    assert not waiting.finished
    loaded.wait(behind)
    assert (waiting.status, waiting.stdout, waiting.stderr, behind.stdout) == ("ok", "", "", "behind\n")


# -- errors


FAILING: list[tuple[str, str, list[dict[str, Any]], str]] = [
    ("option --nope", cell(options="--nope"), [], "UsageError"),
    ("no body", f"%%pixapi {MODEL}", [], "UsageError"),
    ("no model", "%%pixapi\na cup", [], "UsageError"),
    ("model", cell(model="nope"), [], "ModelNotFound"),
    ("template", cell("{{x: 1..0}}"), [], "PromptError"),
    ("command", "%pixapi nope", [], "UsageError"),
    ("401", cell(), [{"kind": "status", "status": 401, "match": {"method": "POST"}}], "Unauthorized"),
    ("402", cell(), [{"kind": "status", "status": 402, "match": {"method": "POST"}}], "InsufficientCredits"),
    ("422", cell(), [{"kind": "status", "status": 422, "match": {"method": "POST"}}], "PromptRejected"),
    ("429", cell(), [{"kind": "status", "status": 429, "match": {"method": "POST"}}], "RateLimited"),
    ("502", cell(), [{"kind": "status", "status": 502, "match": {"method": "POST"}}], "OutcomeUnknown"),
    ("sync", cell(options="--sync"), [{"kind": "status", "status": 402, "match": {"method": "POST"}}], "InsufficientCredits"),
    ("timed", f"%%time\n{cell()}", [{"kind": "status", "status": 402, "match": {"method": "POST"}}], "InsufficientCredits"),
    ("task", cell(), [{"kind": "fail_task", "match": {"method": "POST"}, "task": {"error": "tired"}}], "TaskFailed"),
]


def test_a_cell_that_fails_says_so_briefly_and_stops_the_queue(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    loaded.run("import pixapi_nb.lifecycle\npixapi_nb.lifecycle.backoff = lambda *_, **__: 0.01", check=True)
    for name, code, faults, ename in FAILING:
        pixapi_server.clear()
        pixapi_server.faults(faults)
        # The kernel drops what has come when the cell fails: the first one lets both come before.
        _, run, behind = loaded.queue(["import time; time.sleep(0.1)", code, "print('behind')"], allow_stdin=True)
        assert_stopped(run, behind)
        assert run.error
        assert run.error.ename == ename, name
        lines = run.error.traceback.splitlines()
        assert lines[0].startswith(f"{ename}: "), name
        assert len(lines) <= 6, name
        assert not re.search(r"\.py|site-packages|asyncio|awaited|Traceback", run.text), (name, run.text)
        assert (run.stdout.replace("CPU times", "").replace("Wall time", "") == run.stdout) or name == "timed"
        assert run.stderr == "", name
        assert (pictures(run), widgets(run)) == (0, 0), name
    colours = loaded.run(
        "import pixapi_nb.errors as e\nprint(ascii(e.UsageError('no.')._render_traceback_()[0][:5]))", check=True
    )
    assert colours.stdout == "'\\x1b[31m'\n", "red"


# -- the job as the cell's value


def test_the_job_is_shown_under_its_own_cell_once_and_again_in_a_later_one(loaded: Kernel) -> None:
    own, later, line, named = loaded.queue([cell(options="-o hero"), "_", "print(_); [_]", "hero"])
    assert [output.kind for output in own.outputs] == ["display_data"]
    assert [pictures(run) for run in (own, later, line, named)] == [1, 1, 0, 1]
    assert [output.kind for output in later.outputs] == ["display_data"]
    assert re.fullmatch(rf"<Job {MODEL}: completed, 1 image, task_\w+>\n", line.stdout)
    assert line.result == f"[{line.stdout.strip()}]"


def test_a_job_under_way_shows_its_progress_in_a_later_cell_too(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=2)
    run, _ = interrupted(loaded, cell(options="-o hero"))
    later = loaded.run("hero", allow_stdin=True)
    assert (later.status, len(later.displays)) == ("ok", 1)
    loaded.until(lambda: pictures(run) == pictures(later) == 1, 20, lambda: run.text + later.text)


# -- what is left behind


LEFT = """\
import asyncio, json, os, psutil, threading
me = psutil.Process()
sockets = (me.net_connections if hasattr(me, "net_connections") else me.connections)("inet")
listening = {one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}
print(json.dumps({
    "threads": sorted(thread.name for thread in threading.enumerate()),
    "children": [name for name in os.listdir("/proc") if name.isdigit() and os.path.exists(f"/proc/{name}/stat")
                 and open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[1] == str(os.getpid())],
    "files": sorted(os.path.join(at, name) for at, _, names in os.walk(".") for name in names),
    "task": asyncio.Task.__module__,
    "loop": [hasattr(kind, "_nest_patched") for kind in type(asyncio.get_running_loop()).__mro__],
    "listening": sorted(listening),  # and who calls the kernel there is not its own doing
    "calls": sorted(one.laddr.port for one in sockets if one.laddr.port not in listening),
}))"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks /proc")
def test_loading_has_no_side_effects_and_an_awaited_cell_patches_no_loop(pixapi_server: PixapiServer, kernel: Kernel) -> None:
    kernel.run(LEFT, check=True)  # its own imports
    before = kernel.run(LEFT, check=True).stdout
    kernel.run("%load_ext pixapi_nb", check=True)
    assert kernel.run(LEFT, check=True).stdout == before
    assert pixapi_server.requests() == []
    kernel.run(cell(), check=True)
    after = json.loads(kernel.run(LEFT, check=True).stdout)
    assert after["task"] == json.loads(before)["task"]
    assert after["loop"] == json.loads(before)["loop"]
    assert after["children"] == []


def test_unloading_and_reloading(loaded: Kernel, pixapi_server: PixapiServer) -> None:
    loaded.run("%unload_ext pixapi_nb", check=True)
    gone = loaded.run(cell())
    assert "`%%pixapi` not found" in gone.text
    assert loaded.run("%pixapi help").status == "error" or "not found" in loaded.run("%pixapi help").text
    loaded.run("%reload_ext pixapi_nb", check=True)
    loaded.run("%reload_ext pixapi_nb", check=True)
    first, second = loaded.queue([cell("one"), cell("two")])
    assert (pictures(first), pictures(second)) == (1, 1)
    assert [len(run.outputs) for run in (first, second)] == [1, 1]
    assert prompts(pixapi_server) == ["one", "two"]


COUNT = """\
import ipywidgets, json
print(json.dumps([len(ipywidgets.widgets.widget._instances), len(get_ipython().kernel.comm_manager.comms)]))"""


def open_models(kernel: Kernel) -> list[int]:
    """How many widgets the kernel holds, and how many comms."""
    counts: list[int] = json.loads(kernel.run(COUNT, check=True).stdout)
    return counts


@pytest.mark.parametrize(("person", "each"), [(True, 10), (False, 4)], ids=["person", "nobody"])
def test_widget_models_do_not_pile_up(loaded: Kernel, pixapi_server: PixapiServer, person: bool, each: int) -> None:
    pixapi_server.settings(seconds=0.1)
    counts = []
    for around in ("", "%%time\n", ""):
        cells = [around + cell(f"cell {number}", "--sync" if number % 5 == 0 else "") for number in range(each)]
        runs = loaded.queue(cells, allow_stdin=person)
        assert [run.status for run in runs] == ["ok"] * each
        loaded.until(lambda runs=runs: all(pictures(run) for run in runs))  # type: ignore[misc]
        counts.append(open_models(loaded))
    assert counts[0] == counts[1] == counts[2]
    assert counts[2][0] == len(loaded.models) <= (20 if person else 0)
    pixapi_server.faults({"kind": "status", "status": 402, "match": {"method": "POST"}})
    for _ in range(3):
        assert loaded.run(cell(), allow_stdin=person).status == "error"
    assert open_models(loaded) == counts[2]
