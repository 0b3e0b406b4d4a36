"""Between requests and the ledger's rows: what identifies a request, what is written of a job, how a job comes back."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from pixapi_nb import pricing
from pixapi_nb.errors import PixapiError, UsageError
from pixapi_nb.events import Delivered
from pixapi_nb.jobs import Job
from pixapi_nb.ledger import Entry
from pixapi_nb.media import Media
from pixapi_nb.models import ImageRequest, Request, VideoRequest
from pixapi_nb.pricing import Price

__all__ = ["entry", "fingerprint", "job_of", "midnight", "reused"]

_WHY_NO_TASK = {
    "sending": "it is being sent",
    "unknown": "its outcome is unknown",
    "delivered": "it was a synchronous request",
    "completed": "it was a synchronous request",
}


def fingerprint(request: Request) -> str:
    """The same for requests that ask for the same: model (aliases resolved), prompt, all fields, the inputs' bytes."""
    known = pricing.find(request.model)
    asked = request.fields() | {"model": known.id if known else request.model, "kind": request.kind}
    asked["inputs"] = [image.digest for image in request.inputs]
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def midnight() -> float:
    """The beginning of today, local time, in seconds since 1970."""
    now = time.localtime()
    return time.mktime((now.tm_year, now.tm_mon, now.tm_mday, 0, 0, 0, 0, 0, -1))


def entry(
    job: Job,
    digest: str,
    *,
    notebook: str | None,
    synchronous: bool = False,
    sweep: str | None = None,
    place: str | None = None,
) -> Entry:
    """The row of a job that is about to be sent."""
    low, top = job.estimate.low, job.estimate.top
    inputs = [{"name": image.name, "sha256": image.digest} for image in job.request.inputs]
    return Entry(
        job_id=job.id,
        server=job.server,
        created=job.created,
        notebook=notebook,
        kind=job.request.kind,
        model=job.request.model,
        endpoint="sync" if synchronous else "async",
        request=job.request.fields() | ({"inputs": inputs} if inputs else {}),
        digest=digest,
        estimate_low=None if low is None else float(low),
        estimate_high=None if top is None else float(top),
        sweep=sweep,
        place=place,
    )


def job_of(row: Entry, request: Request | None = None) -> Job:
    """The job of a row, to be brought home from its task. Raises UsageError where there is no task to come back to.

    `request`: that of the row, with its pictures.
    """
    if row.task_id is None:
        raise UsageError(
            f"job {row.job_id} has no task to come back to: {_WHY_NO_TASK.get(row.state, 'it was not accepted')}.",
            hint=f"It is never sent again by itself. %pixapi tasks --close {row.job_id} takes it off the books.",
        )
    known = row.estimate_high is not None
    estimate = Price.of(row.estimate_low or 0.0, row.estimate_high) if known else Price()
    job = Job(request or _request(row), server=row.server, estimate=estimate, job_id=row.job_id)
    job.created = row.created
    return job


def reused(row: Entry, request: Request | None = None) -> Job | None:
    """A job that is answered from the files of an earlier one; None where they are not what they were."""
    try:
        media = tuple(Media.of(Path(one)) for one in row.files)
    except (OSError, PixapiError):
        return None
    if row.state != "delivered" or not media:
        return None
    job = Job(request or _request(row), server=row.server, estimate=Price.of(0), job_id=row.job_id)
    job.task_id, job.reused = row.task_id, True
    job.publish(Delivered(media, 0.0))
    return job


def _request(row: Entry) -> Request:
    """The request of a row, without its pictures, which the ledger does not have."""
    asked = row.request
    model, prompt, size = str(asked.get("model")), str(asked.get("prompt", "")), asked.get("size")
    if row.kind == "video":
        return VideoRequest(model=model, prompt=prompt, size=size, duration=asked.get("duration"))
    return ImageRequest(
        model=model,
        prompt=prompt,
        size=size,
        n=asked.get("n", 1),
        quality=asked.get("quality"),
        response_format=asked.get("response_format"),
    )
