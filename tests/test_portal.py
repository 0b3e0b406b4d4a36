"""The I/O thread, and how everybody waits for it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Future

import pytest

from pixapi_nb import portal
from tests.harness.waiting import until
from tests.raw import HANG, KEY, PNG, SUBMIT, SUBMITTED, TASK, answer, completed, task

pytest_plugins = ["tests.fixtures"]


async def echo(value):
    return value


async def fail(error):
    raise error


def test_work_runs_on_one_daemon_thread_of_its_own():
    async def where():
        return threading.current_thread()

    threads = {portal.wait(portal.run(where)) for _ in range(3)}
    assert [(thread.name, thread.daemon) for thread in threads] == [("pixapi-io", True)]
    assert threads != {threading.current_thread()}


def wait_plainly(future, timeout=None):
    return portal.wait(future, timeout)


def wait_in_a_loop(future, timeout=None):
    async def main():
        return portal.wait(future, timeout)

    return asyncio.run(main())


def wait_awaiting(future, timeout=None):
    async def main():
        return await asyncio.wait_for(portal.left_alone(future, asyncio.get_running_loop()), timeout)

    return asyncio.run(main())


ways = pytest.mark.parametrize("wait", [wait_plainly, wait_in_a_loop, wait_awaiting])


@ways
def test_results_and_errors_come_through(wait):
    assert wait(portal.run(echo, 7)) == 7
    for error in (ValueError("no"), TimeoutError("its own"), asyncio.TimeoutError("its own")):
        with pytest.raises(type(error), match=str(error)):
            wait(portal.run(fail, error), 30)


@ways
def test_a_wait_that_ends_leaves_the_work_alone(wait):
    future: Future[int] = Future()
    with pytest.raises((TimeoutError, asyncio.TimeoutError)):
        wait(future, 0.01)
    assert not future.done()
    future.set_result(1)
    assert wait(future, 0) == 1


@ways
def test_cancelled_work_is_cancelled(wait):
    future: Future[int] = Future()
    future.cancel()
    with pytest.raises((CancelledError, asyncio.CancelledError)):
        wait(future, 5)


def test_the_message_of_a_wait_that_ended_says_that_the_work_goes_on():
    for wait in (wait_plainly, wait_in_a_loop):
        with pytest.raises(TimeoutError, match=r"no result within 0\.01 s; the work goes on"):
            wait(Future(), 0.01)


def test_a_loop_that_closes_first_does_no_harm_and_prints_nothing(caplog, capfd):
    future: Future[int] = Future()

    async def leave():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(portal.left_alone(future, asyncio.get_running_loop()), 0.01)

    asyncio.run(leave())
    future.set_exception(ValueError("nobody hears it"))
    assert (caplog.text, capfd.readouterr()) == ("", ("", ""))


def test_a_nested_wait_lets_the_other_tasks_of_the_loop_go_on():
    future: Future[int] = Future()

    async def answer_later():
        await asyncio.sleep(0.01)
        future.set_result(5)

    async def main():
        helping = asyncio.ensure_future(answer_later())
        found = portal.wait(future, 20)
        await helping
        return found, portal.wait(portal.run(echo, 6), 20)

    assert asyncio.run(main()) == (5, 6)


def test_a_loop_that_cannot_be_patched_is_blocked_plainly():
    class Strange(asyncio.AbstractEventLoop):
        """As uvloop's: no BaseEventLoop."""

    loop = Strange()  # type: ignore[abstract]
    asyncio.events._set_running_loop(loop)
    try:
        assert portal.wait(portal.run(echo, 7), 20) == 7
        with pytest.raises(TimeoutError, match="the work goes on"):
            portal.wait(Future(), 0.01)
    finally:
        asyncio.events._set_running_loop(None)


def test_many_threads_start_it_at_once():
    results: list[int] = []
    threads = [threading.Thread(target=lambda n=n: results.append(portal.wait(portal.run(echo, n), 20))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(results) == list(range(20))


# -- processes


def run(code, **environment):
    """A process of its own: what it printed, how it ended, and how long it took from the word "go"."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if lines[-1] == "go":
            begun = time.monotonic()
    _, err = process.communicate(timeout=30)
    return lines, err, process.returncode, time.monotonic() - begun


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_an_io_thread_of_its_own():
    code = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from pixapi_nb import portal
async def pid(): return os.getpid()
assert portal.wait(portal.run(pid), 20) == os.getpid()
child = os.fork()
if not child:
    found = portal.wait(portal.run(pid), 20)
    os._exit(0 if found == os.getpid() else 1)
print("go", flush=True)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
assert portal.wait(portal.run(pid), 20) == os.getpid()
"""
    lines, err, code_, _ = run(code)
    assert (lines, err, code_) == (["go", "0"], "", 0)


JOB = """
from pixapi_nb import Client
job = Client().images.generate(model="m", prompt="p", wait=False)
"""
ENDINGS = {
    "after the end": (JOB + "job.result(20)", SUBMITTED, None),
    "while it is processed": (
        JOB + "next(e for e in job.events() if type(e).__name__ == 'Processing')",
        SUBMITTED,
        "processing",
    ),
    "while it is sent": (JOB, HANG, None),
    "in an exception": (JOB + "job.result(20); print('go', flush=True); raise SystemExit(0)", SUBMITTED, None),
    "with a wait in another thread": (
        JOB
        + "import threading; threading.Thread(target=job.result, daemon=True).start()\n"
        + "next(e for e in job.events() if type(e).__name__ == 'Processing')",
        SUBMITTED,
        "processing",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_interpreter_ends_promptly(raw, tmp_path, ending):
    code, submitted, state = ENDINGS[ending]
    raw.on(SUBMIT, submitted)
    raw.on(TASK, task(state, progress=1) if state else completed(raw.url + "/m.png"))
    raw.on("GET /m.png", answer(200, PNG))
    lines, err, code_, seconds = run(code + "\nprint('go', flush=True)", PIXAPI_KEY=KEY, PIXAPI_BASE_URL=raw.url)
    assert (lines, err, code_) == (["go"], "", 0)
    assert seconds < 6, "at most the moment that an answer gets"
    assert raw.posts == 1 or (ending == "while it is sent" and raw.posts == 0)


def test_an_idle_io_thread_ends_with_the_interpreter_at_once():
    code = "from pixapi_nb import portal\nasync def f(): pass\nportal.wait(portal.run(f), 20)\nprint('go', flush=True)"
    lines, err, code_, seconds = run(code)
    assert (lines, err, code_) == (["go"], "", 0)
    assert seconds < 4


def test_an_interrupt_leaves_a_plain_wait_at_once():
    import signal

    future: Future[int] = Future()
    main = threading.main_thread().ident
    assert main is not None
    begun = time.monotonic()
    thread = threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGINT))
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        portal.wait(future, 20)
    assert time.monotonic() - begun < 5
    thread.join()
    until(lambda: not thread.is_alive(), 5)
