"""The public function `sweep`: what a caller says, as a plan.

from pixapi_nb import sweep
cups = sweep("A {{style: noir | studio}} cup, warmth {{warmth: 0..10}}", model="nano-banana", axes={"style": None})
cups.result().to_dataframe()
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pixapi_nb import portal, session
from pixapi_nb.controls import ControlError, Free
from pixapi_nb.errors import UsageError, clean
from pixapi_nb.inputs import Source, input_image
from pixapi_nb.models import ImageRequest, Request, VideoRequest
from pixapi_nb.prompt import Template
from pixapi_nb.session import Options
from pixapi_nb.sweep_plan import Axis, Plan, Value, declared_axes, given_axis, repeated
from pixapi_nb.sweeps import Sweep

__all__ = ["sweep"]


def sweep(
    prompt: str,
    *,
    model: str | Sequence[str],
    axes: Mapping[str, Iterable[Value] | int | None] | Sequence[str] | None = None,
    steps: int = 5,
    n: int = 1,
    values: Mapping[str, Value] | None = None,
    size: str | None = None,
    quality: str | None = None,
    duration: float | None = None,
    image: Source | Sequence[Source] | None = None,
    synchronous: bool = False,
    folder: str | Path | None = None,
    budget: float | None = None,
    accept_price: bool = False,
    reuse: bool = False,
    start: bool = True,
) -> Sweep:
    """Generate the grid of a prompt's settings, and return at once; `await` it, or wait with `.result()`. Paid.

    `axes`: what varies. A mapping from a name in the prompt (or `model`, `size`, `quality`, `duration`) to its values, to a
    number of evenly spaced stops, or to None for all; or a list of declared names; by default every declared control.
    Of a range, `steps` stops. Several models are an axis; so are `n` repetitions. `values` stand for the prompt's other
    names. `budget` is in credits for today and this server: what would pass it is not sent. With `start=False` nothing is
    sent before `.start()`; `.price` tells what that will cost.

    Raises UsageError and PromptError before anything is sent.
    """
    own = session.current()
    template = Template.parse(prompt.strip())
    models = [model] if isinstance(model, str) else list(model)
    if not models:
        raise UsageError("no model is given.")
    for what, number in (("n", n), ("steps", steps)):
        if not isinstance(number, int) or number < 1:
            raise UsageError(f"{what} has to be a whole number of at least 1.")
    found: list[Axis] = []
    if isinstance(axes, Mapping):
        found = [given_axis(template, name, wanted, steps) for name, wanted in axes.items()]
    else:
        found = list(declared_axes(template, axes, steps)) if axes is not None or _declares(template) else []
    if len(models) > 1:
        found.insert(0, Axis("model", tuple(models), "field"))
    images = () if image is None else (image,) if not isinstance(image, (list, tuple)) else tuple(image)
    first = next((str(axis.values[0]) for axis in found if axis.name == "model" and axis.what == "field"), models[0])
    server, kind = portal.wait(portal.run(own.ready, first))
    for other in models[1:]:
        if (makes := portal.wait(portal.run(own.kind, server, other))) != kind:
            raise UsageError(f"{first} makes {kind}s and {clean(other, 60)} makes {makes}s; a sweep makes one or the other.")
    fields: dict[str, Any] = {"model": first, "prompt": template.text, "size": size}
    given = tuple(input_image(one) for one in images)
    base: Request
    if kind == "video" and len(given) > 1:
        raise UsageError("a video starts from one picture, and several are given.")
    if kind == "video":
        base = VideoRequest(**fields, duration=duration, input_image=given[0] if given else None)
    else:
        base = ImageRequest(**fields, quality=quality, images=given)
    plan = Plan(template=template, axes=repeated(found, n), base=base, values=_fixed(template, values or {}))
    options = Options(
        synchronous=synchronous,
        folder=None if folder is None else Path(folder),
        budget=budget,
        accept_price=accept_price,
        reuse=reuse,
    )
    made = Sweep(plan, own, server, options)
    _ = made.price
    return made.start() if start else made


def _fixed(template: Template, values: Mapping[str, object]) -> dict[str, Any]:
    """The values of the prompt's names, as they are written down. Raises UsageError for one that does not fit."""
    fixed = {}
    for name, control in template.controls.items():
        if name in values:
            try:
                fixed[name] = control.coerce(values[name])
            except ControlError as error:
                raise UsageError(f"{clean(name, 60)}: {error}") from None
    return fixed


def _declares(template: Template) -> bool:
    return any(not isinstance(control, Free) for control in template.controls.values())
