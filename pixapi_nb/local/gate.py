"""What every request passes: it is read, written down, and given to its server or to the trouble that waits for it."""

import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pixapi_nb.local import ids, journal, reception
from pixapi_nb.local.faults import Rule
from pixapi_nb.local.sabotage import Sabotage

BACK_DOOR = "/_local"


class Gate:
    """ASGI middleware before the API or the media host. The tests' back door is neither recorded nor sabotaged."""

    def __init__(self, app: ASGIApp, server: str, entries: journal.Journal, rules: list[Rule]) -> None:
        self._app, self._server, self._journal, self._rules = app, server, entries, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] |= {"request_id": ids.new("req"), "arrived": time.time()}
        try:
            data = await reception.receive_all(receive)
        except reception.ClientGoneError:
            return
        receive = reception.replay(data, receive)
        body = scope["state"]["body"] = await reception.parse(scope, data, receive)
        if scope["path"].startswith(BACK_DOOR):
            await self._app(scope, receive, send)
            return

        headers = Headers(scope=scope)
        entry = self._journal.open(
            server=self._server, method=scope["method"], path=scope["path"], at=time.time(),
            authorization="authorization" in headers, range=headers.get("range"),
            fields=journal.shortened(body.fields, len(body.files)),
        )  # fmt: skip

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
                if self._server == "api":
                    MutableHeaders(raw=message["headers"])["x-request-id"] = scope["state"]["request_id"]
            await send(message)

        rule = self._trouble(entry, str(body.fields.get("prompt", "")))
        try:
            if rule is None:
                await self._app(scope, receive, send_and_note)
            else:
                entry.fault = rule.kind
                if not await Sabotage(rule, scope, receive, send_and_note)(self._app):
                    rule.take_back()
                    entry.fault = None
        finally:
            entry.task = scope["state"].get("task")

    def _trouble(self, entry: journal.Entry, prompt: str) -> Rule | None:
        request = {"server": entry.server, "method": entry.method, "path": entry.path, "prompt": prompt}
        return next((rule for rule in self._rules if rule.fires(request)), None)
