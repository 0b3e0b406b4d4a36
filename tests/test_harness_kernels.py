"""The kernel harness, and with it what the project relies on in kernels: what a click or an interrupt does to a waiting cell.

What depends on ipykernel is stated for each version and measured with the installed one; `.ci/matrix` brings the others.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sqlite3
import time
from importlib.metadata import version
from pathlib import Path

import httpx
import psutil
import pytest

from tests.harness import kernels
from tests.harness.canary import found_below, found_in
from tests.harness.files import notebook_of, write_notebook
from tests.harness.kernels import Kernel, nbclient_run, outputs_of, papermill_run
from tests.harness.pixapi import KEY, PixapiServer
from tests.harness.terminal import Terminal
from tests.harness.waiting import Late, until

VERSION = tuple(int(part) for part in version("ipykernel").split(".")[:2])

BUTTON = """\
import asyncio, threading, time, ipywidgets
button = ipywidgets.Button(description="Go")
clicks = []
button.on_click(lambda _: (clicks.append(threading.current_thread() is threading.main_thread()), print("clicked")))
button"""

AWAITING = """\
for _ in range(40):
    await asyncio.sleep(0.05)
    if clicks:
        break
print("seen" if clicks else "not seen")"""

BLOCKING = AWAITING.replace("await asyncio.sleep", "time.sleep")

NESTED = """\
import asyncio, nest_asyncio2
nest_asyncio2.apply()
asyncio.get_running_loop().run_until_complete(asyncio.sleep(0.3))
print("waited")"""


# -- facts about kernels


@pytest.mark.kernel
@pytest.mark.parametrize("cell", [AWAITING, BLOCKING], ids=["awaiting", "blocking"])
def test_a_click_while_a_cell_waits(kernel: Kernel, cell: str) -> None:
    """ipykernel 6: after the cell. 7.1, 7.3: at once. 7.4: at once if the cell awaits, on the main thread; else after it."""
    at_once = VERSION >= (7, 1) and (VERSION < (7, 4) or cell == AWAITING)
    kernel.run(BUTTON, check=True)
    waiting = kernel.send(cell)
    kernel.until(lambda: waiting.started)
    kernel.click("Go")
    kernel.wait(waiting)
    assert ("not seen" not in waiting.stdout) == at_once
    kernel.until(lambda: kernel.run("print(clicks)").stdout != "[]\n")
    on_main_thread = kernel.run("clicks[0]").result == "True"
    assert on_main_thread == (VERSION < (7, 1) or VERSION >= (7, 4))
    assert not kernel.run("print('and on')").error


@pytest.mark.kernel
def test_an_interrupt_of_an_awaiting_cell_that_wakes_up_is_quick_and_the_queue_stops(kernel: Kernel) -> None:
    waiting = "import asyncio\nprint('in')\nwhile True: await asyncio.sleep(0.1)"
    runs = [kernel.send(cell) for cell in (waiting, "print('behind')", "print('behind too')")]
    # Not merely started: an interrupt that comes before its own code may leave a cell without a reply for ever (ipykernel 7).
    kernel.until(lambda: runs[0].stdout)
    pressed = time.monotonic()
    kernel.interrupt()
    first, *behind = [kernel.wait(run) for run in runs]
    assert first.error
    assert first.error.ename in ("KeyboardInterrupt", "CancelledError")
    assert first.finished
    assert first.finished - pressed < 3  # without the wake-ups: five or six
    assert [run.status for run in behind] == ["aborted", "aborted"]
    assert [run.stdout for run in behind] == ["", ""]
    assert kernel.run("print('later')").stdout == "later\n"


@pytest.mark.kernel
def test_a_cell_that_swallows_the_cancellation_lets_the_queue_go_on(kernel: Kernel) -> None:
    swallowing = """\
import asyncio
print("in")
try:
    while True:
        await asyncio.sleep(0.05)
