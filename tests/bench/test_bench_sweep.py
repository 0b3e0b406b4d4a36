"""The benchmark of sweeps, small: what has to hold on any machine. How fast it is, `bench_sweep` tells on a quiet one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pixapi_nb import session
from tests.bench.bench_sweep import line, measure
from tests.harness.pixapi import PixapiServer

JOBS = 80


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A session of this test."""
    monkeypatch.setattr(session, "_current", None)
    yield
    session.current().close()


def test_many_pictures_few_refusals_little_memory(pixapi_server: PixapiServer) -> None:
    run = measure(pixapi_server, JOBS)
    print(line(run))
    assert run.states == {"done": JOBS}
    assert run.charges == run.accepted == JOBS
    assert run.refused <= 0.1  # of few: in 500 it is 0.05
    assert run.questions < 3
    assert run.memory < 150e6
    assert run.own_cpu / JOBS < 0.08  # seconds a picture, all in all


def test_faults_before_acceptance_cost_neither_pictures_nor_credits(pixapi_server: PixapiServer) -> None:
    run = measure(pixapi_server, JOBS, "before")
    print(line(run))
    assert run.states == {"done": JOBS}
    assert run.charges == run.accepted == JOBS
    assert run.sent_twice == 0


def test_faults_after_acceptance_are_unknown_and_never_sent_again(pixapi_server: PixapiServer) -> None:
    run = measure(pixapi_server, JOBS, "after")
    print(line(run))
    assert set(run.states) == {"done", "unknown"}
    assert run.sent_twice == 0
    # The answer that was lost may have been a 429.
    assert run.states["done"] <= run.accepted == run.charges <= JOBS
