"""The API over HTTP: one method per endpoint. It sends, parses and raises; it records and repeats nothing.

All methods run on the I/O thread. The API's client carries the key; the media client, for other hosts, never does.
"""

from __future__ import annotations

import contextlib
import email.utils
import functools
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import httpx

from pixapi_nb import answers
from pixapi_nb.errors import (
    APIError,
    EndpointMissing,
    NotSent,
    OutcomeUnknown,
    TaskNotFound,
    UnexpectedAnswer,
    Unreachable,
    UsageError,
    clean,
)
from pixapi_nb.models import Completed, ImageRequest, Model, Processing, Request, Submitted, TaskStatus, VideoRequest
from pixapi_nb.version import __version__

__all__ = ["LOCAL", "Secret", "Server", "Wire", "retry_after"]

T = TypeVar("T")

LOCAL = "local"  # the name of the embedded Pixapi, whatever its port

_LARGEST_ANSWER = 512 * 1024 * 1024  # bytes; ten 4K pictures in base64 are about half of it
_LARGEST_QUESTION = 8 * 1024 * 1024
_CONNECT, _WRITE, _READ, _READ_SYNCHRONOUS = 10.0, 120.0, 60.0, 900.0  # seconds
# Below the keep-alive time of common servers, so that a paid POST never meets a connection that is just being closed.
_KEEPALIVE = 2.0
# UnicodeError: a host name that cannot be written in IDNA.
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    UnicodeError,
)
_SHORTEST_KEY = 8  # characters; what is shorter ("EMPTY", "none") is no secret, and may occur in any answer
_LOOPBACK: dict[str, None] = {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}


