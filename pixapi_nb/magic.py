"""The extension: the `%%pixapi` cell magic, the `%pixapi` line magic, and what they need of IPython."""

from __future__ import annotations

import contextlib
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_cell_magic, magics_class, no_var_expand
from IPython.display import display
from traitlets import Bool, Enum, Float, Integer, TraitError, Unicode, observe, validate

from pixapi_nb import commands, completion, markup, portal, session, show_parts
from pixapi_nb.asking import Ask
from pixapi_nb.books import midnight
from pixapi_nb.errors import PixapiError, UsageError, clean
from pixapi_nb.events import Completed, Delivered, Event, Submitted
from pixapi_nb.jobs import Job
from pixapi_nb.models import Kind, Request
from pixapi_nb.options import cell_parser, cell_words
from pixapi_nb.session import Options, Session
from pixapi_nb.sweeping import Sweeping
from pixapi_nb.sweeps import Sweep
from pixapi_nb.view import front
from pixapi_nb.view.awaiting import Awaiting
from pixapi_nb.view.cell import CellView, await_start, await_view, wait_for_start, wait_for_view
from pixapi_nb.view.progress import DisplayProgress, NoProgress, Progress, TerminalProgress, WidgetProgress
from pixapi_nb.view.sweep import SweepView, await_sweep, wait_for_sweep
from pixapi_nb.wire import Server

__all__ = ["PixapiMagics", "load", "unload"]

INTERRUPT = "interrupt the kernel to keep working; the result still arrives here"


