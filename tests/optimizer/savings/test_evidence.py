"""Evidence about a group."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from carrel.optimizer.classes import ModelClasses
from carrel.optimizer.ledger import make_lots
from carrel.optimizer.prices import PriceBook
from carrel.optimizer.savings.evidence import Evidence
from carrel.storage.usage_figures import GroupKey, Spread, UsageCell, WarmCell

A, B = GroupKey("openai", "gpt-4o", "a"), GroupKey("openai", "gpt-4o", "b")


async def test_what_a_group_cost_and_how_it_is_distributed() -> None:
    async def nothing(group: GroupKey, number: int) -> Sequence[UsageCell]:
        return []

    async def cold(group: GroupKey, number: int) -> Sequence[WarmCell]:
        return []

    prices = PriceBook()
    cells = [
        UsageCell(*group, 1_790_000_000_000_000, 0, False, False, 1, 1, 1_000_000, 0, 100_000, 0, 1_000_000)
        for group in (A, B, B)
    ]
    spreads = [Spread(A, 1, 1, 1, 1, 1, 1), Spread(B, 2, 2, 2, 2, 2, 2)]
    evidence = Evidence(
        lots=make_lots(cells, prices), spreads=spreads, hours=[], prices=prices, classes=ModelClasses(()),
        output_over=nothing, warm=cold,
    )  # fmt: skip
    assert (evidence.spent(A), evidence.spent(B)) == (Decimal("3.5"), Decimal("7.0"))
    assert evidence.spread(B).records == 2
    assert await evidence.output_over(A, 1) == []
    assert await evidence.warm(A, 1) == []
