"""Bob's request runs from start to end while Alice's waits for the model."""

from __future__ import annotations

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap, site

__all__ = ["agent", "portal", "whoami"]


async def whoami(stage: Stage) -> tuple[str, str]:
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        await alice.put("/signature", json={"text": stage.alice.canary})
        await bob.put("/signature", json={"text": stage.bob.canary})
        first, second = await overlap(
            stage, alice.post("/summary", json={"text": "a"}), bob.post("/summary", json={"text": "b"})
        )
    return first.text, second.text


async def agent(stage: Stage) -> tuple[str, str]:
    tools = stage.load("agent.tools")
    tools.add_event("alice", stage.alice.canary)
    tools.add_event("bob", stage.bob.canary)
    run = stage.module.run_agent
    return await overlap(stage, run("alice", "my day"), run("bob", "my day"))


async def portal(stage: Stage) -> tuple[str, str]:
    stage.module.LETTERS.update(alice=stage.alice.canary, bob=stage.bob.canary)
    async with site(stage.module.app, stage.alice, stage.bob) as (alice, bob):
        first, second = await overlap(stage, alice.get("/letter"), bob.get("/letter"))
    return first.text, second.text
