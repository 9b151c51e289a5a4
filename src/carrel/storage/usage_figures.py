"""Sums over a user's usage records, computed by the database in whole numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select
from sqlalchemy.sql.selectable import Subquery

from carrel.context import UserContext
from carrel.storage.database import Database
from carrel.storage.schema.usage import usage_records
from carrel.storage.usage import visible_records

__all__ = [
    "DAY",
    "HALF_HOUR",
    "GroupKey",
    "Spread",
    "UsageCell",
    "UsageExtent",
    "UsageFigures",
    "UsageScope",
    "WarmCell",
    "day_of",
    "first_moment",
]

DAY: Final = 86_400_000_000
"""Microseconds."""
HALF_HOUR: Final = 1_800_000_000
"""Microseconds."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_r: Final = usage_records.c


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageScope:
    """Which records are meant; None means all of them."""

    since: int | None = None
    """Microseconds since 1970 UTC, included."""
    until: int | None = None
    """Microseconds since 1970 UTC, not included."""
    model: str | None = None
    provider: str | None = None
    tag: str | None = None
    """The empty string is: without a tag."""


class GroupKey(NamedTuple):
    """What people reason about: one use of one model."""

    provider: str
    model: str
    tag: str


class UsageCell(NamedTuple):
    """Records that have everything in common that a price can depend on, added up."""

    provider: str
    model: str
    tag: str
    slot: int
    """When, in microseconds since 1970 UTC: the beginning of the day or half-hour."""
    band: int
    """How many of the given thresholds the input of a request is above."""
    batch: bool
    own_cost: bool
    """Whether the records say themselves what they cost."""
    records: int
    requests: int
    input_tokens: int
    cached_input_tokens: int
    output_tokens: int
    cost: int
    """Nano-dollars; 0 unless `own_cost`."""
    longest_input: int
    """Input tokens of the longest request."""
    extra: int = 0
    """What was asked for beside the sums."""

    @property
    def group(self) -> GroupKey:
        """The use of a model that the cell belongs to."""
        return GroupKey(self.provider, self.model, self.tag)


class WarmCell(NamedTuple):
    """What a shared beginning of the prompts would have done in one cell."""

    slot: int
    band: int
    batch: bool
    own_cost: bool
    cacheable: int
    """Input tokens that were sent again while a cache would still have held them, and that were not cached."""
    stored: int
    """Input tokens that would have been stored, by requests that came too late to find them in the cache."""
    late: int
    """The number of those requests."""


class Spread(NamedTuple):
    """How the records of one group are distributed; percentiles are nearest-rank."""

    group: GroupKey
    records: int
    requests: int
    low_input: int
    """The 5th percentile of input tokens."""
    median_input: int
    median_output: int
    high_output: int
    """The 95th percentile of output tokens."""


class UsageExtent(NamedTuple):
    """What there is to reason about."""

    records: int
    first: int
    """Microseconds since 1970 UTC."""
    last: int
    groups: tuple[tuple[GroupKey, int], ...]
    """Each use of a model and its number of records, most first."""


