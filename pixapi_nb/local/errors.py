"""Pixapi's errors, in the two shapes that its API Reference and its Errors page show.

Both are in use at Pixapi, so both are here: a request that does not fit (400) is answered in the numeric shape, all else
with a string code and a ``request_id``.
"""

from starlette.responses import JSONResponse

NAMES = {
    400: "invalid_request_error",
    401: "unauthorized",
    402: "insufficient_credits",
    404: "model_not_found",
    405: "method_not_allowed",
    422: "prompt_rejected",
    429: "rate_limited",
    500: "internal_error",
    503: "model_unavailable",
}
MESSAGES = {
    400: "The request does not fit.",
    401: "The API key is missing or wrong.",
    402: "The balance is too low for this request.",
    404: "There is no such model.",
    422: "The prompt was rejected by policy.",
    429: "Too many requests.",
    500: "Something went wrong on our side.",
    503: "The provider of this model is down for now.",
}


class ApiError(Exception):
    """What the API answers instead of a result: an HTTP status, a message for people, a name for programs."""

    def __init__(self, status: int, message: str = "", *, name: str = "", headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.message = message or MESSAGES.get(status, "The request failed.")
        self.name = name or NAMES.get(status, "error")
        self.headers = headers or {}
        super().__init__(self.message)

    def body(self, request_id: str) -> dict[str, object]:
        if self.status == 400:
            return {"error": {"code": 400, "message": self.message, "type": self.name}}
        return {"error": {"code": self.name, "message": self.message, "request_id": request_id}}

    def response(self, request_id: str) -> JSONResponse:
        return JSONResponse(self.body(request_id), self.status, headers=self.headers)
