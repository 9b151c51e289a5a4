"""Agents for a server in trouble: quick, slow, talkative, nested, stubborn ones, and one that counts what is there.

Every input holds its user's canary. Agents answer with what the store, the history and the input hold, so that a value
of another user would show.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import re
import threading
import time
from collections import Counter

from carrel import AgentRun, UserExecutionContext, tool
from carrel.runtime.tools import Tool

CANARY = re.compile(r"canary-[0-9a-f]{16}")


@tool
async def wait_a_little(text: str, seconds: float) -> str:
    """Takes its time."""
    await asyncio.sleep(seconds)
    return text


@tool
def work_in_a_thread(context: UserExecutionContext, text: str) -> str:
    """Occupies a thread for a moment."""
    time.sleep(0.02)
    return f"{context.user_id} {text}"


@tool
async def refuse(text: str) -> str:
    """Never works."""
    raise ValueError(f"I do not like {text}")


async def _canary(run: AgentRun) -> str:
    """What the store has, or what the input says the first time."""
    kept = await run.store.get("canary")
    if kept is None:
        found = CANARY.search(run.input)
        kept = found.group() if found else "none"
        await run.store.put("canary", kept)
    return str(kept)


async def quick(run: AgentRun) -> str:
    """Answers at once."""
    await run.think(f"I was asked: {run.input}")
    before = run.history[-1].text[:60] if run.history else "nothing"
    return f"{await _canary(run)} after {before}"


async def slow(run: AgentRun) -> None:
    """Writes its answer in many pieces."""
    canary = await _canary(run)
    for number in range(random.randrange(3, 15)):
        await run.say(f"{canary} {number} ")
        await asyncio.sleep(random.random() * 0.1)


async def caller(run: AgentRun) -> str:
    """Calls tools at the same time; one of them fails."""
    canary = await _canary(run)
    answers = await asyncio.gather(
        run.call_tool("wait_a_little", text=canary, seconds=random.random() * 0.3),
        run.call_tool("work_in_a_thread", text=canary),
        run.call_tool("refuse", text=canary),
        return_exceptions=True,
    )
    return " ".join(map(str, answers))


async def nested(run: AgentRun) -> str:
    """Has others do it, some of them at the same time."""
    canary = await _canary(run)
    first = await run.run_agent("caller", f"{canary} for the caller")
    rest = await asyncio.gather(run.run_agent("slow", canary), run.run_agent("failing", canary))
    return " ".join(result.output for result in (first, *rest))


async def failing(run: AgentRun) -> str:
    """Raises."""
    await run.think(await _canary(run))
    raise RuntimeError("it does not work")


async def hanging(run: AgentRun) -> str:
    """Never ends by itself."""
    await run.call_tool("wait_a_little", text=await _canary(run), seconds=25)
    await asyncio.sleep(3600)
    return ""


async def stubborn(run: AgentRun) -> str:
    """Does not stop at once when it is told to."""
    canary = await _canary(run)
    try:
        await asyncio.sleep(random.random() * 2)
    except asyncio.CancelledError:
        await asyncio.sleep(0.3)
    return canary


async def flood(run: AgentRun) -> str:
    """Fills the log."""
    canary = await _canary(run)
    for number in range(40):
        await run.think(f"{canary} {number} " + "x" * 2000)
    return canary


async def census(run: AgentRun) -> str:
    """Counts what the server's process holds: not an agent one would offer."""
    gc.collect()
    tasks = Counter(task.get_coro().__qualname__ for task in asyncio.all_tasks())  # type: ignore[union-attr]
    return json.dumps(
        {
            "tasks": sum(tasks.values()),
            "kinds": dict(tasks),
            "threads": Counter(re.sub(r"[-_ (]*\d+.*$", "", thread.name) for thread in threading.enumerate()),
            "descriptors": len(os.listdir("/proc/self/fd")),
        }
    )


AGENTS = (quick, slow, caller, nested, failing, hanging, stubborn, flood, census)
TOOLS: tuple[Tool, ...] = (wait_a_little, work_in_a_thread, refuse)
