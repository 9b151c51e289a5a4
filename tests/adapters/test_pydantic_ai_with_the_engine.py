"""The adapter under the real engine: what reaches the user's event log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pydantic_ai
import pytest
from pydantic_ai import exceptions, messages, models
from pydantic_ai.models.function import AgentInfo, DeltaThinkingPart, DeltaToolCall, FunctionModel
from pydantic_ai.models.test import TestModel
from structlog.testing import capture_logs

from carrel.adapters.pydantic_ai import as_agent
from carrel.context import UserExecutionContext
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.events import AgentEvent, RunGrammar, decode_event
from carrel.runtime.engine import UserExecutionEngine
from carrel.runtime.factory import AgentFactory
from carrel.runtime.registry import AgentRegistry
from carrel.runtime.tools import Tool, ToolDispatcher, tool
from carrel.testing.event_log import MemoryEventLog
from tests.adapters.recorded_run import context_of

SECRET = "sk-canary-4711"


@pytest.fixture(autouse=True)
def no_real_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "ALLOW_MODEL_REQUESTS", False)


@asynccontextmanager
async def engine_for(
    context: UserExecutionContext,
    agent: pydantic_ai.Agent[Any, Any],
    *,
    registered: Sequence[Tool] = (),
    **options: Any,
) -> AsyncIterator[tuple[UserExecutionEngine, MemoryEventLog]]:
    log = MemoryEventLog()
    registry = AgentRegistry([as_agent(agent, name="clerk", description="Answers.", **options)])
    emitter = WebSocketEmitter(context, log, LocalBridge())
    async with UserExecutionEngine(
        context=context,
        agent_factory=AgentFactory(registry),
        websocket_emitter=emitter,
        tool_dispatcher=ToolDispatcher(context, registered, emitter),
    ) as engine:
        yield engine, log


async def events_of(log: MemoryEventLog, context: UserExecutionContext) -> list[AgentEvent]:
    events = [decode_event(logged.body) for logged in await log.read(context, 0, 1000)]
    grammar = RunGrammar()
    for event in events:
        grammar.accept(event)
    return events


async def answer_after_a_tool(history: list[messages.ModelMessage], info: AgentInfo) -> AsyncIterator[Any]:
    if len(history) == 1:
        yield {0: DeltaThinkingPart(content="I need the records.")}
        yield {1: DeltaToolCall(name="records", json_args='{"year": 2026}', tool_call_id="call-1")}
    else:
        yield "Two "
        yield "records."


async def test_the_five_events_come_in_order() -> None:
    agent = pydantic_ai.Agent(FunctionModel(stream_function=answer_after_a_tool))

    @agent.tool_plain
    def records(year: int) -> list[int]:
        return [year, year + 1]

    context = context_of("anna")
    async with engine_for(context, agent) as (engine, log):
        result = await engine.execute_agent("clerk", "How many records?")
    assert (result.status, result.output) == ("succeeded", "Two records.")
    assert result.usage.output_tokens > 0
    events = await events_of(log, context)
    kinds = [event.type for event in events]
    assert kinds[:4] == ["agent_started", "agent_thinking", "tool_executing", "tool_completed"]
    assert set(kinds[4:-1]) == {"agent_message"}
    assert kinds[-1] == "agent_completed"
    executing, completed = events[2], events[3]
    assert (executing.data["tool"], executing.data["arguments"]) == ("records", {"year": 2026})
    assert (completed.data["status"], completed.data["result"]) == ("succeeded", [2026, 2027])


@pytest.mark.parametrize("offered", [("records",), ()])
async def test_a_registered_tool_is_called_once_and_only_when_it_is_offered(offered: tuple[str, ...]) -> None:
    @tool
    async def records(year: int) -> list[int]:
        """All records of a year."""
        return [year]

    context = context_of("anna")
    agent = pydantic_ai.Agent(FunctionModel(stream_function=answer_after_a_tool))
    async with engine_for(context, agent, registered=[records], tools=offered) as (engine, log):
        await engine.execute_agent("clerk", "How many records?")
    completed = [event.data["result"] for event in await events_of(log, context) if event.type == "tool_completed"]
    assert completed == [[2026] for _ in offered]


async def test_a_slow_tool_times_out_and_the_model_goes_on() -> None:
    agent = pydantic_ai.Agent(FunctionModel(stream_function=answer_after_a_tool))

    @agent.tool_plain(timeout=0.01)
    async def records(year: int) -> list[int]:
        await asyncio.sleep(60)
        return [year]

    context = context_of("anna")
    async with engine_for(context, agent) as (engine, log):
        result = await engine.execute_agent("clerk", "How many records?")
    assert result.status == "succeeded"
    (completed,) = [event for event in await events_of(log, context) if event.type == "tool_completed"]
    assert completed.data["status"] == "failed"
    assert completed.data["error"]["code"] == "timed_out"


async def test_a_cancel_ends_the_tool_and_the_run() -> None:
    started = asyncio.Event()
    agent = pydantic_ai.Agent(FunctionModel(stream_function=answer_after_a_tool))

    @agent.tool_plain
    async def records(year: int) -> list[int]:
        started.set()
        await asyncio.sleep(60)
        return [year]

    context = context_of("anna")
    async with engine_for(context, agent) as (engine, log):
        running = asyncio.ensure_future(engine.execute_agent("clerk", "How many records?"))
        await started.wait()
        engine.cancel()
        assert (await running).status == "cancelled"
    events = await events_of(log, context)
    assert [(event.type, event.data["status"]) for event in events[-2:]] == [
        ("tool_completed", "cancelled"),
        ("agent_completed", "cancelled"),
    ]


async def test_a_failing_model_ends_the_run_without_its_secret() -> None:
    async def refuse(history: list[messages.ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        yield "Well"
        raise exceptions.ModelHTTPError(401, "gpt", body={"message": f"Incorrect API key provided: {SECRET}"})

    context = context_of("anna")
    async with engine_for(context, pydantic_ai.Agent(FunctionModel(stream_function=refuse))) as (engine, log):
        with capture_logs() as logged:
            result = await engine.execute_agent("clerk", "Hello")
    assert (result.status, result.error_code) == ("failed", "agent_failed")
    assert "HTTP 401" in (result.error_message or "")
    events = await events_of(log, context)
    assert events[-1].data["status"] == "failed"
    assert SECRET not in str(events)
    assert SECRET not in str(logged)


async def test_ten_users_at_once_see_only_their_own() -> None:
    """One Agent object and one dependency function for all; each user's canary stays in that user's log."""
    agent = pydantic_ai.Agent(TestModel(), deps_type=UserExecutionContext)

    @agent.instructions
    def who(ctx: pydantic_ai.RunContext[UserExecutionContext]) -> str:
        return f"Serve {ctx.deps.user_id}."

    @agent.tool
    async def secret(ctx: pydantic_ai.RunContext[UserExecutionContext]) -> str:
        await asyncio.sleep(0)
        return f"canary-of-{ctx.deps.user_id}"

    names = [f"user-{letter}" for letter in "abcdefghij"]

    async def ask(name: str) -> str:
        context = context_of(name)
        async with engine_for(context, agent, deps=lambda run: run.context) as (engine, log):
            result = await engine.execute_agent("clerk", f"input-of-{name}")
        return str((result, await events_of(log, context)))

    seen = dict(zip(names, await asyncio.gather(*map(ask, names)), strict=True))
    for name in names:
        for other in names:
            for kind in ("input", "canary"):
                assert (f"{kind}-of-{other}" in seen[name]) is (name == other)
