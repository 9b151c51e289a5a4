"""Sums of usage with what they cost: every amount of money in an answer comes from here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from carrel.optimizer.prices import PriceBook, Rates
from carrel.storage.usage_figures import GroupKey, UsageCell

__all__ = ["CellKey", "Costs", "Lot", "Money", "make_lots", "total_cost", "usd"]

NANO: Final = Decimal(10**9)

Money = Decimal
"""US dollars, exact: nothing is rounded before it is shown."""


class CellKey(NamedTuple):
    """Which cell of the records a lot comes from; stays the same whatever is done to the lot."""

    group: GroupKey
    slot: int
    band: int
    batch: bool
    own_cost: bool


class Costs(NamedTuple):
    """What a lot costs, by kind of token."""

    input: Money
    cached: Money
    output: Money
    other: Money
    """Fees per request and for storing in a cache."""

    @property
    def total(self) -> Money:
        """All of it."""
        return self.input + self.cached + self.output + self.other


class Lot(NamedTuple):
    """Records of one cell, as they were or as they would be after a saving."""

    key: CellKey
    model: str
    """The model that is charged; differs from the records' own after a change of model."""
    batch: bool
    records: int
    requests: int
    uncached: int
    cached: int
    output: int
    longest_input: int
    written: int = 0
    """Tokens stored in a cache, which some providers charge for."""
    recorded: Money | None = None
    """What the records themselves say they cost."""
    scale: Money | None = None
    """What the records say they cost, as a share of the list price: a discount that also holds after a change.

    1 where they say nothing; None where there is no list price."""

    def costs(self, prices: PriceBook) -> Costs | None:
        """What the lot costs; None when nobody says: there is no list price and the records name no cost."""
        rates = self.rates(prices)
        if rates is None or self.scale is None:
            if self.recorded is None:
                return None
            return Costs(Money(0), Money(0), Money(0), self.recorded)
        scale = self.scale
        return Costs(
            rates.input * self.uncached * scale,
            rates.cached * self.cached * scale,
            rates.output * self.output * scale,
            (rates.request * self.requests + (rates.input + rates.write) * self.written) * scale,
        )

    def rates(self, prices: PriceBook) -> Rates | None:
        """List prices that apply to the lot."""
        key = self.key
        return prices.rates(key.group.provider, self.model, at=key.slot, band=key.band, batch=self.batch)


def make_lots(cells: Iterable[UsageCell], prices: PriceBook) -> list[Lot]:
    """Lots as the records are."""
    return [_make_lot(cell, prices) for cell in cells]


def total_cost(lots: Sequence[Lot], prices: PriceBook) -> Money:
    """What all lots cost together, those without a known cost left out."""
    return sum((costs.total for lot in lots if (costs := lot.costs(prices)) is not None), Money(0))


def usd(amount: Money) -> float:
    """An amount as JSON carries it: rounded to a millionth of a dollar."""
    return float(round(amount, 6))


def _make_lot(cell: UsageCell, prices: PriceBook) -> Lot:
    lot = Lot(
        key=CellKey(cell.group, cell.slot, cell.band, cell.batch, cell.own_cost),
        model=cell.model,
        batch=cell.batch,
        records=cell.records,
        requests=cell.requests,
        uncached=cell.input_tokens - cell.cached_input_tokens,
        cached=cell.cached_input_tokens,
        output=cell.output_tokens,
        longest_input=cell.longest_input,
        scale=Money(1),
    )
    if not cell.own_cost:
        return lot if lot.rates(prices) is not None else lot._replace(scale=None)
    recorded = Money(cell.cost) / NANO
    listed = lot.costs(prices)
    scale = recorded / listed.total if listed is not None and listed.total else None
    return lot._replace(recorded=recorded, scale=scale)
