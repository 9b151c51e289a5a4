"""Bob's request runs from start to end while Alice's waits for the model."""

from __future__ import annotations

import asyncio

from tests.zoo.stage import Stage
from tests.zoo.traffic import overlap

__all__ = ["board", "tenants"]


async def board(stage: Stage) -> tuple[str, str]:
    """Alice's post is refused in the end; Bob reads the public feed."""
    publish, feed = stage.module.publish, stage.module.feed
    await overlap(stage, publish("alice", f"private: {stage.alice.canary}"), publish("bob", stage.bob.canary))
    return "", str(await feed())


async def tenants(stage: Stage) -> tuple[str, str]:
    stage.module.add("alice", stage.alice.canary)
    stage.module.add("bob", stage.bob.canary)
    overview = stage.module.overview
    return await overlap(stage, asyncio.create_task(overview("alice")), asyncio.create_task(overview("bob")))
