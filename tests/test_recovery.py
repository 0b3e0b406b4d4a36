"""Kernels that die, end, restart or meet: what was paid for is on the books, comes home, and is never asked for twice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pixapi_nb.ledger import Ledger
from tests.harness.kernels import Kernel
from tests.harness.pixapi import KEY, PixapiServer
from tests.harness.waiting import until

SEED = 20261122
KILLS, AT_ONCE, JOBS = 50, 6, 12
LONGEST = 1.5  # seconds after which the last are killed: some then have all their files

NURSERY = """
import os, signal, sys, threading
from pixapi_nb import Client
import pixapi_nb.preview, anyio._backends._asyncio, httpx, PIL.PngImagePlugin

def work(name, count):
    client, jobs = Client(), []
    for i in range(count):
        jobs.append(client.images.generate(
            model="gemini-2.5-flash-image", prompt=f"{name} {i}", size="64x64", synchronous=i % 4 == 3, wait=False))
    threading.Event().wait(120)

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for line in sys.stdin:
    child = os.fork()
    if not child:
        sys.stdin.close()
        work(line.strip(), int(sys.argv[1]))
        os._exit(0)
    print(child, flush=True)
"""


@pytest.fixture
def home() -> Path:
    return Path(os.environ["PIXAPI_HOME"])


@pytest.fixture
def ledger(home: Path) -> Iterator[Ledger]:
    opened = Ledger.open(home, create=False)
    yield opened
    opened.disconnect()


class Nursery:
    """Starts processes that have all of pixapi_nb loaded already, by forking: each makes a dozen paid requests at once."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, str(JOBS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._lock = threading.Lock()

    def start(self, name: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            print(name, file=self._process.stdin, flush=True)
            return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


def in_kernel(kernel: Kernel, code: str, timeout: float = 60, **how: Any) -> str:
    return kernel.wait(kernel.send(code, **how), timeout).text


def test_kernels_killed_at_fifty_moments(pixapi_server: PixapiServer, ledger: Ledger) -> None:
    """A dozen jobs at once in each, every fourth without a task; a third of the answers to accepted work come late."""
    pixapi_server.settings(seconds=[0.1, 0.8])
    late = {"match": {"method": "POST"}, "kind": "delay", "stage": "after", "seconds": 0.4, "probability": 0.3, "seed": SEED}
    pixapi_server.faults(late)
    chance = random.Random(SEED)
    moments = [chance.uniform(0, LONGEST) for _ in range(KILLS)]
    nursery = Nursery()

    def live_and_die(number: int) -> None:
        child = nursery.start(f"kernel {number}")
        time.sleep(moments[number])  # the moment is what is tried here
        os.kill(child, signal.SIGKILL)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(live_and_die, range(KILLS)))
    nursery.close()
    pixapi_server.clear()

    sent = until(lambda: settled(pixapi_server), 20, "the last requests")
    accepted = {task["prompt"]: task for task in pixapi_server.tasks()}
    assert len(accepted) == len(pixapi_server.tasks()), "something was accepted twice"
    before = {str(entry.request["prompt"]): entry for entry in ledger.recent(10_000)}
    assert not accepted.keys() - before.keys(), "something was accepted that the ledger does not know"
    states = Counter(entry.state for entry in before.values())
    assert states["unknown"] > 5, states
    assert states["submitted"] > 5, states
    for prompt, task in accepted.items():
        entry = before[prompt]
        if not entry.task_id:
            assert entry.state == "unknown" or entry.endpoint == "sync", entry
        else:
            assert entry.task_id == task["id"]

    with Kernel() as fresh:
        said = fresh.run("%load_ext pixapi_nb", check=True).stdout
        assert "unfinished" in said
        assert f"{min(100, states['unknown'])} with an unknown outcome" in said
        assert len(pixapi_server.requests("POST")) == sent
        fresh.run("%pixapi resume", timeout=120, check=True)
        listed = fresh.run("%pixapi tasks", check=True).text

    after = {str(entry.request["prompt"]): entry for entry in ledger.recent(10_000)}
    for prompt, old in before.items():
        entry = after[prompt]
        if old.task_id and prompt in accepted:
            assert entry.state == "delivered", entry
            assert entry.credits == 2
            assert entry.files
            assert all(Path(one).stat().st_size > 100 for one in entry.files)
        else:
            assert entry.state == old.state, (old, entry)
            assert entry.state in ("unknown", "completed", "delivered")
            if entry.state == "unknown":
                assert entry.job_id in listed
    assert len(pixapi_server.requests("POST")) == sent, "something was sent again"
    # Every credit that was charged is on the books: as charged, or as reserved for what nobody knows.
    server = next(iter(after.values())).server
    spent = ledger.spent(server, 0)
    assert spent.charged + spent.reserved >= sum(charge["credits"] for charge in pixapi_server.charges())


