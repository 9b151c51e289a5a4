"""Alice goes away while her reply is under way; the next to ask is Bob."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.zoo.stage import Stage

__all__ = ["channel", "pool"]


async def pool(stage: Stage) -> tuple[str, str]:
    client = stage.module.client
    return await _cancelled(stage, client.set, client.get)


async def channel(stage: Stage) -> tuple[str, str]:
    ask = stage.module.channel.ask
    return await _cancelled(stage, lambda key, value: ask(f"SET {key} {value}"), lambda key: ask(f"GET {key}"))


async def _cancelled(
    stage: Stage, store: Callable[[str, str], Awaitable[str]], read: Callable[[str], Awaitable[str]]
) -> tuple[str, str]:
    await store("alice", stage.alice.canary)
    await store("bob", stage.bob.canary)
    gate = stage.outside.hold()
    gone = asyncio.ensure_future(read("alice"))
    await gate.arrived.wait()
    gone.cancel()
    await asyncio.wait({gone})
    gate.released.set()
    bobs = await read("bob")
    return await read("alice"), bobs
