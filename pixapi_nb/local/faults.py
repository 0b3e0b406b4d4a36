"""Trouble on demand: rules that say which request goes wrong, when, and how (pure; `sabotage` carries them out).

A rule is a JSON object::

    {"match": {"server": "api" | "media", "method": "POST", "path": REGEX, "prompt": REGEX},
     "kind": ..., "stage": "before" | "after" | "body",
     "skip": K, "times": N or null, "probability": P, "seed": S, ...}

``match`` may leave out what does not matter; the regexes are searched for. Of the requests that match, the first ``skip``
go by, then ``times`` of them fire (no limit without it), each with ``probability``. The first rule that fires wins.

=============  ======================  =====================================================================
kind           stages                  what happens
=============  ======================  =====================================================================
status         before, after           answers ``status``: with an error of the API if ``documented``, else HTML
garbage        before, after           ``status`` (200), JSON by its header, not by its bytes
html           before, after           ``status`` (200), a web page
empty          before, after           ``status`` (200), nothing
json           before, after           ``status`` (200), the rule's ``body``
reset          before, after, body     the connection is reset
truncate       body                    the connection ends after part of the body
hang           before, after, body     nothing more comes, until the client leaves or ``seconds`` have gone by
delay          before, after, body     ``seconds`` late, otherwise as always
fail_task      (a submission)          the task is accepted and fails: ``task`` = {"error": ..., "at_progress": 40}
task_status    (GET of a task)         the answer's status is ``value``
no_url         (a result)              its items are without their URL
no_data        (a result)              it is without its data
=============  ======================  =====================================================================

*before*: nothing was accepted. *after*: the work is accepted and will be charged, the answer is not sent. *body*: the
headers and the share ``at`` (0 to 1, default 0.5) of the body are sent first. ``headers`` are added to what is answered.
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

STAGES = {
    "status": ("before", "after"),
    "garbage": ("before", "after"),
    "html": ("before", "after"),
    "empty": ("before", "after"),
    "json": ("before", "after"),
    "reset": ("before", "after", "body"),
    "truncate": ("body",),
    "hang": ("before", "after", "body"),
    "delay": ("before", "after", "body"),
    "fail_task": ("before",),
    "task_status": ("after",),
    "no_url": ("after",),
    "no_data": ("after",),
}
_ALWAYS = {
    "fail_task": {"server": "api", "method": "POST"},
    "task_status": {"server": "api", "path": "^/v1/tasks/"},
    "no_url": {"server": "api"},
    "no_data": {"server": "api"},
}
"""What some kinds match in any case: others could not be met by them."""
MATCHES = ("server", "method", "path", "prompt")


@dataclass
class Rule:
    """One rule, and how often it has been met. Raises ``ValueError`` for what makes no sense."""

    kind: str
    stage: str = ""
    match: Mapping[str, str] = field(default_factory=dict)
    skip: int = 0
    times: int | None = None
    probability: float = 1
    seed: int = 0
    status: int = 0
    documented: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    seconds: float | None = None
    at: float = 0.5
    task: Mapping[str, Any] = field(default_factory=dict)
    value: str = "paused"

    def __post_init__(self) -> None:
        if self.kind not in STAGES:
            raise ValueError(f"kind {self.kind!r}: must be one of {', '.join(STAGES)}")
        self.match = {**_ALWAYS.get(self.kind, {}), **self.match}
        self.stage = self.stage or STAGES[self.kind][0]
        if self.stage not in STAGES[self.kind]:
            raise ValueError(f"stage {self.stage!r}: {self.kind} knows {', '.join(STAGES[self.kind])}")
        if unknown := self.match.keys() - set(MATCHES):
            raise ValueError(f"match: unknown {', '.join(sorted(unknown))}; there are {', '.join(MATCHES)}")
        if not 0 <= self.at <= 1 or not 0 <= self.probability <= 1:
            raise ValueError("at and probability must lie between 0 and 1")
        if self.kind == "delay" and self.seconds is None:
            raise ValueError("delay: how many seconds?")
        self.status = self.status or (500 if self.kind == "status" else 200)
        self._patterns = {name: re.compile(pattern) for name, pattern in self.match.items() if name in ("path", "prompt")}
        self._chance = random.Random(self.seed)

    def fires(self, request: Mapping[str, str]) -> bool:
        """Whether this request, described by the names of `MATCHES`, gets into this trouble. Counts it if it matches."""
        if self.times == 0 or not self._matches(request):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self._chance.random() >= self.probability:
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def take_back(self) -> None:
        """It fired at an answer that had nothing in it to spoil: that does not count."""
        if self.times is not None:
            self.times += 1

    def _matches(self, request: Mapping[str, str]) -> bool:
        return all(
            bool(self._patterns[name].search(request[name])) if name in self._patterns else request[name] == value
            for name, value in self.match.items()
        )


def parse(value: Any) -> list[Rule]:
    """The rules in decoded JSON: one, or a list of them. Raises ``ValueError``."""
    known = {item.name for item in fields(Rule)}
    rules = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict):
            raise ValueError("a rule is a JSON object")
        if unknown := item.keys() - known:
            raise ValueError(f"unknown in a rule: {', '.join(sorted(unknown))}")
        try:
            rules.append(Rule(**item))
        except (TypeError, re.error) as error:
            raise ValueError(str(error)) from None
    return rules
