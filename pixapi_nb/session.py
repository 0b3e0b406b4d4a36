"""The session of a process: whom to ask, what is under way, what it may cost, where files go.

Configuration (PIXAPI_KEY, PIXAPI_BASE_URL, PIXAPI_HOME) is read when it is needed, never at import.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import difflib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs

from pixapi_nb import books, keys, portal, pricing, recipes
from pixapi_nb.checks import check
from pixapi_nb.embedded import Embedded
from pixapi_nb.errors import (
    BudgetExceeded,
    DownloadFailed,
    InsufficientCredits,
    LocalServerError,
    MissingKey,
    ModelNotFound,
    OutcomeUnknown,
    PixapiError,
    Unauthorized,
    UsageError,
    clean,
)
from pixapi_nb.events import Event, Retrying, Trouble
from pixapi_nb.jobs import Job
from pixapi_nb.ledger import Entry, Ledger, LedgerWarning
from pixapi_nb.lifecycle import Course
from pixapi_nb.media import Media
from pixapi_nb.models import ImageRequest, Kind, Model, Request, VideoRequest
from pixapi_nb.pricing import Price
from pixapi_nb.turns import Alone, Turns
from pixapi_nb.wire import LOCAL, Secret, Server, Wire

__all__ = ["DEFAULT_BASE_URL", "Options", "Session", "current"]

DEFAULT_BASE_URL = "https://api.pixapi.ai"
_LOCAL_KEY = "sk_local"
_UNSEEN = "?"  # the model of a task that another ledger has seen sent
_LAST_MOMENT = 2.0  # seconds
_MODELS_PATIENCE = 10.0  # seconds
_MODELS_AGAIN = 600.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a request is carried out.

    `folder`: where its files go (default: the session's). `budget`: credits that may be spent at this server from local
    midnight on, this request included (of this and the session's, the lower); a price without a known top then needs
    `accept_price`. `reuse`: answer from an earlier identical request, if its files are there. `recipes`: whether files say
    how they were made. `sweep`, `place` and `turns` are for a job that is one of many.
    """

    synchronous: bool = False
    folder: Path | None = None
    budget: float | None = None
    accept_price: bool = False
    reuse: bool = False
    recipes: bool = True
    sweep: str | None = None
    place: str | None = None
    turns: Turns = field(default_factory=Alone)