class UsageFigures:
    """Answers questions about the visible records of the user that the context names, and of nobody else."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def extent(self, context: UserContext, scope: UsageScope | None = None) -> UsageExtent:
        """Number, time span and groups of the records in `scope`."""
        count = func.count()
        query = (
            select(_r.provider, _r.model, _r.tag, count, func.min(_r.time), func.max(_r.time))
            .where(_within(context, scope or UsageScope()))
            .group_by(_r.provider, _r.model, _r.tag)
            .order_by(count.desc(), _r.provider, _r.model, _r.tag)
        )
        rows = await self._rows(query)
        groups = tuple((GroupKey(*row[:3]), int(row[3])) for row in rows)
        return UsageExtent(
            sum(records for _, records in groups),
            min((row[4] for row in rows), default=0),
            max((row[5] for row in rows), default=0),
            groups,
        )

    async def cells(
        self,
        context: UserContext,
        scope: UsageScope,
        *,
        thresholds: Sequence[int],
        slot: int = DAY,
        output_over: int | None = None,
    ) -> Sequence[UsageCell]:
        """Sums by everything that a price can depend on, in a fixed order.

        `thresholds` are input tokens of one request at which some price changes; `slot` is `DAY` or `HALF_HOUR`. With
        `output_over`, `extra` is the output tokens above that many in each request.
        """
        keys = (_r.provider, _r.model, _r.tag, *_price_keys(thresholds, slot))
        extra: ColumnElement[int] = literal(0)
        if output_over is not None:
            over = _r.output_tokens - output_over * _r.requests
            extra = func.sum(case((over > 0, over), else_=0))
        query = (
            select(
                *keys,
                func.count(),
                func.sum(_r.requests),
                func.sum(_r.input_tokens),
                func.sum(_r.cached_input_tokens),
                func.sum(_r.output_tokens),
                func.coalesce(func.sum(_r.cost), 0),
                func.max(_r.input_tokens // _r.requests),
                extra,
            )
            .where(_within(context, scope))
            .group_by(*keys)
            .order_by(*keys)
        )
        return [_cell(row) for row in await self._rows(query)]

    async def spreads(self, context: UserContext, scope: UsageScope) -> Sequence[Spread]:
        """How input and output are distributed in every group, in a fixed order."""
        group = (_r.provider, _r.model, _r.tag)

        def ranked(column: Any) -> ColumnElement[int]:
            return func.row_number().over(partition_by=group, order_by=column)

        table = (
            select(
                *group,
                _r.requests,
                _r.input_tokens,
                _r.output_tokens,
                ranked(_r.input_tokens).label("by_input"),
                ranked(_r.output_tokens).label("by_output"),
                func.count().over(partition_by=group).label("records"),
            )
            .where(_within(context, scope))
            .subquery()
        )
        names = (table.c.provider, table.c.model, table.c.tag)
        query = (
            select(
                *names,
                func.count(),
                func.sum(table.c.requests),
                _percentile(table, "input", 5),
                _percentile(table, "input", 50),
                _percentile(table, "output", 50),
                _percentile(table, "output", 95),
            )
            .group_by(*names)
            .order_by(*names)
        )
        return [Spread(GroupKey(*row[:3]), *row[3:]) for row in await self._rows(query)]

    async def warm(
        self,
        context: UserContext,
        scope: UsageScope,
        *,
        shared: int,
        window: int,
        thresholds: Sequence[int],
        slot: int = DAY,
    ) -> Sequence[WarmCell]:
        """What it would have done if the first `shared` input tokens of every request in `scope` were the same.

        A cache holds them for `window` microseconds after each request.
        """
        previous = func.lag(_r.time).over(order_by=(_r.time, _r.import_number, _r.number))
        reach: ColumnElement[int] = case((_r.input_tokens > shared, shared), else_=_r.input_tokens)
        table = (
            select(
                *_price_keys(thresholds, slot),
                case((reach > _r.cached_input_tokens, reach - _r.cached_input_tokens), else_=0).label("uncached"),
                case((_r.time - previous <= window, 1), else_=0).label("warm"),
            )
            .where(_within(context, scope))
            .subquery()
        )
        keys = (table.c.slot, table.c.band, table.c.batch, table.c.own_cost)
        late = 1 - table.c.warm
        sums = (func.sum(table.c.uncached * table.c.warm), func.sum(table.c.uncached * late), func.sum(late))
        query = select(*keys, *sums).group_by(*keys).order_by(*keys)
        return [WarmCell(row[0], row[1], bool(row[2]), bool(row[3]), *row[4:]) for row in await self._rows(query)]

    async def hours(self, context: UserContext, scope: UsageScope) -> Sequence[tuple[GroupKey, int, int, int]]:
        """Of every group and hour of the day (UTC): requests, and on how many days."""
        keys = (_r.provider, _r.model, _r.tag, (_r.time // (2 * HALF_HOUR)) % 24)
        days = func.count((_r.time // DAY).distinct())
        query = (
            select(*keys, func.sum(_r.requests), days).where(_within(context, scope)).group_by(*keys).order_by(*keys)
        )
        return [(GroupKey(*row[:3]), row[3], row[4], row[5]) for row in await self._rows(query)]

    async def _rows(self, query: Select[Any]) -> Sequence[Any]:
        return await self._database.read(lambda connection: connection.execute(query).all())


def day_of(moment: int) -> date:
    """The day, in UTC, of a time in microseconds since 1970."""
    return (_EPOCH + timedelta(days=moment // DAY)).date()


def first_moment(day: date) -> int:
    """The beginning of a day, in UTC, in microseconds since 1970."""
    return (datetime(day.year, day.month, day.day, tzinfo=UTC) - _EPOCH).days * DAY


def _within(context: UserContext, scope: UsageScope) -> ColumnElement[bool]:
    conditions = [visible_records(context)]
    if scope.since is not None:
        conditions.append(_r.time >= scope.since)
    if scope.until is not None:
        conditions.append(_r.time < scope.until)
    for column, value in ((_r.model, scope.model), (_r.provider, scope.provider), (_r.tag, scope.tag)):
        if value is not None:
            conditions.append(column == value)
    return and_(*conditions)


def _price_keys(thresholds: Sequence[int], slot: int) -> tuple[ColumnElement[Any], ...]:
    band: ColumnElement[int] = literal(0)
    for threshold in thresholds:
        band = band + case((_r.input_tokens > threshold * _r.requests, 1), else_=0)
    return (
        (_r.time - _r.time % slot).label("slot"),
        band.label("band"),
        _r.batch.label("batch"),
        _r.cost.is_not(None).label("own_cost"),
    )


def _percentile(table: Subquery, kind: str, percent: int) -> ColumnElement[int]:
    rank = (table.c.records * percent + 99) // 100
    value = table.c[f"{kind}_tokens"]
    return func.max(case((table.c[f"by_{kind}"] == rank, value)))


def _cell(row: Any) -> UsageCell:
    provider, model, tag, slot, band, batch, own_cost, *sums = row
    return UsageCell(provider, model, tag, slot, band, bool(batch), bool(own_cost), *sums)
