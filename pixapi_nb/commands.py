"""The line magic: `%pixapi COMMAND`."""

from __future__ import annotations

import getpass
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from IPython.display import display

from pixapi_nb import keys, markup, portal, pricing, recipes
from pixapi_nb.errors import Detached, PixapiError, UsageError, clean
from pixapi_nb.jobs import Job
from pixapi_nb.ledger import Entry
from pixapi_nb.options import Parser, closest, split, without_keys
from pixapi_nb.session import DEFAULT_BASE_URL, Options
from pixapi_nb.sources import find_file
from pixapi_nb.sweep_rows import SweepRow, SweepRows
from pixapi_nb.sweeps import Sweep
from pixapi_nb.view import front
from pixapi_nb.view.cell import CellView, wait_for_view
from pixapi_nb.view.sweep import SweepView, wait_for_sweep
from pixapi_nb.wire import LOCAL, Server

if TYPE_CHECKING:
    from pixapi_nb.magic import PixapiMagics

__all__ = ["COMMANDS", "mention_unfinished", "run"]

_RECENT = 20


def run(magics: PixapiMagics, line: str) -> Job | Sweep | None:
    """Carry out one line; what is resumed by its id is its value. Raises UsageError for an unknown command."""
    words = split(line) or ["help"]
    command = COMMANDS.get(words[0])
    if command is None:
        raise UsageError(
            f"%pixapi {clean(without_keys(words[0]), 60)} does not exist.{closest(words[0], list(COMMANDS))}",
            hint=f"There are: {', '.join(COMMANDS)}.\nFor a picture use %%pixapi (two percent signs), with the prompt beneath.",
        )
    return command(magics, words[1:])


def mention_unfinished(magics: PixapiMagics) -> None:
    """One line at `%load_ext`, if there is something to come back to."""
    ledger = magics.session.ledger
    waiting, unknown = len(ledger.unfinished(limit=100)), len(ledger.unknown(limit=100))
    sweeps = len(SweepRows(ledger).half_done())
    parts = [
        f"{waiting} unfinished" if waiting else "",
        f"{unknown} with an unknown outcome" if unknown else "",
        f"{sweeps} half-done sweep{'' if sweeps == 1 else 's'}" if sweeps else "",
    ]
    if any(parts):
        said = " and ".join(part for part in parts if part)
        print(f"pixapi_nb: {said}; %pixapi tasks lists them, %pixapi resume brings home what can be.")  # noqa: T201


def _table(headers: Sequence[str], rows: Sequence[Sequence[object]], remark: str = "") -> None:
    """A table, and the same as text."""
    shown = [[("" if cell is None else cell) for cell in row] for row in rows]
    cells = [[markup.words(cell, 60) for cell in row] for row in [headers, *shown]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headers))]
    plain = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    html = markup.table(headers, shown)
    if remark:
        html, plain = html + markup.note(remark), f"{plain}\n{remark}"
    display(markup.bundle(html, plain), raw=True)


def _say(text: str) -> None:
    display(markup.bundle(markup.note(text), text), raw=True)


def _models(magics: PixapiMagics, words: Sequence[str]) -> None:
    """The models of this account: what they make, what they cost."""
    Parser("%pixapi models").parse(words)
    server = magics.session.server()
    listed = portal.wait(portal.run(magics.session.models, server))
    rows = []
    for model in listed:
        known = pricing.find(model.id)
        kind = model.kind or (known.kind if known else None)
        price = known.price if known else "unknown"
        rows.append((model.id, ", ".join(known.aliases) if known else "", kind, price, ", ".join(model.capabilities)))
    remark = f"Prices: {pricing.SOURCE}; 1 credit is $0.01. The server's charge stands under each result."
    _table(["model", "aliases", "makes", "price in credits", "can"], rows, remark)


