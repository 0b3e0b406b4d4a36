"""The budget: refused before anything is sent, over all kernels that share the ledger, at the top of what may be charged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pixapi_nb import books
from pixapi_nb.errors import BudgetExceeded, OutcomeUnknown, PixapiError, TaskFailed
from pixapi_nb.jobs import Job
from pixapi_nb.ledger import Ledger
from pixapi_nb.models import ImageRequest, Request, VideoRequest
from pixapi_nb.session import Options, Session
from tests.harness.kernels import Kernel
from tests.harness.pixapi import PixapiServer
from tests.harness.waiting import until

PRICE = 2.0
CELL = "%%pixapi gemini-2.5-flash-image -s 64x64 {}\na lake"

SPENDER = """
import sys
from pixapi_nb import session
from pixapi_nb.errors import BudgetExceeded
from pixapi_nb.models import ImageRequest
from pixapi_nb.session import Options

here = session.current()
print("ready", flush=True)
sys.stdin.readline()
jobs = [
    here.start(ImageRequest(model="nano-banana", prompt=f"lake {i}", size="64x64"), here.server(), Options(budget=20))
    for i in range(15)
]
for job in jobs:
    list(job.events())
refused = [isinstance(job.error, BudgetExceeded) for job in jobs if job.error]
assert all(refused), [job.error for job in jobs]
print(len(jobs) - len(refused))
"""

Spend = Callable[..., Job]


@pytest.fixture
def session(tmp_path: Path, pixapi_server: PixapiServer) -> Iterator[Session]:
    pixapi_server.settings(seconds=0)
    made = Session(folder=tmp_path / "out")
    yield made
    made.close()


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    opened = Ledger.open(Path(os.environ["PIXAPI_HOME"]), create=False)
    yield opened
    opened.disconnect()


def picture(prompt: str = "a lake", **fields: object) -> Request:
    return ImageRequest(model="nano-banana", prompt=prompt, size="64x64", **fields)  # type: ignore[arg-type]


@pytest.fixture
def spend(session: Session) -> Spend:
    """Ask for something under a budget, and wait for its end."""

    def ask(request: Request | None = None, budget: float = 10, **options: bool) -> Job:
        job = session.start(request or picture(), session.server(), Options(budget=budget, **options))  # type: ignore[arg-type]
        list(job.events())
        return job

    return ask


def test_two_processes_with_one_ledger_never_overspend(pixapi_server: PixapiServer, ledger: Ledger) -> None:
    """Thirty requests of two credits at the same moment, and twenty credits to spend."""
    spenders = [
        subprocess.Popen([sys.executable, "-c", SPENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in spenders:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in spenders:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    spent = [int(one.communicate(timeout=60)[0]) for one in spenders]
    assert sum(spent) == 10
    assert len(pixapi_server.requests("POST")) == 10
    charges = pixapi_server.charges()
    assert sum(charge["credits"] for charge in charges) == 20
    assert ledger.spent(pixapi_server.api, books.midnight()) == (20, 0)


def test_two_kernels_with_one_ledger(pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=30)
    with Kernel() as one, Kernel() as other:
        for kernel in (one, other):
            kernel.run("%load_ext pixapi_nb\n%config PixapiMagics.budget = 3", check=True)
        first = one.send(CELL.format("-b"), allow_stdin=True)
        one.wait(first)
        assert first.error is None
        until(lambda: len(pixapi_server.tasks()) == 1, 20, "the first task", lambda: one.shell.pump(0.02))
        second = other.run(CELL.format(""), allow_stdin=True)
        assert second.error is not None
        assert second.error.ename == "BudgetExceeded"
        assert "may cost 2 credits" in second.error.traceback
        assert "the budget of 3" in second.error.traceback
        assert "2 reserved for open work" in second.error.traceback
        assert "Nothing was sent" in second.error.traceback
        assert other.run("%config PixapiMagics.budget = 4").error is None
        other.send(CELL.format("-b"), allow_stdin=True)
        until(lambda: len(pixapi_server.tasks()) == 2, 20, "the second task", lambda: other.shell.pump(0.02))
    assert len(pixapi_server.requests("POST")) == 2


def test_what_passes_is_not_sent_and_not_booked(spend: Spend, pixapi_server: PixapiServer, ledger: Ledger) -> None:
    assert spend(budget=PRICE).error is None
    error = spend(budget=2 * PRICE - 0.01).error
    assert isinstance(error, BudgetExceeded)
    assert "2 are spent and 0 reserved" in str(error)
    assert len(pixapi_server.requests("POST")) == 1
    assert len(ledger.recent()) == 1
    assert spend(budget=2 * PRICE).error is None


@pytest.mark.parametrize(
    ("request_", "top"),
    [
        (picture(n=3), 6),
        (VideoRequest(model="veo", prompt="a lake", duration=6), 72),
        (ImageRequest(model="gpt-image-2", prompt="a lake", size="auto"), 14),
    ],
    ids=["three", "a range reserves its top", "the dearest quality"],
)
def test_a_range_reserves_its_top(session: Session, pixapi_server: PixapiServer, request_: Request, top: float) -> None:
    pixapi_server.settings(seconds=30)
    pixapi_server.faults({"kind": "fail_task"})  # much later; so that nothing large is painted
    server = session.server()
    refused = session.start(request_, server, Options(budget=top - 1))
    list(refused.events())
    assert isinstance(refused.error, BudgetExceeded)
    assert pixapi_server.requests("POST") == []
    job = session.start(request_, server, Options(budget=top))
    until(lambda: job.task_id, 20, "its acceptance")
    assert session.ledger.spent(server.name, 0) == (0, top)


@pytest.mark.parametrize(
    "request_",
    [
        VideoRequest(model="sora-2", prompt="a lake", duration=4),
        VideoRequest(model="kling", prompt="a lake", duration=4),  # "from 2.24 a second"
        VideoRequest(model="veo", prompt="a lake"),  # of no length that is known
        ImageRequest(model="gpt-image-1.5", prompt="a lake"),  # "from 1"
    ],
    ids=lambda one: one.model,
)
def test_an_unknown_price_needs_a_yes(session: Session, pixapi_server: PixapiServer, request_: Request) -> None:
    pixapi_server.faults({"kind": "fail_task"})  # so that nothing large is painted
    server = session.server()
    with pytest.raises(BudgetExceeded, match="not known") as caught:
        session.start(request_, server, Options(budget=1_000_000))
    assert "--yes" in str(caught.value)
    assert pixapi_server.requests("POST") == []
    job = session.start(request_, server, Options(budget=1_000_000, accept_price=True))
    until(lambda: job.done or job.task_id, 20, "its answer")
    assert len(pixapi_server.requests("POST")) == 1


FROM_PYTHON = """
from pixapi_nb import Client, sweep
from pixapi_nb.errors import BudgetExceeded
given = dict(model="nano-banana", size="64x64")
try:
    print(len(Client().images.generate(prompt="a lake", **given)))
