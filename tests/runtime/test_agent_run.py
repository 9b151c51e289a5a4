from __future__ import annotations

import pytest

from carrel.context import UserExecutionContext
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import EngineClosedError, SettingsError
from carrel.runtime.agent import AgentResult, AgentRun
from carrel.runtime.agent_run import RequestRun
from carrel.runtime.store import UserStore
from carrel.runtime.tools import ToolDispatcher, tool
from carrel.testing import MemoryRuntime


async def first(run: AgentRun) -> str:
    """First."""
    return ""


async def second(run: AgentRun) -> str:
    """Second."""
    return ""


@tool
async def add(a: int) -> int:
    """Add."""
    return a + 1


class Door:
    """A `RequestRun` in a started request."""

    def __init__(self, context: UserExecutionContext | None = None, *, store: UserStore | None = None) -> None:
        self.runtime = MemoryRuntime([first, second], [add])
        self.asked: list[tuple[str, str]] = []
        context = context or self.runtime.context()
        self.emitter = WebSocketEmitter(context, self.runtime.log, self.runtime.bridge)
        self.run = RequestRun(
            context=context,
            input="hello",
            history=(),
            store=store,
            registry=self.runtime.registry,
            agent="first",
            emitter=self.emitter,
            tools=ToolDispatcher(context, (add,), self.emitter),
            delegate=self.delegate,
        )

    async def delegate(self, name: str, input: str) -> AgentResult:
        self.asked.append((name, input))
        return AgentResult(output=name)


async def test_an_agent_finds_everything_here():
    door = Door()
    await door.emitter.started("first", "hello")
    run = door.run
    await run.think("hm")
    await run.say("a")
    await run.say("b")
    assert run.said() == "ab"
    assert await run.call_tool("add", a=1) == 2
    assert await run.use_tool(add, a=2) == 3
    assert (await run.run_agent("second", "x")).output == "second"
    assert door.asked == [("second", "x")]
    assert (run.input, run.history, list(run.tools)) == ("hello", (), ["add"])
    assert run.context is door.emitter.context


def test_an_agent_is_offered_the_agents_that_it_may_run():
    assert dict(Door().run.agents) == {"second": "Second."}
    child = Door().runtime.context().child(parent_agent="second", agent="first")
    assert dict(Door(child).run.agents) == {}


def test_the_deepest_agent_is_offered_none():
    context = MemoryRuntime().context()
    deepest = UserExecutionContext(
        user_id=context.user_id,
        thread_id=context.thread_id,
        run_id=context.run_id,
        request_id=context.request_id,
        depth=8,
    )
    assert dict(Door(deepest).run.agents) == {}


def test_without_a_store_there_is_none():
    with pytest.raises(SettingsError, match="store"):
        _ = Door().run.store


async def test_what_is_no_text_is_refused():
    door = Door()
    await door.emitter.started("first", "hello")
    for attempt in (door.run.think(3), door.run.say(None), door.run.run_agent("second", b"x")):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="string"):
            await attempt


async def test_after_its_end_it_does_nothing():
    runtime = MemoryRuntime()
    door = Door(store=runtime.store)
    await door.emitter.started("first", "hello")
    door.run.close()
    for attempt in (
        door.run.think("x"),
        door.run.say("x"),
        door.run.call_tool("add", a=1),
        door.run.use_tool(add, a=1),
        door.run.run_agent("second", "x"),
        door.run.store.get("k"),
    ):
        with pytest.raises(EngineClosedError):
            await attempt
    assert len(door.runtime.log.events(door.run.context)) == 1
