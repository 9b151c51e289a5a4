"""All savings together: in order, each after the ones before it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from carrel.optimizer.analysis import UsageAnalysis, scope_of
from carrel.optimizer.reference import ReferenceData
from carrel.optimizer.savings.plan import STRATEGIES
from carrel.storage.usage_figures import UsageFigures
from tests.optimizer.conftest import Fill, user
from tests.optimizer.savings.evidence import MINUTE, some


async def test_each_saving_is_counted_on_what_the_ones_before_have_left(
    figures: UsageFigures, fill: Fill, reference: ReferenceData
) -> None:
    await fill(some(100, input_tokens=4000, output_tokens=1000, tag="nightly", every=10 * MINUTE))
    found = await UsageAnalysis(figures, user(), reference).savings(scope_of())
    # 400,000 input and 100,000 output tokens on gpt-4o; then on gpt-4.1; then at half the price.
    listed, moved = Decimal("2.00"), Decimal("1.60")
    assert found["spent_usd"] == float(listed)
    assert [(one["strategy"], one["saved_usd"]) for one in found["actions"]] == [
        ("switch", float(listed - moved)),
        ("batch", float(moved / 2)),
    ]
    # Alone each would save half or a fifth of all; together they save less than the sum of that.
    assert [one["alone_usd"] for one in found["actions"]] == [0.4, 1.0]
    assert found["saved_usd"] == pytest.approx(1.2)
    assert found["saved_share"] == pytest.approx(0.6)


async def test_what_saves_next_to_nothing_is_no_advice(
    figures: UsageFigures, fill: Fill, reference: ReferenceData
) -> None:
    large = some(10, model="gpt-4.1", input_tokens=900_000)
    await fill(large + some(1, model="gpt-4o", tag="other"))
    found = await UsageAnalysis(figures, user(), reference).savings(scope_of())
    assert found["actions"] == []


def test_the_order_is_fixed() -> None:
    assert list(STRATEGIES) == ["caps", "switch", "batch", "caching"]
