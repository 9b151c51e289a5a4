"""Evidence from a few records, for one way to save at a time."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from carrel.optimizer.analysis import UsageAnalysis, scope_of
from carrel.optimizer.reference import ReferenceData
from carrel.storage.usage import UsageRecord
from carrel.storage.usage_figures import UsageFigures
from tests.optimizer.conftest import Fill, user

MIDNIGHT = 1_791_158_400_000_000  # 5 October 2026
MINUTE = 60_000_000

Find = Callable[..., Coroutine[Any, Any, list[dict[str, Any]]]]


def some(count: int, *, every: int = 10 * MINUTE, start: int = MIDNIGHT, **fields: Any) -> list[UsageRecord]:
    """`count` records, one after the other; `output_tokens` and `input_tokens` may be functions of the number."""

    def value(name: str, number: int, default: int) -> int:
        given = fields.get(name, default)
        return int(given(number)) if callable(given) else int(given)

    return [
        UsageRecord(
            time=start + number * every,
            provider=fields.get("provider", "openai"),
            model=fields.get("model", "gpt-4o"),
            input_tokens=value("input_tokens", number, 500),
            output_tokens=value("output_tokens", number, 100),
            cached_input_tokens=value("cached_input_tokens", number, 0),
            tag=fields.get("tag", "work"),
            requests=fields.get("requests", 1),
            batch=fields.get("batch", False),
        )
        for number in range(count)
    ]


@pytest.fixture
def find(figures: UsageFigures, fill: Fill, reference: ReferenceData) -> Find:
    async def find(strategy: str, records: Sequence[UsageRecord]) -> list[dict[str, Any]]:
        await fill(records)
        found = await UsageAnalysis(figures, user(), reference).savings(scope_of(), (strategy,))
        actions: list[dict[str, Any]] = found["actions"]
        return actions

    return find
