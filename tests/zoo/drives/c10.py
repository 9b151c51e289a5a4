"""Bob's request runs from start to end, in the same thread, while Alice's waits for the model."""

from __future__ import annotations

import asyncio

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap, site

__all__ = ["invoice", "tool"]


async def invoice(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        await alice.put("/account", json={"text": stage.alice.canary})
        await bob.put("/account", json={"text": stage.bob.canary})
        first, second = await overlap(stage, alice.get("/invoice"), bob.get("/invoice"))
    return first.text, second.text


async def tool(stage: Stage) -> tuple[str, str]:
    run = stage.module.run
    return await overlap(
        stage,
        asyncio.create_task(run("alice", {"crm": stage.alice.canary})),
        asyncio.create_task(run("bob", {"crm": stage.bob.canary})),
    )