def settled(server: PixapiServer) -> int:
    """How many paid requests came in, once no more do and all accepted work is done; 0 before."""
    posts = server.requests("POST")
    done = all(task["status"] == "completed" for task in server.tasks())
    return len(posts) if done and len(server.requests("POST")) == len(posts) else 0


def test_a_real_kernel_killed_twice(pixapi_server: PixapiServer, ledger: Ledger) -> None:
    """While it waits for a task, and in the middle of a download."""
    pixapi_server.settings(seconds=[1, 1])
    pixapi_server.faults({"match": {"server": "media"}, "times": 1, "kind": "hang", "stage": "body"})
    cell = "%%pixapi gemini-2.5-flash-image -s 64x64\na lake"
    with Kernel() as first:
        first.run("%load_ext pixapi_nb", check=True)
        first.send(cell, allow_stdin=True)
        until(lambda: [e for e in ledger.recent() if e.state == "submitted"], 30, "a task", lambda: first.shell.pump(0.02))
        first.kill()
    with Kernel() as second:
        assert "1 unfinished" in second.run("%load_ext pixapi_nb", check=True).stdout
        second.send("%pixapi resume")
        part = until(lambda: list(Path("pixapi_out").glob("*.part")), 30, "a part", lambda: second.shell.pump(0.02))
        second.kill()
    assert part[0].exists()
    with Kernel() as third:
        third.run("%load_ext pixapi_nb", check=True)
        run = third.run("%pixapi resume", check=True)
        assert any("text/html" in output.data and "<img" in output.data["text/html"] for output in run.displays)
        assert "Nothing at" in third.run("%pixapi resume", check=True).text
    (entry,) = ledger.recent()
    assert entry.state == "delivered"
    assert Path(entry.files[0]).exists()
    assert not list(Path("pixapi_out").glob("*.part"))
    assert len(pixapi_server.requests("POST")) == 1


