"""Bob's request fails after Alice's, and he reads the error."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import site

__all__ = ["errors", "notes"]


async def errors(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        first = await alice.post("/pay", json={"amount": 5, "reference": stage.alice.canary})
        second = await bob.post("/pay", json={"amount": -5, "reference": stage.bob.canary})
    return first.text, second.text


def notes(stage: Stage) -> tuple[str, str]:
    run = stage.module.run
    return str(run("shell", stage.alice.canary)), str(run("shell", stage.bob.canary))
