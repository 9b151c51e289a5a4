"""What the old constructor costs per run, beside the direct one: the same agent and tool call, the same log."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import uvloop

from benchmarks.event_logs import sqlite_log
from benchmarks.figures import Figure, Outcome, Scale, at_most, interleave, ratio
from benchmarks.servers.carrel_agents import add
from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, new_id
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.delivery.log import EventLog
from carrel.delivery.old_bridge import LoggedBridge
from carrel.runtime.agent import AgentRun
from carrel.runtime.compat import ExecutionEngine
from carrel.runtime.engine import UserExecutionEngine
from carrel.runtime.factory import AgentFactory
from carrel.runtime.registry import AgentRegistry
from carrel.testing.event_log import MemoryEventLog

__all__ = ["CompatCost"]


class _Size(NamedTuple):
    users: int
    runs: int
    rounds: int


_SIZES = {"tiny": _Size(5, 20, 1), "quick": _Size(50, 2_000, 7), "full": _Size(50, 10_000, 15)}
NO_MORE_THAN_A_TENTH = at_most(1.1)
Run = Callable[[int], Awaitable[str]]


class Adder:
    """Think, call one tool, answer: five events."""

    name = "adder"
    description = "Adds two numbers."

    async def run(self, run: AgentRun) -> str:
        await run.think("I need to add two numbers.")
        return f"The sum is {await run.use_tool(add, a=40, b=2)}."


class OldRegistry:
    """What teams have: instances by name."""

    def __init__(self) -> None:
        self._agents = {"adder": Adder()}

    def get(self, name: str) -> Adder | None:
        return self._agents.get(name)

    def list_keys(self) -> list[str]:
        return list(self._agents)


class OldBridge:
    """What teams have, without its network.

    It keeps the last five things that it is told: all of them would be for the collector to look at, run after run,
    which is a cost of this bridge and not of the constructor.
    """

    def __init__(self) -> None:
        self.told: deque[tuple[str, str, object]] = deque(maxlen=5)

    async def notify_agent_started(
        self, run_id: str, agent_name: str, context: Mapping[str, Any] | None = None, user_context: object = None
    ) -> bool:
        return self._keep(run_id, "agent_started", context)

    async def notify_agent_thinking(
        self,
        run_id: str,
        agent_name: str,
        reasoning: str,
        step_number: int | None = None,
        user_context: object = None,
    ) -> bool:
        return self._keep(run_id, "agent_thinking", reasoning)

    async def notify_tool_executing(
        self,
        run_id: str,
        tool_name: str,
        agent_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        user_context: object = None,
    ) -> bool:
        return self._keep(run_id, "tool_executing", parameters)

    async def notify_tool_completed(
        self,
        run_id: str,
        tool_name: str,
        result: Mapping[str, Any] | None = None,
        agent_name: str | None = None,
        execution_time_ms: float | None = None,
        user_context: object = None,
    ) -> bool:
        return self._keep(run_id, "tool_completed", result)

    async def notify_agent_completed(
        self,
        run_id: str,
        agent_name: str,
        result: Mapping[str, Any] | None = None,
        execution_time_ms: float | None = None,
        user_context: object = None,
    ) -> bool:
        return self._keep(run_id, "agent_completed", result)

    def _keep(self, run_id: str, event: str, data: object) -> bool:
        self.told.append((run_id, event, data))
        return True


class CompatCost:
    """The bar: at most a tenth slower than the direct constructor, whichever log the events go to."""

    name = "compat_cost"
    question = "What does the old constructor cost per run, beside the direct one?"

    def measure(self, scale: Scale, *, peers: bool = True) -> Outcome:
        del peers
        size = _SIZES[scale]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # as Python does for code outside `__main__`
            found = interleave(
                {
                    "direct": lambda: uvloop.run(_timed(_direct(MemoryEventLog()), size)),
                    "logged": lambda: uvloop.run(_timed(_old(_logged(MemoryEventLog())), size)),
                    "notifying": lambda: uvloop.run(_timed(_old(OldBridge()), size)),
                    "direct on SQLite": lambda: uvloop.run(_on_sqlite(_direct, size)),
                    "old on SQLite": lambda: uvloop.run(_on_sqlite(lambda log: _old(_logged(log)), size)),
                },
                rounds=size.rounds,
            )
        return Outcome(
            (
                Figure("direct constructor", "µs/run", found["direct"]),
                Figure("old constructor, carrel's log", "µs/run", found["logged"]),
                Figure("old constructor, old bridge", "µs/run", found["notifying"]),
                Figure("direct constructor, SQLite", "µs/run", found["direct on SQLite"]),
                Figure("old constructor, SQLite", "µs/run", found["old on SQLite"]),
                ratio("old, carrel's log / direct", found["logged"], found["direct"], NO_MORE_THAN_A_TENTH),
                ratio("old, old bridge / direct", found["notifying"], found["direct"], NO_MORE_THAN_A_TENTH),
                ratio("old / direct, SQLite", found["old on SQLite"], found["direct on SQLite"], NO_MORE_THAN_A_TENTH),
            ),
        )


async def _timed(run: Run, size: _Size) -> float:
    """Microseconds of processor time per run, each user running one after the other and all users at once.

    Not of the clock's, and of all threads, since a log may have its own: what else the machine does is not asked.
    """

    async def user(number: int) -> None:
        for _ in range(size.runs // size.users):
            assert await run(number) == "The sum is 42."

    gc.collect()
    began = time.process_time()
    await asyncio.gather(*(user(number) for number in range(size.users)))
    return (time.process_time() - began) / (size.runs // size.users * size.users) * 1e6


def _request(user: int) -> SimpleNamespace:
    """What an application knows of a request, whichever constructor it calls."""
    return SimpleNamespace(
        user_id=f"user-{user}",
        thread_id=new_id(),
        run_id=new_id(),
        request_id=new_id(),
        metadata={"message": "What is 40 and 2?"},
    )


async def _on_sqlite(contestant: Callable[[EventLog], Run], size: _Size) -> float:
    async with sqlite_log() as log:
        return await _timed(contestant(log), size)


def _logged(log: EventLog) -> LoggedBridge:
    return LoggedBridge(log, LocalBridge())


def _direct(log: EventLog) -> Run:
    bridge = LocalBridge()
    agents = AgentFactory(AgentRegistry([Adder]))

    async def run(user: int) -> str:
        request = _request(user)
        context = UserExecutionContext(
            user_id=UserId(request.user_id),
            thread_id=ThreadId(request.thread_id),
            run_id=RunId(request.run_id),
            request_id=RequestId(request.request_id),
        )
        async with UserExecutionEngine(
            context=context, agent_factory=agents, websocket_emitter=WebSocketEmitter(context, log, bridge)
        ) as engine:
            return (await engine.execute_agent("adder", request.metadata["message"])).output

    return run


def _old(bridge: object) -> Run:
    registry = OldRegistry()

    async def run(user: int) -> str:
        context = _request(user)
        execution = SimpleNamespace(agent_name="adder", user_id=context.user_id, metadata=context.metadata)
        async with ExecutionEngine(registry, bridge, context) as engine:
            return (await engine.execute_agent(execution, context)).output

    return run