except asyncio.CancelledError:
    print("swallowed")"""
    runs = [kernel.send(swallowing), kernel.send("print('behind')")]
    kernel.until(lambda: runs[0].stdout)
    kernel.interrupt()
    assert [kernel.wait(run).stdout for run in runs] == ["in\nswallowed\n", "behind\n"]


@pytest.mark.kernel
def test_a_nested_wait_with_nest_asyncio2_keeps_the_queued_cells_and_prints_nothing(kernel: Kernel) -> None:
    runs = kernel.queue([NESTED, "print('one')", NESTED, "print('two')"])
    assert [run.stdout for run in runs] == ["waited\n", "one\n", "waited\n", "two\n"]
    assert [run.stderr for run in runs] == [""] * 4
    assert sorted(runs, key=lambda run: run.finished or 0) == runs


@pytest.mark.kernel
def test_a_click_during_a_nested_wait_prints_nothing_stray(kernel: Kernel) -> None:
    kernel.run(BUTTON, check=True)
    nested = kernel.send(NESTED.replace("0.3", "1"))
    behind = kernel.send("print('behind')")
    kernel.until(lambda: nested.started)
    kernel.click("Go")
    assert kernel.wait(nested).stderr == ""
    assert kernel.wait(behind).stdout.replace("clicked\n", "") == "behind\n"
    assert kernel.until(lambda: kernel.run("len(clicks)").result == "1")


@pytest.mark.kernel
def test_updates_by_display_id_reach_their_cell_from_a_thread_while_another_cell_runs(kernel: Kernel) -> None:
    first = kernel.run("h = display('before', display_id=True)", check=True)
    assert [output.data["text/plain"] for output in first.displays] == ["'before'"]
    second = kernel.run(
        "import threading, time\n"
        "worker = threading.Thread(target=lambda: h.update('after')); worker.start(); worker.join(); time.sleep(0.1)\n"
        "print('busy')",
        check=True,
    )
    kernel.until(lambda: first.outputs[0].updates == 1)
    assert first.outputs[0].data["text/plain"] == "'after'"
    assert second.stdout == "busy\n"
    assert kernel.lost_updates == []
    kernel.run("from IPython.display import update_display; update_display(1, display_id='nobody')")
    assert len(kernel.lost_updates) == 1


@pytest.mark.kernel
def test_stdin_is_refused_without_a_person(kernel: Kernel) -> None:
    refused = kernel.run("print(get_ipython().kernel._allow_stdin); input('sure? ')")
    assert refused.stdout == "False\n"
    assert refused.error
    assert refused.error.ename == "StdinNotImplementedError"
    assert kernel.run("input('sure? ')", answers=["yes"]).result == "'yes'"
    assert kernel.run("get_ipython().kernel._allow_stdin", allow_stdin=True).result == "True"


# -- the harness


@pytest.mark.kernel
def test_outputs_come_in_order_and_widgets_live_and_die(kernel: Kernel) -> None:
    run = kernel.run(
        "import sys\nprint(1); print(2); display(3); print('to stderr', file=sys.stderr)\n"
        "from IPython.display import clear_output\n4",
        check=True,
    )
    assert [output.kind for output in run.outputs][:2] == ["stream", "display_data"]
    assert (run.stdout, run.stderr, run.result, run.status) == ("1\n2\n", "to stderr\n", "4", "ok")
    cleared = kernel.run("print('old'); clear_output(wait=True); print('new')")
    assert cleared.stdout == "new\n"
    kernel.run("import ipywidgets\ns = ipywidgets.IntSlider(description='warmth')\ns", check=True)
    kernel.move("warmth", 7)
    kernel.until(lambda: kernel.run("s.value").result == "7")
    assert kernel.model(description="warmth").state["value"] == 7
    kernel.run("ipywidgets.Widget.close_all()")
    kernel.until(lambda: kernel.models == [])
    with pytest.raises(LookupError):
        kernel.move("warmth", 8)


@pytest.mark.kernel
def test_an_error_stops_the_queue_and_a_dead_kernel_is_noticed(kernel: Kernel) -> None:
    runs = kernel.queue(["1 / 0", "print('behind')"])
    assert runs[0].error
    assert runs[0].error.ename == "ZeroDivisionError"
    assert "\x1b" not in runs[0].error.traceback
    assert runs[1].status == "aborted"
    with pytest.raises(Late, match="sleep"):
        kernel.run("import time; time.sleep(1)", timeout=0.2)
    kernel.kill()
    with pytest.raises(AssertionError, match="the kernel ended"):
        kernel.run("1")


@pytest.mark.kernel
def test_a_kernel_has_the_tests_environment_and_folder(kernel: Kernel, tmp_path: Path) -> None:
    found = kernel.run("import os; print(os.getcwd(), os.environ['PIXAPI_HOME'], os.environ.get('PIXAPI_KEY'))").stdout.split()
    assert found == [str(tmp_path), str(tmp_path / "pixapi-home"), "None"]
    with Kernel(env={"EXTRA": "yes"}) as other:
        assert other.run("os = __import__('os'); os.environ['EXTRA']").result == "'yes'"


@pytest.mark.kernel
def test_a_kernel_that_hangs_at_its_start_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some ipykernels do, now and then."""
    monkeypatch.setattr(kernels, "_FIRST_CELL", 0.5)
    hangs, started = iter([True, False]), list[int]()
    original = Kernel._start

    def start(self: Kernel) -> None:
        original(self)
        started.append(self.pid)
        if next(hangs):
            self.send("import time; time.sleep(60)")
        else:
            monkeypatch.setattr(kernels, "_FIRST_CELL", 30.0)

    monkeypatch.setattr(Kernel, "_start", start)
    with Kernel() as kernel:
        assert kernel.run("1 + 1").result == "2"
        assert kernel.pid == started[1]
    until(lambda: not psutil.pid_exists(started[0]), 10)