except BudgetExceeded as error:
    print(error)
made = sweep("a {{where: hill | wood | town}}", **given).result(60)
print(made)
"""


@pytest.mark.kernel
def test_what_python_asks_for_counts_too(pixapi_server: PixapiServer, kernel: Kernel) -> None:
    pixapi_server.settings(seconds=0)
    kernel.run("%load_ext pixapi_nb\n%config PixapiMagics.budget = 6", check=True)
    assert re.fullmatch(r"1\n<Sweep \w+: 2 of 3 done>\n", kernel.run(FROM_PYTHON, check=True).stdout)
    refused = kernel.run("Client().images.generate(prompt='a lake', **given)").error
    assert refused
    assert "would pass the budget" in refused.traceback
    kernel.run("%config PixapiMagics.budget = 8", check=True)
    kernel.run("Client().images.generate(prompt='a lake', **given)", check=True)
    assert len(pixapi_server.tasks()) == 4


def test_a_yes_does_not_lift_the_budget(spend: Spend, pixapi_server: PixapiServer) -> None:
    assert isinstance(spend(budget=1, accept_price=True).error, BudgetExceeded)
    assert pixapi_server.requests("POST") == []


@pytest.mark.parametrize(
    ("rule", "error", "state", "reserved"),
    [
        ({"kind": "fail_task", "task": {"at_progress": 0}}, TaskFailed, "failed", 0.0),
        ({"match": {"method": "POST"}, "kind": "status", "status": 422}, PixapiError, "refused", 0.0),
        ({"match": {"method": "POST"}, "kind": "reset", "stage": "after"}, OutcomeUnknown, "unknown", PRICE),
    ],
    ids=["failed", "refused", "unknown"],
)
def test_what_became_of_it_decides_what_stays_reserved(
    spend: Spend,
    pixapi_server: PixapiServer,
    ledger: Ledger,
    rule: dict[str, object],
    error: type[PixapiError],
    state: str,
    reserved: float,
) -> None:
    pixapi_server.faults(rule)
    job = spend(budget=PRICE)
    pixapi_server.clear()
    assert isinstance(job.error, error)
    assert ledger.recent()[0].state == state
    assert ledger.spent(job.server, 0) == (0, reserved)
    again = spend(budget=PRICE)
    assert isinstance(again.error, BudgetExceeded) == bool(reserved)
    if reserved:
        ledger.close(job.id)
        assert spend(budget=PRICE).error is None


def test_reuse_costs_nothing_whatever_the_budget(spend: Spend, pixapi_server: PixapiServer) -> None:
    assert spend(budget=PRICE).error is None
    again = spend(budget=PRICE, reuse=True)
    assert again.error is None
    assert (again.reused, again.credits, again.price) == (True, 0, "from the earlier run, 0 credits")
    assert len(pixapi_server.requests("POST")) == 1


def test_a_day_begins_at_local_midnight_and_servers_are_apart(
    spend: Spend, session: Session, pixapi_server: PixapiServer
) -> None:
    for created, server in ((books.midnight() - 1, pixapi_server.api), (time.time(), "https://api.pixapi.ai")):
        job = Job(picture(), server=server, estimate=session.price(picture()))
        job.created = created
        session.ledger.intend(books.entry(job, "elsewhere", notebook=None))
    assert spend(budget=PRICE).error is None
    assert isinstance(spend(budget=PRICE).error, BudgetExceeded)


def test_a_budget_of_nothing(spend: Spend, pixapi_server: PixapiServer) -> None:
    assert isinstance(spend(budget=0).error, BudgetExceeded)
    assert pixapi_server.requests("POST") == []
