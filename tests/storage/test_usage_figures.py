"""Sums, percentiles and cache hits, compared with plain Python over the same records."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise

import pytest

from carrel.context import RequestId, UserContext, UserId, ambient_context, new_id
from carrel.errors import IsolationError
from carrel.storage.database import Database
from carrel.storage.usage import UsageRecord, UsageStore
from carrel.storage.usage_figures import DAY, HALF_HOUR, GroupKey, UsageFigures, UsageScope, day_of, first_moment

START = 1_790_000_000_000_000
THRESHOLDS = (500, 2000)


def user(user_id: str = "ada") -> UserContext:
    return UserContext(user_id=UserId(user_id), request_id=RequestId(new_id()))


def make(seed: int, count: int = 400) -> list[UsageRecord]:
    rng = random.Random(seed)
    return [
        UsageRecord(
            time=START + rng.randrange(5 * DAY),
            provider=rng.choice(["openai", "azure"]),
            model=rng.choice(["gpt-4o", "gpt-5"]),
            input_tokens=(given := rng.randrange(1, 5000)),
            output_tokens=rng.randrange(1000),
            cached_input_tokens=rng.randrange(given),
            tag=rng.choice(["bot", "docs", ""]),
            requests=rng.choice([1, 1, 1, 4]),
            batch=rng.random() < 0.2,
            cost=rng.choice([None, rng.randrange(10**9)]),
        )
        for _ in range(count)
    ]


RECORDS = make(1)


@pytest.fixture
async def figures(database: Database) -> UsageFigures:
    store = UsageStore(database)
    for name, records in (("ada", RECORDS), ("eve", make(2))):
        await store.create_import(user(name), "i1", "x")
        await store.add_records(user(name), "i1", records, rows_read=len(records))
        await store.finish_import(user(name), "i1")
    return UsageFigures(database)


def group(record: UsageRecord) -> GroupKey:
    return GroupKey(record.provider, record.model, record.tag)


@pytest.mark.parametrize("slot", [DAY, HALF_HOUR])
async def test_cells_add_up_records_that_a_price_cannot_tell_apart(figures: UsageFigures, slot: int) -> None:
    expected: dict[tuple[object, ...], Counter[str]] = defaultdict(Counter)
    longest: dict[tuple[object, ...], int] = defaultdict(int)
    for record in RECORDS:
        band = sum(record.input_tokens > threshold * record.requests for threshold in THRESHOLDS)
        key = (*group(record), record.time - record.time % slot, band, record.batch, record.cost is not None)
        expected[key].update(
            records=1,
            requests=record.requests,
            input=record.input_tokens,
            cached=record.cached_input_tokens,
            output=record.output_tokens,
            cost=record.cost or 0,
            extra=max(0, record.output_tokens - 600 * record.requests),
        )
        longest[key] = max(longest[key], record.input_tokens // record.requests)
    cells = await figures.cells(user(), UsageScope(), thresholds=THRESHOLDS, slot=slot, output_over=600)
    assert len(cells) == len(expected)
    for cell in cells:
        key, sums = cell[:7], expected[cell[:7]]
        assert cell[7:13] == tuple(sums[name] for name in ("records", "requests", "input", "cached", "output", "cost"))
        assert (cell.longest_input, cell.extra) == (longest[key], sums["extra"])
        assert cell.group == GroupKey(*cell[:3])


@pytest.mark.parametrize(
    "scope",
    [
        UsageScope(),
        UsageScope(model="gpt-4o"),
        UsageScope(provider="azure", tag=""),
        UsageScope(since=START + DAY, until=START + 2 * DAY),
        UsageScope(tag="bot", model="gpt-5", since=START + 3 * DAY),
        UsageScope(model="no such"),
    ],
)
async def test_a_scope_is_exactly_its_records(figures: UsageFigures, scope: UsageScope) -> None:
    inside = [
        record
        for record in RECORDS
        if (scope.since is None or record.time >= scope.since)
        and (scope.until is None or record.time < scope.until)
        and scope.model in (None, record.model)
        and scope.provider in (None, record.provider)
        and scope.tag in (None, record.tag)
    ]
    extent = await figures.extent(user(), scope)
    assert (extent.records, dict(extent.groups)) == (len(inside), Counter(map(group, inside)))
    if inside:
        times = [record.time for record in inside]
        assert (extent.first, extent.last) == (min(times), max(times))


async def test_percentiles_are_nearest_rank(figures: UsageFigures) -> None:
    groups = defaultdict(list)
    for record in RECORDS:
        groups[group(record)].append(record)

    def rank(values: list[int], percent: int) -> int:
        return sorted(values)[-(-len(values) * percent // 100) - 1]

    spreads = await figures.spreads(user(), UsageScope())
    assert {spread.group for spread in spreads} == set(groups)
    for spread in spreads:
        some = groups[spread.group]
        given, written = [one.input_tokens for one in some], [one.output_tokens for one in some]
        assert (spread.records, spread.requests) == (len(some), sum(one.requests for one in some))
        assert (spread.low_input, spread.median_input) == (rank(given, 5), rank(given, 50))
        assert (spread.median_output, spread.high_output) == (rank(written, 50), rank(written, 95))


async def test_what_a_cache_would_have_held_depends_on_the_request_before(figures: UsageFigures) -> None:
    window, shared = HALF_HOUR, 1500
    some = sorted(
        (record for record in RECORDS if group(record) == ("openai", "gpt-4o", "bot")), key=lambda one: one.time
    )
    warm = {id(after) for before, after in pairwise(some) if after.time - before.time <= window}
    missing = {id(one): max(0, min(shared, one.input_tokens) - one.cached_input_tokens) for one in some}
    cells = await figures.warm(
        user(), UsageScope(provider="openai", model="gpt-4o", tag="bot"), shared=shared, window=window, thresholds=()
    )
    assert 0 < len(warm) < len(some)
    assert sum(cell.cacheable for cell in cells) == sum(missing[one] for one in warm)
    assert sum(cell.stored for cell in cells) == sum(missing[one] for one in missing.keys() - warm)
    assert sum(cell.late for cell in cells) == len(some) - len(warm)


async def test_hours_are_of_the_day_in_utc(figures: UsageFigures) -> None:
    requests: Counter[tuple[GroupKey, int]] = Counter()
    days = defaultdict(set)
    for record in RECORDS:
        key = group(record), record.time // 3_600_000_000 % 24
        requests[key] += record.requests
        days[key].add(record.time // DAY)
    found = {(key, hour): (count, on_days) for key, hour, count, on_days in await figures.hours(user(), UsageScope())}
    assert found == {key: (requests[key], len(days[key])) for key in requests}


async def test_another_users_records_are_in_no_sum(figures: UsageFigures) -> None:
    assert (await figures.extent(user("eve"))).records == 400
    assert (await figures.extent(user("nobody"))).records == 0
    assert await figures.cells(user("nobody"), UsageScope(), thresholds=()) == []
    mine = await figures.cells(user(), UsageScope(), thresholds=())
    assert sum(cell.input_tokens for cell in mine) == sum(record.input_tokens for record in RECORDS)
    with ambient_context(user("eve")), pytest.raises(IsolationError):
        await figures.extent(user("ada"))


def test_days_and_moments() -> None:
    assert day_of(20_731 * DAY + DAY - 1) == date(2026, 10, 5)
    assert first_moment(date(2026, 10, 5)) == 20_731 * DAY
