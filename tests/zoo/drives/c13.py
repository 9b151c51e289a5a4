"""Bob's request runs from start to end while Alice's waits for the model, each in a task of its own."""

from __future__ import annotations

import asyncio

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap, site

__all__ = ["context", "graph"]


async def context(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        first, second = await overlap(
            stage,
            asyncio.create_task(alice.post("/search", json={"text": stage.alice.canary})),
            asyncio.create_task(bob.post("/search", json={"text": stage.bob.canary})),
        )
    return first.text, second.text


async def graph(stage: Stage) -> tuple[str, str]:
    run = stage.module.run
    return await overlap(
        stage,
        asyncio.create_task(run("alice", stage.alice.canary)),
        asyncio.create_task(run("bob", stage.bob.canary)),
    )
