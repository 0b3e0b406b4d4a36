"""Every printed price, and what an estimate says where the request does not tell it."""

from __future__ import annotations

import decimal
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixapi_nb import pricing
from pixapi_nb.pricing import ALIASES, MODELS, Price, credits_to_dollars, estimate, find, format_credits, format_dollars

FLASH, PRO = "gemini-3.1-flash-image-preview", "gemini-3-pro-image-preview"


@pytest.mark.parametrize(
    ("model", "fields", "price"),
    [
        # Each printed price of an image.
        ("gemini-2.5-flash-image", {}, "2 credits ($0.02)"),
        ("gemini-2.5-flash-image", {"size": "4K"}, "2 credits ($0.02)"),
        (FLASH, {"size": "512"}, "4 credits ($0.04)"),
        (FLASH, {"size": "512x512"}, "4 credits ($0.04)"),
        (FLASH, {"size": "1K"}, "4 credits ($0.04)"),
        (FLASH, {"size": "2K"}, "6 credits ($0.06)"),
        (FLASH, {"size": "4K"}, "8 credits ($0.08)"),
        (PRO, {"size": "1K"}, "8 credits ($0.08)"),
        (PRO, {"size": "2k"}, "8 credits ($0.08)"),
        (PRO, {"size": "4K"}, "16 credits ($0.16)"),
        ("gpt-image-1.5", {"size": "1024x1024", "quality": "low"}, "from 1 credit"),
        ("gpt-image-2", {"size": "1536x1024", "quality": "low"}, "1 credit ($0.01)"),
        ("gpt-image-2", {"size": "1536x1024", "quality": "medium"}, "4 credits ($0.04)"),
        ("gpt-image-2", {"size": "1536x1024", "quality": "high"}, "14 credits ($0.14)"),
        ("gpt-image-2", {"size": "1536x1024", "quality": "auto"}, "14 credits ($0.14)"),
        ("gpt-image-2", {"size": "2048x2048", "quality": "low"}, "2 credits ($0.02)"),
        ("gpt-image-2", {"size": "2048x2048", "quality": "medium"}, "17 credits ($0.17)"),
        ("gpt-image-2", {"size": "2048x2048", "quality": "high"}, "67 credits ($0.67)"),
        ("gpt-image-2", {"size": "2048x2048"}, "67 credits ($0.67)"),
        ("gpt-image-2", {"size": "3840x2160", "quality": "low"}, "4 credits ($0.04)"),
        ("gpt-image-2", {"size": "2160x3840", "quality": "medium"}, "34 credits ($0.34)"),
        ("gpt-image-2", {"size": "3840x2160", "quality": "high"}, "133 credits ($1.33)"),
        ("gpt-image-2", {"size": "3840x2160", "quality": "auto"}, "133 credits ($1.33)"),
        ("gpt-image-2", {"size": "auto", "quality": "low"}, "1 credit ($0.01)"),
        # Each printed price of a video, ten seconds of it.
        ("veo", {"size": "1280x720", "duration": 10}, "10–80 credits ($0.10–$0.80)"),
        ("veo", {"size": "720x1280", "duration": 10}, "10–80 credits ($0.10–$0.80)"),
        ("veo", {"size": "1920x1080", "duration": 10}, "16–80 credits ($0.16–$0.80)"),
        ("veo", {"size": "3840x2160", "duration": 10}, "60–120 credits ($0.60–$1.20)"),
        ("veo", {"size": "4K", "duration": 10}, "60–120 credits ($0.60–$1.20)"),
        ("veo", {"size": "16:9", "duration": 10}, "10–120 credits ($0.10–$1.20)"),
        ("veo", {"duration": 6}, "6–72 credits ($0.06–$0.72)"),
        ("kling", {"duration": 5}, "from 11.2 credits"),
        ("wan", {"duration": 5}, "from 10 credits"),
        # Where the request leaves it open.
        (FLASH, {}, "4 credits ($0.04)"),
        (FLASH, {"size": "1536x1024"}, "4 credits ($0.04)"),
        (FLASH, {"size": "1792x1024"}, "4–6 credits ($0.04–$0.06)"),
        (FLASH, {"size": "2048x1152"}, "6 credits ($0.06)"),
        (FLASH, {"size": "2560x1440"}, "6–8 credits ($0.06–$0.08)"),
        (FLASH, {"size": "4096x4096"}, "8 credits ($0.08)"),
        (FLASH, {"size": "16:9"}, "4–8 credits ($0.04–$0.08)"),
        (PRO, {"size": "512x512"}, "8 credits ($0.08)"),
        (PRO, {"size": "1792x1024"}, "8 credits ($0.08)"),
        (PRO, {"size": "2560x1440"}, "8–16 credits ($0.08–$0.16)"),
        ("gpt-image-2", {}, "14 credits ($0.14)"),
        ("gpt-image-2", {"size": "1552x1024", "quality": "low"}, "2 credits ($0.02)"),
        ("gpt-image-2", {"size": "1024x1024", "quality": "hd"}, "1–14 credits ($0.01–$0.14)"),
        ("gpt-image-2", {"size": "3:2", "quality": "low"}, "1–4 credits ($0.01–$0.04)"),
        ("gpt-image-2", {"size": "4096x4096"}, "price unknown"),
        ("veo", {}, "1–12 credits a second ($0.01–$0.12)"),
        ("veo", {"size": "1920x1080", "n": 2}, "3.2–16 credits a second ($0.032–$0.16)"),
        ("veo", {"size": "1920x1080", "duration": 1.5}, "2.4–12 credits ($0.024–$0.12)"),
        ("kling", {}, "from 2.24 credits a second"),
        ("wan", {}, "from 2 credits a second"),
        ("sora-2", {"duration": 8}, "price unknown"),
        ("sora-2", {}, "price unknown"),
        ("", {}, "price unknown"),
        # Several.
        ("nano-banana", {"n": 4}, "8 credits ($0.08)"),
        ("nano-banana-2", {"n": 2, "size": "2K"}, "12 credits ($0.12)"),
        ("nano-banana-pro", {"n": 2, "size": "4K"}, "32 credits ($0.32)"),
        ("gpt-image-1.5", {"n": 3}, "from 3 credits"),
        ("kling", {"n": 2, "duration": 5}, "from 22.4 credits"),
    ],
)
def test_estimate(model, fields, price):
    assert str(estimate(model, **fields)) == price


