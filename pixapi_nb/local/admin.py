"""The tests' back door, ``/_local/…``: there only with ``--admin``, and without a key.

============================  =======================================================================================
``POST /_local/faults``       add a rule or a list of them (see `faults`); answers how many there are
``DELETE /_local/faults``     remove them all
``GET /_local/requests``      every request that the API and the media host saw, in order (see `journal.Entry`)
``GET /_local/tasks``         everything accepted: ``number``, ``id``, ``sync``, ``model``, ``prompt``, ``status``, times
``GET /_local/charges``       what was charged: ``id`` (of a task or a synchronous request), ``model``, ``credits``
``GET, POST /_local/settings``  ``seconds``, ``capacity``, ``rate``, changed while running
``POST /_local/forget/{id}``  the server no longer knows the task
``POST /_local/expire/{id}``  the task's present media URLs are answered 403; asking for the task gives fresh ones
============================  =======================================================================================

The three lists take ``?since=NUMBER``: requests from this number on; tasks, and what was charged for them, likewise.
"""

import time

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from pixapi_nb.local import faults
from pixapi_nb.local.gate import BACK_DOOR
from pixapi_nb.local.journal import Journal
from pixapi_nb.local.service import Service


def routes(service: Service, journal: Journal, rules: list[faults.Rule]) -> list[BaseRoute]:
    """The back door to one server; ``rules`` are the ones that its gates go by."""
    store, settings = service.store, service.settings

    async def add_faults(request: Request) -> Response:
        try:
            rules.extend(faults.parse(await request.json()))
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        return JSONResponse({"rules": len(rules)})

    async def clear_faults(_: Request) -> Response:
        rules.clear()
        return JSONResponse({"rules": 0})

    async def requests(request: Request) -> Response:
        return JSONResponse(journal.as_json(_since(request)))

    async def tasks(request: Request) -> Response:
        now = time.time()
        return JSONResponse(
            [
                {
                    "number": task.number,
                    "id": task.id,
                    "sync": task.sync,
                    "model": task.order.model,
                    "prompt": task.order.prompt,
                }
                | {"status": task.state(now), "accepted_at": task.accepted_at, "starts_at": task.starts_at}
                | {"ends_at": task.ends_at, "finished_at": task.finished_at}
                for task in store.tasks(_since(request))
            ]
        )

    async def charges(request: Request) -> Response:
        return JSONResponse(store.charges(time.time(), _since(request)))

    async def change_settings(request: Request) -> Response:
        if request.method == "POST":
            try:
                settings.update(await request.json())
            except (TypeError, ValueError) as error:
                raise HTTPException(400, str(error)) from None
            store.reschedule(time.time(), settings.capacity)
        return JSONResponse(settings.as_dict())

    async def forget(request: Request) -> Response:
        return _known(store.forget(request.path_params["id"]))

    async def expire(request: Request) -> Response:
        return _known(store.expire(request.path_params["id"]))

    return [
        Route(f"{BACK_DOOR}/faults", add_faults, methods=["POST"]),
        Route(f"{BACK_DOOR}/faults", clear_faults, methods=["DELETE"]),
        Route(f"{BACK_DOOR}/requests", requests),
        Route(f"{BACK_DOOR}/tasks", tasks),
        Route(f"{BACK_DOOR}/charges", charges),
        Route(f"{BACK_DOOR}/settings", change_settings, methods=["GET", "POST"]),
        Route(BACK_DOOR + "/forget/{id}", forget, methods=["POST"]),
        Route(BACK_DOOR + "/expire/{id}", expire, methods=["POST"]),
    ]


def _since(request: Request) -> int:
    try:
        return int(request.query_params.get("since", 0))
    except ValueError:
        raise HTTPException(400, "since is a number.") from None


def _known(found: bool) -> Response:
    if not found:
        raise HTTPException(404, "There is no such task.")
    return JSONResponse({"done": True})
