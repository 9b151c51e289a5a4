from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from carrel.context import UserContext
from carrel.delivery.log import EventLog, LoggedEvent
from carrel.errors import LimitExceededError, StorageError
from carrel.events import EventDraft, draft_event
from carrel.runtime.agent import AgentRun
from carrel.runtime.limits import RunLimits
from carrel.runtime.metered_log import MeteredLog
from carrel.runtime.meters import UserMeters
from carrel.runtime.tools import tool
from carrel.testing import MemoryEventLog, MemoryRuntime
from tests.contracts.event_log import EventLogContract
from tests.runtime.lifecycle import events_of, outline


@tool
async def look() -> str:
    """Look."""
    return "seen"


async def helper(run: AgentRun) -> str:
    """Help."""
    await run.think("I help.")
    return "helped"


async def worker(run: AgentRun) -> str:
    """Use everything once."""
    await run.think("I work.")
    await run.call_tool("look")
    await run.run_agent("helper", "x")
    await run.say("Done.")
    return ""


def runtime(**limits: Any) -> MemoryRuntime:
    """A runtime whose meters think that no time passes."""
    house = MemoryRuntime([worker, helper, chatty], [look], limits=RunLimits(**limits))
    house.engines.meters._clock = lambda: 1000.0
    return house


class TestMeteredLog(EventLogContract):
    @pytest.fixture
    def memory(self) -> MemoryEventLog:
        return MemoryEventLog()

    @pytest.fixture
    def log(self, memory: MemoryEventLog) -> MeteredLog:
        return MeteredLog(memory, UserMeters(RunLimits(events_per_second=1_000_000)))

    @pytest.fixture
    def trim(self, memory: MemoryEventLog) -> Callable[[UserContext, int], Awaitable[None]]:
        async def trim(context: UserContext, keep: int) -> None:
            memory.trim(context, keep)

        return trim


async def chatty(run: AgentRun) -> str:
    """Try everything, and say what was refused."""
    refused = []
    for begin in (lambda: run.think("again"), lambda: run.call_tool("look"), lambda: run.run_agent("helper", "x")):
        for _ in range(5):
            try:
                await begin()
            except LimitExceededError as error:
                refused.append(error.limit)
                break
    await run.say("I may still speak. ")
    await run.say(" ".join(refused))
    return ""


async def test_a_runs_events_are_counted_by_what_they_are():
    house = runtime()
    async with house.engine() as engine:
        await engine.execute_agent("worker", "x")
    shown = house.engines.meters.of(engine.context.user_id).statistics()
    assert shown.events == len(events_of(house))
    assert (shown.tool_calls, shown.sub_agents) == (1, 1)
    assert shown.runs_ended == {"succeeded": 1}
    assert shown.run_seconds.count == 1
    assert house.engines.meters.busy_users() == ()


async def test_beyond_the_event_rate_nothing_begins_and_everything_ends():
    house = runtime(events_per_second=4)
    async with house.engine() as engine:
        result = await engine.execute_agent("chatty", "x")
    assert result.status == "succeeded"
    assert result.output == "I may still speak. " + " ".join(["events_per_second"] * 3)
    lines = outline(events_of(house))
    assert lines[0] == "agent_started"
    assert lines[-1] == "agent_completed succeeded"
    refused = house.engines.meters.of(engine.context.user_id).statistics().refused
    assert refused == {"events_per_second": 3}


async def test_two_runs_of_one_user_share_the_rate_and_another_user_has_their_own():
    house = runtime(events_per_second=8)
    async with house.engine("ann") as first:
        await first.execute_agent("worker", "x")
    async with house.engine("ann") as second:
        second_result = await second.execute_agent("worker", "x")
    async with house.engine("bob") as third:
        third_result = await third.execute_agent("worker", "x")
    assert (second_result.status, second_result.error_code) == ("failed", "limit_exceeded")
    assert "events_per_second is 8; try again in" in str(second_result.error_message)
    assert third_result.status == "succeeded"


async def test_a_user_with_too_much_in_store_gets_no_further_and_their_run_ends():
    house = runtime(stored_bytes=10)
    async with house.engine() as engine:
        house.engines.meters.of(engine.context.user_id).stored(10)
        result = await engine.execute_agent("worker", "x")
    assert (result.status, result.error_code) == ("failed", "limit_exceeded")
    assert outline(events_of(house)) == ["agent_started", "agent_completed failed"]


async def test_what_the_log_refuses_is_not_counted():
    house = runtime()
    context = house.context()
    emitter = house.engines.emitter(context)
    house.log.fail(StorageError("full"))
    with pytest.raises(StorageError):
        await emitter.started("worker", "x")
    assert house.engines.meters.of(context.user_id).statistics().events == 0
    assert house.engines.meters.busy_users() == ()


class NeverDone:
    """A log that takes an append and does not say when it is done."""

    async def append(self, context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        await asyncio.Event().wait()
        return ()


async def test_an_append_that_is_cancelled_is_counted_because_it_is_carried_out():
    house = runtime()
    log = MeteredLog(cast("EventLog", NeverDone()), house.engines.meters)
    context = house.context()
    writing = asyncio.create_task(log.append(context, [draft_event(context, "agent_started", "a", {"input": "x"})]))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert house.engines.meters.of(context.user_id).statistics().events == 1


async def test_a_crossed_limit_of_a_run_is_counted_for_its_user():
    house = runtime(tool_calls_per_run=1)
    async with house.engine("ann") as engine:
        await engine.execute_agent("chatty", "x")
    assert house.engines.meters.of(engine.context.user_id).statistics().refused == {"tool_calls_per_run": 1}
