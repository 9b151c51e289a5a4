"""Caps are offered where a few answers hold much of the output, and nowhere else."""

from __future__ import annotations

from tests.optimizer.savings.evidence import Find, some


def runs_on(number: int) -> int:
    return 5000 if number % 25 == 0 else 200


async def test_a_heavy_tail_is_capped_at_the_95th_percentile(find: Find) -> None:
    (action,) = await find("caps", some(100, output_tokens=runs_on))
    assert action["title"] == "Cap answers at 200 output tokens"
    # Four answers of 5,000 tokens become 200 each, at $10 for a million.
    assert action["saved_usd"] == 4 * 4800 * 10 / 1_000_000
    assert "49%" in action["because"]


async def test_even_answers_are_not_capped(find: Find) -> None:
    assert await find("caps", some(100, output_tokens=lambda number: 200 + number)) == []


async def test_few_records_say_nothing_about_a_tail(find: Find) -> None:
    assert await find("caps", some(30, output_tokens=runs_on)) == []


async def test_rows_that_stand_for_several_requests_say_nothing_about_a_tail(find: Find) -> None:
    assert await find("caps", some(100, output_tokens=runs_on, requests=2)) == []