def _tasks(magics: PixapiMagics, words: Sequence[str]) -> None:
    """Recent and unfinished work. `--close ID` takes an unknown outcome or half a sweep off the books; `--all` shows more."""
    parser = Parser("%pixapi tasks")
    parser.add_argument("--close", metavar="ID")
    parser.add_argument("--all", action="store_true")
    given, ledger = parser.parse(words), magics.session.ledger
    if given.close:
        row = SweepRows(ledger).get(given.close)
        if row is not None:
            Sweep.give_up(row, magics.session)
            _say(f"{row.sweep_id} is closed; what was never sent will not be.")
            return
        entry = _found(magics, given.close)
        ledger.close(entry.job_id)
        after = ledger.get(entry.job_id)
        _say(f"{entry.task_id or entry.job_id} is {after.state if after else 'gone'}; nothing is reserved for it any more.")
        return
    rows = {e.job_id: e for e in [*ledger.unknown(), *ledger.unfinished(), *ledger.recent(200 if given.all else _RECENT)]}
    listed = sorted(rows.values(), key=lambda e: e.created, reverse=True)
    if not listed:
        _say("Nothing has been asked for yet.")
        return
    remark = "%pixapi resume brings home what is submitted or completed."
    if any(e.state == "unknown" for e in listed):
        remark += " An unknown outcome is never sent again by itself; --close ID takes it off the books once you know."
    for row in SweepRows(ledger).half_done():
        remark += (
            f" {row.sweep_id} is half done: %pixapi resume {row.sweep_id} finishes it, --close {row.sweep_id} gives it up."
        )
    several = len({entry.server for entry in listed}) > 1
    headers = ["id", "when", "state", "prompt", "model", "credits", *(["server"] if several else [])]
    _table(headers, [_task_row(entry)[: len(headers)] for entry in listed], remark)


def _task_row(entry: Entry) -> tuple[object, ...]:
    when = time.strftime("%d %b %H:%M", time.localtime(entry.created))
    prompt = markup.words(entry.request.get("prompt", ""), 60)
    if entry.credits is not None:
        price = f"{entry.credits:g}"
    else:
        price = f"up to {entry.estimate_high:g}" if entry.estimate_high is not None else "unknown"
    return entry.job_id, when, entry.state, prompt, entry.model, price, entry.server


def _found(magics: PixapiMagics, wanted: str) -> Entry:
    entry = magics.session.ledger.get(wanted)
    if entry is None:
        raise UsageError(f"no work with the id {clean(wanted, 80)} is on the books.", hint="%pixapi tasks lists them.")
    return entry


def _resume(magics: PixapiMagics, words: Sequence[str]) -> Job | Sweep | None:
    """Bring unfinished work home: all of it, or the one with this ID. Half a sweep sends the rest (`--budget N`, `--yes`)."""
    parser = Parser("%pixapi resume")
    parser.add_argument("id", nargs="*")
    parser.add_argument("--budget", type=float)
    parser.add_argument("--yes", action="store_true")
    given = parser.parse(words)
    wanted = given.id
    server = magics.session.server()
    rows = SweepRows(magics.session.ledger)
    if wanted:
        found = [rows.get(one) for one in wanted]
        sweeps = [row for row in found if row is not None]
        entries = [_resumable(magics, one) for one, row in zip(wanted, found, strict=True) if row is None]
    else:
        sweeps = rows.half_done(server.name)
        entries = [entry for entry in magics.session.ledger.unfinished(server.name) if entry.task_id]
        if not entries and not sweeps:
            _say(f"Nothing at {server.name} is unfinished.{_elsewhere(magics, server)}")
            return None
    named = {row.sweep_id for row in sweeps}
    entries = [entry for entry in entries if entry.sweep not in named]
    for entry in entries:
        if entry.server != server.name:
            raise UsageError(
                f"{entry.task_id or entry.job_id} belongs to {entry.server}, and {server.name} is in use.",
                hint="PIXAPI_BASE_URL chooses the server; %pixapi local the embedded one.",
            )
    jobs = [magics.session.resume(entry, server, magics.job_options()) for entry in entries]
    options = replace(magics.job_options(), budget=given.budget, accept_price=given.yes)
    grids, trouble = list[SweepView](), list[PixapiError]()
    for row in sweeps:
        try:
            grids.append(_resume_sweep(magics, row, server, options))
        except PixapiError as error:  # noqa: PERF203  # one that cannot go on does not keep the others
            trouble.append(error)
    try:
        views = [magics.show(job, awaited=False) for job in jobs]
    except KeyboardInterrupt:  # before the wait for them began
        raise Detached(None, hint="%pixapi resume brings home what is unfinished.") from None
    _bring_home(views)
    for grid in grids:
        wait_for_sweep(grid)
    if trouble:
        raise trouble[0]
    if wanted and len(jobs) == 1 and not grids:
        magics.owned(jobs[0])
        return jobs[0]
    return grids[0].sweep if len(grids) == 1 else None


