"""How fast a sweep is, and what it costs the machine: a table, against the embedded Pixapi in a process of its own.

    python -m tests.bench.bench_sweep [--jobs 500] [--faults none|before|after] [--times 1]

The server runs at most 20 tasks at once (0.25–0.75 s each) and refuses more than 40 submissions a second. The ideal is what
these tasks need on 20 places, one after the other. Everything shares this machine, so the pictures are small and quickly
painted; CPU seconds tell more than the clock where others use it too, which the load says. The ledger and the files are in
PIXAPI_BENCH_DIR (default: the temporary folder).
"""

from __future__ import annotations

import argparse
import collections
import os
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from pixapi_nb import session, sweep
from tests.harness.pixapi import PixapiServer

if TYPE_CHECKING:
    from typing_extensions import Self

CAPACITY, RATE, SECONDS = 20, 40, (0.25, 0.75)

FAULTS: dict[str, list[dict[str, Any]]] = {
    "none": [],
    "before": [
        {"match": {"method": "POST"}, "kind": "status", "status": 503, "probability": 0.05, "seed": 1},
        {"match": {"server": "api", "path": "/v1/tasks/"}, "kind": "reset", "probability": 0.025, "seed": 2},
        {"match": {"server": "api", "path": "/v1/tasks/"}, "kind": "garbage", "probability": 0.025, "seed": 3},
        {"match": {"server": "media"}, "kind": "truncate", "probability": 0.05, "seed": 4},
    ],
    "after": [{"match": {"method": "POST"}, "kind": "reset", "stage": "after", "probability": 0.05, "seed": 5}],
}


@dataclass(frozen=True)
class Run:
    """One sweep, measured. Seconds, shares of 1, and bytes."""

    jobs: int
    faults: str
    seconds: float
    ideal: float
    refused: float
    """Of the paid requests, the share that was answered 429."""
    questions: float
    """About tasks, for each job."""
    memory: int
    """The peak, above what there was before."""
    own_cpu: float
    server_cpu: float
    load: float
    states: dict[str, int]
    charges: int
    accepted: int
    sent_twice: int
    """Prompts that the server accepted more than once."""

    @property
    def ratio(self) -> float:
        return self.seconds / self.ideal


def measure(server: PixapiServer, jobs: int, faults: str = "none") -> Run:
    """Run one sweep on a server that has begun anew. PIXAPI_BASE_URL and PIXAPI_KEY have to lead to it."""
    server.settings(seconds=list(SECONDS), capacity=CAPACITY, rate=RATE)
    server.faults(FAULTS[faults])
    me, other = psutil.Process(), psutil.Process(server.pid)
    sweep("warm {{up: a | b}}", model="nano-banana", size="64x64").result(60)
    warm = {task["id"] for task in server.tasks()}
    time.sleep(1.1)  # the second in which those two counted
    posted = len(server.requests("POST"))
    asked = len(server.requests("GET", "/v1/tasks/"))
    start, cpu, server_cpu = me.memory_info().rss, _cpu(me), _cpu(other)
    with _Peak(me) as peak:
        began = time.monotonic()
        made = sweep(f"x {{{{number: 1..{jobs}}}}}", model="nano-banana", size="64x64", steps=jobs)
        made.result(600)
        seconds = max(made.ended) - began  # the last picture; the contact sheet comes after it
    server.clear()
    tasks = [task for task in server.tasks() if task["id"] not in warm]
    posts = server.requests("POST")[posted:]
    times_accepted = collections.Counter(task["prompt"] for task in tasks)
    charges = [charge for charge in server.charges() if charge["id"] not in warm]
    return Run(
        jobs=jobs,
        faults=faults,
        seconds=seconds,
        ideal=jobs * sum(SECONDS) / 2 / CAPACITY,
        refused=sum(entry["status"] == 429 for entry in posts) / len(posts),
        questions=(len(server.requests("GET", "/v1/tasks/")) - asked) / jobs,
        memory=peak.bytes - start,
        own_cpu=_cpu(me) - cpu,
        server_cpu=_cpu(other) - server_cpu,
        load=os.getloadavg()[0],
        states=dict(collections.Counter(cell.state for cell in made)),
        charges=len(charges),
        accepted=len(tasks),
        sent_twice=sum(count > 1 for count in times_accepted.values()),
    )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class _Peak:
    """The largest resident set while it is open, looked at 50 times a second."""

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._over = process, threading.Event()
        self.bytes = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.bytes = max(self.bytes, self._process.memory_info().rss)


HEAD = "jobs  faults   seconds  ideal  ratio  refused  questions  memory    CPU own/server  load   result"


def line(run: Run) -> str:
    """A row of the table."""
    result = ", ".join(f"{count} {state}" for state, count in sorted(run.states.items()))
    return (
        f"{run.jobs:4}  {run.faults:7}  {run.seconds:6.2f}  {run.ideal:6.2f}  {run.ratio:5.2f}  {run.refused:6.1%}  "
        f"{run.questions:5.1f} a job  {run.memory / 1e6:4.0f} MB  {run.own_cpu:6.1f} / {run.server_cpu:.1f} s  "
        f"{run.load:5.1f}  {result}; {run.accepted} accepted, {run.charges} charged, {run.sent_twice} twice"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--faults", choices=[*FAULTS, "all"], default="none")
    parser.add_argument("--times", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("PIXAPI_BENCH_DIR")) as room:
        os.chdir(room)
        os.environ["PIXAPI_HOME"] = str(Path(room) / "home")
        server = PixapiServer(Path(room) / "server")
        try:
            print(HEAD, flush=True)
            for faults in FAULTS if given.faults == "all" else [given.faults]:
                for _ in range(given.times):
                    server.begin()
                    os.environ.update(server.env)
                    print(line(measure(server, given.jobs, faults)), flush=True)
        finally:
            session.current().close()
            server.close()


if __name__ == "__main__":
    main()
