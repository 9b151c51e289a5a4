"""Agents and tools without a model, for `CARREL_AGENTS` and `CARREL_TOOLS` of the servers that are measured."""

from __future__ import annotations

from carrel.runtime.agent import AgentRun
from carrel.runtime.tools import Tool, tool

__all__ = ["AGENTS", "TOOLS", "adder", "reciter"]


@tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def adder(run: AgentRun) -> str:
    """Think, call one tool, answer: five events."""
    await run.think("I need to add two numbers.")
    return f"The sum is {await run.call_tool('add', a=40, b=2)}."


async def reciter(run: AgentRun) -> str:
    """Think as often as the input says, call one tool, answer: four events more than that."""
    for number in range(int(run.input)):
        await run.think(f"Thought number {number}.")
    return f"The sum is {await run.call_tool('add', a=40, b=2)}."


AGENTS = (adder, reciter)
TOOLS: tuple[Tool, ...] = (add,)
