"""Sweeps from cells: `--sweep` and `--models` read as a plan, shown with its price, started by a person or at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ipywidgets as w
from IPython.display import display
from markupsafe import Markup

from pixapi_nb import markup, portal, show_grid
from pixapi_nb.asking import Ask
from pixapi_nb.errors import PixapiError, UsageError
from pixapi_nb.models import Kind
from pixapi_nb.session import Options, Session
from pixapi_nb.sweep_plan import Plan
from pixapi_nb.sweeps import Sweep
from pixapi_nb.view import front
from pixapi_nb.view.line import Line
from pixapi_nb.view.progress import DisplayProgress, NoProgress, Progress, TerminalProgress
from pixapi_nb.view.sweep import GridProgress, Stand, SweepView, describe_axes, show_plan
from pixapi_nb.widgets.place import Place
from pixapi_nb.wire import Server

__all__ = ["Sweeping"]

_INTERRUPT = "interrupt the kernel to keep working; the pictures still arrive here"


_rested: list[Place] = []
_KEPT = 4  # ended sweeps whose grid a page that was away still gets


class _Placed:
    """A sweep's widget in a Place: what stays says how it stands, and in the end is its grid."""

    def __init__(self, widget: w.Widget, made: Sweep) -> None:
        self._made, self._said, self._bundle = made, "", dict[str, Any]()
        self._place = Place(widget, self._still, self._plain)
        self._place.open()

    def changed(self, line: Line) -> None:
        self._said = line.text
        self._place.changed()

    def end(self, bundle: dict[str, Any]) -> None:
        self._bundle = bundle
        self._place.rest({kind: data for kind, data in bundle.items() if not kind.startswith("text/")})
        _rested.append(self._place)
        while len(_rested) > _KEPT:
            _rested.pop(0).close()

    def _still(self) -> Markup:
        if self._bundle:
            return Markup(self._bundle["text/html"])  # noqa: S704  # made by `show_grid`
        return markup.note(self._plain())

    def _plain(self) -> str:
        if self._bundle:
            return str(self._bundle["text/plain"])
        if not self._made.started:
            return "Not started: nothing was sent. The Start button comes back when the cell is run again."
        return f"{self._said} · %pixapi resume {self._made.id} comes back to it"


class Sweeping:
    """What the magics need of sweeps."""

    def __init__(self, shell: Any, session: Session) -> None:
        self._shell, self._session = shell, session
        self._own: tuple[Sweep | None, int] = (None, -1)

    # -- before --------------------------------------------------------------------------------------------------------

    async def ready(self, ask: Ask) -> tuple[Server, Kind]:
        """Whom to ask, and what all of the models make. On the I/O thread. Raises UsageError where they differ."""
        first, *others = ask.models
        server, kind = await self._session.ready(first)
        for model in others:
            other = await self._session.kind(server, model)
            if other != kind and not ask.words.kind:
                raise UsageError(f"{first} makes {kind}s and {model} makes {other}s; a sweep makes one or the other.")
        return server, kind

    def dry(self, ask: Ask, variables: Mapping[str, Any]) -> None:
        """`--dry-run`."""
        plan = ask.plan(ask.words.kind or self._session.likely_kind(ask.model), variables)
        total = sum((self._session.checked_price(plan.request(place)) for place in plan.places()), start=0)
        display(show_grid.plan(describe_axes(plan), str(total), "Nothing was sent (--dry-run)."), raw=True)

    # -- a cell --------------------------------------------------------------------------------------------------------

    def begin(self, plan: Plan, server: Server, ask: Ask, options: Options, *, beside: Path, awaited: bool) -> SweepView:
        """The plan beneath the cell, and either a Start button or the sweep itself. `left` says whether the cell ends."""
        made = Sweep(plan, self._session, server, options)
        self._own = (made, self._shell.execution_count)
        person = front.has_person(self._shell) and not front.captured(self._shell)
        if person and not ask.words.yes:
            return self._offer(made, beside)
        show_plan(made)
        made.start()
        return self.open(made, beside=beside, awaited=awaited, alone=ask.words.background and person)

    def _offer(self, made: Sweep, beside: Path) -> SweepView:
        """Nothing is sent before a person says so."""
        view = SweepView(made, beside=beside, alone=True)
        if not front.has_widgets(self._shell):
            show_plan(made, "Nothing was sent yet. _.start() starts it; with --yes the cell does.")
            return view
        show_plan(made)

        def start() -> None:
            try:
                made.start()
            except PixapiError as error:
                progress.say(str(error))
            else:
                view.open(progress)

        progress = GridProgress(made, self._stand(made), start=start)
        progress.show()
        return view

    def open(self, made: Sweep, *, beside: Path, awaited: bool, alone: bool = False) -> SweepView:
        """Show a sweep that was started, until its grid stands there."""
        view = SweepView(made, beside=beside, alone=alone)
        view.open(self._progress(view, awaited=awaited or alone))
        return view

    def _progress(self, view: SweepView, *, awaited: bool) -> Progress:
        shell = self._shell
        if front.captured(shell):
            return NoProgress()
        if not front.has_widgets(shell):
            return TerminalProgress()
        person = front.has_person(shell)
        if not awaited or not person:  # without a person, nobody sees widgets, and the notebook would keep their state
            return DisplayProgress(hint=_INTERRUPT if person else None)
        progress = GridProgress(view.sweep, self._stand(view.sweep))
        if not view.left and front.takes_clicks_while_awaiting(shell):
            progress.waiting(view.leave)
        return progress

    @staticmethod
    def _stand(made: Sweep) -> Stand:
        return lambda widget: _Placed(widget, made)

    # -- a value -------------------------------------------------------------------------------------------------------

    def show(self, made: Sweep, beside: Path) -> None:
        """A sweep as a cell's value: nothing under its own cell; its grid in a later one, which only a person leaves early."""
        if self._own == (made, self._shell.execution_count):
            return
        if made.done:
            display(SweepView(made, beside=beside, alone=True).bundle(), raw=True)
        elif made.started:
            view = self.open(made, beside=beside, awaited=True, alone=True)
            if not front.has_person(self._shell):  # nobody would see what comes after the last cell
                portal.wait(view.shown)
        elif front.has_person(self._shell):
            self._offer(made, beside)
        else:
            show_plan(made, "Nothing was sent yet. .start() starts it.")

    def owned(self, made: Sweep) -> None:
        """The cell that is running shows it."""
        self._own = (made, self._shell.execution_count)
