"""Jupyter's messages as a front end reads them: requests become `Run`s that collect their outputs, in order.

`Shell` speaks over one client's channels. It applies updates by display id, `clear_output`, and the life of widget models, and
writes down what came when. Nothing is read except while something is awaited.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import zmq
from jupyter_client.blocking.client import BlockingKernelClient

from .waiting import until

T = TypeVar("T")

WIDGETS = "jupyter.widget"


class KernelError(NamedTuple):
    """How a cell failed; the traceback is without colours."""

    ename: str
    evalue: str
    traceback: str


@dataclass
class Output:
    """One output. `kind` is `stream`, `display_data`, `execute_result` or `error`."""

    kind: str
    text: str = ""
    """Of a stream; of an error its traceback."""
    name: str = ""
    """`stdout` or `stderr`."""
    data: dict[str, Any] = field(default_factory=dict)
    """The MIME bundle."""
    metadata: dict[str, Any] = field(default_factory=dict)
    display_id: str | None = None
    updates: int = 0


@dataclass(eq=False)
class Run:
    """One execute request and what became of it. Times are `time.monotonic()`; outputs may still come when it is done."""

    code: str
    msg_id: str = ""
    sent: float = 0
    started: float | None = None
    finished: float | None = None
    """When its reply came."""
    status: str | None = None
    """`ok`, `error` or `aborted` (it stood behind one that failed); None while it runs."""
    execution_count: int | None = None
    outputs: list[Output] = field(default_factory=list)
    error: KernelError | None = None
    value: str = ""
    """The repr of the expression that was asked for."""
    idle: bool = False
    answers: list[str] = field(default_factory=list)
    """What `input()` is going to get."""
    clear_next: bool = False

    @property
    def done(self) -> bool:
        return self.idle and self.status is not None

    @property
    def stdout(self) -> str:
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        return self._stream("stderr")

    @property
    def result(self) -> str | None:
        """The `text/plain` of its value."""
        return next((output.data.get("text/plain") for output in self.outputs if output.kind == "execute_result"), None)

    @property
    def displays(self) -> list[Output]:
        return [output for output in self.outputs if output.kind in ("display_data", "execute_result")]

    @property
    def text(self) -> str:
        """All that can be read: streams, `text/plain` of displays, tracebacks."""
        return "\n".join(output.text or output.data.get("text/plain", "") for output in self.outputs)

    def _stream(self, name: str) -> str:
        return "".join(output.text for output in self.outputs if output.name == name)


class Event(NamedTuple):
    """A message that came: when, on which channel, its type, and the run it belongs to."""

    at: float
    channel: str
    kind: str
    run: Run | None


@dataclass
class Model:
    """A widget model as a front end knows it."""

    comm_id: str
    state: dict[str, Any]
    open: bool = True


class Shell:
    """The conversation of one client with one kernel."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client
        self.runs: dict[str, Run] = {}
        self.events: list[Event] = []
        self.models: dict[str, Model] = {}
        self.lost_updates: list[dict[str, Any]] = []
        """Updates of displays that nobody has."""
        self.features: list[str] = []
        self.banner: dict[str, Any] = {}
        """The kernel's own description of itself."""
        self._replies: dict[str, dict[str, Any]] = {}
        self._asked: list[str] = []
        self._comm_subshell: str | None = None
        self._poller = zmq.Poller()
        self._channels: dict[Any, tuple[str, Any]] = {}

    def connect(self, by: str = "shell", timeout: float = 60, alive: Callable[[], object] = lambda: True) -> None:
        """Wait until the kernel answers and is heard. `by="control"` answers even while a cell runs; a kernel that still starts
        may stumble over it."""
        for name in ("iopub", "shell", "control", "stdin"):
            channel = getattr(self.client, f"{name}_channel")
            self._channels[channel.socket] = (name, channel)
            self._poller.register(channel.socket, zmq.POLLIN)
        asked: set[str] = set()
        heard: set[str] = set()
        again = 0.0

        def answered() -> bool:
            nonlocal again
            if time.monotonic() > again:
                asked.add(self._send(by, "kernel_info_request", {}))
                again = time.monotonic() + 0.25
            self.pump(0.05, lambda message: heard.add(message["parent_header"].get("msg_id", "")))
            assert alive(), "the kernel ended while it started"
            return bool(asked & heard & self._replies.keys())

        until(answered, timeout, "the kernel's first answer", lambda: None)
        self.banner = self._replies[next(iter(asked & heard & self._replies.keys()))]
        self.features = list(self.banner.get("supported_features", []))

    def disconnect(self) -> None:
        for socket in self._channels:
            self._poller.unregister(socket)
        self._channels.clear()

    # -- asking

    def send(
        self,
        code: str,
        *,
        silent: bool = False,
        value: str = "",
        answers: Sequence[str] = (),
        allow_stdin: bool = False,
        stop_on_error: bool = True,
        subshell: str | None = None,
    ) -> Run:
        """Send an execute request, as JupyterLab does for a cell, and do not wait."""
        run = Run(code, answers=list(answers))
        content = {
            "code": code,
            "silent": silent,
            "store_history": not silent,
            "user_expressions": {"value": value} if value else {},
            "allow_stdin": allow_stdin,
            "stop_on_error": stop_on_error,
        }
        run.sent = time.monotonic()
        run.msg_id = self._send("shell", "execute_request", content, subshell=subshell)
        self.runs[run.msg_id] = run
        return run

    def wait(self, run: Run, timeout: float = 60) -> Run:
        """Read until the run is done."""
        self.until(lambda: run.done, timeout, lambda: f"the end of {run.code!r}; so far:\n{run.text}")
        return run

    def until(
        self,
        condition: Callable[[], T],
        timeout: float = 30,
        what: str | Callable[[], str] = "the condition",
        alive: Callable[[], object] = lambda: True,
    ) -> T:
        """Read messages until the condition is true; its value."""

        def read() -> None:
            self.pump(0.05)
            assert alive(), "the kernel ended"

        return until(condition, timeout, what, read)

    def request(self, channel: str, kind: str, content: Mapping[str, Any], timeout: float = 20) -> dict[str, Any]:
        """Any other request; the content of its reply."""
        msg_id = self._send(channel, kind, content)
        self.until(lambda: msg_id in self._replies, timeout, f"the reply to {kind}")
        return self._replies[msg_id]

    # -- subshells

    @property
    def has_subshells(self) -> bool:
        return "kernel subshells" in self.features

    def create_subshell(self) -> str:
        return str(self.request("control", "create_subshell_request", {})["subshell_id"])

    def delete_subshell(self, subshell: str) -> None:
        self.request("control", "delete_subshell_request", {"subshell_id": subshell})

    # -- widgets

    def model(self, **state: Any) -> Model:
        """The youngest open widget model with this state, such as `description="Go"`."""
        for model in reversed(self.models.values()):
            if model.open and all(model.state.get(name) == value for name, value in state.items()):
                return model
        known = [model.state.get("description", "") or model.state.get("_model_name") for model in self.models.values()]
        raise LookupError(f"no widget with {state}; there are {known}")

    def comm_message(self, model: Model, data: Mapping[str, Any]) -> None:
        """Send what a widget's view sends: over a subshell for all widgets if the kernel has subshells, as JupyterLab does."""
        if self.has_subshells:
            self.until(lambda: self._comm_subshell, 20, "the subshell for comms")
        content = {"comm_id": model.comm_id, "data": dict(data)}
        self._send("shell", "comm_msg", content, subshell=self._comm_subshell)

    # -- reading

    def pump(self, timeout: float, listener: Callable[[dict[str, Any]], object] = lambda _: None) -> None:
        """Read what is there, or wait for the first message for `timeout` seconds."""
        ready = dict(self._poller.poll(int(timeout * 1000)))
        for socket in ready:
            name, channel = self._channels[socket]
            while channel.msg_ready():
                message = channel.get_msg(timeout=0)
                self._take(name, message)
                if name == "iopub":
                    listener(message)

    @contextmanager
    def recording(self) -> Iterator[list[Event]]:
        """The events that come meanwhile."""
        first = len(self.events)
        events: list[Event] = []
        yield events
        events.extend(self.events[first:])

    def _send(self, channel: str, kind: str, content: Mapping[str, Any], subshell: str | None = None) -> str:
        message = self.client.session.msg(kind, dict(content))
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        getattr(self.client, f"{channel}_channel").send(message)
        return str(message["header"]["msg_id"])

    def _take(self, channel: str, message: dict[str, Any]) -> None:
        kind, content = message["header"]["msg_type"], message["content"]
        parent = message["parent_header"].get("msg_id", "")
        run = self.runs.get(parent)
        self.events.append(Event(time.monotonic(), channel, kind, run))
        if channel == "iopub":
            if kind.startswith("comm_"):
                self._take_comm(kind, content)
            elif kind == "update_display_data":
                self._update(content)
            elif run is not None:
                _collect(run, kind, content)
        elif channel == "stdin":
            assert run is not None, "an input request for nobody"
            assert run.answers, f"input({content['prompt']!r}) was called, and there is no answer"
            self.client.input(run.answers.pop(0))
        else:
            self._replies[parent] = content
            if kind == "create_subshell_reply" and parent in self._asked:
                self._comm_subshell = content["subshell_id"]
            if run is not None and kind == "execute_reply":
                run.finished, run.status = time.monotonic(), content["status"]
                run.execution_count = content.get("execution_count")
                asked = content.get("user_expressions", {}).get("value", {})
                run.value = asked.get("data", {}).get("text/plain", "")
                if asked.get("status") == "error":
                    run.error = _error(asked)
                if content["status"] == "error" and run.error is None:
                    run.error = _error(content)

    def _take_comm(self, kind: str, content: dict[str, Any]) -> None:
        comm_id, data = content["comm_id"], content.get("data", {})
        if kind == "comm_open" and content["target_name"] == WIDGETS:
            self.models[comm_id] = Model(comm_id, dict(data.get("state", {})))
            if self.has_subshells and not self._asked:
                self._asked.append(self._send("control", "create_subshell_request", {}))
        elif comm_id in self.models:
            if kind == "comm_close":
                self.models[comm_id].open = False
            elif data.get("method") == "update":
                self.models[comm_id].state.update(data["state"])

    def _update(self, content: dict[str, Any]) -> None:
        display_id = content.get("transient", {}).get("display_id")
        outputs = [output for run in self.runs.values() for output in run.outputs if output.display_id == display_id]
        for output in outputs:
            output.data, output.metadata = content["data"], content["metadata"]
            output.updates += 1
        if not outputs:
            self.lost_updates.append(content)


