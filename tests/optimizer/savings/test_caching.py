"""Long prompts with a shared beginning are cached where they come close together."""

from __future__ import annotations

from typing import Any

from tests.optimizer.savings.evidence import MINUTE, Find, some

LONG: dict[str, Any] = {"input_tokens": lambda number: 5000 + number, "every": MINUTE}


async def test_long_prompts_that_come_close_together(find: Find) -> None:
    (action,) = await find("caching", some(100, **LONG))
    shared = 5004 * 80 // 100
    assert action["title"] == f"Cache the first {shared:,} tokens of the prompt"
    # All but the first read them for half of $2.50 for a million.
    assert action["saved_usd"] == round(99 * shared * 1.25 / 1_000_000, 6)
    assert "99 requests follow another" in action["because"]


async def test_storing_is_charged_where_the_provider_charges_for_it(find: Find) -> None:
    (action,) = await find("caching", some(100, model="claude-opus-5", provider="anthropic", **LONG))
    shared = 5004 * 80 // 100
    # Reads cost a tenth of $5, the one that stores costs a quarter more.
    assert action["saved_usd"] == round((99 * shared * 4.5 - shared * 1.25) / 1_000_000, 6)


async def test_requests_that_are_far_apart_find_nothing_in_the_cache(find: Find) -> None:
    assert await find("caching", some(100, input_tokens=5000, every=6 * MINUTE)) == []


async def test_short_prompts_cannot_be_cached(find: Find) -> None:
    assert await find("caching", some(100, input_tokens=1200, every=MINUTE)) == []


async def test_prompts_of_very_different_length_have_little_in_common(find: Find) -> None:
    records = some(100, input_tokens=lambda number: 2000 if number % 10 == 0 else 9000, every=MINUTE)
    assert await find("caching", records) == []


async def test_what_is_cached_already_is_left_alone(find: Find) -> None:
    assert await find("caching", some(100, cached_input_tokens=2000, **LONG)) == []


async def test_few_records_and_buckets_say_nothing(find: Find) -> None:
    assert await find("caching", some(15, **LONG) + some(100, requests=3, tag="buckets", **LONG)) == []


async def test_batched_requests_are_not_cached(find: Find) -> None:
    assert await find("caching", some(100, batch=True, **LONG)) == []
