from __future__ import annotations

import asyncio

import pytest

from carrel.errors import AgentNotFoundError, ContextError, LimitExceededError
from carrel.runtime.agent import AgentResult, AgentRun
from carrel.runtime.limits import RunLimits
from carrel.runtime.request import Ending
from carrel.testing import MemoryRuntime
from tests.runtime.lifecycle import events_of, outline


async def leaf(run: AgentRun) -> str:
    """Answer."""
    await run.think(f"about {run.input}")
    return run.input.upper()


async def broken(run: AgentRun) -> str:
    """Break."""
    raise ValueError("broken")


async def endless(run: AgentRun) -> str:
    """Never answer."""
    await asyncio.Event().wait()
    return ""


async def test_sub_agents_run_inside_their_parent():
    async def boss(run: AgentRun) -> str:
        """Ask one, then another."""
        one = await run.run_agent("leaf", "one")
        two = await run.run_agent("leaf", "two")
        return one.output + two.output

    runtime = MemoryRuntime([boss, leaf])
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("boss", "x")).output == "ONETWO"
    events = events_of(runtime)
    root = events[0].request_id
    assert [event.agent for event in events] == ["boss", *["leaf"] * 6, "boss"]
    assert {event.parent_request_id for event in events if event.agent == "leaf"} == {root}
    assert len({event.request_id for event in events}) == 3
    assert events[1].data == {"input": "one"}


async def test_sub_agents_run_side_by_side():
    arrived = 0
    all_here = asyncio.Event()

    async def meets(run: AgentRun) -> str:
        """Wait for the others."""
        nonlocal arrived
        arrived += 1
        if arrived == 3:
            all_here.set()
        await all_here.wait()
        return run.input

    async def boss(run: AgentRun) -> str:
        """Ask three at once."""
        results = await asyncio.gather(*(run.run_agent("meets", name) for name in "abc"))
        return "".join(result.output for result in results)

    runtime = MemoryRuntime([boss, meets])
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("boss", "x")).output == "abc"
    events_of(runtime)


async def test_a_failed_sub_agent_is_a_result_and_no_exception():
    async def boss(run: AgentRun) -> str:
        """Carry on."""
        result = await run.run_agent("broken", "x")
        return f"{result.status} {result.error_code}"

    runtime = MemoryRuntime([boss, broken])
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("boss", "x")).output == "failed agent_failed"
    assert outline(events_of(runtime))[2] == "agent_completed failed"


async def test_a_failure_may_be_passed_on():
    async def boss(run: AgentRun) -> AgentResult:
        """Pass on."""
        return await run.run_agent("broken", "x")

    runtime = MemoryRuntime([boss, broken])
    async with runtime.engine() as engine:
        result = await engine.execute_agent("boss", "x")
    assert (result.status, result.error_code) == ("failed", "agent_failed")
    events_of(runtime)


async def test_an_agent_may_give_a_sub_agent_a_time_of_its_own():
    async def patient(run: AgentRun) -> str:
        """Wait a little."""
        try:
            async with asyncio.timeout(0.01):
                await run.run_agent("endless", "x")
        except TimeoutError:
            return "went on alone"
        return ""

    runtime = MemoryRuntime([patient, endless])
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("patient", "x")).output == "went on alone"
    assert outline(events_of(runtime))[2:] == ["agent_completed cancelled", "agent_completed succeeded"]


async def test_cycles_unknown_agents_and_too_many_are_refused_without_an_event():
    caught: list[type[Exception]] = []

    async def boss(run: AgentRun) -> str:
        """Try what is not allowed."""
        for name in ("boss", "nobody"):
            try:
                await run.run_agent(name, "x")
            except (ContextError, AgentNotFoundError) as error:
                caught.append(type(error))
        await run.run_agent("leaf", "one")
        try:
            await run.run_agent("leaf", "two")
        except LimitExceededError as error:
            caught.append(type(error))
        return "done"

    runtime = MemoryRuntime([boss, leaf], limits=RunLimits(sub_agents_per_run=1))
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("boss", "x")).output == "done"
    assert caught == [ContextError, AgentNotFoundError, LimitExceededError]
    assert len(events_of(runtime)) == 5


async def test_nesting_is_limited():
    """Agents a, b, c … each ask the next one."""

    def asking(name: str, following: str | None):
        async def ask(run: AgentRun) -> str:
            if following is None:
                return name
            result = await run.run_agent(following, run.input)
            return result.output or str(result.error_message)

        ask.__name__ = name
        return ask

    names = "abcdefghijk"
    runtime = MemoryRuntime([asking(name, after) for name, after in zip(names, [*names[1:], None], strict=True)])
    async with runtime.engine() as engine:
        assert "nested 8 deep" in (await engine.execute_agent("a", "x")).output
    events_of(runtime)


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (Ending.user_cancelled(), "cancelled"),
        (Ending.caller_gone(), "cancelled"),
        (Ending.left_running(), "cancelled"),
        (Ending.interrupted(), "interrupted"),
        (Ending.timed_out(600), "timed_out"),
        (Ending.not_recorded(), "failed"),
    ],
    ids=lambda value: getattr(value, "code", value),
)
def test_every_ending_tells_people_and_programs_why(ending: Ending, status: str):
    result = ending.result()
    assert (result.status, result.error_code, result.error_message) == (status, ending.code, ending.message)
    assert result.error_message
