"""The API's routes, as Pixapi's API Reference lists them."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pixapi_nb.local import catalogue, validate
from pixapi_nb.local.errors import ApiError
from pixapi_nb.local.reception import Body
from pixapi_nb.local.service import Service
from pixapi_nb.local.store import Task
from pixapi_nb.local.validate import Order

Endpoint = Callable[[Request], Awaitable[Response]]
Reader = Callable[[Body], Order]


def create(service: Service, back_door: list[BaseRoute]) -> Starlette:
    """The API of one server."""

    def video(body: Body) -> Order:
        return validate.video(body.fields, service.own_media)

    api: list[tuple[str, str, Endpoint]] = [
        ("POST", "/v1/images/generations", _synchronous(service, _generation)),
        ("POST", "/v1/images/edits", _synchronous(service, _edit)),
        ("POST", "/v1/async/images/generations", _asynchronous(service, _generation)),
        ("POST", "/v1/async/images/edits", _asynchronous(service, _edit)),
        ("POST", "/v1/async/videos/generations", _asynchronous(service, video)),
        ("GET", "/v1/tasks/{id}", _task(service)),
        ("GET", "/v1/models", _models),
    ]
    routes = [Route(path, _authorized(endpoint), methods=[method]) for method, path, endpoint in api]
    return Starlette(
        routes=[*back_door, *routes], exception_handlers={ApiError: _problem, HTTPException: _problem, Exception: _bug}
    )


def _generation(body: Body) -> Order:
    return validate.generation(body.fields)


def _edit(body: Body) -> Order:
    return validate.edit(body.fields, body.files)


def _asynchronous(service: Service, read: Reader) -> Endpoint:
    async def submit(request: Request) -> Response:
        task = await _accept(service, read, request, sync=False)
        submitted = {"status": "submitted", "id": task.id, "progress": 0, "created_at": int(task.accepted_at)}
        return JSONResponse(submitted | {"model": task.order.model})

    return submit


def _synchronous(service: Service, read: Reader) -> Endpoint:
    async def generate(request: Request) -> Response:
        task = await _accept(service, read, request, sync=True)
        while (state := task.state(time.time())) not in ("completed", "failed"):
            # Media that are late are looked for often; the end of the schedule is slept to.
            await asyncio.sleep(min(0.25, max(0.01, task.ends_at - time.time())))
            task = service.task(task.id, sync=True)
        if state == "failed":
            raise ApiError(500)
        return JSONResponse({"created": int(task.accepted_at), "data": service.items(task)})

    return generate


async def _accept(service: Service, read: Reader, request: Request, *, sync: bool) -> Task:
    body: Body = request.state.body
    if body.problem:
        raise ApiError(400, body.problem)
    # Looking into given pictures takes its time: not on the event loop.
    order = await asyncio.to_thread(read, body) if body.files or "input_image" in body.fields else read(body)
    failure = getattr(request.state, "failure", None)
    task = service.accept(order, sync=sync, arrived=request.state.arrived, failure=failure)
    request.state.task = task.id
    return task


def _task(service: Service) -> Endpoint:
    async def retrieve(request: Request) -> Response:
        return JSONResponse(service.describe(service.task(request.path_params["id"])))

    return retrieve


async def _models(_: Request) -> Response:
    shown = [
        {"id": model.id, "object": "model", "category": model.category, "capabilities": list(model.capabilities)}
        for model in catalogue.MODELS
    ]
    return JSONResponse({"object": "list", "data": shown})


def _authorized(endpoint: Endpoint) -> Endpoint:
    """Any key that begins ``sk_`` will do."""

    async def check(request: Request) -> Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.startswith("sk_"):
            raise ApiError(401)
        return await endpoint(request)

    return check


async def _problem(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        name = "not_found" if error.status_code == 404 else ""
        error = ApiError(error.status_code, error.detail, name=name, headers=dict(error.headers or {}))
    assert isinstance(error, ApiError)
    return error.response(request.state.request_id)


async def _bug(request: Request, _: Exception) -> Response:
    return ApiError(500).response(request.state.request_id)
