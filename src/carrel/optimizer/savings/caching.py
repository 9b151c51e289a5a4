"""Save by letting the provider cache the beginning that long prompts share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from carrel.optimizer.ledger import CellKey, Lot
from carrel.optimizer.savings.evidence import Action, Evidence
from carrel.storage.usage_figures import GroupKey, Spread, WarmCell

__all__ = ["CACHE_MICROSECONDS", "cache_prompts"]

FEWEST_RECORDS: Final = 20
CACHE_MICROSECONDS: Final = 300_000_000
"""How long providers keep a prompt at least: five minutes after its last use."""
SHORTEST_PREFIX: Final = 1_024
"""Tokens; providers cache nothing shorter."""
SHARED_PERCENT: Final = 80
"""Of a short prompt (the 5th percentile), the part that is taken to be the same in all."""
ALIKE: Final = 0.5
"""A short prompt must have at least this share of the median's length: otherwise little is common to all."""
LOW_CACHED_SHARE: Final = 0.3
MOST_GROUPS: Final = 25


async def cache_prompts(evidence: Evidence) -> Sequence[Action]:
    """Cache the shared beginning of each group's prompts, where they are long, alike and hardly cached.

    The beginning is taken to be 80 % of the 5th percentile of the input tokens; it is read from the cache by each
    request that follows another of its group within five minutes, and stored again by each that does not.
    """
    candidates = [spread for spread in evidence.spreads if _is_candidate(spread, evidence)]
    candidates.sort(key=lambda spread: (-evidence.spent(spread.group), spread.group))
    actions = []
    for spread in candidates[:MOST_GROUPS]:
        shared = _shared(spread)
        cells = await evidence.warm(spread.group, shared)
        if sum(cell.cacheable for cell in cells):
            actions.append(_action(spread, shared, cells, _cached_share(spread.group, evidence)))
    return actions


def _is_candidate(spread: Spread, evidence: Evidence) -> bool:
    return (
        spread.records == spread.requests >= FEWEST_RECORDS
        and _shared(spread) >= SHORTEST_PREFIX
        and spread.low_input >= ALIKE * spread.median_input
        and _cached_share(spread.group, evidence) < LOW_CACHED_SHARE
    )


def _shared(spread: Spread) -> int:
    return spread.low_input * SHARED_PERCENT // 100


def _cached_share(group: GroupKey, evidence: Evidence) -> float:
    lots = [lot for lot in evidence.lots if lot.key.group == group]
    cached = sum(lot.cached for lot in lots)
    return cached / ((cached + sum(lot.uncached for lot in lots)) or 1)


def _action(spread: Spread, shared: int, cells: Sequence[WarmCell], cached_share: float) -> Action:
    group = spread.group
    warm = {CellKey(group, cell.slot, cell.band, cell.batch, cell.own_cost): cell for cell in cells}

    def cached(lot: Lot) -> Lot:
        cell = warm.get(lot.key)
        # What goes through the batch interface is not spread over the day as it is recorded.
        if cell is None or lot.batch:
            return lot
        return lot._replace(
            uncached=lot.uncached - cell.cacheable - cell.stored,
            cached=lot.cached + cell.cacheable,
            written=lot.written + cell.stored,
        )

    def apply(lots: Sequence[Lot]) -> Sequence[Lot]:
        return [cached(lot) for lot in lots]

    reads = spread.records - sum(cell.late for cell in cells)
    return Action(
        strategy="caching",
        provider=group.provider,
        model=group.model,
        tag=group.tag,
        title=f"Cache the first {shared:,} tokens of the prompt",
        because=(
            f"95 % of its {spread.records:,} prompts have {spread.low_input:,} tokens or more (half of them "
            f"{spread.median_input:,} or more), {cached_share:.0%} of their tokens are cached, and {reads:,} requests "
            "follow another within five minutes."
        ),
        assumption=(
            f"The first {shared:,} tokens are the same in every prompt (80 % of a short one); put what changes last, "
            "and mark the rest as cacheable where the provider asks for it."
        ),
        apply=apply,
    )
