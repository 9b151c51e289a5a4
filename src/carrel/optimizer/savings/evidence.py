"""What the ways to save look at."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from carrel.optimizer.classes import ModelClasses
from carrel.optimizer.ledger import Lot, Money
from carrel.optimizer.prices import PriceBook
from carrel.storage.usage_figures import GroupKey, Spread, UsageCell, WarmCell

__all__ = ["Action", "Evidence", "Strategy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is known about the records in scope."""

    lots: Sequence[Lot]
    spreads: Sequence[Spread]
    hours: Sequence[tuple[GroupKey, int, int, int]]
    prices: PriceBook
    classes: ModelClasses
    output_over: Callable[[GroupKey, int], Awaitable[Sequence[UsageCell]]]
    """The cells of a group, with the output tokens above so many in each request as `extra`."""
    warm: Callable[[GroupKey, int], Awaitable[Sequence[WarmCell]]]
    """What a shared beginning of so many tokens would have done in a group."""

    def spent(self, group: GroupKey) -> Money:
        """What a group cost at first."""
        costs = [lot.costs(self.prices) for lot in self.lots if lot.key.group == group]
        return sum((one.total for one in costs if one is not None), Money(0))

    def spread(self, group: GroupKey) -> Spread:
        """How a group's records are distributed."""
        return next(spread for spread in self.spreads if spread.group == group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing to change, and what it does to the lots."""

    strategy: str
    provider: str
    model: str
    tag: str | None
    """None when it concerns the model whatever it is used for."""
    title: str
    because: str
    """What in the records speaks for it, with figures."""
    assumption: str
    """What must hold for the saving to come true."""
    apply: Callable[[Sequence[Lot]], Sequence[Lot]]
    target: str | None = None
    """The model to use instead, where that is the change."""


Strategy = Callable[[Evidence], Awaitable[Sequence[Action]]]
"""A way to save: from the evidence to what could be changed, most worthwhile first or not."""
