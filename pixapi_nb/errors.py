"""The errors of pixapi_nb: one tree, every leaf with typed fields.

* PixapiError
  * UsageError: refused here, before anything was sent
    * PromptError: a template that does not parse, or a value that does not fit (`start`, `end`)
    * MissingKey: neither a key nor the embedded Pixapi is configured
    * BudgetExceeded: would pass `PixapiMagics.budget`
  * APIError: the server said no (`status`, `code`, `request_id`)
    * InvalidRequest (400), Unauthorized (401), InsufficientCredits (402), ModelNotFound (404), TaskNotFound (404),
      EndpointMissing (404, 405), PromptRejected (422), RateLimited (429), InternalError (500), ModelUnavailable (503)
  * Unreachable: the server did not answer
    * NotSent: the request never reached the server; nothing was charged
  * OutcomeUnknown: a paid request may have been accepted; it is never sent a second time
  * UnexpectedAnswer: an answer outside the API's contract
  * TaskFailed: the server accepted the work and could not do it
  * DownloadFailed: the work is done and paid for; its files could not be fetched
  * LocalServerError: the embedded Pixapi could not be started
  * Detached: the wait was left; the work goes on and is charged

Beside the tree: Interrupted, the KeyboardInterrupt of who waits in Python, so that no `except PixapiError` swallows it.

Every error shows in a notebook as a few lines: what is wrong, and the way on (`hint`).
Statuses and names are those of Pixapi's Errors page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = [
    "APIError",
    "BudgetExceeded",
    "Detached",
    "DownloadFailed",
    "EndpointMissing",
    "InsufficientCredits",
    "InternalError",
    "Interrupted",
    "InvalidRequest",
    "LocalServerError",
    "MissingKey",
    "ModelNotFound",
    "ModelUnavailable",
    "NotSent",
    "OutcomeUnknown",
    "PixapiError",
    "PromptError",
    "PromptRejected",
    "RateLimited",
    "TaskFailed",
    "TaskNotFound",
    "Unauthorized",
    "UnexpectedAnswer",
    "Unreachable",
    "UsageError",
    "clean",
]

_LONGEST = 600
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")  # colours and titles of terminals


def clean(text: object, longest: int = _LONGEST) -> str:
    """Text from outside, fit to be shown: one line, no control characters, no bidirectional overrides, not endless."""
    kept = "".join(c if c.isprintable() else " " for c in _ESCAPES.sub("", str(text)[: longest * 2]))
    kept = " ".join(kept.split())
    return kept if len(kept) <= longest else kept[: longest - 1] + "…"


class PixapiError(Exception):
    """The root: `message` says what is wrong, `hint` the way on."""

    hint: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own calls `__init__` with `args`, which lacks the typed fields.
        return _restored, (type(self), self.args, vars(self))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a stack; one piece, because some of its modes join pieces with nothing."""
        return ["\n".join(self._lines())]

    def _lines(self) -> list[str]:
        return [f"\x1b[31m{type(self).__name__}\x1b[0m: {self.message}", *(self.hint.splitlines() if self.hint else [])]


def _restored(kind: type[PixapiError], args: tuple[Any, ...], fields: Mapping[str, Any]) -> PixapiError:
    error = kind.__new__(kind, *args)
    vars(error).update(fields)
    return error


class UsageError(PixapiError):
    """Refused before anything was sent."""


class PromptError(UsageError):
    """A prompt template that does not parse, or a value that does not fit it.

    `start` and `end` are offsets into `prompt`; the message shows the place.
    """

    def __init__(self, message: str, *, prompt: str, start: int, end: int, hint: str | None = None) -> None:
        self.prompt, self.start, self.end = prompt, start, end
        super().__init__(f"{message}\n{_excerpt(prompt, start, end)}", hint=hint)


