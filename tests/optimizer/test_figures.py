"""Figures that the analysis tests do not reach."""

from __future__ import annotations

import pytest

from carrel.optimizer.figures import breakdown, comparison, totals, unpriced
from carrel.optimizer.ledger import Lot, make_lots
from carrel.optimizer.prices import PriceBook
from carrel.storage.usage_figures import DAY, UsageCell

PRICES = PriceBook()
CELL = UsageCell("openai", "gpt-4o", "bot", 20_731 * DAY, 0, False, False, 2, 2, 1_000_000, 0, 100_000, 0, 500)


def lots(*cells: UsageCell) -> list[Lot]:
    return make_lots(cells, PRICES)


def test_nothing_is_nothing() -> None:
    assert totals([], PRICES)["cost_usd"] == 0
    assert breakdown([], PRICES, "model") == []
    assert [row["share"] for row in breakdown([], PRICES, "token_kind")] == [0.0, 0.0, 0.0]
    assert unpriced([], PRICES) == []


def test_rows_are_by_cost_and_days_by_time() -> None:
    cheap = CELL._replace(model="gpt-4o-mini", slot=20_730 * DAY)
    assert [row["key"] for row in breakdown(lots(cheap, CELL), PRICES, "model")] == ["gpt-4o", "gpt-4o-mini"]
    days = breakdown(lots(CELL, cheap), PRICES, "day")
    assert [row["key"] for row in days] == ["2026-10-04", "2026-10-05"]


def test_a_cost_that_cannot_be_divided_is_of_another_kind() -> None:
    cell = CELL._replace(provider="unknown", model="house-llm", own_cost=True, cost=10**9)
    rows = breakdown(lots(cell), PRICES, "token_kind")
    assert [(row["key"], row["cost_usd"]) for row in rows][-1] == ("other", 1.0)


def test_more_requests_and_dearer_requests_are_told_apart() -> None:
    after = CELL._replace(requests=4, records=4, input_tokens=4_000_000, output_tokens=200_000)
    found = comparison(lots(CELL), lots(after), PRICES)
    total = found["total"]
    assert (total["before_usd"], total["after_usd"], total["change_usd"]) == (3.5, 12.0, 8.5)
    assert (total["volume_usd"], total["mix_usd"]) == (3.5, 5.0)
    assert found["groups"] == [{"model": "gpt-4o", "tag": "bot", **total}]


def test_what_is_new_is_all_volume() -> None:
    total = comparison([], lots(CELL), PRICES)["total"]
    assert (total["volume_usd"], total["mix_usd"]) == (pytest.approx(3.5), 0)
