"""What an agent holds while it works: the only door from agent code to everything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from carrel.context import UserExecutionContext
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import EngineClosedError, SettingsError
from carrel.runtime.agent import AgentResult, ToolDescription
from carrel.runtime.registry import AgentRegistry
from carrel.runtime.store import BoundStore, Message, UserStore
from carrel.runtime.tools import Tool, ToolDispatcher

__all__ = ["RequestRun"]


class RequestRun:
    """The `AgentRun` of one request; refuses everything once the request is over."""

    __slots__ = (
        "_agent",
        "_agents",
        "_context",
        "_delegate",
        "_emitter",
        "_history",
        "_input",
        "_over",
        "_registry",
        "_said",
        "_store",
        "_tools",
    )

    def __init__(
        self,
        *,
        context: UserExecutionContext,
        input: str,
        history: Sequence[Message],
        store: UserStore | None,
        registry: AgentRegistry,
        agent: str,
        emitter: WebSocketEmitter,
        tools: ToolDispatcher,
        delegate: Callable[[str, str], Awaitable[AgentResult]],
    ) -> None:
        self._context = context
        self._input = input
        self._history = history
        self._store = BoundStore(context, store) if store is not None else None
        self._registry = registry
        self._agent = agent
        self._agents: Mapping[str, str] | None = None
        self._emitter = emitter
        self._tools = tools
        self._delegate: Callable[[str, str], Awaitable[AgentResult]] | None = delegate
        self._said: list[str] = []
        self._over = False

    @property
    def context(self) -> UserExecutionContext:
        return self._context

    @property
    def input(self) -> str:
        return self._input

    @property
    def history(self) -> Sequence[Message]:
        return self._history

    @property
    def store(self) -> BoundStore:
        if self._store is None:
            raise SettingsError("store", "this engine was made without one; give it `store=`")
        return self._store

    @property
    def agents(self) -> Mapping[str, str]:
        if self._agents is None:
            above = (*self._context.lineage, self._agent)
            deeper = self._context.depth < self._context.depth_limit
            self._agents = MappingProxyType(
                {name: spec.description for name, spec in self._registry.items() if deeper and name not in above}
            )
        return self._agents

    @property
    def tools(self) -> Mapping[str, ToolDescription]:
        return self._tools.tools

    async def think(self, text: str) -> None:
        self._check_open(text)
        await self._emitter.thinking(text)

    async def say(self, text: str) -> None:
        self._check_open(text)
        await self._emitter.message(text)
        self._said.append(text)

    async def call_tool(self, name: str, /, **arguments: Any) -> Any:
        self._check_open(name)
        return await self._tools.dispatch(name, arguments)

    async def use_tool(self, tool: Tool, /, **arguments: Any) -> Any:
        self._check_open(tool.name)
        return await self._tools.use(tool, arguments)

    async def run_agent(self, name: str, input: str) -> AgentResult:
        self._check_open(input)
        assert self._delegate is not None
        return await self._delegate(name, input)

    def said(self) -> str:
        """Everything said so far: the answer of an agent that returns none."""
        return "".join(self._said)

    def close(self) -> None:
        """Refuse everything from now on."""
        self._over = True
        self._delegate = None  # what executes the request holds this: without a cycle both go at once
        if self._store is not None:
            self._store.close()

    def _check_open(self, text: object) -> None:
        if self._over:
            raise EngineClosedError("the run")
        if not isinstance(text, str):
            raise TypeError(f"text must be a string, not {type(text).__name__}")