def _excerpt(text: str, start: int, end: int, around: int = 40) -> str:
    """The line of `text` that holds `start`, with carets under the place."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    last = len(text) if last < 0 else last
    end = min(end, start + 2 * around)
    low, high = max(first, start - around), min(last, max(end, start + 1) + around)
    head, tail = ("…" if low > first else ""), ("…" if high < last else "")
    line = "".join(c if c.isprintable() else " " for c in text[low:high])
    width = max(1, min(end, high) - start)
    return f"  {head}{line}{tail}\n  {' ' * (len(head) + start - low)}{'^' * width}"


class MissingKey(UsageError):
    """There is neither a key nor the embedded Pixapi to talk to."""

    def __init__(self) -> None:
        super().__init__(
            "no Pixapi key is set.",
            hint="Set one with %pixapi login (or the environment variable PIXAPI_KEY),\n"
            "or explore without one: %pixapi local starts the embedded Pixapi (PIXAPI_BASE_URL=local does it from the start).",
        )


class BudgetExceeded(UsageError):
    """The request would pass the budget of the day."""


class APIError(PixapiError):
    """The server refused, in one of the API's two error shapes or in none.

    `status` is the HTTP status, `code` the API's name for the error if it gave one, `request_id` what Pixapi's support
    asks for, `documented` whether the body had one of the API's shapes, `retry_after` seconds if the server said so,
    `attempts` how often the request was sent, `page` whether the body was no JSON at all, but a gateway's page, or empty.
    """

    statuses: ClassVar[tuple[int, ...]] = ()
    codes: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        request_id: str | None = None,
        documented: bool = False,
        retry_after: float | None = None,
        attempts: int = 1,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status, self.code, self.request_id = status, code, request_id
        self.documented, self.retry_after, self.attempts, self.page = documented, retry_after, attempts, False

    def _lines(self) -> list[str]:
        lines = super()._lines()
        return [*lines, f"(HTTP {self.status}, request {self.request_id})"] if self.request_id else lines

    @staticmethod
    def from_response(status: int, body: Any, *, request_id: str | None = None, retry_after: float | None = None) -> APIError:
        """The typed error for an answer: `body` is its parsed JSON, or None where it is not JSON.

        Both documented shapes are read: {"error": {"code": 400, "message", "type"}} and
        {"error": {"code": "rate_limited", "message", "request_id"}}.
        """
        outer = body if isinstance(body, Mapping) else {}
        error = outer.get("error")
        fields = error if isinstance(error, Mapping) else {}
        documented = isinstance(fields.get("code"), (int, str)) and isinstance(fields.get("message"), str)
        names = [fields[k] for k in ("code", "type") if isinstance(fields.get(k), str)]
        # Beyond the two shapes: what other OpenAI-compatible servers say.
        candidates = (fields.get("message"), error, outer.get("message"), outer.get("detail"))
        said = next((one for one in candidates if isinstance(one, str) and one.strip()), None)
        known = [name for name in names if name in _KINDS_BY_CODE]
        fitting = [name for name in known if _KINDS_BY_CODE[name].statuses == (status,)]
        kind = _KINDS_BY_STATUS.get(status) or (_KINDS_BY_CODE[known[0]] if known else APIError)
        if kind is ModelNotFound and not fitting:  # the 404 of a server that has no such address
            kind = EndpointMissing
        name = next(iter([*fitting, *names]), None)
        message = clean(said or "") or f"the server answered HTTP {status} without a reason it would name."
        given_id = fields.get("request_id")
        return kind(
            message,
            status=status,
            code=clean(name, 80) if name else None,
            request_id=clean(given_id, 80) if isinstance(given_id, str) else request_id,
            documented=documented,
            retry_after=retry_after,
        )


class InvalidRequest(APIError):
    """A field is missing or wrong."""

    statuses = (400,)
    codes = ("invalid_request", "invalid_request_error")
    hint = "Nothing was charged. Change the request and run it again; --dry-run shows what is sent."


class Unauthorized(APIError):
    """The key is missing or wrong."""

    statuses = (401,)
    codes = ("unauthorized",)
    hint = "Nothing was charged. Set the key with %pixapi login, or the environment variable PIXAPI_KEY."


class InsufficientCredits(APIError):
    """The balance is too low."""

    statuses = (402,)
    codes = ("insufficient_credits",)
    hint = "Nothing was charged. Add credits to the Pixapi account, then run the cell again."


class ModelNotFound(APIError):
    """The model is unknown, or not available to this account."""

    statuses = (404,)
    codes = ("model_not_found",)
    hint = "Nothing was charged. %pixapi models lists what this account can use."


class TaskNotFound(APIError):
    """The server does not know this task (any more)."""

    hint = (
        "Tasks are kept by the server for a limited time, and belong to the account that made them.\n"
        "%pixapi tasks lists those that are known here."
    )


class EndpointMissing(APIError):
    """The server has no such endpoint: another OpenAI-compatible server, or a wrong base URL."""

    statuses = (405,)
    hint = "Is PIXAPI_BASE_URL right? %pixapi config shows it."


class PromptRejected(APIError):
    """The prompt or an input is against the provider's policy."""

    statuses = (422,)
    codes = ("prompt_rejected",)
    hint = "Nothing was charged. Change the prompt or the input pictures; the same request would be refused again."


