"""What a request is expected to cost: Pixapi's printed prices, and estimates from them.

A credit is $0.01. The prices are those of Pixapi's model pages in 2026 (`SOURCE`, `AS_OF`); they change, and what counts
is what the server charges. Output is charged when it succeeds. What has no printed price is unknown, never 0.

Assumed, because it is not printed: an edit costs what a generation costs; a Gemini image without a size is 1K.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Context, Decimal
from typing import Literal, TypeAlias

__all__ = [
    "ALIASES",
    "AS_OF",
    "MODELS",
    "SOURCE",
    "Model",
    "Price",
    "credits_to_dollars",
    "estimate",
    "find",
    "format_credits",
    "format_dollars",
    "free_here",
]

AS_OF = "2026"
SOURCE = "Pixapi's model pages, prices as printed there in 2026"

_EXACT = Context(prec=60)  # a notebook's own decimal context must not round money


def _decimal(number: Decimal | float) -> Decimal:
    """The number as it is written: 1.6 is 1.6, whatever a float makes of it."""
    return number if isinstance(number, Decimal) else Decimal(str(number))


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def credits_to_dollars(amount: Decimal | float) -> Decimal:
    """What so many credits are in US dollars.

    >>> credits_to_dollars(1.6)
    Decimal('0.016')
    """
    return _EXACT.multiply(_decimal(amount), Decimal("0.01"))


def format_credits(amount: Decimal | float) -> str:
    """An amount of credits in words, exact.

    >>> format_credits(1), format_credits(Decimal("8.0")), format_credits(11.2)
    ('1 credit', '8 credits', '11.2 credits')
    """
    text = _plain(_decimal(amount))
    return f"{text} credit" if text == "1" else f"{text} credits"


def format_dollars(amount: Decimal | float) -> str:
    """So many credits as an amount in US dollars, with at least two decimals and as many as it needs to be exact.

    >>> format_dollars(8), format_dollars(1.6)
    ('$0.08', '$0.016')
    """
    whole, _, cents = _plain(credits_to_dollars(amount)).partition(".")
    return f"${whole}.{cents:0<2}"


@dataclass(frozen=True)
class Price:
    """A price in credits, as far as it is known.

    `low` and `high` are its bounds: equal for an exact price, both None where nothing is known, and `high` alone None
    where it is printed as "from". `per_second` prices a second of a video whose length is not known yet.

    >>> print(Price.of(8), Price.of(6, 72), Price(), sep=" / ")
    8 credits ($0.08) / 6–72 credits ($0.06–$0.72) / price unknown
    """

    low: Decimal | None = None
    high: Decimal | None = None
    per_second: bool = False

    def __post_init__(self) -> None:
        if (self.low is None and self.high is not None) or (self.low is not None and self.low < 0):
            raise ValueError(f"not a price: {self.low} to {self.high}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"not a price: {self.low} to {self.high}")

    @classmethod
    def of(cls, low: Decimal | float, high: Decimal | float | None = None) -> Price:
        """The price of `low` credits exactly, or of `low` to `high`."""
        return cls(_decimal(low), _decimal(low if high is None else high))

    @property
    def known(self) -> bool:
        """Whether anything is known: an amount, a range, or where it starts."""
        return self.low is not None

    @property
    def top(self) -> Decimal | None:
        """The credits to reserve in a budget: the most that this can cost. None where no limit is known."""
        return None if self.per_second else self.high

    def __add__(self, other: Price) -> Price:
        """Both together. What one leaves open stays open: 8 credits and an unknown price are "from 8 credits"."""
        if not isinstance(other, Price):
            return NotImplemented
        if self.per_second and other.per_second:
            return Price(*_sum(self, other), per_second=True)
        mine, its = (Price() if price.per_second else price for price in (self, other))
        return Price(*_sum(mine, its))

    def __radd__(self, other: object) -> Price:
        """So that `sum(prices)` works, which starts at 0."""
        return self if other == 0 and isinstance(other, int) else NotImplemented

    def __mul__(self, n: Decimal | float) -> Price:
        """`n` times this price; unknown stays unknown."""
        if not isinstance(n, (Decimal, int, float)):
            return NotImplemented
        low, high = (bound if bound is None else _EXACT.multiply(bound, _decimal(n)) for bound in (self.low, self.high))
        return Price(low, high, self.per_second)

    __rmul__ = __mul__

    def __str__(self) -> str:
        if self.low is None:
            return "price unknown"
        second = " a second" if self.per_second else ""
        if self.high is None:
            return f"from {format_credits(self.low)}{second}"
        if self.low == self.high:
            return f"{format_credits(self.low)}{second} ({format_dollars(self.low)})"
        dollars = f"{format_dollars(self.low)}–{format_dollars(self.high)}"
        return f"{_plain(self.low)}–{format_credits(self.high)}{second} ({dollars})"


def _sum(a: Price, b: Price) -> tuple[Decimal | None, Decimal | None]:
    low = _EXACT.add(a.low or Decimal(0), b.low or Decimal(0))
    high = None if a.high is None or b.high is None else _EXACT.add(a.high, b.high)
    return (low if high is not None or low else None), high


# ---- the catalogue

Rates: TypeAlias = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Model:
    """A model of the catalogue."""

    id: str
    kind: Literal["image", "video"]
    price: str
    """What is printed, in credits: an image, or a second of a video."""
    rates: Rates = field(repr=False, compare=False)
    """The same by grade (a quality, or a tier of the provider) and resolution; "" where there is only one."""
    aliases: tuple[str, ...] = ()
    can_edit: bool = False
    """Whether image edits take it. (For a video, the start image is a field of the request, whatever the model.)"""
    starts_at: bool = False
    """Whether the price is printed as "from"."""


_ALL = (
    Model("gemini-2.5-flash-image", "image", "2 an image", {"": {"": "2"}}, ("nano-banana",), can_edit=True),
    Model(
        "gemini-3.1-flash-image-preview",
        "image",
        "512 px and 1K: 4 · 2K: 6 · 4K: 8",
        {"": {"512": "4", "1K": "4", "2K": "6", "4K": "8"}},
        ("nano-banana-2",),
        can_edit=True,
    ),
    Model(
        "gemini-3-pro-image-preview",
        "image",
        "1K and 2K: 8 · 4K: 16",
        {"": {"1K": "8", "2K": "8", "4K": "16"}},
        ("nano-banana-pro",),
        can_edit=True,
    ),
    Model("gpt-image-1.5", "image", "from 1 an image", {"": {"": "1"}}, can_edit=True, starts_at=True),
    Model(
        "gpt-image-2",
        "image",
        "low, medium, high: up to 1536 px 1, 4, 14 · 2048 px 2, 17, 67 · 3840 px 4, 34, 133",
        {
            "low": {"1K": "1", "2K": "2", "4K": "4"},
            "medium": {"1K": "4", "2K": "17", "4K": "34"},
            "high": {"1K": "14", "2K": "67", "4K": "133"},
        },
        can_edit=True,
    ),
    Model(
        "veo",
        "video",
        "a second, 720p, 1080p, 4K: Lite 1, 1.6 · Fast 2, 2.4, 6 · Standard 8, 8, 12",
        {
            "Lite": {"720p": "1", "1080p": "1.6"},
            "Fast": {"720p": "2", "1080p": "2.4", "4K": "6"},
            "Standard": {"720p": "8", "1080p": "8", "4K": "12"},
        },
    ),
    Model("kling", "video", "from 2.24 a second", {"": {"": "2.24"}}, starts_at=True),
    Model("wan", "video", "from 2 a second", {"": {"": "2"}}, starts_at=True),
)

MODELS: Mapping[str, Model] = {model.id: model for model in _ALL}
"""The models with a printed price, by id."""

ALIASES: Mapping[str, str] = {alias: model.id for model in _ALL for alias in model.aliases}
"""The id that each alias stands for."""


def find(model: str) -> Model | None:
    """The model of this id or alias; None where it is not in the catalogue.

    >>> find("nano-banana-pro").id
    'gemini-3-pro-image-preview'
    """
    return MODELS.get(ALIASES.get(model, model))


# ---- estimates


def estimate(
    model: str, *, n: int = 1, size: str | None = None, quality: str | None = None, duration: float | None = None
) -> Price:
    """What `n` images or videos of a model are expected to cost. `duration` is in seconds.

    Where the request does not tell the price, the estimate is the range of what it can be:
    - gemini: a size in pixels is 1K up to a long edge of 1536 (so is no size), 2K at 2048, 4K from 3840 on, and between
      these it may be either neighbour;
    - gpt-image-2: the size counts by its long edge, none or `auto` as 1K; quality, if not given or `auto`, as high;
      above 3840 pixels nothing is printed;
    - veo: the request does not name the tier (Lite, Fast, Standard), and only sizes such as 1280x720, 1920x1080 and
      3840x2160 tell the resolution.

    A video without a duration is priced a second. Raises `ValueError` for an `n` below 1, or a duration not above 0.

    >>> print(estimate("nano-banana-pro", n=2, size="4K"))
    32 credits ($0.32)
    >>> print(estimate("veo", duration=6))
    6–72 credits ($0.06–$0.72)
    >>> print(estimate("kling"))
    from 2.24 credits a second
    >>> print(estimate("sora-2", duration=6))
    price unknown
    """
    if n < 1 or (duration is not None and not duration > 0):
        raise ValueError(f"nothing to price: n={n}, duration={duration}")
    entry = find(model)
    if entry is None:
        return Price()
    each = _rate(entry, size or "auto", quality or "auto")
    if entry.kind == "image":
        return each * n
    return replace(each, per_second=each.known) * n if duration is None else each * _decimal(duration) * n


def _rate(model: Model, size: str, quality: str) -> Price:
    grade = "high" if quality == "auto" else quality
    rows = [model.rates[grade]] if grade in model.rates else [*model.rates.values()]
    meant = _SIZES.get(model.id)
    sizes = meant(size.strip().lower()) if meant else None
    amounts = [Decimal(row[name]) for row in rows for name in row if sizes is None or name in sizes]
    if not amounts:
        return Price()
    return Price(min(amounts), None if model.starts_at else max(amounts))


def _edges(size: str) -> tuple[int, int]:
    """The short and the long edge of a size such as `1536x1024`; zeros where it is no such size."""
    match = re.fullmatch(r"([0-9]{1,6})x([0-9]{1,6})", size)
    short, long = sorted(map(int, match.groups())) if match else (0, 0)
    return short, long


def _gemini_sizes(size: str) -> Collection[str] | None:
    """The resolutions that a size can mean; None: any."""
    _, long = _edges(size)
    if not long:
        named = {"auto": ["1K"], "512": ["512", "1K"], "512px": ["512", "1K"], "1k": ["1K"], "2k": ["2K"], "4k": ["4K"]}
        return named.get(size)
    if long <= 1536:
        return ["512", "1K"] if long <= 512 else ["1K"]
    if long <= 2048:
        return ["2K"] if long == 2048 else ["1K", "2K"]
    return ["4K"] if long >= 3840 else ["2K", "4K"]


def _gpt_image_sizes(size: str) -> Collection[str] | None:
    _, long = _edges(size)
    if not long:
        return {"auto": ["1K"], "1k": ["1K"], "2k": ["2K"], "4k": ["4K"]}.get(size)
    return ["1K"] if long <= 1536 else ["2K"] if long <= 2048 else ["4K"] if long <= 3840 else []


def _veo_sizes(size: str) -> Collection[str] | None:
    named = {"720p": ["720p"], "1080p": ["1080p"], "4k": ["4K"]}
    pixels = {(720, 1280): "720p", (1080, 1920): "1080p", (2160, 3840): "4k"}
    return named.get(pixels.get(_edges(size), size))


_SIZES: Mapping[str, Callable[[str], Collection[str] | None]] = {
    "gemini-3.1-flash-image-preview": _gemini_sizes,
    "gemini-3-pro-image-preview": _gemini_sizes,
    "gpt-image-2": _gpt_image_sizes,
    "veo": _veo_sizes,
}


def free_here(price: Price) -> str:
    """What a local sketch costs, in words: nothing, and what a model's picture would.

    >>> free_here(Price.of(8))
    'free here; 8 credits ($0.08) at Pixapi'
    """
    return f"free here; {price} at Pixapi"
