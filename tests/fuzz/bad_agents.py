"""Agents that do what an agent must not."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from carrel.runtime.agent import AgentRun

__all__ = ["AGENTS"]


async def raising(run: AgentRun) -> str:
    """Fails, with a secret in its reason."""
    await run.think("I try.")
    raise RuntimeError("hunter2")


async def hanging(run: AgentRun) -> str:
    """Never answers."""
    await run.think("I wait.")
    await asyncio.sleep(3600)
    return ""


async def senseless(run: AgentRun) -> str:
    """Answers with what is no answer."""
    return {"answer": 42}  # type: ignore[return-value]


async def late(run: AgentRun) -> str:
    """Goes on when it has answered."""

    async def afterwards() -> None:
        await asyncio.sleep(0.05)
        await run.think("and another thing")

    task = asyncio.create_task(afterwards())
    task.add_done_callback(lambda done: done.exception())
    await run.think("done")
    return "done"


async def deaf(run: AgentRun) -> str:
    """Does not hear that it is cancelled."""
    await run.think("I do not listen.")
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(3600)
    await asyncio.sleep(3600)
    return "never mind"


AGENTS = (raising, hanging, senseless, late, deaf)