class RateLimited(APIError):
    """Too many requests."""

    statuses = (429,)
    codes = ("rate_limited",)
    hint = "Nothing was charged. Wait a little, then run the cell again."


class InternalError(APIError):
    """An error on the server's side."""

    statuses = (500,)
    codes = ("internal_error",)


class ModelUnavailable(APIError):
    """The model's provider is down for now."""

    statuses = (503,)
    codes = ("model_unavailable",)
    hint = "Nothing was charged. Try again later, or use another model: %pixapi models lists them."


_KINDS: tuple[type[APIError], ...] = (
    InvalidRequest,
    Unauthorized,
    InsufficientCredits,
    ModelNotFound,
    EndpointMissing,
    PromptRejected,
    RateLimited,
    InternalError,
    ModelUnavailable,
)
_KINDS_BY_STATUS = {status: kind for kind in _KINDS for status in kind.statuses}
_KINDS_BY_CODE = {code: kind for kind in _KINDS for code in kind.codes}


class Unreachable(PixapiError):
    """The server did not answer a question that costs nothing to ask again."""

    hint = "Is the network up?"


class NotSent(Unreachable):
    """The request did not reach the server: no such host, connection refused, no secure connection."""

    hint = "Nothing was sent and nothing was charged. Is the network up, and PIXAPI_BASE_URL right? %pixapi config shows it."


class OutcomeUnknown(PixapiError):
    """A paid request was sent, and whether the server accepted it cannot be known. It is not sent again."""

    hint = (
        "The work may be running and may be charged, so it is not sent a second time by itself.\n"
        "Pixapi's dashboard tells; running the cell again is a new, separately charged request."
    )


class UnexpectedAnswer(PixapiError):
    """An answer that is not what the API documents."""


class TaskFailed(PixapiError):
    """The server accepted the work and reports that it failed. `reason` is the server's, if it gave one."""

    hint = "Failed work is not charged. Running the cell again is a new request."

    def __init__(self, task_id: str, reason: str | None = None, *, code: str | None = None) -> None:
        self.task_id, self.reason, self.code = task_id, reason, code
        said = f": {reason}" if reason else "; the server gave no reason."
        super().__init__(f"task {task_id} failed{said}")


class DownloadFailed(PixapiError):
    """The work is done, and its files could not be fetched. `task_id` is None for a synchronous request."""

    def __init__(self, message: str, *, task_id: str | None = None) -> None:
        self.task_id = task_id
        way = f"The work is done and paid for. Fetch it with %pixapi resume {task_id}" if task_id else None
        super().__init__(message, hint=way)


class LocalServerError(PixapiError):
    """The embedded Pixapi could not be started."""


class Detached(PixapiError):
    """The wait was left; the work goes on and is charged. `task_id` is None while the server has not answered yet."""

    def __init__(self, task_id: str | None, *, hint: str | None = None) -> None:
        self.task_id = task_id
        super().__init__(_goes_on(task_id), hint=hint)


def _goes_on(task_id: str | None) -> str:
    if task_id:
        return f"stopped waiting; task {task_id} goes on, and is charged."
    return "stopped waiting; the request goes on, and is charged once the server accepts it."


class Interrupted(KeyboardInterrupt):
    """A wait in Python was interrupted; the work goes on and is charged. `task_id` as in Detached."""

    def __init__(self, task_id: str | None, *, hint: str) -> None:
        self.task_id = task_id
        super().__init__(f"{_goes_on(task_id)}\n{hint}")

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a stack."""
        return [f"\x1b[31m{type(self).__name__}\x1b[0m: {self}"]
