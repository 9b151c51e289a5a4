"""Figures about usage as JSON values: totals, breakdowns and comparisons of periods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal

from carrel.optimizer.ledger import Lot, Money, usd
from carrel.optimizer.prices import PriceBook
from carrel.storage.usage_figures import day_of

__all__ = ["Dimension", "breakdown", "comparison", "totals", "unpriced"]

Dimension = Literal["model", "day", "tag", "token_kind"]

_KEYS: Final[Mapping[str, Callable[[Lot], str]]] = MappingProxyType(
    {
        "model": lambda lot: lot.key.group.model,
        "day": lambda lot: day_of(lot.key.slot).isoformat(),
        "tag": lambda lot: lot.key.group.tag,
    }
)


def totals(lots: Iterable[Lot], prices: PriceBook) -> dict[str, Any]:
    """Records, requests, tokens and cost; `priced_records` are those that the cost is about."""
    records = requests = uncached = cached = output = priced = 0
    cost = Money(0)
    for lot in lots:
        records += lot.records
        requests += lot.requests
        uncached += lot.uncached
        cached += lot.cached
        output += lot.output
        costs = lot.costs(prices)
        if costs is not None:
            priced += lot.records
            cost += costs.total
    return {
        "records": records,
        "requests": requests,
        "input_tokens": uncached + cached,
        "cached_input_tokens": cached,
        "output_tokens": output,
        "cost_usd": usd(cost),
        "priced_records": priced,
    }


def unpriced(lots: Iterable[Lot], prices: PriceBook) -> list[dict[str, Any]]:
    """Models whose cost nobody says, with what was used of them; they are in no amount of money."""
    found: dict[tuple[str, str], list[Lot]] = {}
    for lot in lots:
        if lot.costs(prices) is None:
            found.setdefault((lot.key.group.provider, lot.key.group.model), []).append(lot)
    return [
        {
            "provider": provider,
            "model": model,
            "records": sum(lot.records for lot in some),
            "input_tokens": sum(lot.uncached + lot.cached for lot in some),
            "output_tokens": sum(lot.output for lot in some),
        }
        for (provider, model), some in sorted(found.items())
    ]


def breakdown(lots: Sequence[Lot], prices: PriceBook, by: Dimension) -> list[dict[str, Any]]:
    """One row per value of the dimension: `key`, its `totals`, and `share` of the cost.

    Days are in order of time, everything else by cost, highest first. For `token_kind` a row has `key`, `tokens`,
    `cost_usd` and `share`; `other` are fees per request and costs that only the records state.
    """
    if by == "token_kind":
        return _by_kind(lots, prices)
    key = _KEYS[by]
    groups: dict[str, list[Lot]] = {}
    for lot in lots:
        groups.setdefault(key(lot), []).append(lot)
    rows = [{"key": name, **totals(some, prices)} for name, some in groups.items()]
    rows.sort(key=(lambda row: row["key"]) if by == "day" else (lambda row: (-row["cost_usd"], row["key"])))
    return _with_shares(rows)


def comparison(before: Sequence[Lot], after: Sequence[Lot], prices: PriceBook) -> dict[str, Any]:
    """What changed between two periods, by model and tag, and why.

    `volume_usd` is what more or fewer requests at the earlier average cost account for; `mix_usd` is the rest: each
    request cost more or less. The two add up to the change.
    """
    groups = sorted({lot.key.group for lot in (*before, *after)})
    rows = []
    for group in groups:
        old = totals((lot for lot in before if lot.key.group == group), prices)
        new = totals((lot for lot in after if lot.key.group == group), prices)
        rows.append({"model": group.model, "tag": group.tag, **_change(old, new)})
    rows.sort(key=lambda row: (-abs(row["change_usd"]), row["model"], row["tag"]))
    return {"total": _change(totals(before, prices), totals(after, prices)), "groups": rows}


def _change(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    change = new["cost_usd"] - old["cost_usd"]
    volume = change
    if old["requests"]:
        volume = (new["requests"] - old["requests"]) * old["cost_usd"] / old["requests"]
    return {
        "before_usd": old["cost_usd"],
        "after_usd": new["cost_usd"],
        "change_usd": round(change, 6),
        "volume_usd": round(volume, 6),
        "mix_usd": round(change - volume, 6),
        "before_requests": old["requests"],
        "after_requests": new["requests"],
    }


def _by_kind(lots: Sequence[Lot], prices: PriceBook) -> list[dict[str, Any]]:
    costs = [one for lot in lots if (one := lot.costs(prices)) is not None]
    rows = [
        ("input", sum(lot.uncached for lot in lots), sum((one.input for one in costs), Money(0))),
        ("cached input", sum(lot.cached for lot in lots), sum((one.cached for one in costs), Money(0))),
        ("output", sum(lot.output for lot in lots), sum((one.output for one in costs), Money(0))),
        ("other", 0, sum((one.other for one in costs), Money(0))),
    ]
    return _with_shares(
        [
            {"key": kind, "tokens": tokens, "cost_usd": usd(cost)}
            for kind, tokens, cost in rows
            if kind != "other" or cost
        ]
    )


def _with_shares(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    cost = sum(row["cost_usd"] for row in rows)
    for row in rows:
        row["share"] = round(row["cost_usd"] / cost, 6) if cost else 0.0
    return rows
