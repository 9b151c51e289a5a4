"""What an old agent is given as its bridge: one run's own, which says nothing about any other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
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

    __slots__ = ("_agent", "_calls", "_known_as", "_run")

    def __init__(self, run: AgentRun, *, known_as: str | None = None, agent: str | None = None) -> None:
        self._run = run
        self._known_as = known_as
        self._agent = agent
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
        self, run_id: str, *values: Any, tool_name: str | None = None, parameters: object = None, **_: Any
    ) -> bool:
        """Begin a tool call: the agent does the work itself and then calls `notify_tool_completed`.

        Old code says `(tool)`, `(agent, tool, parameters)`, `(tool, agent, parameters)`, or names them.
        """
        self._check(run_id)
        if tool_name is None:
            tool_name = self._tool_of(values)
        if parameters is None:
            parameters = next((value for value in values if isinstance(value, Mapping)), None)
        loop = asyncio.get_running_loop()
        begun, finished = loop.create_future(), loop.create_future()

        async def call(_: UserExecutionContext, __: Mapping[str, Any]) -> Any:
            begun.set_result(None)
            return await finished

        tool = Tool(name=tool_name, description="", parameters={}, call=call, timeout_seconds=LONGEST_CALL_SECONDS)
        task = loop.create_task(self._run.use_tool(tool, **_by_name(parameters)))
        await asyncio.wait((begun, task), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        task.add_done_callback(_retrieve)
        self._calls.setdefault(tool_name, []).append((finished, task))
        return True

    async def notify_tool_completed(
        self, run_id: str, *values: Any, tool_name: str | None = None, result: Any = None, **_: Any
    ) -> bool:
        """End the newest open call of the tool; False when none is open.

        Old code says `(tool, result, …)`, `(agent, tool, result, …)`, or names them.
        """
        self._check(run_id)
        for place, value in enumerate(values[:2]):
            if tool_name is None and isinstance(value, str) and self._calls.get(value):
                tool_name, *more = values[place:]
                result = more[0] if more and result is None else result
        if tool_name is None or not self._calls.get(tool_name):
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

    def _tool_of(self, values: Sequence[Any]) -> str:
        """The tool of `(tool, …)`, `(tool, agent, …)` or `(agent, tool, …)`: the agent knows its own name."""
        names = [value for value in values[:2] if isinstance(value, str)]
        if not names:
            raise TypeError("notify_tool_executing names no tool; call it with (run_id, agent_name, tool_name)")
        return names[0] if names[-1] == self._agent else names[-1]

    def _check(self, run_id: str) -> bool:
        if run_id not in (self._known_as, self._run.context.run_id):
            raise IsolationError("the bridge of a run")
        return True


def _by_name(parameters: object) -> dict[str, Any]:
    """What a tool was told, as the arguments of a call, whatever its shape."""
    if isinstance(parameters, Mapping):
        return {str(name): value for name, value in parameters.items()}
    return {} if parameters is None else {"parameters": parameters}


def _retrieve(task: asyncio.Task[Any]) -> None:
    with suppress(asyncio.CancelledError):
        task.exception()  # asyncio reports exceptions that nobody asked for
