"""The process: how it starts, what it says, how it ends."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from pixapi_nb.local import __main__ as command
from tests.local.server import SERVER, Server, get, until

Start = Callable[..., Server]


def _listens(url: str) -> bool:
    try:
        get(url, timeout=1)
    except httpx.TransportError:
        return False
    return True


def test_the_ready_line(start: Start) -> None:
    server = start()
    assert server.pid == server.process.pid
    assert server.api.startswith("http://127.0.0.1:")
    assert server.media.startswith("http://127.0.0.1:")
    assert server.api != server.media
    assert _listens(server.media)
    assert server.client.get("/v1/models").status_code == 200


def test_it_ends_with_its_standard_input_and_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path_factory.mktemp("room")
    monkeypatch.setenv("TMPDIR", str(room))
    server = Server()
    server.submit()
    assert list(room.iterdir())
    assert server.close() == 0
    assert not _listens(server.api)
    assert not list(room.iterdir())


def test_it_ends_with_its_parent_though_that_is_killed() -> None:
    code = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code, *SERVER, "--until-stdin-closes"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    api = json.loads(parent.stdout.readline())["api"]
    parent.kill()
    parent.wait()
    until(lambda: not _listens(api), 5)
    parent.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_at_once_though_requests_hang(number: int) -> None:
    server = Server("--admin", "--seconds", "30")
    server.faults({"kind": "hang", "match": {"path": "models"}})
    errors: list[Exception] = []

    def ask(path: str) -> None:
        try:
            body = {"model": "nano-banana", "prompt": "x", "size": "64x64"}
            server.client.request("POST" if "images" in path else "GET", path, json=body)
        except httpx.HTTPError as error:
            errors.append(error)

    threads = [threading.Thread(target=ask, args=(path,)) for path in ("/v1/models", "/v1/images/generations")]
    for thread in threads:
        thread.start()
    until(lambda: len(server.requests()) == 2)
    begun = time.monotonic()
    os.kill(server.pid, number)
    assert server.process.wait(5) == 0
    assert time.monotonic() - begun < 2
    for thread in threads:
        thread.join()
    assert len(errors) == 2
    server.close()


def test_a_port_of_ones_own_choice(start: Start) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert start("--port", str(port)).api == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("option", ["--port", "--media-port"])
def test_a_port_that_is_taken(option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*SERVER, option, port], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"pixapi_nb.local: port {port} cannot be used")
    assert ended.stderr.count("\n") == 1
    assert not ended.stdout


@pytest.mark.parametrize("arguments", [["--seconds", "fast"], ["--capacity", "0"], ["--faults", "/nowhere.json"]])
def test_arguments_that_make_no_sense(arguments: list[str]) -> None:
    ended = subprocess.run([*SERVER, *arguments], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("pixapi_nb.local: ")
    assert ended.stderr.count("\n") == 1


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "NEEDED", ("json", "no_such_package"))
    assert command.main([]) == 2
    assert capsys.readouterr().err == (
        "pixapi_nb.local: the embedded Pixapi needs no_such_package: pip install 'pixapi-nb[local]'\n"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are POSIX")
def test_people_at_a_terminal_are_told_how_to_use_it() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*SERVER, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=theirs)
    os.close(theirs)
    said = ""
    deadline = time.monotonic() + 20
    while "PIXAPI_KEY" not in said and time.monotonic() < deadline:
        said += os.read(ours, 1000).decode()
    assert "export PIXAPI_BASE_URL=http://127.0.0.1:" in said
    assert "export PIXAPI_KEY=sk_local" in said
    assert "local sketches" in said
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0
    os.close(ours)


def test_it_imports_nothing_else_of_the_package() -> None:
    def imported(modules: str) -> set[str]:
        code = f"import sys, {modules}; print(*(name for name in sys.modules if name.startswith('pixapi_nb.')))"
        return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())

    more = imported("pixapi_nb.local.server, pixapi_nb.local.art") - imported("pixapi_nb")
    assert more
    assert all(name.startswith("pixapi_nb.local") for name in more)