@pytest.mark.parametrize("fields", [{"n": 0}, {"n": -1}, {"duration": 0}, {"duration": -5}, {"duration": float("nan")}])
def test_nothing_to_price(fields):
    with pytest.raises(ValueError, match="nothing to price"):
        estimate("veo", **fields)


def test_each_veo_rate_is_within_the_estimate_of_its_resolution():
    for row in MODELS["veo"].rates.values():
        for size, amount in row.items():
            price = estimate("veo", size=size, duration=1)
            assert price.low is not None
            assert price.high is not None
            assert price.low <= Decimal(amount) <= price.high


def test_the_printed_text_has_every_rate():
    for model in MODELS.values():
        amounts = {amount for row in model.rates.values() for amount in row.values()}
        assert amounts <= set(re.findall(r"[\d.]+(?![\dK]| px|p)", model.price)), model.id
        assert model.starts_at == model.price.startswith("from ")


def test_catalogue():
    assert ALIASES == {
        "nano-banana": "gemini-2.5-flash-image",
        "nano-banana-2": "gemini-3.1-flash-image-preview",
        "nano-banana-pro": "gemini-3-pro-image-preview",
    }
    assert {model.id for model in MODELS.values() if model.kind == "video"} == {"veo", "kling", "wan"}
    assert all(model.can_edit == (model.kind == "image") for model in MODELS.values())
    assert find("nano-banana") is find("gemini-2.5-flash-image") is MODELS["gemini-2.5-flash-image"]
    assert find("sora-2") is None
    assert len({hash(model) for model in MODELS.values()}) == len(MODELS)


def test_the_table_carries_its_date_and_source():
    assert "2026" in pricing.AS_OF
    assert pricing.SOURCE


