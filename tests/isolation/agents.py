"""Agents for the isolation test: one that touches everything it may, and one that leaks on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from carrel.runtime.agent import AgentRun
from carrel.runtime.tools import tool


@tool
async def reverse(text: str) -> str:
    """The text backwards, later."""
    await asyncio.sleep(0.01)
    return text[::-1]


async def inner(run: AgentRun) -> str:
    """Repeats what it is given."""
    await run.think(f"given {run.input}")
    return run.input


async def worker(run: AgentRun) -> str:
    """Says, thinks, calls, delegates and remembers what its user asked."""
    before = await run.store.get("last")
    await run.store.put("last", run.input)
    await run.think(f"before this it was {before}; {len(run.history)} messages: {[one.text for one in run.history]}")
    backwards, told = await asyncio.gather(run.call_tool("reverse", text=run.input), run.run_agent("inner", run.input))
    for piece in (backwards[::-1], " and ", told.output):
        await run.say(piece)
        await asyncio.sleep(0.02)
    return f"{backwards[::-1]} and {told.output}"


async def stuck(run: AgentRun) -> str:
    """Says what it was asked, and waits to be cancelled."""
    await run.say(run.input)
    await asyncio.sleep(3600)
    return run.input


def leaking() -> Callable[[AgentRun], Awaitable[str]]:
    """An agent with state in a closure that all users share (leak class 38): the check must see it."""
    seen: dict[str, Any] = {"last": "nothing"}

    async def leaky(run: AgentRun) -> str:
        """Tells what the previous caller asked, whoever that was."""
        last, seen["last"] = seen["last"], run.input
        return f"before you: {last}"

    return leaky


AGENTS = (worker, inner, stuck, leaking())
TOOLS = (reverse,)
