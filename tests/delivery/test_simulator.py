"""A thousand seeded histories keep the protocol's promises, and every way to break one is noticed."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.delivery.mutants import MUTANTS
from tests.delivery.simulator import first_violation, simulate

SEEDS = 1_000
BATCH = 100


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
async def test_every_history_keeps_the_promises(first: int) -> None:
    for seed in range(first, first + BATCH):
        try:
            await simulate(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error


@pytest.mark.parametrize("name", MUTANTS)
async def test_every_mutant_is_caught(name: str) -> None:
    assert await first_violation(MUTANTS[name], range(SEEDS)) is not None


async def test_the_histories_hold_what_they_are_meant_to_test() -> None:
    seen: Counter[str] = Counter()
    for seed in range(300):
        seen += await simulate(seed)
    wanted = (
        "new",
        "resumed",
        "gap",
        "paused",
        "read at once",
        "closed 4000",
        "closed 4001",
        "closed 4501",
        "closed 4502",
    )
    assert {name: seen[name] >= 5 for name in wanted} == dict.fromkeys(wanted, True)


async def test_one_seed_is_one_history() -> None:
    assert await simulate(7) == await simulate(7)
