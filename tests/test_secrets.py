"""The key is found nowhere: no output, notebook, file, log, traceback, frame, repr or URL; and the media host never sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness.canary import found_below, found_in
from tests.harness.files import write_notebook
from tests.harness.kernels import Kernel, nbclient_run, outputs_of
from tests.harness.pixapi import KEY, PixapiServer
from tests.harness.terminal import Terminal

MODEL = "gemini-3-pro-image-preview"
CELL = f"%%pixapi {MODEL} -s 160x96"

# Trouble at every stage of a request, and the key repeated by a server that should know better.
FAULTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "refused": {"kind": "status", "status": 401, "match": {"method": "POST"}},
    "repeated": {
        "kind": "json",
        "status": 401,
        "match": {"method": "POST"},
        "body": {"error": {"code": "unauthorized", "message": f"Bearer {KEY} is not a key", "request_id": f"req_{KEY}"}},
    },
    "repeated in a header": {
        "kind": "status",
        "status": 402,
        "match": {"method": "POST"},
        "headers": {"x-request-id": KEY},
        "documented": False,
    },
    "reset": {"kind": "reset", "match": {"method": "POST"}},
    "hang up": {"kind": "truncate", "stage": "body", "match": {"method": "POST"}},
    "garbage": {"kind": "garbage", "match": {"method": "POST"}},
    "models reset": {"kind": "reset", "match": {"path": "/v1/models"}},
    "task repeats it": {
        "kind": "json",
        "match": {"path": "/v1/tasks/"},
        "body": {"id": "task_x", "status": "failed", "error": {"message": f"Authorization: Bearer {KEY}"}},
    },
    "media gone": {"kind": "status", "status": 404, "match": {"server": "media"}},
}

EVERYTHING = """\
import copy, gc, json, pprint, sys, traceback, types

def chain(error):
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

def frames():
    for error in chain(getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)):
        for frame, _ in traceback.walk_tb(error.__traceback__):
            yield from frame.f_locals.values()
        yield error
        yield from error.__dict__.values()

def shown(thing):
    for look in (repr, str, lambda one: pprint.pformat(vars(one))):
        try:
            yield look(thing)
        except Exception:
            pass
    if isinstance(thing, (list, tuple)):
        yield from map(repr, thing)
    elif isinstance(thing, dict):
        yield from map(repr, thing.values())

def seen_in_frames():
    # What %debug prints for each name of each frame, one look deep.
    return [text for thing in frames() if thing is not __import__("os").environ for text in shown(thing)]
"""

OBJECTS = """\
import pixapi_nb, pixapi_nb.session
from pixapi_nb import AsyncClient, Client
session = pixapi_nb.session.current()
server = session.server()
magics = get_ipython().magics_manager.registry["PixapiMagics"]
given = [session, server, server.key, session.wire(server), magics, magics.session, Client(), AsyncClient(),
         Client(api_key=server.key.reveal()), Client().images, hero, hero.request, hero[0], list(hero.events()),
         session.found_key(), pixapi_nb.session]
print(json.dumps([text for thing in given for text in shown(thing)]))
print([f"{one}" for one in given], session.__dict__)
"""


@pytest.fixture
def loaded(pixapi_server: PixapiServer, kernel: Kernel) -> Kernel:
    kernel.run("%load_ext pixapi_nb\n%xmode Verbose", check=True)
    return kernel


@pytest.fixture
def room(tmp_path: Path, pixapi_server: PixapiServer) -> Iterator[Path]:
    """The test's folder: notebooks, pictures, ledger. After the test it is searched, and so is what the server wrote."""
    yield tmp_path
    assert found_below(KEY, tmp_path, pixapi_server.state) == []
    requests = pixapi_server.requests()
    assert found_in(KEY, requests) == []
    assert {entry["authorization"] for entry in requests if entry["server"] == "media"} <= {False}
    assert {entry["authorization"] for entry in requests if entry["server"] == "api"} <= {True}


def assert_silent(kernel: Kernel) -> None:
    """Whatever the kernel has ever said, and all state of its widgets."""
    said = [[vars(output) for output in run.outputs] for run in kernel.shell.runs.values()]
    errors = [run.error for run in kernel.shell.runs.values()]
    states = [model.state for model in kernel.shell.models.values()]
    assert found_in(KEY, *map(str, said), *map(str, errors), *map(str, states), *map(str, kernel.lost_updates)) == []


