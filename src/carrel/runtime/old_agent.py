"""Agents of another code base, seen as carrel's: how they are asked, and what their answers are."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from pydantic_core import to_json

from carrel.context import RequestId, UserExecutionContext
from carrel.delivery.old_calls import call_known, settled
from carrel.runtime.agent import AgentResult, AgentRun
from carrel.runtime.run_bridge import RunBridge

__all__ = ["AgentSource", "OldAgent", "ask", "described", "is_agent", "result_of"]


class AgentSource(Protocol):
    """Where an old registry's agents of one name come from."""

    @property
    def description(self) -> str:
        """One line about them."""
        ...

    async def agent(self, context: object, run_context: UserExecutionContext, bridge: RunBridge) -> Any:
        """An agent that no other user has; `context` is the user's as old code knows it."""
        ...


class OldAgent:
    """One request's agent, fetched from its source when it runs. `keep` is given its answer as it was returned."""

    __slots__ = ("_given", "_keep", "_source", "name")

    def __init__(
        self,
        name: str,
        source: AgentSource,
        given: object | None,
        keep: Callable[[RequestId, object], None] | None,
    ) -> None:
        self.name = name
        self._source = source
        self._given = given
        self._keep = keep

    @property
    def description(self) -> str:
        return self._source.description

    async def run(self, run: AgentRun) -> str | AgentResult | None:
        context = run.context if self._given is None else self._given
        bridge = RunBridge(run, known_as=getattr(context, "run_id", None), agent=self.name)
        answer = await ask(await self._source.agent(context, run.context, bridge), run, context, bridge)
        if self._keep is not None and run.context.is_root:
            self._keep(run.context.request_id, answer)
        return result_of(self.name, answer)


def is_agent(found: object) -> bool:
    """Whether it is an agent, and not what makes one."""
    return hasattr(found, "run") or hasattr(found, "execute")


async def ask(agent: Any, run: AgentRun, context: object, bridge: RunBridge) -> object:
    """Let the agent answer: by `execute` with the values that it names, or by carrel's own `run(run)`.

    An agent with `set_websocket_bridge` is given this run's. Raises `TypeError` when `execute` requires what carrel
    does not know.
    """
    execute = getattr(agent, "execute", None)
    if execute is None:
        answer: Awaitable[object] = agent.run(run)
        return await answer
    known = {
        "context": context,
        "run_id": getattr(context, "run_id", run.context.run_id),
        "stream_updates": True,
        "message": run.input,
        "user_id": run.context.user_id,
        "thread_id": run.context.thread_id,
        "websocket_bridge": bridge,
        "run": run,
    }
    connect = getattr(agent, "set_websocket_bridge", None)
    if connect is not None:
        await settled(connect(bridge, known["run_id"]))
    what = f"{type(agent).__name__}.execute"
    return await settled(call_known(execute, known, what))


def result_of(name: str, answer: object) -> str | AgentResult | None:
    """An old agent's answer as carrel's: text stays, anything else is written as JSON.

    An object with `success` (and `data`, `error`), as old engines return it, tells whether it succeeded.
    """
    if answer is None or isinstance(answer, str | AgentResult):
        return answer
    success = getattr(answer, "success", None)
    if not isinstance(success, bool):
        return _text(answer)
    if success:
        data = getattr(answer, "data", None)
        return data if data is None or isinstance(data, str) else _text(data)
    problem = getattr(answer, "error", None)
    return AgentResult(
        status="failed", error_code="agent_failed", error_message=str(problem or f"agent {name!r} gave no reason")
    )


def _text(value: object) -> str:
    return to_json(value, fallback=str).decode()


def described(found: object) -> str:
    """One line about an agent: its `description`, or the first of its docstring."""
    description = getattr(found, "description", None)
    if isinstance(description, str):
        return description
    return (inspect.getdoc(found) or "").partition("\n")[0]
