"""Takes a request in: its body, read once and whole, so that the journal, the faults and the API see the same."""

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.types import Message, Receive, Scope


class ClientGoneError(Exception):
    """The client left before its request was complete."""


@dataclass
class Body:
    """What a request carries."""

    fields: dict[str, Any] = field(default_factory=dict)
    files: list[bytes] = field(default_factory=list)
    """The uploaded files of the ``image`` fields, in their order."""
    problem: str = ""
    """Why it could not be read, if so."""


async def receive_all(receive: Receive) -> bytes:
    """The whole body. Raises `ClientGoneError`."""
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


def replay(body: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body once more, and then whatever comes after it."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


async def parse(scope: Scope, body: bytes, receive: Receive) -> Body:
    """The fields and files of a body of JSON or of a form."""
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _form(scope, body, receive)
    if not body:
        return Body()
    try:
        fields = json.loads(body)
    except ValueError:
        return Body(problem="The body is not valid JSON.")
    return Body(fields) if isinstance(fields, dict) else Body(problem="The body must be a JSON object.")


async def _form(scope: Scope, body: bytes, receive: Receive) -> Body:
    request = Request(scope, replay(body, receive))
    try:
        form = await MultiPartParser(request.headers, request.stream()).parse()
    except (MultiPartException, KeyError) as error:
        return Body(problem=f"The form cannot be read: {error}")
    found = Body()
    for name, value in form.multi_items():
        # The OpenAI SDK sends several files as "image[]".
        if name in ("image", "image[]"):
            if isinstance(value, UploadFile):
                found.files.append(await value.read())
            else:
                found.problem = "image: must be a file."
        elif isinstance(value, str):
            found.fields[name] = _number(value) if name == "n" else value
    await form.close()
    return found


def _number(text: str) -> float | str:
    """A form knows only text: a number in it is meant as one."""
    try:
        return float(text)
    except ValueError:
        return text
