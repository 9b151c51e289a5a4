from __future__ import annotations

from carrel import testing
from carrel.runtime.agent import AgentRun
from carrel.runtime.run_request import RunRequest
from carrel.runtime.tools import tool


@tool(permission="greet")
async def polite(name: str) -> str:
    """Greet."""
    return f"Good day, {name}"


async def greeter(run: AgentRun) -> str:
    """Greet politely."""
    return str(await run.call_tool("polite", name=run.input))


async def test_an_engine_is_ready_for_one_request_of_a_user_who_may_do_everything():
    async with testing.engine([greeter], tools=[polite], user_id="bob") as engine:
        result = await engine.execute_agent("greeter", "Ada")
    assert (result.output, engine.context.user_id) == ("Good day, Ada", "bob")


async def test_permissions_can_be_taken_away():
    async with testing.engine([greeter], tools=[polite], permissions=frozenset()) as engine:
        assert (await engine.execute_agent("greeter", "Ada")).error_code == "permission_denied"


async def test_a_runtime_shows_the_events():
    runtime = testing.MemoryRuntime([greeter], [polite])
    async with runtime.engine("ada", permissions=frozenset({"greet"})) as engine:
        await engine.execute_agent("greeter", "Ada")
    assert [event.type for event in runtime.events(runtime.user("ada"))] == [
        "agent_started",
        "tool_executing",
        "tool_completed",
        "agent_completed",
    ]
    assert list(runtime.events(runtime.user("bob"))) == []


async def test_a_runtime_schedules_runs():
    runtime = testing.MemoryRuntime([greeter], [polite])
    user = runtime.user(permissions=frozenset({"*"}))
    accepted = await runtime.scheduler.start(user, RunRequest(input="Ada", agent="greeter"))
    await runtime.scheduler.drain(5)
    assert (await runtime.runs.get_run(user, accepted.run_id)).output == "Good day, Ada"


def test_everything_is_exported():
    assert all(hasattr(testing, name) for name in testing.__all__)
