"""The public clients, in OpenAI's shapes: `Client`, and `AsyncClient`, which is the same, awaited.

    from pixapi_nb import Client
    client = Client()
    hero = client.images.generate(model="gemini-3-pro-image-preview", prompt="A cup on a table")
    hero[0].to_pil()

Every paid call is a Job. Both clients hand their work to the I/O thread, so neither needs closing.
"""

from __future__ import annotations

import asyncio
import contextlib
import operator
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar, cast

from pixapi_nb import portal, session
from pixapi_nb.errors import UsageError
from pixapi_nb.inputs import Source, input_image
from pixapi_nb.jobs import Job
from pixapi_nb.models import ImageRequest, Model, Request, TaskStatus, VideoRequest
from pixapi_nb.session import Options, Session
from pixapi_nb.wire import Secret, Server

__all__ = ["AsyncClient", "Client"]

T = TypeVar("T")
JobT = TypeVar("JobT")
Models = TypeVar("Models")
Status = TypeVar("Status")


class _Client(Generic[JobT, Models, Status]):
    """What both clients share: how to ask. `_give` makes a result of a future, and `_give_job` of a job."""

    def __init__(self, api_key: str | None = None, base_url: str | None = None, *, session: Session | None = None) -> None:
        self._key = Secret(api_key) if api_key else None
        self._base_url, self._given_session = base_url, session
        self.images: Images[JobT] = Images(self._start)
        self.videos: Videos[JobT] = Videos(self._start)
        self.tasks: Tasks[Status] = Tasks(self._retrieve)
        self.models: ModelList[Models] = ModelList(self._list)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._base_url or self._session.address()}>"

    @property
    def _session(self) -> Session:
        return self._given_session or session.current()

    def _server(self) -> Server:
        return self._session.server(base_url=self._base_url, key=cast(Any, self._key))

    def _start(self, request: Request, synchronous: bool, wait: bool) -> JobT:
        job = self._session.start(request, self._server(), Options(synchronous=synchronous))
        return self._give_job(job, wait)

    def _retrieve(self, task_id: str) -> Status:
        wire = self._session.wire(self._server())
        return cast(Status, self._give(portal.run(wire.retrieve_task, task_id)))

    def _list(self) -> Models:
        return cast(Models, self._give(portal.run(self._session.models, self._server())))

    def _give(self, future: Future[T]) -> Any:
        raise NotImplementedError

    def _give_job(self, job: Job, wait: bool) -> JobT:
        raise NotImplementedError


class Client(_Client[Job, tuple[Model, ...], TaskStatus]):
    """Waits for each answer. `api_key` and `base_url` default to PIXAPI_KEY and PIXAPI_BASE_URL, read at each call.

    A call raises UsageError (and sends nothing), APIError, NotSent, OutcomeUnknown, TaskFailed or DownloadFailed.
    With `wait=False` a paid call returns at once, and the job waits when it must.
    """

    def _give(self, future: Future[T]) -> T:
        return portal.wait(future)

    def _give_job(self, job: Job, wait: bool) -> Job:
        return job.result() if wait else job


class AsyncClient(_Client[Job, Awaitable[tuple[Model, ...]], Awaitable[TaskStatus]]):
    """The same, awaited: `hero = await client.images.generate(…)`. The work starts at the call, not at the `await`."""

    def _give(self, future: Future[T]) -> Awaitable[T]:
        return portal.left_alone(future, asyncio.get_running_loop())

    def _give_job(self, job: Job, wait: bool) -> Job:
        return job


class Images(Generic[JobT]):
    """`client.images`."""

    def __init__(self, start: Callable[[Request, bool, bool], JobT]) -> None:
        self._start = start

    def generate(
        self,
        *,
        model: str,
        prompt: str,
        n: int = 1,
        size: str | None = None,
        quality: str | None = None,
        response_format: str | None = None,
        synchronous: bool = False,
        wait: bool = True,
    ) -> JobT:
        """`n` pictures from a prompt. Paid.

        `size`: `auto`, `WIDTHxHEIGHT` in pixels, a ratio, or `2K` and `4K` (Gemini); `quality`: `low`, `medium`, `high`,
        `auto`; `response_format`: `url` or `b64_json`. `synchronous` uses the endpoint that has no task to come back to.
        """
        request = ImageRequest(
            model=model, prompt=prompt, n=_whole(n), size=size, quality=quality, response_format=response_format
        )
        return self._start(request, synchronous, wait)

    def edit(
        self,
        *,
        model: str,
        prompt: str,
        image: Source | Sequence[Source],
        n: int = 1,
        size: str | None = None,
        quality: str | None = None,
        response_format: str | None = None,
        synchronous: bool = False,
        wait: bool = True,
    ) -> JobT:
        """The same from one picture or several: paths, bytes, open files, PIL images, arrays, or earlier results. Paid."""
        several = image if isinstance(image, (list, tuple)) else [image]
        if not several:
            raise UsageError("an edit needs a picture, and none is given.", hint="image=… takes one, or a list of them.")
        request = ImageRequest(
            model=model,
            prompt=prompt,
            n=_whole(n),
            size=size,
            quality=quality,
            response_format=response_format,
            images=tuple(input_image(one) for one in several),
        )
        return self._start(request, synchronous, wait)


class Videos(Generic[JobT]):
    """`client.videos`."""

    def __init__(self, start: Callable[[Request, bool, bool], JobT]) -> None:
        self._start = start

    def generate(
        self,
        *,
        model: str,
        prompt: str,
        duration: float | None = None,
        size: str | None = None,
        input_image: Source | None = None,
        wait: bool = True,
    ) -> JobT:
        """A video, `duration` seconds long, `size` as `1280x720` or `16:9`, from a start image if given. Paid."""
        start = None if input_image is None else _input(input_image)
        request = VideoRequest(model=model, prompt=prompt, duration=duration, size=size, input_image=start)
        return self._start(request, False, wait)


_input = input_image


class Tasks(Generic[Status]):
    """`client.tasks`."""

    def __init__(self, retrieve: Callable[[str], Status]) -> None:
        self._retrieve = retrieve

    def retrieve(self, id: str) -> Status:  # noqa: A002  # the API's name for it
        """The state of a task: Submitted, Processing, Completed or Failed. Raises TaskNotFound. Free."""
        return self._retrieve(id)


class ModelList(Generic[Models]):
    """`client.models`."""

    def __init__(self, listed: Callable[[], Models]) -> None:
        self._listed = listed

    def list(self) -> Models:
        """The models of this account. Free."""
        return self._listed()


def _whole(number: int) -> int:
    """NumPy's whole numbers are some too."""
    with contextlib.suppress(TypeError):  # said where requests are checked
        return operator.index(number)
    return number