class Secret:
    """A key that does not show itself. `reveal()` is called where the request's header is made, and nowhere else.

    Raises UsageError for what cannot be a key: httpx would quote it in its errors.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        self._value: str = value.reveal() if isinstance(value, Secret) else value.strip()
        if not self._value or not all("!" <= c <= "~" for c in self._value):
            self._value = value = ""  # tracebacks show what is in their frames
            raise UsageError("the key has characters that no key has.", hint="Was more than the key copied, or less?")

    def reveal(self) -> str:
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def removed_from(self, value: Any) -> Any:
        """Decoded JSON without the key: a server may repeat it in what it says."""
        if isinstance(value, str):
            return value.replace(self._value, "sk_…") if len(self._value) >= _SHORTEST_KEY else value
        if isinstance(value, list):
            return [self.removed_from(one) for one in value]
        if isinstance(value, dict):
            return {self.removed_from(name): self.removed_from(one) for name, one in value.items()}
        return value

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: Any) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a key is not pickled")

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclass(frozen=True)
class Server:
    """Who is asked, and with which key. `name` is what the ledger says: the address, or `local` whatever the port."""

    base_url: str
    key: Secret
    name: str

    def __post_init__(self) -> None:
        try:
            _ = urlsplit(self.base_url).port
        except ValueError as error:
            raise UsageError(f"the base URL {clean(self.base_url, 120)!r} is not one: {clean(error, 80)}.") from error


class Wire:
    """One server's endpoints."""

    def __init__(self, server: Server, *, timeout: float | None = None) -> None:
        self.server = server
        self.async_missed = 0  # answers that there is no such endpoint: twice, and it is another OpenAI-compatible server
        self._has_async = False  # it has taken asynchronous work
        self._read = timeout or _READ
        self._read_synchronous = timeout or _READ_SYNCHRONOUS
        limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=_KEEPALIVE)
        agent = {"User-Agent": f"pixapi_nb/{__version__}"}
        tls = _tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
        # No proxy of the environment stands between this machine and itself.
        self._api = httpx.AsyncClient(
            headers=agent | {"Authorization": f"Bearer {server.key.reveal()}", "Accept": "application/json"},
            timeout=httpx.Timeout(self._read, connect=_CONNECT, write=_WRITE, pool=None),
            limits=limits,
            mounts=_LOOPBACK,
            verify=tls,
        )
        self._media = httpx.AsyncClient(
            headers=agent | {"Accept-Encoding": "identity"},  # ranges and lengths are those of the file
            timeout=httpx.Timeout(30.0, connect=_CONNECT, pool=None),
            limits=limits,
            follow_redirects=True,
            mounts=_LOOPBACK,
            verify=tls,
        )

    async def aclose(self) -> None:
        await self._api.aclose()
        await self._media.aclose()

    async def generate(self, request: Request) -> Completed:
        """POST /v1/images/generations or /v1/images/edits: pictures in one long answer. Paid."""
        if isinstance(request, VideoRequest):
            raise ValueError("there is no synchronous endpoint for videos")
        path = "/v1/images/edits" if request.images else "/v1/images/generations"
        body, _ = await self._pay(path, request, self._read_synchronous)
        return _answer(answers.parse_images, body)

    async def submit(self, request: Request) -> Submitted:
        """POST /v1/async/…: the id of a task. Paid."""
        if isinstance(request, VideoRequest):
            path = "/v1/async/videos/generations"
        else:
            path = "/v1/async/images/edits" if request.images else "/v1/async/images/generations"
        body, wait = await self._pay(path, request, self._read)
        accepted = replace(_answer(answers.parse_submission, body), retry_after=wait)
        self._has_async = True
        return accepted

    async def retrieve_task(self, task_id: str) -> TaskStatus:
        """GET /v1/tasks/{id}. Raises TaskNotFound only where the API itself says so, and not a gateway before it."""
        try:
            body, wait = await self._ask(f"/v1/tasks/{quote(task_id, safe='')}")
        except APIError as error:
            if error.status != 404:
                raise
            if not error.documented:
                raise UnexpectedAnswer(f"asked about task {clean(task_id, 80)}, the server answered HTTP 404.") from None
            raise TaskNotFound(
                f"the server does not know task {clean(task_id, 80)}.",
                status=404,
                code=error.code,
                request_id=error.request_id,
                documented=True,
            ) from None
        status = answers.parse_task(body, task_id)
        return replace(status, retry_after=wait) if isinstance(status, (Submitted, Processing)) else status

    async def list_models(self) -> tuple[Model, ...]:
        """GET /v1/models: the models of this account."""
        body, _ = await self._ask("/v1/models")
        return answers.parse_models(body)

    @contextlib.asynccontextmanager
    async def media(self, url: str, *, start: int = 0, validator: str | None = None) -> AsyncIterator[httpx.Response]:
        """A medium's bytes as a stream, without the key; from byte `start` on if the server can (then it answers 206).

        Raises Unreachable, also while the stream is read, and UnexpectedAnswer for an address that cannot be one.
        """
        headers = {"Range": f"bytes={start}-"} if start else {}
        if start and validator:
            headers["If-Range"] = validator
        try:
            address = urljoin(self.server.base_url + "/", url)
            _ = urlsplit(address).port
        except ValueError as error:
            raise UnexpectedAnswer(f"the medium's address is not one: {clean(error, 80)}.") from error
        try:
            async with self._media.stream("GET", address, headers=headers) as response:
                yield response
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects, UnicodeError) as error:
            raise UnexpectedAnswer(f"the medium's address leads nowhere: {_reason(error)}.") from error
        except httpx.HTTPError as error:
            raise Unreachable(f"the media server did not deliver: {_reason(error)}.") from error

    async def _pay(self, path: str, request: Request, read_timeout: float) -> tuple[Any, float | None]:
        """POST paid work, once; the answer, and its Retry-After.

        Raises APIError (refused), NotSent (refused by nobody), or OutcomeUnknown.
        """
        timeout = httpx.Timeout(read_timeout, connect=_CONNECT, write=_WRITE, pool=None)
        try:
            body, wait, refusal = await self._exchange("POST", path, _LARGEST_ANSWER, timeout=timeout, **_body(request))
        except _Lost as error:
            raise OutcomeUnknown(f"the request was sent, and its answer was lost: {error}.") from None
        except UnexpectedAnswer as error:
            raise OutcomeUnknown(f"the request was sent, and {error}") from None
        if refusal is None:
            return body, wait
        if isinstance(refusal, EndpointMissing):
            refusal.message = f"this server has no {path} ({refusal.message.rstrip('.')})."
        if self._is_refused(refusal):
            raise refusal
        raise OutcomeUnknown(f"the request was sent, and the answer does not tell what became of it: {refusal.message}")

    def _is_refused(self, error: APIError) -> bool:
        """Whether the answer says that a paid request was not accepted. A page that is not the API's does not say that.

        4xx in JSON does, but for a request timeout; of 5xx what the API documents, which is an assumption (`polling`).
        """
        if error.documented and error.status in (500, 503):
            return True
        if not 400 <= error.status < 500 or error.status in (408, 499):
            return False
        if isinstance(error, EndpointMissing) and not error.documented:
            return not self._has_async
        return not error.page or error.status in (401, 429)

    async def _ask(self, path: str) -> tuple[Any, float | None]:
        """GET what costs nothing; the answer, and its Retry-After. Raises APIError, Unreachable or UnexpectedAnswer."""
        limit = _LARGEST_ANSWER if "/tasks/" in path else _LARGEST_QUESTION
        try:
            body, wait, refusal = await self._exchange("GET", path, limit)
        except _Lost as error:
            raise Unreachable(f"{self.server.base_url} did not answer: {error}.") from None
        if refusal is None:
            return body, wait
        # A page of a gateway, or a hotel's login: trouble of the network's kind.
        if refusal.page and refusal.status < 500 and refusal.status not in (401, 408, 425, 429):
            raise Unreachable(f"{self.server.base_url} did not answer as the API does: {refusal.message}")
        raise refusal

    async def _exchange(self, method: str, path: str, limit: int, **given: Any) -> _Answer:
        """One request. Raises NotSent, _Lost, UnexpectedAnswer.

        What httpx raises is not chained to what we raise, nor are answers kept in the frame: both may hold the key.
        """
        failure: Exception
        try:
            async with self._api.stream(method, self._url(path), **given) as response:
                return self._parsed(response, await _read(response, limit))
        except _NOT_SENT as error:
            failure = NotSent(f"{self.server.base_url} cannot be reached: {_reason(error)}.")
        except httpx.HTTPError as error:
            failure = _Lost(_reason(error))
        except _TooLarge:
            failure = UnexpectedAnswer("the answer is larger than any answer should be.")
        raise failure

    def _url(self, path: str) -> str:
        base = self.server.base_url.rstrip("/")
        return base + (path.removeprefix("/v1") if base.endswith("/v1") else path)

    def _parsed(self, response: httpx.Response, content: bytes) -> _Answer:
        """The answer, without the key: it may repeat what it was sent."""
        without_key = self.server.key.removed_from
        try:
            body = without_key(json.loads(content.decode("utf-8-sig")))
        except (ValueError, RecursionError):
            body = _Unreadable
        wait = retry_after(response.headers)
        if response.is_success and body is not _Unreadable:
            return _Answer(body, wait, None)
        error = APIError.from_response(
            response.status_code,
            body,
            request_id=clean(without_key(response.headers.get("x-request-id", "")), 80) or None,
            retry_after=wait,
        )
        error.page = body is _Unreadable
        if response.is_success:
            what = "an empty answer" if not content.strip() else "an answer that is not JSON"
            error.message = f"the server sent {what} (HTTP {response.status_code})."
        return _Answer(None, wait, error)


