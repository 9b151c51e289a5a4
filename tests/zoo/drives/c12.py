"""Alice's request starts the task that later works for Bob, too."""

from __future__ import annotations

import asyncio

from tests.zoo.stage import Stage

__all__ = ["batcher", "tools"]


async def tools(stage: Stage) -> tuple[str, str]:
    stage.load("mcpd.tools").MAILBOX.update({stage.alice.token: stage.alice.canary, stage.bob.token: stage.bob.canary})
    session = stage.module.ServerSession()
    call = {"method": "tools/call"}
    first = await asyncio.create_task(session.post(stage.alice.token, call))
    second = await asyncio.create_task(session.post(stage.bob.token, call))
    await session.close()
    return first, second


async def batcher(stage: Stage) -> tuple[str, str]:
    stage.module.PROFILES.update(alice=stage.alice.canary, bob=stage.bob.canary)
    gate = stage.outside.hold()
    first = asyncio.create_task(stage.module.show("alice"))
    await gate.arrived.wait()
    second = asyncio.create_task(stage.module.show("bob"))
    asyncio.get_running_loop().call_soon(gate.released.set)
    return await first, await second