# ---- prices


@pytest.mark.parametrize(
    ("price", "known", "top"),
    [
        (Price(), False, None),
        (Price.of(8), True, Decimal(8)),
        (Price.of(0), True, Decimal(0)),
        (Price.of(6, 72), True, Decimal(72)),
        (Price(Decimal(2)), True, None),
        (Price(Decimal(1), Decimal(12), per_second=True), True, None),
    ],
)
def test_what_is_known(price, known, top):
    assert (price.known, price.top) == (known, top)


@pytest.mark.parametrize(
    ("total", "text"),
    [
        (Price.of(8) + Price.of(1.6), "9.6 credits ($0.096)"),
        (Price.of(8) + Price.of(1, 12), "9–20 credits ($0.09–$0.20)"),
        (Price.of(8) + Price(Decimal(2)), "from 10 credits"),
        (Price.of(8) + Price(), "from 8 credits"),
        (Price() + Price(), "price unknown"),
        (Price.of(0) + Price(), "price unknown"),
        (Price.of(8) + estimate("veo"), "from 8 credits"),
        (estimate("wan") + estimate("wan"), "from 4 credits a second"),
        (estimate("veo") + Price(), "price unknown"),
        (Price.of(2.24) * 3, "6.72 credits ($0.0672)"),
        (3 * Price.of(0.1), "0.3 credits ($0.003)"),
        (Price() * 5, "price unknown"),
        (Price() * 0, "price unknown"),
        (sum([Price.of(8), Price.of(2), Price.of(2)]), "12 credits ($0.12)"),
        (sum([Price(), Price()]), "price unknown"),
        (Price.of(1000), "1000 credits ($10.00)"),
    ],
)
def test_arithmetic(total, text):
    assert str(total) == text


@pytest.mark.parametrize("bounds", [(None, Decimal(1)), (Decimal(2), Decimal(1)), (Decimal(-1), Decimal(1))])
def test_not_a_price(bounds):
    with pytest.raises(ValueError, match="not a price"):
        Price(*bounds)


def test_not_a_sum():
    with pytest.raises(TypeError):
        Price.of(1) + 1  # type: ignore[operator]
    with pytest.raises(TypeError):
        Price.of(1) * "2"  # type: ignore[operator]


def test_a_notebooks_decimal_context_does_not_round_money():
    with decimal.localcontext() as context:
        context.prec = 2
        assert str(estimate("kling", n=101, duration=7.5)) == "from 1696.8 credits"
        assert credits_to_dollars(1234) == Decimal("12.34")


@pytest.mark.parametrize(
    ("amount", "credits_text", "dollars"),
    [
        (0, "0 credits", "$0.00"),
        (1, "1 credit", "$0.01"),
        (1.0, "1 credit", "$0.01"),
        (1.5, "1.5 credits", "$0.015"),
        (Decimal("8.00"), "8 credits", "$0.08"),
        (10, "10 credits", "$0.10"),
        (250, "250 credits", "$2.50"),
        (Decimal("1E+3"), "1000 credits", "$10.00"),
    ],
)
def test_formats(amount, credits_text, dollars):
    assert (format_credits(amount), format_dollars(amount)) == (credits_text, dollars)


amounts = st.integers(0, 10**6).map(lambda n: Decimal(n) / 100)
prices = st.one_of(
    st.just(Price()), amounts.map(Price), st.tuples(amounts, amounts).map(lambda pair: Price(min(pair), max(pair)))
)


@given(prices, prices, prices, st.integers(1, 1000))
def test_laws(a, b, c, n):
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert n * (a + b) == n * a + n * b
    assert ((a + b).top is None) == (a.top is None or b.top is None)


@given(st.text(), st.integers(1, 9), st.none() | st.text(), st.none() | st.text(), st.none() | st.floats(0.1, 60))
def test_any_text_has_an_estimate(model, n, size, quality, duration):
    for name in (model, *MODELS):
        price = estimate(name, n=n, size=size, quality=quality, duration=duration)
        assert price.known == (name in MODELS or name in ALIASES)
        assert str(price)