@pytest.mark.kernel
def test_it_is_nowhere_after_cells_that_went_well_or_wrong(loaded: Kernel, pixapi_server: PixapiServer, room: Path) -> None:
    loaded.run("import logging, sys\nlogging.basicConfig(level=logging.DEBUG, stream=sys.stdout)", check=True)
    loaded.run("import pixapi_nb.lifecycle\npixapi_nb.lifecycle.backoff = lambda *_, **__: 0.01", check=True)
    loaded.run(EVERYTHING, check=True)
    for name, fault in FAULTS.items():
        pixapi_server.clear()
        pixapi_server.faults([fault] if fault else [])
        for options in ("", " --sync"):
            run = loaded.run(f"{CELL}{options}\na cup", allow_stdin=True)
            if name in ("refused", "repeated", "reset", "hang up", "garbage"):
                assert run.status == "error", name
            frames = loaded.run("print(json.dumps(seen_in_frames()))", check=True).stdout
            assert name != "reset" or "Secret(" in frames, "the frames reach down to where the key is"
            assert_silent(loaded)
    assert len(pixapi_server.requests(server="media")) >= 2
    logged = "".join(run.stdout for run in loaded.shell.runs.values())
    assert "HTTP Request: POST" in logged, "what was searched holds the logs of httpx"
    assert "send_request_headers" in logged


@pytest.mark.kernel
def test_no_object_and_no_command_shows_it(loaded: Kernel, room: Path) -> None:
    loaded.run(f"{CELL} -o hero\na cup", check=True)
    loaded.run(EVERYTHING, check=True)
    looked = loaded.run(OBJECTS, check=True)
    assert "Secret(…)" in looked.stdout
    for command in ("config", "tasks", "spend", "models", "help"):
        loaded.run(f"%pixapi {command}", allow_stdin=True)
    loaded.run("%config PixapiMagics")
    loaded.run("%whos")
    for attempt in ("import pickle; pickle.dumps(session)", "copy.deepcopy(server)", "json.dumps(vars(server), default=vars)"):
        loaded.run(attempt)
    loaded.run("def f(session, server, hero):\n    1 / 0\nf(session, server, hero)")
    loaded.run("get_ipython().run_line_magic('tb', '')")
    assert_silent(loaded)


@pytest.mark.kernel
def test_a_key_that_is_typed_is_in_no_history(
    loaded: Kernel, pixapi_server: PixapiServer, room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded.run("import os; del os.environ['PIXAPI_KEY']", check=True)
    typed = loaded.run("%pixapi login", answers=[KEY])
    assert not typed.error, typed.error
    loaded.run(f"{CELL}\na cup", check=True)
    assert {entry["authorization"] for entry in pixapi_server.requests("POST")} == {True}
    loaded.run("print(In, Out, _ih, [v for k, v in globals().items() if k.startswith('_i')])\n%history", check=True)
    loaded.run("%pixapi config", check=True)
    for wrong in (f"{KEY} {KEY}", f"{KEY}\N{EM DASH}x", ""):
        assert loaded.run("%pixapi login", answers=[wrong]).error
    assert_silent(loaded)


@pytest.mark.kernel
def test_a_notebook_that_is_run_by_nobody_does_not_hold_it(pixapi_server: PixapiServer, room: Path) -> None:
    pixapi_server.faults({**FAULTS["repeated"], "skip": 1})
    notebook = nbclient_run(
        ["%load_ext pixapi_nb\n%xmode Verbose", f"{CELL} --embed full\na cup", f"{CELL}\na second one", f"{CELL} --dry-run\nx"],
        allow_errors=True,
    )
    assert outputs_of(notebook, 1)[0].data["text/html"].count("<img ") == 1
    assert outputs_of(notebook, 2)[-1].kind == "error"
    path = write_notebook(notebook, room / "run.ipynb")
    assert found_in(KEY, json.dumps(notebook), path.read_bytes()) == []


@pytest.mark.kernel
def test_a_terminal_does_not_show_it(terminal_with_faults: Terminal, room: Path) -> None:
    said = [terminal_with_faults.run(line) for line in ("%load_ext pixapi_nb", "%xmode Verbose", "%pixapi config")]
    for _ in range(2):
        said.append(terminal_with_faults.cell(f"{CELL}\na cup\n\n"))
        said.append(terminal_with_faults.run("%tb"))
    said.append(terminal_with_faults.run("import traceback, sys; traceback.print_exception(sys.last_value)"))
    assert "Unauthorized" in "".join(said)
    assert found_in(KEY, *said) == []


@pytest.fixture
def terminal_with_faults(pixapi_server: PixapiServer, terminal: Terminal) -> Terminal:
    pixapi_server.faults({**FAULTS["repeated"], "skip": 1})
    return terminal