def _collect(run: Run, kind: str, content: dict[str, Any]) -> None:
    """One iopub message into the outputs of its run, as nbformat and the front ends do it."""
    if kind == "status":
        run.idle = content["execution_state"] == "idle"
    elif kind == "execute_input":
        run.started = time.monotonic()
    elif kind == "clear_output":
        run.clear_next = content["wait"]
        if not content["wait"]:
            run.outputs.clear()
    elif kind in ("stream", "display_data", "execute_result", "error"):
        if run.clear_next:
            run.outputs.clear()
            run.clear_next = False
        if kind == "error":
            run.error = _error(content)
        last = run.outputs[-1] if run.outputs else None
        if kind == "stream" and last is not None and last.name == content["name"]:
            last.text += content["text"]
        else:
            run.outputs.append(_output(kind, content))


def _output(kind: str, content: dict[str, Any]) -> Output:
    if kind == "stream":
        return Output(kind, content["text"], content["name"])
    if kind == "error":
        return Output(kind, _error(content).traceback)
    return Output(
        kind,
        data=content["data"],
        metadata=content["metadata"],
        display_id=content.get("transient", {}).get("display_id"),
    )


def _error(content: dict[str, Any]) -> KernelError:
    traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(content.get("traceback", [])))
    return KernelError(content.get("ename", ""), content.get("evalue", ""), traceback)