SCRIPT = """
import sys, time
from pixapi_nb import Client
job = Client().images.generate(model="nano-banana", prompt="a lake", size="64x64", wait=False)
while job.status == "sending" and not any(type(e).__name__ == "Sending" for e in job._events):
    time.sleep(0.005)
{more}
"""


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (None, "submitted"),
        ({"kind": "delay", "stage": "after", "seconds": 0.6}, "submitted"),
        ({"kind": "hang", "stage": "after"}, "unknown"),
    ],
    ids=["at once", "a late answer", "no answer"],
)
def test_an_interpreter_that_ends_with_work_under_way(
    pixapi_server: PixapiServer, ledger: Ledger, fault: dict[str, Any] | None, state: str
) -> None:
    """It ends soon and quietly; what was being sent gets a moment for its answer, so that it can be come back to."""
    pixapi_server.settings(seconds=30)
    if fault:
        pixapi_server.faults({"match": {"method": "POST"}, **fault})
    began = time.monotonic()
    ended = subprocess.run([sys.executable, "-c", SCRIPT.format(more="")], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert time.monotonic() - began < 15
    (entry,) = ledger.recent()
    assert entry.state == state
    assert [task["id"] for task in pixapi_server.tasks() if task["id"] == entry.task_id] == (
        [entry.task_id] * (state != "unknown")
    )
    assert len(pixapi_server.requests("POST")) == 1


def test_two_kernels_bring_one_task_home_at_the_same_time(pixapi_server: PixapiServer, ledger: Ledger) -> None:
    pixapi_server.settings(seconds=1)
    code = SCRIPT.format(more="import os, signal\nwhile job.task_id is None: time.sleep(0.01)\nos.kill(os.getpid(), 9)")
    subprocess.run([sys.executable, "-c", code], timeout=60)
    with Kernel() as one, Kernel() as other:
        for kernel in (one, other):
            kernel.run("%load_ext pixapi_nb", check=True)
        runs = [kernel.send("%pixapi resume") for kernel in (one, other)]
        for kernel, run in zip((one, other), runs, strict=True):
            kernel.wait(run)
            assert run.error is None
            assert any("<img" in output.data.get("text/html", "") for output in run.displays)
    (entry,) = ledger.recent()
    assert entry.state == "delivered"
    assert entry.credits == 2
    assert ledger.spent(entry.server, 0) == (2, 0)
    names = sorted(path.name for path in Path("pixapi_out").iterdir())
    assert names == sorted([Path(entry.files[0]).name, Path(entry.files[0]).name + ".json"])
    assert json.loads(Path(entry.files[0] + ".json").read_text())["task_id"] == entry.task_id
    assert len(pixapi_server.requests("POST")) == 1


def test_no_key_and_no_signed_address_is_written_down(pixapi_server: PixapiServer, ledger: Ledger, home: Path) -> None:
    from tests.harness.canary import found_below

    with Kernel() as kernel:
        kernel.run("%load_ext pixapi_nb\nfrom pixapi_nb import Client", check=True)
        kernel.run("Client().images.generate(model='nano-banana', prompt='a lake', size='64x64')", check=True)
    assert not found_below(KEY, home, Path("pixapi_out"))
    with contextlib.closing(sqlite3.connect(home / "ledger.sqlite3")) as db:
        texts = [str(row) for row in db.execute("SELECT * FROM jobs")]
    texts += [path.read_bytes().decode("latin-1") for path in Path("pixapi_out").iterdir()]
    assert not any("sig=" in text or "expires=" in text for text in texts)


def test_an_interrupt_between_the_intent_and_the_display(pixapi_server: PixapiServer, ledger: Ledger) -> None:
    """The job goes on without a place to be shown in, is on the books, and is shown on request."""
    with Kernel() as kernel:
        kernel.run("%load_ext pixapi_nb", check=True)
        kernel.run(
            "from pixapi_nb.magic import PixapiMagics\n"
            "show = PixapiMagics.show\n"
            "def interrupted(*_, **__): raise KeyboardInterrupt\n"
            "PixapiMagics.show = interrupted",
            check=True,
        )
        run = kernel.run("%%pixapi gemini-2.5-flash-image -s 64x64\na lake")
        assert run.status == "error"
        kernel.run("PixapiMagics.show = show", check=True)
        (entry,) = kernel.until(lambda: [e for e in ledger.recent() if e.state == "delivered"], 20, "its end")
        again = kernel.run(f"%pixapi resume {entry.job_id}", check=True)
        assert any("<img" in output.data.get("text/html", "") for output in again.displays)
    assert len(pixapi_server.requests("POST")) == 1


def test_the_embedded_pixapi_goes_on_after_its_kernel_was_killed(ledger: Ledger) -> None:
    """On another port, as the same server in the books."""
    local = {"PIXAPI_BASE_URL": "local", "PIXAPI_LOCAL_OPTIONS": "--seconds 1.5"}
    with Kernel(env=local) as first:
        first.run("%load_ext pixapi_nb", check=True)
        first.send("%%pixapi gemini-2.5-flash-image -s 64x64\na lake", allow_stdin=True)
        until(lambda: [e for e in ledger.recent() if e.task_id], 30, "a task", lambda: first.shell.pump(0.02))
        first.kill()
    with Kernel(env=local) as second:
        assert "1 unfinished" in second.run("%load_ext pixapi_nb", check=True).stdout
        run = second.run("%pixapi resume", check=True)
        assert any("<img" in output.data.get("text/html", "") for output in run.displays)
    (entry,) = ledger.recent()
    assert (entry.server, entry.state) == ("local", "delivered")
