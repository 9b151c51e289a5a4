from __future__ import annotations

import asyncio

import pytest

from carrel.errors import IsolationError
from carrel.runtime.agent import AgentRun
from carrel.runtime.run_bridge import RunBridge
from carrel.testing import MemoryRuntime
from tests.runtime.lifecycle import events_of, outline


async def run(agent) -> MemoryRuntime:
    runtime = MemoryRuntime([agent])
    async with runtime.engine("ada") as engine:
        await engine.execute_agent(agent.__name__, "")
    return runtime


async def test_notifications_become_the_requests_own_events():
    async def agent(run: AgentRun) -> None:
        bridge, run_id = RunBridge(run, known_as="old-id"), run.context.run_id
        assert await bridge.notify_agent_started(run_id, "agent", {})
        assert await bridge.notify_agent_thinking("old-id", "agent", "hm", 1)
        assert await bridge.notify_agent_error("old-id", "agent", "careful")
        assert await bridge.notify_tool_executing(
            run_id=run_id, agent_name="agent", tool_name="add", parameters={"a": 1}
        )
        assert await bridge.notify_tool_executing(run_id, "add")
        assert await bridge.notify_tool_completed(run_id, "add", "second")
        assert await bridge.notify_tool_completed(run_id, "add", "first")
        assert not await bridge.notify_tool_completed(run_id, "add", "none is open")
        assert await bridge.notify_agent_completed(run_id, "agent", {})

    events = events_of(await run(agent))
    assert outline(events) == [
        "agent_started",
        "agent_thinking",
        "agent_thinking",
        "tool_executing",
        "tool_executing",
        "tool_completed succeeded",
        "tool_completed succeeded",
        "agent_completed succeeded",
    ]
    assert [event.data.get("arguments") for event in events[3:5]] == [{"a": 1}, {}]
    assert [event.data.get("result") for event in events[5:7]] == ["second", "first"]


async def test_a_call_may_name_the_agent_before_the_tool_or_after_it_or_not_at_all():
    async def agent(run: AgentRun) -> None:
        bridge, run_id = RunBridge(run, agent="agent"), run.context.run_id
        await bridge.notify_tool_executing(run_id, "agent", "add", {"a": 1})
        assert await bridge.notify_tool_completed(run_id, "agent", "add", {"sum": 1}, 2.0)
        await bridge.notify_tool_executing(run_id, "AgentClass", "add", {"a": 2})
        assert await bridge.notify_tool_completed(run_id, "AgentClass", "add", "sum: 2")
        await bridge.notify_tool_executing(run_id, "add", "agent", {"a": 3})
        assert await bridge.notify_tool_completed(run_id, "add", "sum: 3", "agent", 2.0)
        await bridge.notify_tool_executing(run_id, "add", None, {"a": 4})
        assert await bridge.notify_tool_completed(run_id, "add")
        await bridge.notify_tool_executing(run_id, "agent", tool_name="add", parameters={"a": 5})
        assert await bridge.notify_tool_completed(run_id, "agent", tool_name="add", result="sum: 5")

    events = events_of(await run(agent))[1:-1]
    assert {event.data["tool"] for event in events} == {"add"}
    assert [event.data["arguments"] for event in events[::2]] == [{"a": number} for number in range(1, 6)]
    assert [event.data["result"] for event in events[1::2]] == [{"sum": 1}, "sum: 2", "sum: 3", None, "sum: 5"]


async def test_parameters_that_are_no_mapping_of_names_are_shown_all_the_same():
    async def agent(run: AgentRun) -> None:
        bridge, run_id = RunBridge(run), run.context.run_id
        await bridge.notify_tool_executing(run_id, "add", parameters=[40, 2])
        await bridge.notify_tool_executing(run_id, "add", parameters={1: 40})

    started = [event for event in events_of(await run(agent)) if event.type == "tool_executing"]
    assert [event.data["arguments"] for event in started] == [{"parameters": [40, 2]}, {"1": 40}]


async def test_another_runs_id_is_refused():
    async def agent(run: AgentRun) -> None:
        bridge = RunBridge(run, known_as="old-id")
        for call in (
            bridge.notify_agent_started("foreign"),
            bridge.notify_agent_thinking("foreign", "agent", "hm"),
            bridge.notify_tool_executing("foreign", "add"),
            bridge.notify_tool_completed("foreign", "add"),
            bridge.notify_agent_completed("foreign"),
        ):
            with pytest.raises(IsolationError):
                await call

    assert outline(events_of(await run(agent))) == ["agent_started", "agent_completed succeeded"]


async def test_a_call_that_the_agent_never_ends_is_cancelled_with_it():
    bridges = []

    async def agent(run: AgentRun) -> str:
        bridge = RunBridge(run)
        bridges.append((bridge, run.context.run_id))
        await bridge.notify_tool_executing(run.context.run_id, "add")
        return "done"

    runtime = await run(agent)
    assert "tool_completed cancelled" in outline(events_of(runtime))
    await asyncio.sleep(0)
    bridge, run_id = bridges[0]
    assert not await bridge.notify_tool_completed(run_id, "add", 1)


async def test_a_tool_that_cannot_be_one_is_told_to_the_agent():
    async def agent(run: AgentRun) -> str:
        await RunBridge(run).notify_tool_executing(run.context.run_id, "no tool name!")
        return ""

    assert outline(events_of(await run(agent)))[-1] == "agent_completed failed"
