"""Carries a fault rule out, on the wire of one request."""

import asyncio
import json
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixapi_nb.local.errors import ApiError
from pixapi_nb.local.faults import Rule

_REWRITES = ("task_status", "no_url", "no_data")
_GARBAGE = b'{"id": "task_01K", "status": \xff\xfe comple'


@dataclass
class _Answer:
    """What the server would have answered, held back."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")

    async def give(self, send: Send, upto: int | None = None) -> None:
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body[:upto], "more_body": upto is not None})


class Sabotage:
    """One request in trouble. ``receive`` still has the request's body to give."""

    def __init__(self, rule: Rule, scope: Scope, receive: Receive, send: Send) -> None:
        self._rule, self._scope, self._receive, self._send = rule, scope, receive, send
        self._transport: asyncio.Transport = scope["state"]["transport"]

    async def __call__(self, app: ASGIApp) -> bool:
        """Do it; whether there was anything to spoil."""
        rule = self._rule
        if rule.kind == "fail_task":
            self._scope["state"]["failure"] = rule.task
            await app(self._scope, self._receive, self._send)
        elif rule.stage == "before" and rule.kind == "delay":
            await asyncio.sleep(rule.seconds or 0)
            await app(self._scope, self._receive, self._send)
        elif rule.stage == "before":
            await self._strike()
        else:
            answer = _Answer()
            await app(self._scope, self._receive, answer.take)
            if rule.kind in _REWRITES:
                return await self._rewrite(answer)
            await (self._cut(answer) if rule.stage == "body" else self._replace(answer))
        return True

    async def _rewrite(self, answer: _Answer) -> bool:
        """The answer with something taken away or put in, if it has such a thing."""
        content = json.loads(answer.body) if answer.status == 200 else {}
        found = _spoil(self._rule, content)
        if found:
            answer.body = json.dumps(content).encode()
            headers = MutableHeaders(raw=answer.headers)
            headers["content-length"] = str(len(answer.body))
        await answer.give(self._send)
        return found

    async def _replace(self, answer: _Answer) -> None:
        """Something else instead of the answer."""
        if self._rule.kind == "delay":
            await asyncio.sleep(self._rule.seconds or 0)
            await answer.give(self._send)
        else:
            await self._strike()

    async def _cut(self, answer: _Answer) -> None:
        """The answer's beginning, then trouble."""
        upto = int(len(answer.body) * self._rule.at)
        await answer.give(self._send, upto)
        if self._rule.kind == "truncate":
            await self._close()
        elif self._rule.kind == "delay":
            await asyncio.sleep(self._rule.seconds or 0)
            await self._send({"type": "http.response.body", "body": answer.body[upto:], "more_body": False})
        else:
            # The client is to get the beginning before the connection breaks.
            await asyncio.sleep(0.02)
            await self._strike()

    async def _strike(self) -> None:
        if self._rule.kind == "reset":
            await self._reset()
        elif self._rule.kind == "hang":
            await self._hang()
        else:
            response = _misleading(self._rule, self._scope["state"]["request_id"])
            response.headers.update(self._rule.headers)
            await response(self._scope, self._receive, self._send)

    async def _reset(self) -> None:
        """A TCP RST: what a crashing proxy sends."""
        connection = self._transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        await self._gone()

    async def _close(self) -> None:
        self._transport.close()
        await self._gone()

    async def _hang(self) -> None:
        try:
            await asyncio.wait_for(self._gone(), self._rule.seconds)
        except asyncio.TimeoutError:
            await self._close()

    async def _gone(self) -> None:
        """Returns when the connection is lost."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


def _misleading(rule: Rule, request_id: str) -> Response:
    """What a rule answers in place of the server."""
    if rule.kind == "status" and rule.documented:
        return ApiError(rule.status).response(request_id)
    if rule.kind == "json":
        return Response(json.dumps(rule.body), rule.status, media_type="application/json")
    if rule.kind == "garbage":
        return Response(_GARBAGE, rule.status, media_type="application/json")
    if rule.kind == "empty":
        return Response(status_code=rule.status)
    title = f"{rule.status} from a gateway"
    return HTMLResponse(f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>", rule.status)


def _spoil(rule: Rule, answer: dict[str, Any]) -> bool:
    """Change an answer of the API as a rule wants it; whether it had what the rule is about."""
    result = answer.get("result", answer)
    if rule.kind == "task_status" and "status" in answer:
        answer["status"] = rule.value
        return True
    if "data" not in result or answer.get("object") == "list":
        return False
    if rule.kind == "no_data":
        del result["data"]
    else:
        for item in result["data"]:
            item.pop("url", None)
            item.pop("b64_json", None)
    return True
