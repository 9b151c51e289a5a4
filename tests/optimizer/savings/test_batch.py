"""What nobody waits for is known by its tag or by its hours."""

from __future__ import annotations

import pytest

from carrel.storage.usage import UsageRecord
from carrel.storage.usage_figures import DAY
from tests.optimizer.savings.evidence import MIDNIGHT, MINUTE, Find, some

HALF_PRICE = (5000 * 1.25 + 1000 * 5) / 1_000_000


def nightly(days: int, each: int = 20) -> list[UsageRecord]:
    return [one for day in range(days) for one in some(each, every=MINUTE, start=MIDNIGHT + day * DAY + 120 * MINUTE)]


@pytest.mark.parametrize("tag", ["nightly-report", "batch", "eval_suite", "Backfill 2026", "weekly digest"])
async def test_a_tag_that_says_so(find: Find, tag: str) -> None:
    (action,) = await find("batch", some(10, tag=tag))
    assert action["saved_usd"] == pytest.approx(HALF_PRICE)
    assert tag in action["because"]


@pytest.mark.parametrize("tag", ["support-bot", "retrieval", "evaluator", "batchelor", ""])
async def test_a_tag_that_does_not(find: Find, tag: str) -> None:
    assert await find("batch", some(10, tag=tag)) == []


async def test_requests_at_the_same_hours_every_day(find: Find) -> None:
    (action,) = await find("batch", nightly(3))
    assert "100% of its 60 requests come between" in action["because"]


async def test_requests_on_two_days_only_are_no_pattern(find: Find) -> None:
    assert await find("batch", nightly(2, 40)) == []


async def test_requests_all_day_long_are_no_pattern(find: Find) -> None:
    assert await find("batch", some(400, every=15 * MINUTE)) == []


async def test_buckets_of_a_day_are_no_pattern(find: Find) -> None:
    assert await find("batch", some(60, every=DAY, requests=30)) == []


async def test_what_is_batched_already_is_not_batched_again(find: Find) -> None:
    assert await find("batch", some(10, tag="nightly", batch=True)) == []


async def test_a_model_without_a_published_batch_price_saves_nothing(find: Find) -> None:
    assert await find("batch", some(10, tag="nightly", model="claude-opus-4-1", provider="anthropic")) == []
