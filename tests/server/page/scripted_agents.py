"""Agents for the page's tests: they do what the request says, and wait where a test holds them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from carrel.runtime.agent import AgentRun
from carrel.runtime.tools import Tool

LINES = 12


async def supervisor(run: AgentRun) -> str:
    """Does what the request says."""
    kind, _, rest = run.input.partition(" ")
    if kind == "repeat":
        return rest
    if kind == "work":
        return await _work(run, rest)
    if kind == "write":
        return await _write(run, rest)
    if kind == "count":
        return await _count(run, rest)
    if kind == "fail":
        raise RuntimeError("the scripted failure")
    return f"You said: {run.input}"


async def clerk(run: AgentRun) -> str:
    """Adds two numbers."""
    await run.think("Adding the numbers.")
    total = await run.call_tool("add", first=2, second=3)
    return f"The sum is {total}."


async def _work(run: AgentRun, rest: str) -> str:
    await run.think(f"The clerk can do this: {rest}")
    return (await run.run_agent("clerk", rest)).output


async def _write(run: AgentRun, gate: str) -> str:
    await run.think("Thinking before the gate.")
    await run.say("The first half of the answer. ")
    await _pass(gate)
    await run.say("The second half of the answer.")
    return "The first half of the answer. The second half of the answer."


async def _count(run: AgentRun, gates: str) -> str:
    """Twelve lines and pieces, held at the sixth by the first gate and at the tenth by the second, if there is one."""
    held = dict(zip((6, 10), gates.split(), strict=False))
    for number in range(1, LINES + 1):
        if number in held:
            await _pass(held[number])
        await run.think(f"line {number}.")
        await run.say(f"piece {number}. ")
    return "".join(f"piece {number}. " for number in range(1, LINES + 1))


async def _pass(gate: str) -> None:
    path = Path(os.environ["PAGE_TEST_GATES"]) / gate
    while not path.exists():
        await asyncio.sleep(0.02)


def add(first: int, second: int) -> int:
    """Add two numbers."""
    return first + second


AGENTS = (supervisor, clerk)
TOOLS = (Tool.from_function(add),)