def _resume_sweep(magics: PixapiMagics, row: SweepRow, server: Server, options: Options) -> SweepView:
    if row.server != server.name:
        raise UsageError(
            f"{row.sweep_id} belongs to {row.server}, and {server.name} is in use.",
            hint="PIXAPI_BASE_URL chooses the server; %pixapi local the embedded one.",
        )
    made = Sweep.resumed(row, magics.session, server, options)
    counts = made.counts
    if counts.waiting:
        what = f"{counts.waiting} of {counts.total} were never sent, and are asked for now: {made.priced(made.price)}."
        _say(f"{row.sweep_id}: {what}")
    made.start()
    magics.sweeping.owned(made)
    return magics.sweeping.open(made, beside=magics.session.folder.parent, awaited=False)


def _elsewhere(magics: PixapiMagics, server: Server) -> str:
    """What `%load_ext` counts as unfinished, and `%pixapi resume` cannot bring home here."""
    left = magics.session.ledger.unfinished()
    servers = sorted({entry.server for entry in left if entry.server != server.name})
    stuck = [entry.job_id for entry in left if entry.server == server.name and not entry.task_id]
    said = f" Elsewhere there is something: {', '.join(servers)}; PIXAPI_BASE_URL chooses the server." if servers else ""
    if stuck:
        said += f" Of a synchronous request the files are lost: {', '.join(stuck)}; %pixapi tasks --close ID settles that."
    return said


def _resumable(magics: PixapiMagics, wanted: str) -> Entry:
    """The row of an id. A task that these books do not know is taken on: it may be another machine's."""
    entry = magics.session.ledger.get(wanted)
    if entry is None and wanted.startswith("task_"):
        return magics.session.adopt(wanted, magics.session.server())
    return entry or _found(magics, wanted)


def _bring_home(views: Sequence[CellView]) -> None:
    """Wait for all; one that fails does not keep the others."""
    first: PixapiError | None = None
    for view in views:
        try:
            wait_for_view(view)
        except Detached:  # noqa: PERF203  # an interrupt leaves them all
            for one in views:
                one.leave()
            raise
        except PixapiError as error:
            first = first or error
    if first is not None:
        raise first


def _spend(magics: PixapiMagics, words: Sequence[str]) -> None:
    """What was spent: by day, model and notebook; each server apart."""
    Parser("%pixapi spend").parse(words)
    ledger = magics.session.ledger
    rows: list[tuple[object, ...]] = []
    for by in ("day", "model", "notebook"):
        for one in ledger.spend(by):
            where = f"{one.server} (sketches, no money)" if one.server == LOCAL else one.server
            charged = Decimal(str(one.charged))
            dollars = "–" if one.server == LOCAL else pricing.format_dollars(charged)
            remarks = [f"{one.estimated:g} of them estimated" if one.estimated else ""]
            remarks += [f"{one.reserved:g} reserved" if one.reserved else ""]
            remarks += [f"{one.unpriced} without a known price" if one.unpriced else ""]
            rows.append((where, by, one.name or "–", one.count, f"{one.charged:g}", dollars, ", ".join(filter(None, remarks))))
    if not rows:
        _say("Nothing has been spent yet.")
        return
    rows.sort(key=lambda row: str(row[0]))
    budget = "" if magics.budget is None else f" The budget is {magics.budget:g} credits a day and server."
    remark = f"1 credit is $0.01. What is reserved is open work; %pixapi tasks lists it.{budget}"
    _table(["server", "by", "", "jobs", "credits", "dollars", ""], rows, remark)


def _local(magics: PixapiMagics, words: Sequence[str]) -> None:
    """Use the embedded Pixapi from now on: no key, no credits, sketches instead of a model's pictures."""
    Parser("%pixapi local").parse(words)
    magics.session.base_url = LOCAL
    magics.session.embedded.address()
    _say("The embedded Pixapi draws from now on, on this machine. Its pictures are local sketches, and cost nothing.")


