"""The shipped agents over the shipped example, asked as the server asks them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, new_id
from carrel.events import AgentEvent
from carrel.optimizer import optimizer_agents
from carrel.optimizer.agents.text_model import TextModel
from carrel.runtime.agent import AgentResult
from carrel.runtime.store import Message
from carrel.runtime.tools import Tool
from carrel.testing.harness import MemoryRuntime
from tests.optimizer.conftest import USAGE


class Desk:
    """A runtime with the shipped agents, and every event of what was asked."""

    def __init__(self, tools: tuple[Tool, ...], model: TextModel | None = None) -> None:
        self.runtime = MemoryRuntime(optimizer_agents(model), tools)

    async def ask(
        self,
        question: str,
        *,
        agent: str = "supervisor",
        user_id: str = "ada",
        earlier: Sequence[str] = (),
        permissions: frozenset[str] = USAGE,
    ) -> AgentResult:
        from carrel.delivery.emitter import WebSocketEmitter
        from carrel.runtime.engine import UserExecutionEngine
        from carrel.runtime.factory import AgentFactory
        from carrel.runtime.tools import ToolDispatcher

        context = UserExecutionContext(
            user_id=UserId(user_id),
            thread_id=ThreadId("thread"),
            run_id=RunId(new_id()),
            request_id=RequestId(new_id()),
            permissions=permissions,
        )
        emitter = WebSocketEmitter(context, self.runtime.log, self.runtime.bridge)
        history = [Message(new_id(), RunId(new_id()), "user", text, "") for text in earlier]
        async with UserExecutionEngine(
            context=context,
            agent_factory=AgentFactory(self.runtime.registry),
            websocket_emitter=emitter,
            tool_dispatcher=ToolDispatcher(context, self.runtime.engines.tools, emitter),
            store=self.runtime.store,
            history=history,
        ) as engine:
            return await engine.execute_agent(agent, question)

    def events(self, user_id: str = "ada") -> Sequence[AgentEvent]:
        return self.runtime.events(self.runtime.user(user_id))


@pytest.fixture
def empty_desk(tools: tuple[Tool, ...]) -> Desk:
    return Desk(tools)


@pytest.fixture
def desk(empty_desk: Desk) -> Desk:
    """For tests with `usefixtures("example_file")`: `ada` has imported the example."""
    return empty_desk