@dataclass
class Session:
    """One per process; `current()` gives it.

    `folder` is where files go unless a request says otherwise: `pixapi_out/` in the working directory of the moment the
    session was made, which for a notebook is the notebook's folder at `%load_ext`. `budget` holds for all requests,
    whether a cell, a panel or Python asks.
    """

    folder: Path = field(default_factory=lambda: Path.cwd() / "pixapi_out")
    base_url: str | None = None
    key: Secret | None = None
    notebook: str | None = None
    budget: float | None = None
    jobs: dict[str, Job] = field(default_factory=dict)
    _ledger: Ledger | None = field(default=None, repr=False)
    _wires: dict[Server, Wire] = field(default_factory=dict, repr=False)
    _models: dict[Server, asyncio.Future[tuple[Model, ...]]] = field(default_factory=dict, repr=False)
    _models_asked: dict[Server, float] = field(default_factory=dict, repr=False)
    _embedded: Embedded | None = field(default=None, repr=False)
    _registered: bool = field(default=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    # -- configuration ---------------------------------------------------------------------------------------------

    @property
    def home(self) -> Path:
        """PIXAPI_HOME, by default the platform's folder for a user's state."""
        given = os.environ.get("PIXAPI_HOME")
        return Path(given).expanduser() if given else platformdirs.user_state_path("pixapi_nb")

    def address(self) -> str:
        """The base URL asked for, or `local`; nothing is started."""
        return (self.base_url or os.environ.get("PIXAPI_BASE_URL") or DEFAULT_BASE_URL).strip().rstrip("/")

    def found_key(self) -> Secret | None:
        """The key to use, if there is one."""
        given = os.environ.get("PIXAPI_KEY", "").strip()
        return self.key or (Secret(given) if given else keys.recall())

    def key_source(self) -> str | None:
        """Where the key comes from, None if there is none. Not the key."""
        if self.key is not None:
            return "%pixapi login"
        return "PIXAPI_KEY" if os.environ.get("PIXAPI_KEY", "").strip() else "the keyring" if keys.recall() else None

    def server_name(self) -> str:
        """The name of the server in use, by which books are kept; nothing is started. Raises UsageError."""
        address = self.address()
        if address != LOCAL and not _is_address(address):
            raise _no_address(address)
        return address if address == LOCAL else _server_name(address)

    def server(self, *, base_url: str | None = None, key: str | None = None) -> Server:
        """Whom to ask; starts the embedded Pixapi if that is asked for. Raises MissingKey, UsageError, LocalServerError."""
        address = (base_url or self.address()).strip().rstrip("/")
        if address == LOCAL:
            return Server(self.embedded.address(), Secret(_LOCAL_KEY), LOCAL)
        if "@" in address:
            raise UsageError("a base URL must not carry a password.", hint="The key goes into PIXAPI_KEY, or %pixapi login.")
        if not _is_address(address):
            raise _no_address(address)
        found = Secret(key) if key else self.found_key()
        if found is None:
            raise MissingKey
        return Server(address, found, _server_name(address))

    @property
    def embedded(self) -> Embedded:
        """The embedded Pixapi of this process, started or not."""
        with self._lock:
            if self._embedded is None:
                self._embedded = Embedded(self.home)
            return self._embedded

    # -- models ----------------------------------------------------------------------------------------------------

    async def models(self, server: Server) -> tuple[Model, ...]:
        """The server's models, asked for once. On the I/O thread. Raises what the server answers."""
        asked = self._models.get(server)
        if asked is None or (asked.done() and (asked.cancelled() or asked.exception() is not None)):
            asked = self._models[server] = asyncio.ensure_future(self.wire(server).list_models())
            self._models_asked[server] = time.monotonic()
        return await asyncio.shield(asked)

    def _listed(self, server: Server | None) -> tuple[Model, ...]:
        """The server's models, if it has been asked for them and has answered."""
        asked = self._models.get(server) if server else None
        answered = asked is not None and asked.done() and not asked.cancelled() and asked.exception() is None
        return asked.result() if asked is not None and answered else ()

    async def ready(self, model: str) -> tuple[Server, Kind]:
        """Whom to ask, and what the model makes. On the I/O thread: starting the embedded Pixapi takes a moment."""
        server = await asyncio.to_thread(self.server)
        return server, await self.kind(server, model)

    async def kind(self, server: Server, model: str) -> Kind:
        """Whether a model makes images or videos: by the server, else by the built-in catalogue, else images."""
        asked, since = self._models.get(server), time.monotonic() - self._models_asked.get(server, -_MODELS_AGAIN)
        failed = asked is not None and asked.done() and not self._listed(server)
        known = pricing.find(model) is not None
        if not (known and failed and since < _MODELS_AGAIN):  # a server without such a list is not asked for every cell
            # What is in the catalogue does not wait for a list that does not come.
            patience = max(0.01, _MODELS_PATIENCE - since) if asked and not asked.done() else _MODELS_PATIENCE
            try:
                await asyncio.wait_for(self.models(server), patience if known else None)
            except Unauthorized:
                raise
            except (PixapiError, asyncio.TimeoutError):
                pass
        return self.likely_kind(model, server)

    def likely_kind(self, model: str, server: Server | None = None) -> Kind:
        """The same as far as is known without asking; `server`: the one in use, if it has been asked before."""
        known = pricing.find(model)
        names = {model, known.id} if known else {model}
        servers = [server] if server else [one for one in list(self._models) if one.name == self.server_name()]
        said = next((m.kind for one in servers for m in self._listed(one) if m.id in names and m.kind), None)
        return said or (known.kind if known else "image")

    def listed_models(self) -> list[str]:
        """The ids that the server in use has told, if it has been asked."""
        return [model.id for one in list(self._models) if one.name == self.server_name() for model in self._listed(one)]

    # -- work ------------------------------------------------------------------------------------------------------

    def price(self, request: Request) -> Price:
        """What it should cost, from the documented table."""
        duration = request.duration if isinstance(request, VideoRequest) else None
        quality = None if isinstance(request, VideoRequest) else request.quality
        return pricing.estimate(request.model, n=request.n, size=request.size, quality=quality, duration=duration)

    def checked_price(self, request: Request, server: Server | None = None) -> Price:
        """The price of a request that could be sent as it is. Raises UsageError for one that could not.

        Of a model that the catalogue does not have, `server` may have said what it can do.
        """
        known = pricing.find(request.model)
        listed = None if known else next((m for m in self._listed(server) if m.id == request.model), None)
        can_edit = known.can_edit if known else listed is None or listed.can_edit
        check(request, canonical=known.id if known else request.model, can_edit=can_edit)
        return self.price(request)

    def accepted_price(self, request: Request, server: Server, options: Options) -> Price:
        """The price of a request that may be sent so. Raises UsageError; BudgetExceeded where its price has no known top."""
        price = self.checked_price(request, server)
        if options.synchronous and isinstance(request, VideoRequest):
            raise UsageError("there is no synchronous endpoint for videos.", hint="Leave --sync (synchronous=True) out.")
        if self._budget(options) is not None and price.top is None and not options.accept_price:
            raise BudgetExceeded(
                f"there is a budget, and what {clean(request.model, 60)} may cost is not known ({price}).",
                hint="Nothing was sent. In a cell, --yes accepts any price for this one request.",
            )
        return price

    def _budget(self, options: Options) -> float | None:
        """Of the session's budget and the request's own, the lower."""
        known = [one for one in (self.budget, options.budget) if one is not None]
        return min(known, default=None)

    def start(self, request: Request, server: Server, options: Options | None = None) -> Job:
        """Carry a request out, and return at once. Raises UsageError before anything is sent.

        With `options.reuse`, from the files of an earlier identical one; where they are gone, from its task; else anew.
        """
        options = options or Options()
        self.checked_price(request, server)
        lost: Entry | None = None
        if options.reuse and all(image.data is not None for image in request.inputs):  # what a URL shows may have changed
            found, lost = self.earlier(request, server.name)
            if found is not None:
                return found
        price = self.accepted_price(request, server, options)
        budget, since = self._budget(options), books.midnight()
        job = books.job_of(lost, request) if lost else Job(request, server=server.name, estimate=price)
        job.synchronous = options.synchronous

        def intend() -> None:
            row = books.entry(
                job,
                books.fingerprint(job.request),
                notebook=self.notebook,
                synchronous=options.synchronous,
                sweep=options.sweep,
                place=options.place,
            )
            self.ledger.intend(row, budget=budget, since=since)

        def make_anew(error: PixapiError) -> None:
            if isinstance(error, DownloadFailed) and lost and lost.state != "delivered":
                raise error  # it was never here, and is paid for
            self.jobs.pop(job.id, None)
            job.renew()
            job.estimate = price
            self.jobs[job.id] = job

        self._launch(
            Course(
                job,
                self.wire(server),
                options.folder or self.folder,
                synchronous=options.synchronous,
                task_id=lost.task_id if lost else None,
                make_anew=make_anew if lost else None,
                earlier=(lambda asked: self.earlier(asked, server.name, under_way=False)[0])
                if options.reuse
                else lambda asked: None,
                intend=lambda: _despite_trouble(intend),
                record=self._recorder(job),
                explain=self._explainer(job, server),
                finish=self._finisher(job) if options.recipes else lambda media: None,
                turns=options.turns,
            )
        )
        return job

    def earlier(self, request: Request, server_name: str, *, under_way: bool = True) -> tuple[Job | None, Entry | None]:
        """An identical request's job, from its files or (with `under_way`) as it runs here; else the row whose task to ask."""
        digest = books.fingerprint(request)
        rows = self.ledger.identical(server_name, digest)
        whole = (row for row in rows if len(row.files) >= request.n)
        here = next((job for row in whole if (job := books.reused(row, request))), None)
        if here is None and under_way:
            running = [job for job in list(self.jobs.values()) if job.server == server_name and not job.done]
            here = next((job for job in running if books.fingerprint(job.request) == digest), None)
        return here, next((row for row in rows if row.task_id), None)

    def resume(self, entry: Entry, server: Server, options: Options | None = None) -> Job:
        """Bring earlier work home: the job under way if this process has it, else from its files, else from its task.

        Sends nothing paid. Raises UsageError where there is no task to come back to.
        """
        at_home = self.jobs.get(entry.job_id) or books.reused(entry)
        if at_home is not None:
            return at_home
        options = options or Options()
        job = books.job_of(entry)
        adopted = entry.model == _UNSEEN and self.ledger.get(entry.job_id) is None
        self._launch(
            Course(
                job,
                self.wire(server),
                options.folder or self.folder,
                task_id=entry.task_id,
                intend=(lambda: _despite_trouble(lambda: self.ledger.intend(entry))) if adopted else lambda: None,
                record=self._recorder(job),
                explain=self._explainer(job, server),
                # Of a task that these books did not see sent, nobody knows how it was made.
                finish=self._finisher(job, entry) if options.recipes and entry.model != _UNSEEN else lambda media: None,
                turns=options.turns,
            )
        )
        return job

    def adopt(self, task_id: str, server: Server) -> Entry:
        """A row for a task that this ledger has not seen: one from another machine, or from a lost ledger.

        `resume` writes it down, once the server says that it knows the task.
        """
        request = ImageRequest(model=_UNSEEN, prompt=f"task {task_id}")
        job = Job(request, server=server.name, estimate=Price())
        blank = books.entry(job, books.fingerprint(request), notebook=self.notebook)
        return replace(blank, state="submitted", task_id=task_id)

    def _explainer(self, job: Job, server: Server) -> Callable[[PixapiError], None]:
        def explain(error: PixapiError) -> None:
            if isinstance(error, InsufficientCredits):
                costs = f"costs {job.estimate}" if job.estimate.top is not None else f"has no fixed price ({job.estimate})"
                error.hint = f"This request {costs}. Nothing was charged; add credits to the Pixapi account first."
            elif isinstance(error, OutcomeUnknown):
                error.hint = (
                    f"{OutcomeUnknown.hint}\nIts price stays reserved. Once you know, %pixapi tasks --close {job.id} takes it"
                    " off the books."
                )
            elif isinstance(error, ModelNotFound):
                known = [*(model.id for model in self._listed(server)), *pricing.MODELS, *pricing.ALIASES]
                similar = difflib.get_close_matches(job.request.model[:80], known, n=1)
                if similar:
                    error.hint = f"Did you mean {clean(similar[0], 60)}? Nothing was charged. %pixapi models lists all."

        return explain

    def _recorder(self, job: Job) -> Callable[[Event], None]:
        return lambda event: _despite_trouble(lambda: self.ledger.record(job.id, event))

    def _finisher(self, job: Job, entry: Entry | None = None) -> Callable[[tuple[Media, ...]], None]:
        def finish(media: tuple[Media, ...]) -> None:
            try:
                recipes.write(job, media, entry.request.get("inputs", ()) if entry else ())
            except OSError as error:
                job.notes.append(f"no recipe was written: {error.strerror}")

        return finish

    def _launch(self, course: Course) -> None:
        job = course.job
        self.jobs[job.id] = job
        if job.server == LOCAL:
            job.watch(self._revive)
        portal.run(course.run).add_done_callback(lambda _: self.jobs.pop(job.id, None))
        if not self._registered:
            self._registered = True
            atexit.register(self._let_answers_come)  # after the portal's, so that it runs before

    def _revive(self, event: Event) -> None:
        """Where a job finds the embedded Pixapi gone, it is started again: nobody else would before the next cell."""

        def revive() -> None:
            with contextlib.suppress(LocalServerError):  # the job tells its trouble itself
                self.embedded.revive()

        if isinstance(event, (Retrying, Trouble)):
            asyncio.get_running_loop().run_in_executor(None, revive)

    def _let_answers_come(self) -> None:
        """At the end of the process: what is being sent gets a moment for its answer, which says how to come back to it."""
        deadline = time.monotonic() + _LAST_MOMENT
        while any(job.task_id is None for job in list(self.jobs.values())) and time.monotonic() < deadline:
            time.sleep(0.02)

    @property
    def ledger(self) -> Ledger:
        """The ledger in PIXAPI_HOME; its file is made by the first intent."""
        home = self.home
        with self._lock:
            if self._ledger is None or self._ledger.path.parent != home.absolute():
                self._ledger = Ledger.open(home, create=False)
            return self._ledger

    def wire(self, server: Server) -> Wire:
        """The connection to a server, kept."""
        with self._lock:
            if server not in self._wires:
                self._wires[server] = Wire(server)
            return self._wires[server]

    def close(self) -> None:
        """Close connections and end the embedded Pixapi. Jobs under way at other servers can be resumed."""
        atexit.unregister(self._let_answers_come)
        wires, self._wires = list(self._wires.values()), {}
        for one in wires:
            portal.run(one.aclose).result(10)
        if self._embedded is not None:
            self._embedded.stop()


def _no_address(address: str) -> UsageError:
    return UsageError(f"the base URL {address!r} is not one.", hint="Such as https://api.pixapi.ai, or the word local.")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets, or the port
        return False


def _server_name(address: str) -> str:
    """One name for one server, however it is written: budgets and books are kept by it.

    >>> _server_name("https://API.Pixapi.ai:443/v1")
    'https://api.pixapi.ai'
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    usual = {"https": 443, "http": 80}[parts.scheme]
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path.rstrip('/').removesuffix('/v1')}"


def _despite_trouble(write: Callable[[], None]) -> None:
    """Write to the ledger. Its warning, where warnings are errors, comes when all is written down in memory."""
    with contextlib.suppress(LedgerWarning):
        write()


_current: Session | None = None
_current_lock = threading.Lock()


def current() -> Session:
    """The session of this process, made when first asked for."""
    global _current
    with _current_lock:
        if _current is None:
            _current = Session()
        return _current
