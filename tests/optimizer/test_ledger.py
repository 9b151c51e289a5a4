"""Money is exact until it is shown."""

from __future__ import annotations

from decimal import Decimal

from carrel.optimizer.ledger import Costs, make_lots, total_cost, usd
from carrel.optimizer.prices import PriceBook
from carrel.storage.usage_figures import UsageCell

CELL = UsageCell(
    "openai", "gpt-4o", "bot", 1_790_000_000_000_000, 0, False, False, 3, 3, 1_000_000, 400_000, 100_000, 0, 500
)
PRICES = PriceBook()


def test_a_lot_costs_its_tokens_at_list_price() -> None:
    (lot,) = make_lots([CELL], PRICES)
    costs = lot.costs(PRICES)
    assert costs is not None
    assert costs == Costs(Decimal("1.5"), Decimal("0.5"), Decimal("1.0"), Decimal(0))
    assert costs.total == Decimal("3.0")


def test_what_the_records_say_wins_and_is_divided_like_the_list_price() -> None:
    (lot,) = make_lots([CELL._replace(own_cost=True, cost=1_500_000_000)], PRICES)
    assert lot.scale == Decimal("0.5")
    assert lot.costs(PRICES) == Costs(Decimal("0.75"), Decimal("0.25"), Decimal("0.5"), Decimal(0))


def test_a_recorded_cost_of_a_model_without_a_price_cannot_be_divided() -> None:
    cell = CELL._replace(provider="unknown", model="house-llm", own_cost=True, cost=2_000_000_000)
    (lot,) = make_lots([cell], PRICES)
    assert lot.costs(PRICES) == Costs(Decimal(0), Decimal(0), Decimal(0), Decimal(2))


def test_a_free_model_that_was_paid_for_keeps_its_recorded_cost() -> None:
    cell = CELL._replace(model="moderation", own_cost=True, cost=2_000_000_000)
    (lot,) = make_lots([cell], PRICES)
    assert lot.scale is None
    costs = lot.costs(PRICES)
    assert costs is not None
    assert costs.total == 2


def test_a_lot_without_any_cost_is_in_no_sum() -> None:
    lots = make_lots([CELL, CELL._replace(provider="unknown", model="house-llm")], PRICES)
    assert lots[1].costs(PRICES) is None
    assert total_cost(lots, PRICES) == 3


def test_batches_have_their_own_price() -> None:
    (lot,) = make_lots([CELL._replace(batch=True)], PRICES)
    costs = lot.costs(PRICES)
    assert costs is not None
    assert costs.total < 3


def test_amounts_are_rounded_when_they_are_shown() -> None:
    assert usd(Decimal("0.12345649")) == 0.123456
