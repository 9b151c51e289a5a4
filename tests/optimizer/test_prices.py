"""Rates reproduce what genai-prices computes for a single request, for every model that it knows."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data_snapshot import get_snapshot

from carrel.optimizer.prices import PriceBook, price_thresholds
from carrel.storage.usage_figures import DAY, HALF_HOUR

AT = 1_790_000_000_000_000
BATCHES_LISTED = 20_740 * DAY
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def prices() -> PriceBook:
    return PriceBook(price_thresholds())


def band(prices: PriceBook, tokens: int) -> int:
    return sum(tokens > threshold for threshold in prices.thresholds)


def test_the_rates_of_every_model_give_the_packages_price(prices: PriceBook) -> None:
    rng, compared = random.Random(1), 0
    for provider in get_snapshot().providers:
        for model in rng.sample(provider.models, min(25, len(provider.models))):
            at = AT + rng.randrange(60) * DAY + rng.randrange(48) * HALF_HOUR
            given = rng.choice([10, 5000, 128_001, 199_999, 200_000, 200_001, 300_000])
            cached, written, batch = (
                rng.randrange(given + 1),
                rng.randrange(1000),
                at > BATCHES_LISTED and rng.random() < 0.5,
            )
            rates = prices.rates(provider.id, model.id, at=at, band=band(prices, given), batch=batch)
            if rates is None:
                continue
            expected = calc_price(
                Usage(input_tokens=given, cache_read_tokens=cached, output_tokens=written),
                model.id,
                provider_id=provider.id,
                genai_request_timestamp=EPOCH + timedelta(microseconds=at),
                price_context={"processing": "batch"} if batch else None,
            ).total_price
            found = rates.cost(uncached=given - cached, cached=cached, output=written, requests=1)
            assert found == expected, (provider.id, model.id, at, given, batch)
            compared += 1
    assert compared > 200


def test_batches_before_their_price_was_listed_have_the_same_discount(prices: PriceBook) -> None:
    listed = 20_740 * DAY  # 14 October 2026
    for at in (listed, listed - DAY, listed - 700 * DAY):
        rates, plain = (prices.rates("openai", "gpt-4.1", at=at, band=0, batch=batch) for batch in (True, False))
        assert rates is not None
        assert plain is not None
        assert (rates.input * 2, rates.output * 2, rates.cached) == (plain.input, plain.output, plain.cached)


def test_storing_in_a_cache_costs_extra_where_the_provider_says_so(prices: PriceBook) -> None:
    opus = prices.rates("anthropic", "claude-opus-5", at=AT, band=0)
    gpt = prices.rates("openai", "gpt-4o", at=AT, band=0)
    assert opus is not None
    assert gpt is not None
    assert (opus.write, gpt.write) == (Decimal("0.00000125"), Decimal(0))


def test_what_is_not_known_has_no_price(prices: PriceBook) -> None:
    assert prices.rates("openai", "gpt-99-ultra-unknown", at=AT, band=0) is None
    assert prices.rates("my-gateway", "gpt-4o", at=AT, band=0) is None
    assert prices.rates("openai", "whisper-1", at=AT, band=0) is None
    assert (prices.model_id("openai", "no such"), prices.provider_of("house-llm")) == (None, None)
    assert (prices.context_window("", "house-llm"), prices.is_retired("", "house-llm")) == (None, False)
    assert (prices.has_batch_price("", "house-llm"), prices.slot("", "house-llm")) == (False, DAY)


def test_models_are_known_by_dated_names_and_through_resellers(prices: PriceBook) -> None:
    assert prices.model_id("openai", "gpt-4o-2024-08-06") == "gpt-4o"
    assert prices.provider_of("claude-opus-5") == "anthropic"
    assert prices.rates("azure", "gpt-4o", at=AT, band=0) == prices.rates("openai", "gpt-4o", at=AT, band=0)


def test_what_is_known_about_a_model(prices: PriceBook) -> None:
    assert prices.context_window("openai", "gpt-4o") == 128_000
    assert prices.has_batch_price("openai", "gpt-4o")
    assert not prices.has_batch_price("anthropic", "claude-opus-4-1")
    assert prices.is_retired("google", "gemini-2.0-flash")
    assert prices.slot("deepseek", "deepseek-v4-pro") == HALF_HOUR
    assert prices.slot("google", "gemini-3.8-flash") == DAY


def test_thresholds_ascend_and_hold_every_tier() -> None:
    thresholds = price_thresholds()
    assert list(thresholds) == sorted(set(thresholds))
    assert {200_000, 272_000} <= set(thresholds)
