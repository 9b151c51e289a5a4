"""Every figure is compared with an independent computation, record by record."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

from carrel.errors import InputError
from carrel.optimizer.analysis import UsageAnalysis, scope_of
from carrel.optimizer.reference import ReferenceData
from carrel.storage.usage import UsageRecord
from carrel.storage.usage_figures import UsageFigures
from tests.optimizer import independent
from tests.optimizer.conftest import EXAMPLE, Fill, user

EVERYTHING = scope_of()


RECORDS = independent.read()


@pytest.fixture
def analysis(example_figures: UsageFigures, reference: ReferenceData) -> UsageAnalysis:
    return UsageAnalysis(example_figures, user(), reference)


def near(amount: Decimal) -> object:
    return pytest.approx(float(amount), abs=2e-6)


async def test_totals_are_those_of_the_file(analysis: UsageAnalysis) -> None:
    found = await analysis.overview(EVERYTHING)
    assert found["records"] == len(RECORDS)
    assert found["input_tokens"] == sum(record.input for record in RECORDS)
    assert found["cached_input_tokens"] == sum(record.cached for record in RECORDS)
    assert found["output_tokens"] == sum(record.output for record in RECORDS)
    assert found["cost_usd"] == near(independent.total(RECORDS))
    assert (found["first_day"], found["last_day"], found["days"]) == ("2026-10-02", "2026-10-31", 30)


async def test_models_without_a_price_are_named_and_in_no_amount(analysis: UsageAnalysis) -> None:
    found = await analysis.overview(EVERYTHING)
    own = [record for record in RECORDS if record.model == "house-llm-13b"]
    assert [(one["model"], one["records"]) for one in found["unpriced"]] == [("house-llm-13b", len(own))]
    assert found["priced_records"] == len(RECORDS) - len(own)


@pytest.mark.parametrize("by", ["model", "day", "tag"])
async def test_every_row_of_a_breakdown_is_recomputable(analysis: UsageAnalysis, by: str) -> None:
    groups = defaultdict(list)
    for record in RECORDS:
        groups[record.time.date().isoformat() if by == "day" else getattr(record, by)].append(record)
    found = await analysis.breakdown(EVERYTHING, by)  # type: ignore[arg-type]
    assert {row["key"] for row in found["rows"]} == set(groups)
    for row in found["rows"]:
        some = groups[row["key"]]
        assert row["cost_usd"] == near(independent.total(some))
        assert (row["requests"], row["output_tokens"]) == (len(some), sum(record.output for record in some))
    assert sum(row["share"] for row in found["rows"]) == pytest.approx(1, abs=1e-4)


async def test_kinds_of_tokens_add_up_to_the_whole_cost(analysis: UsageAnalysis) -> None:
    rows = {row["key"]: row for row in (await analysis.breakdown(EVERYTHING, "token_kind"))["rows"]}
    from dataclasses import replace

    without_output = [replace(record, output=0) for record in RECORDS]
    assert rows["output"]["cost_usd"] == near(independent.total(RECORDS) - independent.total(without_output))
    assert sum(row["cost_usd"] for row in rows.values()) == near(independent.total(RECORDS))
    assert rows["cached input"]["tokens"] == sum(record.cached for record in RECORDS)


async def test_a_scope_is_of_whole_days_a_model_and_a_tag(analysis: UsageAnalysis) -> None:
    scope = scope_of(date(2026, 10, 10), date(2026, 10, 12), "gpt-5.4", "summariser")
    some = [
        record
        for record in RECORDS
        if (record.model, record.tag) == ("gpt-5.4", "summariser")
        and date(2026, 10, 10) <= record.time.date() <= date(2026, 10, 12)
    ]
    found = await analysis.overview(scope)
    assert some
    assert (found["records"], found["cost_usd"]) == (len(some), near(independent.total(some)))


async def test_savings_are_those_of_a_computation_record_by_record(analysis: UsageAnalysis) -> None:
    expected = independent.savings(RECORDS)
    found = await analysis.savings(EVERYTHING)
    assert [(one["strategy"], one["model"], one["tag"]) for one in found["actions"]] == [
        (one.strategy, one.model, one.tag) for one in expected
    ]
    for one, other in zip(found["actions"], expected, strict=True):
        assert one["saved_usd"] == near(other.saved)
    assert found["saved_usd"] == near(sum((one.saved for one in expected), Decimal(0)))
    assert {one.strategy for one in expected} == {"caps", "switch", "batch", "caching"}


@pytest.mark.parametrize("strategy", ["caps", "switch", "batch", "caching"])
async def test_each_way_to_save_is_right_when_it_is_the_only_one(analysis: UsageAnalysis, strategy: str) -> None:
    expected = independent.savings(RECORDS, (strategy,))
    found = await analysis.savings(EVERYTHING, (strategy,))
    assert [one["saved_usd"] for one in found["actions"]] == [near(one.saved) for one in expected]


async def test_nothing_is_counted_twice(analysis: UsageAnalysis) -> None:
    found = await analysis.savings(EVERYTHING)
    assert found["saved_usd"] == pytest.approx(sum(one["saved_usd"] for one in found["actions"]), abs=1e-5)
    alone = 0.0
    for strategy in ("caps", "switch", "batch", "caching"):
        alone += (await analysis.savings(EVERYTHING, (strategy,)))["saved_usd"]
    assert found["saved_usd"] <= found["spent_usd"]
    assert found["saved_usd"] != pytest.approx(alone)


async def test_a_month_is_thirty_days_at_the_pace_of_the_records(analysis: UsageAnalysis) -> None:
    ten_days = scope_of(date(2026, 10, 2), date(2026, 10, 11))
    found = await analysis.savings(ten_days)
    assert found["days"] == 10
    assert found["spent_month_usd"] == pytest.approx(3 * found["spent_usd"], abs=1e-5)
    assert found["saved_month_usd"] == pytest.approx(3 * found["saved_usd"], abs=1e-5)


async def test_what_a_move_would_have_cost_is_recomputable(analysis: UsageAnalysis) -> None:
    from dataclasses import replace

    some = [record for record in RECORDS if record.model == "claude-opus-5"]
    other = [replace(record, model="gpt-4o-mini", provider="openai") for record in some]
    found = await analysis.move(EVERYTHING, "claude-opus-5", "gpt-4o-mini")
    assert found["before_usd"] == near(independent.total(some))
    assert found["after_usd"] == near(independent.total(other))
    assert found["saved_usd"] == near(independent.total(some) - independent.total(other))
    assert (found["fits"], found["longest_input"]) == (True, max(record.input for record in some))


@pytest.mark.parametrize(
    ("source", "target", "problem"),
    [
        ("gpt-9", "gpt-4o", "no records of 'gpt-9'"),
        ("claude-opus-5", "foo-1", "no list price is known for 'foo-1'"),
        ("house-llm-13b", "gpt-4o", "no list price is known for 'house-llm-13b'"),
    ],
)
async def test_a_move_that_cannot_be_priced_is_refused(
    analysis: UsageAnalysis, source: str, target: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        await analysis.move(EVERYTHING, source, target)


async def test_a_change_is_explained_by_the_two_weeks_before_the_newest_day(analysis: UsageAnalysis) -> None:
    found = await analysis.change(EVERYTHING)

    def week(first: date, last: date) -> Decimal:
        return independent.total(record for record in RECORDS if first <= record.time.date() <= last)

    total = found["total"]
    assert total["before_usd"] == near(week(date(2026, 10, 18), date(2026, 10, 24)))
    assert total["after_usd"] == near(week(date(2026, 10, 25), date(2026, 10, 31)))
    assert total["volume_usd"] + total["mix_usd"] == pytest.approx(total["change_usd"], abs=2e-6)
    assert sum(one["change_usd"] for one in found["groups"]) == pytest.approx(total["change_usd"], abs=1e-5)


async def test_one_day_cannot_be_compared(analysis: UsageAnalysis) -> None:
    with pytest.raises(InputError, match="two days or more"):
        await analysis.change(scope_of(date(2026, 10, 4), date(2026, 10, 4)))


async def test_an_empty_scope_gives_zeros(analysis: UsageAnalysis) -> None:
    nothing = scope_of(date(2020, 1, 1), date(2020, 1, 2))
    found = await analysis.overview(nothing)
    assert (found["records"], found["cost_usd"], found["first_day"]) == (0, 0.0, None)
    saved = await analysis.savings(nothing)
    assert (saved["saved_usd"], saved["actions"], saved["days"]) == (0.0, [], 0)
    assert (await analysis.breakdown(nothing, "tag"))["rows"] == []


async def test_another_users_records_change_no_figure(
    figures: UsageFigures, fill: Fill, reference: ReferenceData
) -> None:
    await fill(EXAMPLE[:500])
    ada = UsageAnalysis(figures, user("ada"), reference)
    before = [await ada.summary(EVERYTHING), await ada.savings(EVERYTHING)]
    await fill(EXAMPLE[500:1500], "eve")
    assert [await ada.summary(EVERYTHING), await ada.savings(EVERYTHING)] == before
    eve = await UsageAnalysis(figures, user("eve"), reference).overview(EVERYTHING)
    assert eve["records"] == 1000


async def test_what_a_record_says_it_cost_wins_and_keeps_its_discount(
    figures: UsageFigures, fill: Fill, reference: ReferenceData
) -> None:
    half = [
        record._replace(cost=int(independent.cost(other) / 2 * 10**9))  # type: ignore[operator]
        for record, other in zip(EXAMPLE, RECORDS, strict=True)
        if record.model == "claude-opus-5"
    ]
    await fill(half)
    analysis = UsageAnalysis(figures, user(), reference)
    listed = independent.total(record for record in RECORDS if record.model == "claude-opus-5")
    assert (await analysis.overview(EVERYTHING))["cost_usd"] == pytest.approx(float(listed) / 2, abs=1e-4)
    moved = await analysis.move(EVERYTHING, "claude-opus-5", "claude-haiku-4-5")
    assert moved["saved_share"] == pytest.approx(0.8, abs=1e-4)
    assert moved["after_usd"] == pytest.approx(float(listed) / 10, abs=1e-4)
    kinds = (await analysis.breakdown(EVERYTHING, "token_kind"))["rows"]
    assert sum(row["cost_usd"] for row in kinds) == pytest.approx(float(listed) / 2, abs=1e-4)


async def test_a_price_that_changes_during_the_day_is_applied_by_the_half_hour(
    figures: UsageFigures, fill: Fill, reference: ReferenceData
) -> None:
    from datetime import UTC, datetime

    from genai_prices import Usage, calc_price

    moments = [datetime(2026, 10, 5, hour, 10, tzinfo=UTC) for hour in range(24)]
    await fill(
        [
            UsageRecord(int(moment.timestamp()) * 10**6, "deepseek", "deepseek-v4-pro", 10**6, 10**5)
            for moment in moments
        ]
    )
    expected = sum(
        calc_price(
            Usage(input_tokens=10**6, output_tokens=10**5), "deepseek-v4-pro", provider_id="deepseek",
            genai_request_timestamp=moment,
        ).total_price
        for moment in moments
    )  # fmt: skip
    found = await UsageAnalysis(figures, user(), reference).overview(EVERYTHING)
    assert found["cost_usd"] == near(Decimal(expected))
