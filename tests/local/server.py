"""The embedded Pixapi as what it is: another process, met over sockets."""

import functools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx

# Without a key; and without certificates, which take longer to load than most tests here.
request = functools.partial(httpx.request, verify=False)
get = functools.partial(request, "GET")
SERVER = [sys.executable, "-m", "pixapi_nb.local"]
KEY = "sk_canary_0123456789"


class Server:
    """A running server, a client with a key, and its back door."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*SERVER, "--until-stdin-closes", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.api: str = ready["api"]
        self.media: str = ready["media"]
        self.pid: int = ready["pid"]
        self.client = httpx.Client(base_url=self.api, headers={"Authorization": f"Bearer {KEY}"}, timeout=20, verify=False)

    def submit(self, path: str = "images/generations", **fields: Any) -> str:
        body = {"model": "nano-banana", "prompt": "a lake at dawn", "size": "64x64"} | fields
        answer = self.client.post(f"/v1/async/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def task(self, name: str) -> dict[str, Any]:
        answer = self.client.get(f"/v1/tasks/{name}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def finished(self, name: str) -> dict[str, Any]:
        task: dict[str, Any] = until(lambda: got if (got := self.task(name))["status"] in ("completed", "failed") else None)
        return task

    def urls(self, name: str) -> list[str]:
        return [item["url"] for item in self.finished(name)["result"]["data"]]

    def back_door(self, method: str, what: str, body: Any = None) -> Any:
        answer = request(method, f"{self.api}/_local/{what}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def faults(self, *rules: dict[str, Any]) -> None:
        self.back_door("POST", "faults", list(rules))

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        return [entry for entry in self.back_door("GET", "requests") if path in entry["path"]]

    def charges(self) -> list[dict[str, Any]]:
        return list(self.back_door("GET", "charges"))

    def close(self) -> int:
        self.client.close()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(10)
        self.process.stdout.close()
        return code


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Wait for a condition to hold, and give what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)
    return found
