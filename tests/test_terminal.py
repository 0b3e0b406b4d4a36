"""`%%pixapi` in IPython at a terminal, and where its output goes into a pipe."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

from tests.harness.pixapi import PixapiServer
from tests.harness.terminal import Terminal

MODEL = "gemini-3-pro-image-preview"


def cell(body: str = "a cup", options: str = "", model: str = MODEL) -> str:
    """A cell as it is typed: in a terminal, a blank line ends a cell magic."""
    return f"%%pixapi {model} -s 160x96 {options}\n{body}\n\n"


@pytest.fixture
def loaded(pixapi_server: PixapiServer, terminal: Terminal) -> Terminal:
    terminal.run("%load_ext pixapi_nb")
    return terminal


def test_the_result_names_its_file(loaded: Terminal, pixapi_server: PixapiServer, tmp_path: Path) -> None:
    pixapi_server.settings(seconds=1)
    said = loaded.cell(cell("a {{material: clay | glass}} cup"))
    result = re.search(rf"(pixapi_out/a-clay-cup-\S+\.png)\n{MODEL} · 160", said)
    assert result, said
    assert (tmp_path / result[1]).read_bytes().startswith(b"\x89PNG")
    assert re.search(r"processing · \d+ %", said), "progress is seen"
    assert "Traceback" not in said
    assert result[1] in loaded.run("_")
    assert re.match(rf"<Job {MODEL}: completed, 1 image, task_\w+>\n", loaded.run("print(_)"))


def test_a_progress_line_fits_the_terminal_and_is_wiped_away(pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=1)
    with Terminal(env={"COLUMNS": "60"}) as terminal:
        terminal.run("%load_ext pixapi_nb")
        terminal.cell(cell())
        raw = terminal._child.before or ""
    progress = [part for part in raw.split("\r") if part.startswith(MODEL) and "\n" not in part]
    assert len(progress) > 2
    assert max(map(len, progress)) < 60
    last = raw.rindex(progress[-1]) + len(progress[-1])
    assert re.match(r"\r +\rpixapi_out/", raw[last:])


def test_ctrl_c_leaves_the_wait_and_gives_the_prompt_back(loaded: Terminal, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=5)
    loaded.start(cell("a cup", "-o hero"))
    task = re.findall(r"task_\w+", loaded.expect(r"task_\w{20,}"))[-1]
    pressed = loaded.interrupt()
    said = loaded.wait_prompt(4)
    assert time.monotonic() - pressed < 4
    message = said[said.index("Detached: ") :]
    assert message.startswith(f"Detached: stopped waiting; task {task}")
    assert f"%pixapi resume {task}" in message
    assert len(message.strip().splitlines()) <= 3
    assert not re.search(r"asyncio|Traceback|File |\.py|KeyboardInterrupt", said)
    assert loaded.run("print(hero.task_id, hero.done)") == f"{task} False\n\n"
    raw = loaded._child.before or ""
    assert MODEL not in raw, "nothing writes over the line that is typed"
    said = loaded.expect(r"pixapi_out/\S+\.png")
    assert MODEL not in said, "nothing but the result comes"
    loaded.send("")
    loaded.wait_prompt()
    assert loaded.run("print(hero.status, len(hero))") == "completed 1\n\n"
    assert len(pixapi_server.requests("POST")) == 1


def test_ctrl_c_before_anything_is_sent(loaded: Terminal, pixapi_server: PixapiServer) -> None:
    pixapi_server.faults({"kind": "hang", "seconds": 10, "match": {"path": "/v1/models"}})
    loaded.start(cell())
    deadline = time.monotonic() + 10
    while not pixapi_server.requests("GET", "/v1/models"):
        assert time.monotonic() < deadline
    loaded.interrupt()
    assert not re.search(r"asyncio|Traceback|File |\.py", loaded.wait_prompt(4))


def test_errors_are_short(loaded: Terminal, pixapi_server: PixapiServer) -> None:
    said = loaded.cell(cell(model="nope"))
    assert re.search(r"(?m)^ModelNotFound: There is no model 'nope'\.\n.*%pixapi models", said)
    assert not re.search(r"Traceback|File |\.py", said)
    assert loaded.cell(cell(options="--nope")).strip().splitlines()[0] == "UsageError: option --nope is not known."
    assert len(loaded.run("%pixapi nope").strip().splitlines()) <= 3
    assert loaded.run("1 + 1").strip().endswith("2")


def test_leaving_with_a_job_under_way_is_quick_and_silent(loaded: Terminal, pixapi_server: PixapiServer) -> None:
    pixapi_server.settings(seconds=60)
    loaded.start(cell())
    loaded.expect(r"task_\w{20,}")
    loaded.interrupt()
    loaded.wait_prompt()
    loaded.send("exit")
    loaded._child.expect(pexpect.EOF, timeout=10)
    assert (loaded._child.before or "").strip() == ""


def test_in_a_pipe_there_is_only_the_result(pixapi_server: PixapiServer, tmp_path: Path) -> None:
    script = tmp_path / "draw.ipy"
    script.write_text(f"%load_ext pixapi_nb\nget_ipython().run_cell_magic('pixapi', '{MODEL} -s 160x96', 'a cup')\n")
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--HistoryManager.enabled=False", "--colors=NoColor", str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert re.fullmatch(rf"pixapi_out/a-cup-[\w-]+\.png\n{MODEL} · .*\n", done.stdout)
    assert done.stderr == ""