@pytest.mark.kernel
def test_nbclient_and_papermill_apply_updates_and_refuse_stdin(tmp_path: Path) -> None:
    cells = ["h = display(1, display_id=True)\nprint(get_ipython().kernel._allow_stdin)", "h.update(2)"]
    done = nbclient_run(cells)
    display, stream = outputs_of(done, 0)
    assert display.data["text/plain"] == "2"
    assert stream.text == "False\n"
    path = write_notebook(notebook_of(cells), tmp_path / "in.ipynb")
    assert [output.text for output in outputs_of(papermill_run(path), 0)] == ["", "False\n"]


@pytest.mark.kernel
def test_a_terminal_runs_lines_and_cells_and_hears_ctrl_c(terminal: Terminal) -> None:
    assert "42" in terminal.run("6 * 7")
    assert "hello\nthere" in terminal.cell("for word in ('hello', 'there'):\n    print(word)")
    terminal.run("import time; turns = 0")
    terminal.start("while True:\n    turns += 1\n    if turns == 2: print('go', 1)\n    time.sleep(0.05)")
    terminal.expect("go 1")
    pressed = terminal.interrupt()
    assert "KeyboardInterrupt" in terminal.wait_prompt(10)
    assert time.monotonic() - pressed < 5
    assert "again" in terminal.run("print('again')")


def test_nothing_comes_from_outside(tmp_path: Path) -> None:
    assert Path.cwd() == tmp_path
    assert os.environ["PIXAPI_HOME"] == str(tmp_path / "pixapi-home")
    assert not os.environ.keys() & {"PIXAPI_KEY", "PIXAPI_BASE_URL"}
    assert asyncio.run(asyncio.sleep(0, True))


def test_until_gives_the_value_or_says_what_it_saw() -> None:
    assert until(iter([0, "", "found"]).__next__, 5) == "found"
    with pytest.raises(Late, match=r"not within 0\.05 s: a picture \(last seen: \[\]\)"):
        until(list, 0.05, "a picture")


def test_a_canary_is_found_in_every_disguise(tmp_path: Path) -> None:
    clean = tmp_path / "clean"
    clean.mkdir()
    (clean / "log.txt").write_text("nothing here")
    assert found_below(KEY, clean) == []
    dirty = tmp_path / "dirty"
    dirty.mkdir()
    (dirty / "log.txt").write_text(f"Authorization: Bearer {KEY}")
    for before in range(3):
        (dirty / f"{before}.json").write_bytes(base64.b64encode(b"x" * before + KEY.encode() + b"yz"))
    (dirty / KEY).touch()
    with sqlite3.connect(dirty / "ledger.sqlite") as database:
        database.execute("CREATE TABLE t (value)")
        database.execute("INSERT INTO t VALUES (?)", [("x" * 5000) + KEY])
    database.close()
    assert {Path(find.split(": ")[0]).name for find in found_below(KEY, dirty)} == {path.name for path in dirty.iterdir()}
    assert found_in(KEY, {"headers": [f"Bearer {KEY}"]}, "harmless")


def test_the_embedded_pixapi_is_new_for_every_test(pixapi_server: PixapiServer) -> None:
    url, headers = f"{pixapi_server.api}/v1/models", {"Authorization": f"Bearer {KEY}"}
    assert os.environ["PIXAPI_BASE_URL"] == pixapi_server.api
    assert pixapi_server.requests() == pixapi_server.charges() == pixapi_server.tasks() == []
    pixapi_server.faults({"kind": "status", "status": 503, "times": 1})
    assert [httpx.get(url, headers=headers).status_code for _ in range(2)] == [503, 200]
    assert [entry["status"] for entry in pixapi_server.requests("GET", "/v1/models")] == [503, 200]
    assert pixapi_server.settings(seconds=0.1)["seconds"] == [0.1, 0.1]
    pixapi_server.faults([{"kind": "reset"}])
    pixapi_server.begin()
    assert pixapi_server.requests() == []
    assert httpx.get(url, headers=headers).status_code == 200
    pixapi_server.restart()
    assert httpx.get(f"{pixapi_server.api}/v1/models", headers=headers).status_code == 200
    assert len(pixapi_server.requests()) == 1
