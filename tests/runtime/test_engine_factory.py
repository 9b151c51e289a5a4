from __future__ import annotations

import time
from dataclasses import replace

import pytest

from carrel.context import ThreadId, UserContext
from carrel.errors import ContextError, EngineClosedError, SettingsError
from carrel.runtime.agent import AgentRun
from carrel.runtime.engine_factory import ExecutionEngineFactory
from carrel.runtime.limits import RunLimits
from carrel.runtime.meters import UserMeters
from carrel.runtime.store import Message
from carrel.runtime.tools import tool
from carrel.testing import MemoryRuntime, MemoryThreadStore


async def historian(run: AgentRun) -> str:
    """Tell what was said."""
    return " ".join(f"{message.role}:{message.text}" for message in run.history)


async def counter(run: AgentRun) -> str:
    """Count what was said."""
    return f"{len(run.history)}: {run.history[0].text if run.history else ''}"


@tool
async def look() -> None:
    """Look."""


async def test_an_engine_is_closed_on_the_way_out():
    runtime = MemoryRuntime([historian])
    async with runtime.engines.engine(runtime.context()) as engine:
        pass
    with pytest.raises(EngineClosedError):
        await engine.execute_agent("historian", "x")
    with pytest.raises(KeyError):
        async with runtime.engines.engine(runtime.context()) as engine:
            raise KeyError("x")
    with pytest.raises(EngineClosedError):
        await engine.execute_agent("historian", "x")


@pytest.mark.parametrize("field", ["user_id", "thread_id", "run_id", "request_id"])
async def test_production_refuses_placeholder_ids(field: str):
    context = MemoryRuntime().context("4f2a", thread_id="8d1c")
    placeholder = replace(context, **{field: f"test_{field.removesuffix('_id')}"})  # type: ignore[arg-type]
    for production in (False, True):
        runtime = MemoryRuntime([historian], production=production)
        async with runtime.engines.engine(context):
            pass
        if production:
            with pytest.raises(ContextError) as caught:
                async with runtime.engines.engine(placeholder):
                    raise AssertionError("a placeholder was let in")
            assert caught.value.field == field
        else:
            async with runtime.engines.engine(placeholder):
                pass


async def test_a_run_gets_a_deadline_unless_it_has_one():
    runtime = MemoryRuntime([historian])
    before = time.monotonic()
    async with runtime.engines.engine(runtime.context()) as engine:
        assert before + 600 <= (engine.context.deadline or 0) <= time.monotonic() + 600
    async with runtime.engines.engine(runtime.context(deadline=before + 5)) as engine:
        assert engine.context.deadline == before + 5


def test_meters_say_what_each_user_may_use():
    meters = UserMeters(RunLimits(run_seconds=5))
    runtime = MemoryRuntime([historian], [look])
    factory = ExecutionEngineFactory(
        registry=runtime.registry,
        tools=(look,),
        log=runtime.log,
        bridge=runtime.bridge,
        store=runtime.store,
        threads=runtime.threads,
        limits=meters,
    )
    assert factory.meters is meters
    assert factory.limits.run_seconds == 5
    assert list(factory.registry) == ["historian"]
    assert list(factory.tools) == [look]


def test_two_tools_of_one_name_are_refused():
    with pytest.raises(SettingsError, match="look"):
        MemoryRuntime([historian], [look, look])


async def test_an_agent_knows_the_newest_messages_before_its_own():
    runtime = MemoryRuntime([historian, counter])
    thread = (await runtime.threads.create_thread(runtime.user(), "Bills")).thread_id

    async def ask(agent: str, input: str) -> str:
        context = runtime.context(thread_id=thread)
        await runtime.runs.create_run(context, agent=agent, input=input, idempotency_key=None, new_thread_title=None)
        async with runtime.engines.engine(context) as engine:
            return (await engine.execute_agent(agent, input)).output

    assert await ask("counter", "q0") == "0: "
    assert await ask("counter", "q1") == "2: q0"
    for number in range(2, 30):
        await ask("counter", f"q{number}")
    assert await ask("counter", "last") == "50: q5"


async def test_a_run_that_begins_its_thread_has_no_history_to_look_up():
    class Unasked(MemoryThreadStore):
        async def list_messages(self, context: UserContext, thread_id: ThreadId, *, limit: int = 200) -> list[Message]:
            raise AssertionError("there is nothing to be found")

    runtime = MemoryRuntime([historian])
    factory = ExecutionEngineFactory(
        registry=runtime.registry, log=runtime.log, bridge=runtime.bridge, store=runtime.store, threads=Unasked()
    )
    async with factory.engine(runtime.context(), begins_thread=True) as engine:
        assert (await engine.execute_agent("historian", "x")).output == ""


async def test_another_users_thread_has_no_history():
    runtime = MemoryRuntime([historian])
    context = runtime.context("bob", thread_id="bobs")
    await runtime.runs.create_run(
        context, agent="historian", input="secret", idempotency_key=None, new_thread_title="Bob's"
    )
    async with runtime.engines.engine(runtime.context("ada", thread_id="bobs")) as engine:
        assert (await engine.execute_agent("historian", "x")).output == ""
