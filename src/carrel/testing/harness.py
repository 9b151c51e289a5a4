"""A ready runtime in memory, for the tests of those who write agents and tools."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from carrel.context import RequestId, RunId, ThreadId, UserContext, UserExecutionContext, UserId, new_id
from carrel.delivery.bridge import LocalBridge
from carrel.events import AgentEvent, decode_event
from carrel.runtime.agent import Agent, AgentFunction
from carrel.runtime.engine import UserExecutionEngine
from carrel.runtime.engine_factory import ExecutionEngineFactory
from carrel.runtime.limits import RunLimits
from carrel.runtime.registry import AgentRegistry, AgentSpec
from carrel.runtime.scheduler import RunScheduler
from carrel.runtime.tools import Tool
from carrel.testing.event_log import MemoryEventLog
from carrel.testing.stores import MemoryRunStore, MemoryThreadStore, MemoryUserStore

__all__ = ["MemoryRuntime", "engine"]


class MemoryRuntime:
    """Everything that runs agents, wired together, in memory."""

    def __init__(
        self,
        agents: Iterable[type[Agent] | AgentFunction | AgentSpec] = (),
        tools: Sequence[Tool] = (),
        *,
        limits: RunLimits | None = None,
        production: bool = False,
    ) -> None:
        self.registry = AgentRegistry(agents)
        self.threads = MemoryThreadStore()
        self.runs = MemoryRunStore(self.threads)
        self.store = MemoryUserStore()
        self.log = MemoryEventLog(on_append=self.runs.on_append)
        self.bridge = LocalBridge()
        self.engines = ExecutionEngineFactory(
            registry=self.registry,
            tools=tools,
            log=self.log,
            bridge=self.bridge,
            store=self.store,
            threads=self.threads,
            limits=limits,
            production=production,
        )
        self.scheduler = RunScheduler(engines=self.engines, runs=self.runs)

    def context(
        self,
        user_id: str = "ada",
        *,
        thread_id: str = "thread-of-ada",
        permissions: frozenset[str] = frozenset(),
        deadline: float | None = None,
    ) -> UserExecutionContext:
        """A context for one new run."""
        return UserExecutionContext(
            user_id=UserId(user_id),
            thread_id=ThreadId(thread_id),
            run_id=RunId(new_id()),
            request_id=RequestId(new_id()),
            permissions=permissions,
            deadline=deadline,
        )

    def user(self, user_id: str = "ada", *, permissions: frozenset[str] = frozenset()) -> UserContext:
        """A context outside any run, as the server makes one for each request."""
        return UserContext(user_id=UserId(user_id), request_id=RequestId(new_id()), permissions=permissions)

    @asynccontextmanager
    async def engine(
        self, user_id: str = "ada", *, permissions: frozenset[str] = frozenset()
    ) -> AsyncIterator[UserExecutionEngine]:
        """An engine for one request of the user."""
        async with self.engines.engine(self.context(user_id, permissions=permissions)) as made:
            yield made

    def events(self, context: UserContext) -> Sequence[AgentEvent]:
        """The user's whole log, decoded."""
        return [decode_event(logged.body) for logged in self.log.events(context)]


@asynccontextmanager
async def engine(
    agents: Iterable[type[Agent] | AgentFunction | AgentSpec],
    *,
    tools: Sequence[Tool] = (),
    user_id: str = "ada",
    permissions: frozenset[str] = frozenset({"*"}),
) -> AsyncIterator[UserExecutionEngine]:
    """An engine for one request of a user who may do everything.

    ::

        async with testing.engine(AGENTS, tools=TOOLS) as engine:
            result = await engine.execute_agent("greeter", "Good morning")

    To look at the events too, or to run several requests, make a `MemoryRuntime`.
    """
    async with MemoryRuntime(agents, tools).engine(user_id, permissions=permissions) as made:
        yield made
