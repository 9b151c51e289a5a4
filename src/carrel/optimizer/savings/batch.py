"""Save by sending what nobody waits for through the provider's batch interface."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from carrel.optimizer.ledger import Lot
from carrel.optimizer.prices import PriceBook
from carrel.optimizer.savings.evidence import Action, Evidence
from carrel.storage.usage_figures import GroupKey

__all__ = ["batch_requests"]

_UNHURRIED: Final = re.compile(
    r"(?:^|[^a-z])(?:batch|bulk|nightly|overnight|daily|weekly|monthly|offline|backfill|cron|scheduled|"
    r"eval|evals|evaluation|etl|archive|archival|enrichment|indexing|labelling|labeling)(?:[^a-z]|$)",
    re.IGNORECASE,
)
FEWEST_REQUESTS: Final = 50
FEWEST_DAYS: Final = 3
WINDOW_HOURS: Final = 4
IN_WINDOW: Final = 0.9


class _Pattern(NamedTuple):
    start: int
    share: float


async def batch_requests(evidence: Evidence) -> Sequence[Action]:
    """Batch each group whose tag says that it is not urgent, or whose requests come at the same hours every day.

    The second means at least 90 % of at least 50 requests, recorded one by one, within the same four hours (UTC) on
    three days or more. The discount is the provider's published batch price; without one there is no saving.
    """
    actions = []
    for spread in evidence.spreads:
        group = spread.group
        if all(lot.batch for lot in evidence.lots if lot.key.group == group):
            continue
        if _UNHURRIED.search(group.tag):
            actions.append(_action(evidence, group, f"The tag {group.tag} says that nobody waits for these answers."))
            continue
        # Rows that stand for several requests carry the time of their bucket, which says nothing about the hour.
        pattern = _pattern(evidence, group) if spread.records == spread.requests >= FEWEST_REQUESTS else None
        if pattern is not None:
            hours = f"{pattern.start:02d}:00 and {(pattern.start + WINDOW_HOURS) % 24:02d}:00 UTC"
            because = f"{pattern.share:.0%} of its {spread.requests:,} requests come between {hours}: a scheduled job."
            actions.append(_action(evidence, group, because))
    return actions


def _pattern(evidence: Evidence, group: GroupKey) -> _Pattern | None:
    requests = [0] * 24
    days = [0] * 24
    for found, hour, count, on_days in evidence.hours:
        if found == group:
            requests[hour], days[hour] = count, on_days
    windows = [[(start + hour) % 24 for hour in range(WINDOW_HOURS)] for start in range(24)]
    best = max(windows, key=lambda hours: sum(requests[hour] for hour in hours))
    share = sum(requests[hour] for hour in best) / sum(requests)
    if share < IN_WINDOW or max(days[hour] for hour in best) < FEWEST_DAYS:
        return None
    return _Pattern(best[0], share)


def _action(evidence: Evidence, group: GroupKey, because: str) -> Action:
    prices: PriceBook = evidence.prices

    def batched(lot: Lot) -> Lot:
        if lot.key.group != group or lot.batch or lot.scale is None:
            return lot
        return lot._replace(batch=True) if prices.has_batch_price(group.provider, lot.model) else lot

    def apply(lots: Sequence[Lot]) -> Sequence[Lot]:
        return [batched(lot) for lot in lots]

    return Action(
        strategy="batch",
        provider=group.provider,
        model=group.model,
        tag=group.tag,
        title="Send it through the batch interface",
        because=because,
        assumption="Answers may take up to 24 hours; the saving is the provider's published batch price.",
        apply=apply,
    )
