"""A model is only replaced by a later one of its class that is cheaper and takes its inputs."""

from __future__ import annotations

from tests.optimizer.savings.evidence import Find, some


async def test_the_cheapest_later_model_of_the_class(find: Find) -> None:
    (action,) = await find("switch", some(10, model="gpt-4o"))
    assert (action["target"], action["tag"]) == ("gpt-4.1", None)
    # 5,000 input tokens at $2.50 instead of $2, 1,000 output tokens at $10 instead of $8.
    assert action["saved_usd"] == (5000 * 0.5 + 1000 * 2) / 1_000_000


async def test_the_newest_model_of_a_class_stays(find: Find) -> None:
    assert await find("switch", some(10, model="gpt-4.1")) == []


async def test_a_model_without_a_class_or_a_price_stays(find: Find) -> None:
    records = some(10, model="house-llm", provider="unknown") + some(10, model="codestral", provider="mistral")
    assert await find("switch", records) == []


async def test_a_model_that_does_not_take_the_longest_input_is_no_choice(find: Find) -> None:
    # Later models of the line take at most 1,050,000 tokens.
    assert await find("switch", some(10, model="gpt-5.4", input_tokens=2_000_000)) == []


async def test_a_dated_name_is_known_by_its_model(find: Find) -> None:
    (action,) = await find("switch", some(10, model="gpt-4o-2024-08-06"))
    assert action["title"] == "Move gpt-4o-2024-08-06 to gpt-4.1"


async def test_every_tag_of_a_model_moves_with_it(find: Find) -> None:
    (action,) = await find("switch", some(10, tag="a") + some(10, tag="b"))
    assert action["saved_usd"] == 2 * (5000 * 0.5 + 1000 * 2) / 1_000_000