@magics_class
class PixapiMagics(Magics):
    """Defaults for every cell: `%config PixapiMagics.size = "1024x1024"`."""

    n = Integer(1, help="How many pictures a cell asks for.").tag(config=True)
    size = Unicode(None, allow_none=True, help="WIDTHxHEIGHT, auto, 2K, 4K, or a ratio such as 16:9.").tag(config=True)
    quality = Unicode(None, allow_none=True, help="low, medium, high or auto, where the model has it.").tag(config=True)
    embed: Any = Enum(("preview", "full", "link"), "preview", help="What the notebook itself carries.").tag(config=True)
    budget = Float(
        None, allow_none=True, help="Credits that may be spent a day at one server; what would pass them is not sent."
    ).tag(config=True)
    reuse = Bool(False, help="Answer identical requests from files already paid for.").tag(config=True)
    recipes = Bool(True, help="Whether files say how they were made.").tag(config=True)
    save = Unicode(None, allow_none=True, help="Where files go, seen from the notebook's folder.").tag(config=True)

    shell: Any

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.session: Session = session.current()
        self.session.notebook = front.notebook(shell)
        self.session.budget = self.budget
        self.awaiting = Awaiting(shell)
        self.sweeping = Sweeping(shell, self.session)
        self._own: tuple[Job | None, int] = (None, -1)
        self._coming: dict[str, Job] = {}  # by the name that it is going to have

    @validate("budget")
    def _no_debt(self, proposal: Any) -> float | None:
        if proposal.value is not None and not proposal.value >= 0:
            raise TraitError(f"a budget is 0 credits or more, not {proposal.value:g}.")
        return None if proposal.value is None else float(proposal.value)

    @observe("budget")
    def _limit(self, change: Any) -> None:
        session.current().budget = change.new

    # -- the magics ------------------------------------------------------------------------------------------------

    @no_var_expand
    @line_cell_magic
    def pixapi(self, line: str, cell: str | None = None) -> Job | Sweep | None:
        """Generate pictures and videos.

        %%pixapi MODEL [options]
        the prompt

        -n N                     how many pictures
        -s, --size SIZE          WIDTHxHEIGHT, auto, 2K, 4K, or a ratio such as 16:9
        -q, --quality Q          low, medium, high, auto
        -i, --image SRC          a picture to edit, or to start the video from: a URL, a file, or a variable (hero[1])
        -d, --duration SECONDS   length of a video
        -o, --out NAME           bind the job to a variable as soon as it is accepted
        -b, --background         the cell ends at once; the result arrives under it later
        --reuse, --fresh         answer from an earlier identical request, or do not
        --yes                    do not ask; accept a price that is not known
        --sync                   one long request, without a task to come back to
        --dry-run                show the request and its price; send nothing
        --interact               show the prompt's controls and a Generate button
        --sweep, --sweep=A,B     a labelled grid over the prompt's controls, or over those named; --steps K stops of a range
        --models A,B             the same with several models, side by side
        --save DIR               where the files go
        --embed WHAT             what the notebook carries: preview, full, link
        --as KIND                image or video, when the model list cannot tell
        --response-format F      url or b64_json

        In the prompt {{name}} is a variable; {{style: noir | studio}} and {{warmth: 0..10}} declare controls.
        """
        if cell is None:
            return commands.run(self, line)
        if running := self._running_inputs(line):
            with self._telling_of(running):
                wait_for_start(portal.run(_settled, running))
        ask = self._ask(line, cell)
        if ask.words.dry_run or ask.words.interact:
            self._without_sending(ask)
            return None
        if ask.sweeps:
            grid = self._begin_sweep(ask, *wait_for_start(portal.run(self.sweeping.ready, ask)), awaited=False)
            return grid.sweep if grid.left else wait_for_sweep(grid)
        server, kind = wait_for_start(portal.run(self.session.ready, ask.model))
        view = self._begin(ask, server, ask.request(kind, self._variables), awaited=False)
        return view.job if view.left else wait_for_view(view)

    @no_var_expand
    @cell_magic
    def pixapi_awaited(self, line: str, cell: str) -> Coroutine[Any, Any, Job | Sweep | None]:
        """`%%pixapi` as the outermost cell of a kernel runs it; not for typing."""
        return self._pixapi_awaited(line, cell)

    async def _pixapi_awaited(self, line: str, cell: str) -> Job | Sweep | None:
        if running := self._running_inputs(line):
            with self._telling_of(running):
                await await_start(portal.run(_settled, running))
        ask = self._ask(line, cell)
        if ask.words.dry_run or ask.words.interact:
            self._without_sending(ask)
            return None
        if ask.sweeps:
            ready = portal.run(self.sweeping.ready, ask)
            server, kind = await await_start(ready)
            grid = self._begin_sweep(ask, server, kind, awaited=True)
            return grid.sweep if grid.left else await await_sweep(grid)
        ready = portal.run(self.session.ready, ask.model)
        server, kind = await await_start(ready)
        view = self._begin(ask, server, ask.request(kind, self._variables), awaited=True)
        return view.job if view.left else await await_view(view)

    # -- one cell --------------------------------------------------------------------------------------------------

    @property
    def _variables(self) -> dict[str, Any]:
        namespace: dict[str, Any] = self.shell.user_ns
        return namespace

    @property
    def _beside(self) -> Path:
        """The notebook's folder, as it was at load."""
        return self.session.folder.parent

    def _ask(self, line: str, cell: str) -> Ask:
        defaults = {name: getattr(self, name) for name in ("n", "size", "quality", "embed", "save", "reuse")}
        return Ask.read(line, cell, defaults=defaults, variables=self._variables, folder=self._beside)

    def _running_inputs(self, line: str) -> dict[str, Job]:
        """The jobs that `-i` names and that are still being made: the cell waits for them, where an interrupt reaches it."""
        names = [source.partition("[")[0] for source in cell_parser().parse(cell_words(line)).image]
        jobs = {name: self._variables.get(name, self._coming.get(name)) for name in names}
        return {name: job for name, job in jobs.items() if isinstance(job, Job) and not job.done}

    @contextlib.contextmanager
    def _telling_of(self, running: Iterable[str]) -> Iterator[None]:
        """Say what the cell waits for, as long as it does."""
        text = f"Waiting for {', '.join(running)}, still being made. Interrupt to leave: nothing was sent yet."
        said = display(markup.bundle(markup.note(text), text), raw=True, display_id=True)
        try:
            yield
        finally:
            if said is not None and front.has_widgets(self.shell):  # a terminal has written it
                said.update({"text/html": "", "text/plain": ""}, raw=True)

    def _folder(self, ask: Ask) -> Path:
        named = ask.option("save")
        if not named:
            return self.session.folder
        folder = self._beside / Path(named).expanduser()
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"--save {clean(named, 80)} is a file, and has to be a folder.", hint="Nothing was sent.")
        return folder

    def _without_sending(self, ask: Ask) -> None:
        if ask.sweeps:
            self.sweeping.dry(ask, self._variables)
            return
        if ask.words.interact and not ask.words.dry_run:
            from pixapi_nb.widgets.home import Home
            from pixapi_nb.widgets.sliders import PromptSliders

            home = Home(self.session, lambda: self.panel_options(ask))
            made = PromptSliders.from_ask(ask, home, self._variables)
            if ask.words.out:  # the newest result, from the moment at which it is there
                made.observe(lambda change: self._variables.update({ask.words.out: change.new[0]}), "results")
            display(made)
            return
        request = ask.request(ask.words.kind or self.session.likely_kind(ask.model), self._variables)
        price = self.session.checked_price(request)
        rows = [*request.fields().items(), *(("image", one.name) for one in request.inputs)]
        rows.append(("price", price if price.known else "unknown"))
        server, budget = self.session.server_name(), self.session.budget
        if ask.option("reuse"):
            here, there = self.session.earlier(request, server)
            rows.append(("reuse", "an earlier run answers it: 0 credits" if here or there else "no earlier run answers it"))
        if budget is not None:
            left = budget - sum(self.session.ledger.spent(server, midnight()))
            fits = price.top is not None and price.top <= left
            rows.append(
                ("budget", f"{max(0.0, left):g} of {budget:g} credits are left{'' if fits else ': it would be refused'}")
            )
        display(show_parts.request(rows, "Nothing was sent (--dry-run)."), raw=True)

    def _begin_sweep(self, ask: Ask, server: Server, kind: Kind, *, awaited: bool) -> SweepView:
        """Show the plan; go on at once where nobody is there to press Start, or where the cell says so."""
        options = self._options(ask)
        plan = ask.plan(kind, self._variables)
        if ask.words.out:
            self._variables.pop(ask.words.out, None)
        grid = self.sweeping.begin(plan, server, ask, options, beside=self._beside, awaited=awaited)
        if ask.words.out:
            self._variables[ask.words.out] = grid.sweep
        return grid

    def _options(self, ask: Ask) -> Options:
        return Options(
            synchronous=ask.words.sync,
            folder=self._folder(ask),
            accept_price=ask.words.yes,
            reuse=bool(ask.option("reuse")),
            recipes=self.recipes,
        )

    def _begin(self, ask: Ask, server: Server, request: Request, *, awaited: bool) -> CellView:
        """Start the job and show it. From here on money is spent."""
        options = self._options(ask)
        job = self.session.start(request, server, options)
        if ask.words.out:
            self._variables.pop(ask.words.out, None)
            self._coming[ask.words.out] = job
        if job.reused and ask.words.save:
            job.notes.append("its files stay where they are")
        if ask.words.sync:
            job.notes.append("--sync: there is no task to come back to")
        self.owned(job)
        if ask.words.out:
            job.watch(lambda event: self._bind(ask.words.out, job, event))
        # Without a person nobody would see a result that comes after the last cell.
        background = ask.words.background and front.has_person(self.shell)
        return self.show(job, awaited=awaited, background=background, embed=ask.option("embed"))

    def owned(self, job: Job) -> None:
        """The cell that is running shows it: as the cell's value it is not shown again."""
        self._own = (job, self.shell.execution_count)

    def panel_options(self, ask: Ask | None = None) -> Options:
        """How a panel's generations are carried out: a cell's panel as the cell says, and as the settings are by then."""
        options = replace(self.job_options(), reuse=self.reuse)
        if ask is None:
            return options
        words = ask.words
        reuse = self.reuse if words.reuse is None else words.reuse
        folder = self._folder(ask) if words.save else options.folder
        return replace(options, folder=folder, reuse=reuse, accept_price=words.yes, synchronous=words.sync)

    def job_options(self) -> Options:
        """How work is carried out that no cell's options speak of."""
        return Options(folder=self._beside / Path(self.save).expanduser() if self.save else None, recipes=self.recipes)

    def show(self, job: Job, *, awaited: bool, background: bool = False, embed: Any = None) -> CellView:
        """Show a job beneath the cell that is running, until its result stands there."""
        leave = front.takes_clicks_while_awaiting(self.shell) and awaited and not background
        view = CellView(job, embed=embed or self.embed, beside=self._beside, alone=background)
        view.open(self._progress(view, awaited=awaited or background, leave=leave))
        return view

    def _bind(self, name: str, job: Job, event: Event) -> None:
        if isinstance(event, (Submitted, Completed, Delivered)):
            self._variables[name] = job

    def _progress(self, view: CellView, *, awaited: bool, leave: bool) -> Progress:
        if front.captured(self.shell):
            return NoProgress()
        if not front.has_widgets(self.shell):
            return TerminalProgress()
        person = front.has_person(self.shell)
        if not awaited or not person:
            return DisplayProgress(hint=INTERRUPT if person else None)
        if leave and person:
            return WidgetProgress(view.leave)
        return WidgetProgress(keep=person, hint=INTERRUPT if person and not view.left else None)

    # -- IPython ---------------------------------------------------------------------------------------------------

    def show_job(self, job: Job) -> None:
        """A job as a cell's value: nothing under its own cell, which shows it already; its pictures in a later one."""
        if self._own[0] is job and self._own[1] == self.shell.execution_count:
            if not front.has_widgets(self.shell) and not front.captured(self.shell):
                print(repr(job))  # noqa: T201  # IPython has written "Out[n]: " by now
            return
        if job.done:
            display(CellView(job, embed=self.embed, beside=self._beside).bundle(), raw=True)
        elif front.has_person(self.shell):
            self.show(job, awaited=True, background=True)
        else:  # nobody would see a result that comes later
            wait_for_view(self.show(job, awaited=False))

    def show_sweep(self, made: Sweep) -> None:
        """The same for a sweep."""
        self.sweeping.show(made, self._beside)

    def install(self) -> None:
        self.shell.register_magics(self)
        self.awaiting.install()
        self.shell.display_formatter.ipython_display_formatter.for_type(Job, self.show_job)
        self.shell.display_formatter.ipython_display_formatter.for_type(Sweep, self.show_sweep)
        completion.install(self.shell)

    def remove(self) -> None:
        self.awaiting.remove()
        completion.remove(self.shell)
        for shown in (Job, Sweep):
            self.shell.display_formatter.ipython_display_formatter.pop(shown, None)
        manager = self.shell.magics_manager
        for kind, name in (("line", "pixapi"), ("cell", "pixapi"), ("cell", "pixapi_awaited")):
            manager.magics[kind].pop(name, None)
        manager.registry.pop(type(self).__name__, None)
        if self in self.shell.configurables:
            self.shell.configurables.remove(self)


async def _settled(jobs: Mapping[str, Job]) -> None:
    """Wait until they have ended, well or not."""
    for job in jobs.values():
        with contextlib.suppress(PixapiError):
            await job


_loaded: dict[int, PixapiMagics] = {}


def load(shell: Any) -> None:
    """Register everything; nothing is patched, started, written or sent."""
    if id(shell) not in _loaded:
        magics = PixapiMagics(shell)
        magics.install()
        _loaded[id(shell)] = magics
        commands.mention_unfinished(magics)


def unload(shell: Any) -> None:
    """Undo `load`."""
    magics = _loaded.pop(id(shell), None)
    if magics is not None:
        magics.remove()
