"""Questions about one user's usage, answered from the store with list prices."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final, get_args

from carrel.context import UserContext
from carrel.errors import InputError
from carrel.optimizer.figures import Dimension, breakdown, comparison, totals, unpriced
from carrel.optimizer.ledger import Lot, Money, make_lots, total_cost, usd
from carrel.optimizer.prices import PriceBook
from carrel.optimizer.reference import ReferenceData
from carrel.optimizer.savings.caching import CACHE_MICROSECONDS
from carrel.optimizer.savings.evidence import Evidence
from carrel.optimizer.savings.plan import STRATEGIES, PlannedAction, make_plan
from carrel.optimizer.savings.switch import move_lots
from carrel.storage.usage_figures import (
    DAY,
    GroupKey,
    UsageCell,
    UsageExtent,
    UsageFigures,
    UsageScope,
    WarmCell,
    day_of,
    first_moment,
)

__all__ = ["DAYS_OF_A_MONTH", "UsageAnalysis", "scope_of"]

DAYS_OF_A_MONTH: Final = 30
"""A projection to a month is the amount per day of the records, thirty times."""
MOST_ROWS: Final = 400


def scope_of(
    since: date | None = None, until: date | None = None, model: str | None = None, tag: str | None = None
) -> UsageScope:
    """The records from the first to the last of two days, both included (UTC), of a model, with a tag."""
    return UsageScope(
        since=first_moment(since) if since is not None else None,
        until=first_moment(until) + DAY if until is not None else None,
        model=model,
        tag=tag,
    )


class UsageAnalysis:
    """Answers for the user that `context` names. Made for one question: it remembers prices that it looked up."""

    def __init__(self, figures: UsageFigures, context: UserContext, reference: ReferenceData) -> None:
        self._figures = figures
        self._context = context
        self._classes = reference.classes
        self._prices = PriceBook(reference.thresholds)

    async def overview(self, scope: UsageScope) -> dict[str, Any]:
        """Totals, time span, models and tags; `records` is 0 when there is nothing in the scope."""
        extent = await self._figures.extent(self._context, scope)
        return self._overview(extent, await self._lots(scope))

    async def breakdown(self, scope: UsageScope, by: Dimension) -> dict[str, Any]:
        """The rows of `figures.breakdown`, at most 400, with the totals of all of them."""
        lots = await self._lots(scope)
        rows = await asyncio.to_thread(breakdown, lots, self._prices, by)
        return {
            "by": by,
            "rows": rows[:MOST_ROWS],
            "rows_left_out": max(0, len(rows) - MOST_ROWS),
            "total": totals(lots, self._prices),
            "unpriced": unpriced(lots, self._prices),
        }

    async def summary(self, scope: UsageScope) -> dict[str, Any]:
        """The overview and every breakdown at once."""
        extent = await self._figures.extent(self._context, scope)
        lots = await self._lots(scope)
        groups = {
            f"by_{by}": (await asyncio.to_thread(breakdown, lots, self._prices, by))[:MOST_ROWS]
            for by in get_args(Dimension)
        }
        return {**self._overview(extent, lots), **groups}

    async def savings(self, scope: UsageScope, strategies: Sequence[str] = tuple(STRATEGIES)) -> dict[str, Any]:
        """What could be saved, and how; `actions` are in the order in which they were applied, and add up."""
        extent = await self._figures.extent(self._context, scope)
        plan = await make_plan(await self._evidence(scope), strategies)
        span = _span(extent.first, extent.last, extent.records)
        days = span["days"]
        return {
            **span,
            "spent_usd": usd(plan.spent),
            "spent_month_usd": _monthly(plan.spent, days),
            "saved_usd": usd(plan.saved),
            "saved_month_usd": _monthly(plan.saved, days),
            "saved_share": round(float(plan.saved / plan.spent), 6) if plan.spent else 0.0,
            "actions": [_action(one, days) for one in plan.actions],
            "unpriced": unpriced(await self._lots(scope), self._prices),
        }

    async def move(self, scope: UsageScope, source: str, target: str) -> dict[str, Any]:
        """What the records of model `source` would have cost with `target`, with as many tokens.

        Raises `InputError` when there is nothing of `source` in scope, or a price is missing.
        """
        extent = await self._figures.extent(self._context, replace(scope, model=source))
        if not extent.records:
            raise InputError("from_model", f"there are no records of {source!r} in this scope")
        home = self._prices.provider_of(target)
        providers = {group.provider for group, _ in extent.groups}
        lots = await self._lots(replace(scope, model=source), self._slot(providers, target))
        known = [lot for lot in lots if lot.costs(self._prices) is not None]
        if not known or all(lot.scale is None for lot in known):
            raise InputError("from_model", f"no list price is known for {source!r}, so it cannot be compared")
        before, after, unknown = Money(0), Money(0), 0
        for lot in known:
            moved = self._moved(lot, source, target, home)
            if moved is None:
                unknown += lot.records
            else:
                before += total_cost([lot], self._prices)
                after += total_cost([moved], self._prices)
        if unknown == sum(lot.records for lot in known):
            raise InputError("to_model", f"no list price is known for {target!r}; use a name that its provider uses")
        span = _span(extent.first, extent.last, extent.records)
        window = self._prices.context_window(home or "", target)
        longest = max(lot.longest_input for lot in known)
        return {
            **span,
            "from_model": source,
            "to_model": target,
            "records_compared": sum(lot.records for lot in lots) - unknown,
            "before_usd": usd(before),
            "after_usd": usd(after),
            "saved_usd": usd(before - after),
            "saved_share": round(float((before - after) / before), 6) if before else 0.0,
            "saved_month_usd": _monthly(before - after, span["days"]),
            "longest_input": longest,
            "context_window": window,
            "fits": window is None or longest <= window,
        }

    async def change(self, scope: UsageScope) -> dict[str, Any]:
        """The later half of the days in scope against as many days before: what changed, and why.

        At most seven days each. Raises `InputError` when there are records of fewer than two days.
        """
        extent = await self._figures.extent(self._context, scope)
        last = day_of(extent.last)
        length = min(7, ((last - day_of(extent.first)).days + 1) // 2) if extent.records else 0
        if not length:
            raise InputError("since", "a comparison needs records of two days or more")
        middle = last - timedelta(days=length - 1)
        first = middle - timedelta(days=length)
        before = await self._lots(replace(scope, since=first_moment(first), until=first_moment(middle)))
        after = await self._lots(replace(scope, since=first_moment(middle), until=first_moment(last) + DAY))
        return {
            "before": {"since": first.isoformat(), "until": (middle - timedelta(days=1)).isoformat()},
            "after": {"since": middle.isoformat(), "until": last.isoformat()},
            **comparison(before, after, self._prices),
            "unpriced": unpriced([*before, *after], self._prices),
        }

    def _overview(self, extent: UsageExtent, lots: Sequence[Lot]) -> dict[str, Any]:
        return {
            **totals(lots, self._prices),
            **_span(extent.first, extent.last, extent.records),
            "models": _names(extent.groups, 1),
            "tags": _names(extent.groups, 2),
            "unpriced": unpriced(lots, self._prices),
        }

    def _moved(self, lot: Lot, source: str, target: str, home: str | None) -> Lot | None:
        """The lot charged as `target`: by the same provider if it sells that model, else by the model's own."""
        provider = lot.key.group.provider
        moved = move_lots([lot], provider, source, target, self._prices)[0]
        if moved is lot and home is not None and lot.scale is not None:
            moved = lot._replace(model=target, key=lot.key._replace(group=lot.key.group._replace(provider=home)))
        return moved if moved is not lot and moved.costs(self._prices) is not None and moved.model == target else None

    def _slot(self, providers: set[str], target: str) -> int:
        return min((self._prices.slot(provider, target) for provider in (*providers, "")), default=DAY)

    async def _lots(self, scope: UsageScope, slot: int = DAY) -> list[Lot]:
        extent = await self._figures.extent(self._context, scope)
        fine = min((self._prices.slot(group.provider, group.model) for group, _ in extent.groups), default=DAY)
        cells = await self._figures.cells(
            self._context, scope, thresholds=self._prices.thresholds, slot=min(slot, fine)
        )
        return await asyncio.to_thread(make_lots, cells, self._prices)

    async def _evidence(self, scope: UsageScope) -> Evidence:
        classes = self._classes
        extent = await self._figures.extent(self._context, scope)
        slot = DAY
        for group, _ in extent.groups:
            names = (group.model, *classes.successors(self._prices.model_id(group.provider, group.model) or ""))
            slot = min(slot, *(self._prices.slot(group.provider, name) for name in names))

        def only(group: GroupKey) -> UsageScope:
            return replace(scope, provider=group.provider, model=group.model, tag=group.tag)

        async def output_over(group: GroupKey, cap: int) -> Sequence[UsageCell]:
            return await self._figures.cells(
                self._context, only(group), thresholds=self._prices.thresholds, slot=slot, output_over=cap
            )

        async def warm(group: GroupKey, shared: int) -> Sequence[WarmCell]:
            return await self._figures.warm(
                self._context,
                only(group),
                shared=shared,
                window=CACHE_MICROSECONDS,
                thresholds=self._prices.thresholds,
                slot=slot,
            )

        return Evidence(
            lots=await self._lots(scope, slot),
            spreads=await self._figures.spreads(self._context, scope),
            hours=await self._figures.hours(self._context, scope),
            prices=self._prices,
            classes=classes,
            output_over=output_over,
            warm=warm,
        )


def _span(first: int, last: int, records: int) -> dict[str, Any]:
    if not records:
        return {"first_day": None, "last_day": None, "days": 0}
    start, end = day_of(first), day_of(last)
    return {"first_day": start.isoformat(), "last_day": end.isoformat(), "days": (end - start).days + 1}


def _monthly(amount: Money, days: int) -> float:
    return usd(amount * DAYS_OF_A_MONTH / days) if days else 0.0


def _names(groups: Sequence[tuple[GroupKey, int]], part: int) -> list[str]:
    return list(dict.fromkeys(str(group[part]) for group, _ in groups))[:MOST_ROWS]


def _action(planned: PlannedAction, days: int) -> dict[str, Any]:
    action = planned.action
    return {
        "strategy": action.strategy,
        "provider": action.provider,
        "model": action.model,
        "tag": action.tag,
        "target": action.target,
        "title": action.title,
        "because": action.because,
        "assumption": action.assumption,
        "saved_usd": usd(planned.saved),
        "saved_month_usd": _monthly(planned.saved, days),
        "alone_usd": usd(planned.alone),
    }
