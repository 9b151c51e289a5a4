"""What an old agent is given as its bridge: one run's own, which says nothing about any other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from carrel.context import UserExecutionContext
from carrel.errors import IsolationError
from carrel.runtime.agent import AgentRun
from carrel.runtime.tools import Tool

__all__ = ["RunBridge"]

LONGEST_CALL_SECONDS = 24 * 3600.0


class RunBridge:
    """Turns an old agent's `notify_…` calls into the events of its own request.

    Every method raises `IsolationError` for another run's id and returns whether the event was written.
    """

    __slots__ = ("_calls", "_known_as", "_run")

    def __init__(self, run: AgentRun, *, known_as: str | None = None) -> None:
        self._run = run
        self._known_as = known_as
        self._calls: dict[str, list[tuple[asyncio.Future[Any], asyncio.Task[Any]]]] = {}

    async def notify_agent_started(self, run_id: str, agent_name: str = "", *_: Any, **__: Any) -> bool:
        """Writes nothing: the engine has said that the agent started."""
        return self._check(run_id)

    async def notify_agent_thinking(
        self, run_id: str, agent_name: str = "", reasoning: str = "", *_: Any, **__: Any
    ) -> bool:
        self._check(run_id)
        await self._run.think(reasoning)
        return True

    async def notify_tool_executing(
        self,
        run_id: str,
        tool_name: str,
        agent_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        **_: Any,
    ) -> bool:
        """Begin a tool call: the agent does the work itself and then calls `notify_tool_completed`."""
        self._check(run_id)
        loop = asyncio.get_running_loop()
        begun, finished = loop.create_future(), loop.create_future()

        async def call(_: UserExecutionContext, __: Mapping[str, Any]) -> Any:
            begun.set_result(None)
            return await finished

        tool = Tool(name=tool_name, description="", parameters={}, call=call, timeout_seconds=LONGEST_CALL_SECONDS)
        task = loop.create_task(self._run.use_tool(tool, **(parameters or {})))
        await asyncio.wait((begun, task), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        task.add_done_callback(_retrieve)
        self._calls.setdefault(tool_name, []).append((finished, task))
        return True

    async def notify_tool_completed(self, run_id: str, tool_name: str, result: Any = None, *_: Any, **__: Any) -> bool:
        """End the newest open call of the tool; False when none is open."""
        self._check(run_id)
        if not self._calls.get(tool_name):
            return False
        finished, task = self._calls[tool_name].pop()
        if finished.done():  # the run ended first, and ended the call
            return False
        finished.set_result(result)
        await task
        return True

    async def notify_agent_completed(self, run_id: str, agent_name: str = "", *_: Any, **__: Any) -> bool:
        """Writes nothing: the engine says that the agent completed when it has."""
        return self._check(run_id)

    async def notify_agent_error(self, run_id: str, agent_name: str = "", error: str = "", *_: Any, **__: Any) -> bool:
        """Shown as a thought: whether the run failed is said by how the agent ends."""
        return await self.notify_agent_thinking(run_id, agent_name, str(error))

    def _check(self, run_id: str) -> bool:
        if run_id not in (self._known_as, self._run.context.run_id):
            raise IsolationError("the bridge of a run")
        return True


def _retrieve(task: asyncio.Task[Any]) -> None:
    with suppress(asyncio.CancelledError):
        task.exception()  # asyncio reports exceptions that nobody asked for
