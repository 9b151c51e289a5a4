"""Bob's request runs from start to end while Alice's waits for the model."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap, site

__all__ = ["build", "chainlit", "desk", "endpoint", "instructions"]


async def desk(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        await alice.put("/ticket", json={"text": stage.alice.canary})
        await bob.put("/ticket", json={"text": stage.bob.canary})
        first, second = await overlap(
            stage, alice.post("/ask", json={"text": "state?"}), bob.post("/ask", json={"text": "state?"})
        )
    return first.text, second.text


async def instructions(stage: Stage) -> tuple[str, str]:
    run = stage.module.agent.run
    return await overlap(stage, run("shorten it", stage.alice.canary), run("shorten it", stage.bob.canary))


async def endpoint(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        first, second = await overlap(
            stage,
            alice.post("/documents", json={"text": stage.alice.canary}),
            bob.post("/documents", json={"text": stage.bob.canary}),
        )
    return first.text, second.text


async def chainlit(stage: Stage) -> tuple[str, str]:
    async def visit(tab: Any) -> str:
        await tab.start()
        return str(await tab.say("may I cancel?"))

    tab = stage.module.cl.Tab
    alice, bob = tab(contract=stage.alice.canary), tab(contract=stage.bob.canary)
    return await overlap(stage, asyncio.create_task(visit(alice)), asyncio.create_task(visit(bob)))


def build(stage: Stage) -> tuple[str, str]:
    """The second build has no environment of its own."""
    delay = stage.module.build.delay
    return delay("alices", {"TOKEN": stage.alice.canary}), delay("bobs")
