"""What carrel itself costs per run, in one process: a bare coroutine, carrel in memory, carrel on SQLite."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import anyio
import uvloop

from benchmarks.event_logs import sqlite_log
from benchmarks.figures import Figure, Outcome, Scale, at_most, interleave, ratio
from benchmarks.servers.carrel_agents import AGENTS, TOOLS
from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, new_id
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.delivery.log import EventLog
from carrel.runtime.engine import UserExecutionEngine
from carrel.runtime.factory import AgentFactory
from carrel.runtime.registry import AgentRegistry
from carrel.runtime.tools import ToolDispatcher
from carrel.testing.event_log import MemoryEventLog

__all__ = ["RunCost"]


class _Size(NamedTuple):
    users: int
    runs: int
    rounds: int


_SIZES = {"tiny": _Size(5, 20, 1), "quick": _Size(50, 2_000, 3), "full": _Size(50, 10_000, 7)}
IN_MEMORY = at_most(100)
ON_SQLITE = at_most(1_000)
FACTORY = AgentFactory(AgentRegistry(AGENTS))


class RunCost:
    """One agent run without a model call: a thought, one tool call, an answer; five events."""

    name = "run_cost"
    question = "What does carrel itself cost per run, with 50 runs at once in one process?"

    def measure(self, scale: Scale, *, peers: bool = True) -> Outcome:
        del peers
        size = _SIZES[scale]
        cpu: list[float] = []

        def on_sqlite() -> float:
            before = time.process_time()
            found = uvloop.run(_on_sqlite(size))
            cpu.append((time.process_time() - before) / size.runs * 1e6)
            return found

        found = interleave(
            {
                "bare": lambda: uvloop.run(_timed(_bare, size)),
                "memory": lambda: uvloop.run(_in_memory(size)),
                "sqlite": on_sqlite,
            },
            rounds=size.rounds,
        )
        return Outcome(
            (
                Figure("bare coroutine", "µs/run", found["bare"]),
                Figure("carrel in memory", "µs/run", found["memory"], IN_MEMORY),
                Figure("carrel on SQLite", "µs/run", found["sqlite"], ON_SQLITE),
                Figure("carrel on SQLite: CPU of all threads", "µs/run", tuple(cpu[1:])),
                ratio("carrel in memory / bare", found["memory"], found["bare"]),
                ratio("carrel on SQLite / carrel in memory", found["sqlite"], found["memory"]),
            ),
        )


async def _timed(run: Callable[[int], Awaitable[object]], size: _Size) -> float:
    """Microseconds per run, each user running one after the other and all users at once."""

    async def user(number: int) -> None:
        for _ in range(size.runs // size.users):
            await run(number)

    gc.collect()
    began = time.perf_counter()
    async with anyio.create_task_group() as users:
        for number in range(size.users):
            users.start_soon(user, number)
    return (time.perf_counter() - began) / (size.runs // size.users * size.users) * 1e6


async def _bare(_: int) -> str:
    async def add(a: int, b: int) -> int:
        return a + b

    async def adder() -> str:
        return f"The sum is {await add(a=40, b=2)}."

    return await adder()


async def _in_memory(size: _Size) -> float:
    return await _timed(_engine_run(MemoryEventLog()), size)


async def _on_sqlite(size: _Size) -> float:
    async with sqlite_log() as log:
        return await _timed(_engine_run(log), size)


def _engine_run(log: EventLog) -> Callable[[int], Awaitable[object]]:
    bridge = LocalBridge()

    async def run(user: int) -> None:
        context = UserExecutionContext(
            user_id=UserId(f"user-{user}"),
            thread_id=ThreadId(new_id()),
            run_id=RunId(new_id()),
            request_id=RequestId(new_id()),
        )
        emitter = WebSocketEmitter(context, log, bridge)
        async with UserExecutionEngine(
            context=context,
            agent_factory=FACTORY.bind(context),
            websocket_emitter=emitter,
            tool_dispatcher=ToolDispatcher(context, TOOLS, emitter),
        ) as engine:
            result = await engine.execute_agent("adder", "What is 40 and 2?")
        assert result.output == "The sum is 42.", result

    return run