def _login(magics: PixapiMagics, words: Sequence[str]) -> None:
    """Ask for the key, and keep it in memory. `--keyring` keeps it in the system's keyring; `--forget` drops it."""
    parser = Parser("%pixapi login")
    parser.add_argument("--keyring", action="store_true")
    parser.add_argument("--forget", action="store_true")
    given, session = parser.parse(words), magics.session
    if given.forget:
        session.key = None
        keys.forget()
        left = " PIXAPI_KEY is still set in the environment, and is used." if session.key_source() else ""
        _say(f"The key is forgotten, here and in the keyring.{left}")
        return
    if not front.has_person(magics.shell):
        raise UsageError("nobody is there to type the key.", hint="Set the environment variable PIXAPI_KEY instead.")
    session.key = keys.secret(getpass.getpass("Pixapi key (it is not shown): "))
    if session.address() == LOCAL:  # whoever has a key wants what it is for
        session.base_url = DEFAULT_BASE_URL
    if given.keyring:
        keys.remember(session.key)  # where there is none, the key is kept in memory all the same
    where = "the keyring" if given.keyring else "memory, for this kernel"
    _say(f"The key is kept in {where}. Server: {_public(session.address())}. %pixapi local goes back to free sketches.")


def _config(magics: PixapiMagics, words: Sequence[str]) -> None:
    """What is in force: server, key (whether there is one), folders, defaults."""
    Parser("%pixapi config").parse(words)
    session = magics.session
    trouble = session.ledger.trouble
    rows: list[tuple[str, object, str]] = [
        ("server", _public(session.address()), "PIXAPI_BASE_URL, %pixapi local"),
        ("key", session.key_source() or "none", "PIXAPI_KEY, %pixapi login"),
        ("files", session.folder, "--save, %config PixapiMagics.save"),
        ("ledger", f"in memory only: {trouble}" if trouble else session.ledger.path, "PIXAPI_HOME"),
    ]
    for name, trait in sorted(magics.traits(config=True).items()):
        rows.append((name, getattr(magics, name), f"%config PixapiMagics.{name} = …  {trait.help}"))
    _table(["setting", "is", "set by"], [(name, "–" if value is None else str(value), how) for name, value, how in rows])


def _public(address: str) -> str:
    """An address without the password that somebody put into it, against all advice."""
    before, at, host = address.rpartition("@")
    return f"{before.partition('://')[0]}://…@{host}" if at else address


def _recipe(magics: PixapiMagics, words: Sequence[str]) -> None:
    """How a file was made, and the cell that makes it again: `%pixapi recipe FILE`."""
    parser = Parser("%pixapi recipe")
    parser.add_argument("file")
    path = find_file(parser.parse(words).file, magics.shell.user_ns, magics.session.folder.parent)
    found = recipes.read(path)
    rows = [(name, value if isinstance(value, (int, float)) else str(value)) for name, value in found.items()]
    cell = recipes.as_cell(found)
    _table(["field", "value"], rows)
    again = ", once its -i name your pictures" if recipes.inputs_of(found) else ""
    print(f"\nThis cell makes it again{again}:\n\n{cell}")  # noqa: T201  # to be copied


def _studio(magics: PixapiMagics, words: Sequence[str]) -> None:
    """A panel to generate, edit and animate without writing code; earlier pictures are in it."""
    from pixapi_nb.widgets.home import Home
    from pixapi_nb.widgets.studio import Studio

    Parser("%pixapi studio").parse(words)
    if not front.has_widgets(magics.shell):
        raise UsageError("the studio needs a notebook: a terminal shows no controls.")
    display(Studio(Home(magics.session, magics.panel_options), owned=True))


def _help(magics: PixapiMagics, words: Sequence[str]) -> None:
    """This page."""
    rows = [(f"%pixapi {name}", (command.__doc__ or "").strip()) for name, command in COMMANDS.items()]
    rows.insert(0, ("%%pixapi MODEL", "Generate from the prompt beneath. %%pixapi? lists the options."))
    _table(["command", "what it does"], rows)


COMMANDS: dict[str, Callable[[PixapiMagics, Sequence[str]], Job | Sweep | None]] = {
    "models": _models,
    "tasks": _tasks,
    "resume": _resume,
    "spend": _spend,
    "local": _local,
    "login": _login,
    "config": _config,
    "recipe": _recipe,
    "studio": _studio,
    "help": _help,
}
