"""The media host: a CDN of its own port, without keys, with signed URLs that expire, whole or by range."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from pixapi_nb.local.service import Service

_TYPES = {"png": "image/png", "mp4": "video/mp4"}


def create(service: Service) -> Starlette:
    """The media host of one server. Ranges, ETags and If-Range are `FileResponse`'s."""

    async def send_file(request: Request) -> Response:
        path = request.url.path.lstrip("/")
        task = service.store.owner(request.path_params["token"])
        if task is None or path not in task.media or not (service.store.media / path).exists():
            return PlainTextResponse("Not found", 404)
        if not service.permits(task, path, request.url.query):
            return PlainTextResponse("This URL has expired", 403)
        headers = {"cache-control": "private, max-age=3600"}
        return FileResponse(service.store.media / path, headers=headers, media_type=_TYPES[path.rpartition(".")[2]])

    return Starlette(routes=[Route("/{token}/{name}", send_file, methods=["GET"])])