class _Answer(NamedTuple):
    """An answer's body, its Retry-After, and the error that it is, if it is one."""

    body: Any
    retry_after: float | None
    error: APIError | None


@functools.lru_cache(maxsize=4)
def _tls(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """httpx's own; making one takes longer than anything else here. It reads the two variables itself."""
    return httpx.create_ssl_context()


class _Unreadable:
    """Stands for a body that is not JSON."""


class _TooLarge(Exception):
    """The answer passes its limit."""


class _Lost(Exception):
    """The request was sent, as far as we know, and there is no answer to it."""


def _answer(parse: Callable[[Any], T], body: Any) -> T:
    """Parse the answer to a paid request: one that cannot be read leaves the outcome unknown."""
    try:
        return parse(body)
    except UnexpectedAnswer as error:
        raise OutcomeUnknown(f"the request was sent and its answer cannot be read: {error.message}") from error


async def _read(response: httpx.Response, limit: int) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > limit:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


def _body(request: Request) -> dict[str, Any]:
    """The request as httpx's arguments: JSON, and multipart for edits."""
    fields = request.fields()
    if isinstance(request, ImageRequest) and request.images:
        files = [("image", (image.name, image.data or b"", image.media_type)) for image in request.images]
        return {"data": {name: str(value) for name, value in fields.items()}, "files": files}
    if isinstance(request, VideoRequest) and request.input_image:
        fields["input_image"] = request.input_image.as_url()
    return {"json": fields}


def _reason(error: Exception) -> str:
    """An httpx error in words; many of them have no text of their own."""
    words = "".join(" " + c.lower() if c.isupper() else c for c in type(error).__name__).strip()
    return clean(f"{words} ({error})" if str(error) else words, 200)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `Retry-After` in either form (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    with contextlib.suppress(ValueError):
        return min(3600.0, max(0.0, float(value)))
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=timezone.utc)
    return min(3600.0, max(0.0, (at - datetime.now(timezone.utc)).total_seconds()))
