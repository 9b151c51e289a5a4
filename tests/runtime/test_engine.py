from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, ambient_context, new_id
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import (
    AgentNotFoundError,
    ContextError,
    EngineClosedError,
    InputError,
    IsolationError,
    StorageError,
)
from carrel.events import encoded_type
from carrel.runtime.agent import AgentResult, AgentRun, Usage
from carrel.runtime.engine import UserExecutionEngine
from carrel.runtime.factory import AgentFactory
from carrel.runtime.limits import RunLimits
from carrel.runtime.registry import AgentRegistry
from carrel.runtime.tools import Tool, ToolDispatcher, tool
from carrel.testing import MemoryEventLog, MemoryRuntime
from tests.runtime.lifecycle import events_of, outline, slow_down

SOON = RunLimits(grace_seconds=0.05, run_seconds=5.0)


async def echo(run: AgentRun) -> str:
    """Say it back."""
    return run.input


async def forever(run: AgentRun) -> str:
    """Never answer."""
    await asyncio.Event().wait()
    return "never"


@tool
async def sleep() -> None:
    """Sleep."""
    await asyncio.Event().wait()


@tool
async def add(a: int) -> int:
    """Add."""
    return a + 1


@tool
async def pause() -> None:
    """Pause."""
    await asyncio.sleep(0)


@tool
async def whoami(context: UserExecutionContext) -> str:
    """Who is asking."""
    await asyncio.sleep(0)
    return context.user_id


@tool
async def noop() -> None:
    """Do nothing."""


def context_of(user_id: str = "ada", **ids: str) -> UserExecutionContext:
    given = {"thread_id": "t", "run_id": new_id(), "request_id": new_id(), **ids}
    return UserExecutionContext(user_id=UserId(user_id), **given)  # type: ignore[arg-type]


def engine_for(
    context: UserExecutionContext, *agents: Callable[..., object], log: MemoryEventLog | None = None
) -> UserExecutionEngine:
    return UserExecutionEngine(
        context=context,
        agent_factory=AgentFactory(AgentRegistry(agents or (echo,))),  # type: ignore[arg-type]
        websocket_emitter=WebSocketEmitter(context, log or MemoryEventLog(), LocalBridge()),
        limits=SOON,
    )


async def test_the_documents_own_code_runs():
    context = UserExecutionContext(
        user_id=UserId("test_user"),
        thread_id=ThreadId("test_thread"),
        run_id=RunId("test_run"),
        request_id=RequestId("test_request"),
    )
    engine = UserExecutionEngine(
        context=context,
        agent_factory=AgentFactory(AgentRegistry([echo])),
        websocket_emitter=WebSocketEmitter(context, MemoryEventLog(), LocalBridge()),
    )
    result = await engine.execute_agent("echo", "hello")
    assert (result.status, result.output) == ("succeeded", "hello")
    assert engine.context is context


def test_a_missing_run_id_names_the_field():
    with pytest.raises(ContextError, match="run_id") as caught:
        UserExecutionContext(user_id=UserId("u"), thread_id=ThreadId("t"), request_id=RequestId("q"))
    assert caught.value.field == "run_id"


async def test_success_is_two_events_and_the_output():
    runtime = MemoryRuntime([echo])
    async with runtime.engine() as engine:
        result = await engine.execute_agent("echo", "hello")
    assert result.output == "hello"
    assert result.duration_ms > 0
    started, completed = events_of(runtime)
    assert started.data == {"input": "hello"}
    assert completed.data == {
        "status": "succeeded",
        "output": "hello",
        "duration_ms": result.duration_ms,
        "usage": {},
    }


async def test_an_answer_may_be_said_in_pieces():
    async def teller(run: AgentRun) -> None:
        """Tell."""
        for piece in ("Once ", "upon ", "a time"):
            await run.say(piece)

    runtime = MemoryRuntime([teller])
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("teller", "x")).output == "Once upon a time"
    events = events_of(runtime)
    said = "".join(event.data["text"] for event in events if event.type == "agent_message")
    assert (said, events[-1].data["output"]) == ("Once upon a time", "Once upon a time")


async def test_usage_is_the_agents_own_and_its_sub_agents():
    async def worker(run: AgentRun) -> AgentResult:
        """Work."""
        return AgentResult(output="done", usage=Usage(input_tokens=5, cost_usd=0.5))

    async def boss(run: AgentRun) -> AgentResult:
        """Boss."""
        await run.run_agent("worker", "a")
        await run.run_agent("worker", "b")
        return AgentResult(output="all", usage=Usage(input_tokens=1, output_tokens=2))

    async def passer(run: AgentRun) -> AgentResult:
        """Pass on."""
        return await run.run_agent("worker", "a")

    runtime = MemoryRuntime([worker, boss, passer])
    async with runtime.engine() as engine:
        total = Usage(input_tokens=11, output_tokens=2, cost_usd=1.0)
        assert (await engine.execute_agent("boss", "x")).usage == total
    assert events_of(runtime)[-1].data["usage"] == {"input_tokens": 11, "output_tokens": 2, "cost_usd": 1.0}
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("passer", "x")).usage == Usage(input_tokens=5, cost_usd=0.5)


async def test_a_foreign_exception_tells_its_class_and_nothing_of_its_text():
    async def leaky(run: AgentRun) -> str:
        """Leak."""
        raise ValueError("sk-secret of another user")

    runtime = MemoryRuntime([leaky])
    async with runtime.engine() as engine:
        result = await engine.execute_agent("leaky", "x")
    assert (result.status, result.error_code) == ("failed", "agent_failed")
    assert "ValueError" in (result.error_message or "")
    assert events_of(runtime)[-1].data["error"] == {"code": "agent_failed", "message": result.error_message}
    assert b"sk-secret" not in b"".join(logged.body for logged in runtime.log.events(runtime.user()))


async def test_carrels_own_errors_are_told():
    async def curious(run: AgentRun) -> str:
        """Ask for what is not there."""
        return str(await run.call_tool("missing"))

    runtime = MemoryRuntime([curious])
    async with runtime.engine() as engine:
        result = await engine.execute_agent("curious", "x")
    assert (result.error_code, result.error_message) == ("tool_not_found", "no tool named 'missing'; there are: none")
    assert outline(events_of(runtime))[1:] == ["tool_executing", "tool_completed failed", "agent_completed failed"]


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), BaseException("odd")], ids=repr)
async def test_an_agent_cannot_end_the_process(error: BaseException):
    async def exits(run: AgentRun) -> str:
        """Exit."""
        raise error

    runtime = MemoryRuntime([exits])
    async with runtime.engine() as engine:
        result = await engine.execute_agent("exits", "x")
    assert (result.status, result.error_code) == ("failed", "agent_failed")
    events_of(runtime)


async def test_an_agent_fails_like_any_other_with_an_exception_that_cannot_be_read():
    class UnreadableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    async def mumbles(run: AgentRun) -> str:
        """Mumble."""
        raise UnreadableError

    runtime = MemoryRuntime([mumbles])
    async with runtime.engine() as engine:
        result = await engine.execute_agent("mumbles", "x")
    assert (result.status, result.error_code) == ("failed", "agent_failed")
    assert "UnreadableError" in str(result.error_message)
    events_of(runtime)


@pytest.mark.parametrize(
    "nonsense",
    [3, b"bytes", ["list"], AgentResult(output=3), AgentResult(status="odd"), AgentResult(usage=None)],  # type: ignore[arg-type]
    ids=repr,
)
async def test_nonsense_is_no_answer(nonsense: object):
    async def silly(run: AgentRun) -> object:
        """Return anything."""
        return nonsense

    runtime = MemoryRuntime([silly])  # type: ignore[list-item]
    async with runtime.engine() as engine:
        result = await engine.execute_agent("silly", "x")
    assert (result.status, result.error_code) == ("failed", "agent_failed")
    assert outline(events_of(runtime)) == ["agent_started", "agent_completed failed"]


async def test_an_agent_may_say_that_it_failed():
    async def honest(run: AgentRun) -> AgentResult:
        """Give up."""
        return AgentResult(status="failed", error_code="no_data", error_message="upload something first")

    async def vague(run: AgentRun) -> AgentResult:
        """Give up without a word."""
        return AgentResult(status="failed")

    runtime = MemoryRuntime([honest, vague])
    async with runtime.engine() as engine:
        await engine.execute_agent("honest", "x")
    assert events_of(runtime)[-1].data["error"] == {"code": "no_data", "message": "upload something first"}
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("vague", "x")).error_code == "agent_failed"


async def test_an_agent_that_cannot_be_made_for_this_request_fails():
    made = []

    class Fragile:
        name = "fragile"
        description = "Breaks when it is made a third time."

        def __init__(self) -> None:
            made.append(self)
            if len(made) > 2:
                raise RuntimeError("no more")

        async def run(self, run: AgentRun) -> str:
            return "fine"

    runtime = MemoryRuntime([Fragile])
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("fragile", "x")).error_code == "agent_failed"
    events_of(runtime)


async def test_an_agent_that_cancels_itself_has_failed():
    async def hara_kiri(run: AgentRun) -> str:
        """Cancel the own task."""
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)
        return "never"

    runtime = MemoryRuntime([hara_kiri])
    async with runtime.engine() as engine:
        result = await engine.execute_agent("hara_kiri", "x")
    assert (result.status, result.error_code) == ("failed", "agent_failed")
    events_of(runtime)


async def test_cancel_ends_the_run_as_cancelled():
    runtime = MemoryRuntime([forever])
    async with runtime.engine() as engine:
        running = asyncio.create_task(engine.execute_agent("forever", "x"))
        await asyncio.sleep(0.01)
        engine.cancel()
        engine.cancel()
        result = await running
        engine.cancel()
    assert (result.status, result.error_code) == ("cancelled", "cancelled")
    assert outline(events_of(runtime)) == ["agent_started", "agent_completed cancelled"]


async def test_cancel_before_the_start_runs_nothing_and_keeps_the_grammar():
    touched = []

    async def toucher(run: AgentRun) -> str:
        """Touch."""
        touched.append(run.input)
        return "x"

    runtime = MemoryRuntime([toucher])
    async with runtime.engine() as engine:
        engine.cancel()
        assert (await engine.execute_agent("toucher", "x")).status == "cancelled"
    assert touched == []
    assert outline(events_of(runtime)) == ["agent_started", "agent_completed cancelled"]


async def test_the_deadline_ends_the_run_and_all_inside_as_timed_out():
    async def boss(run: AgentRun) -> str:
        """Ask somebody who never answers."""
        return (await run.run_agent("forever", "x")).output

    runtime = MemoryRuntime([boss, forever], limits=replace(SOON, run_seconds=0.05))
    async with runtime.engine() as engine:
        result = await engine.execute_agent("boss", "x")
    assert (result.status, result.error_code) == ("timed_out", "timed_out")
    assert outline(events_of(runtime))[2:] == ["agent_completed timed_out", "agent_completed timed_out"]


async def test_a_deadline_in_the_past_ends_it_at_once():
    runtime = MemoryRuntime([forever], limits=SOON)
    async with runtime.engines.engine(runtime.context(deadline=time.monotonic() - 1)) as engine:
        assert (await engine.execute_agent("forever", "x")).status == "timed_out"
    events_of(runtime)


async def test_an_outside_cancellation_completes_the_events_and_is_passed_on():
    async def boss(run: AgentRun) -> str:
        """Ask somebody who never answers, with a tool call open."""
        await asyncio.gather(run.run_agent("forever", "x"), run.call_tool("sleep"))
        return "never"

    runtime = MemoryRuntime([boss, forever], [sleep], limits=SOON)
    async with runtime.engine() as engine:
        running = asyncio.create_task(engine.execute_agent("boss", "x"))
        await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    events = outline(events_of(runtime))
    assert events[-1] == "agent_completed cancelled"
    assert sorted(events[:-1]) == [
        "agent_completed cancelled",
        "agent_started",
        "agent_started",
        "tool_completed cancelled",
        "tool_executing",
    ]


@pytest.mark.parametrize("log", ["quick", "slow"])
async def test_an_outside_cancellation_at_any_moment_keeps_the_grammar(log: str):
    async def busy(run: AgentRun) -> str:
        """Do a bit of everything."""
        await run.think("one")
        await run.call_tool("pause")
        await asyncio.gather(run.run_agent("echo", "two"), run.call_tool("pause"))
        await run.say("three")
        return "done"

    moment, ended = 0, False
    while not ended:
        runtime = MemoryRuntime([busy, echo], [pause], limits=SOON)
        if log == "slow":
            slow_down(runtime)
        async with runtime.engine() as engine:
            running = asyncio.create_task(engine.execute_agent("busy", "x"))
            for _ in range(moment):
                await asyncio.sleep(0)
            ended = running.done()
            running.cancel()
            await asyncio.wait([running])
        assert outline(events_of(runtime))[-1:] in (
            [["agent_completed succeeded"]]
            if ended
            else [[], ["agent_completed cancelled"], ["agent_completed succeeded"]]
        )
        moment += 1
    assert moment > 15


async def test_a_call_that_is_given_up_while_another_event_is_written_is_completed():
    async def talker(run: AgentRun) -> str:
        """Keep the log busy, so that events wait for their turn, and give up on a call."""

        async def chatter() -> None:
            while True:
                await run.think("x")

        chatters = [asyncio.create_task(chatter()) for _ in range(3)]
        call = asyncio.create_task(run.call_tool("pause"))
        for _ in range(moment):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
        for task in chatters:
            task.cancel()
        await asyncio.wait(chatters)
        return "went on"

    for moment in range(0, 80, 3):  # noqa: B007 - the agent reads it
        runtime = MemoryRuntime([talker], [pause], limits=SOON)
        slow_down(runtime)
        async with runtime.engine() as engine:
            assert (await engine.execute_agent("talker", "x")).output == "went on"
        events_of(runtime)


@pytest.mark.parametrize("log", ["quick", "slow"])
@pytest.mark.parametrize("work", ["tool", "agent"])
async def test_an_agent_may_give_up_on_its_work_at_any_moment_and_go_on(work: str, log: str):
    async def giver_up(run: AgentRun) -> str:
        """Cancel the work after some moments."""
        task = asyncio.create_task(run.call_tool("pause") if work == "tool" else run.run_agent("echo", "x"))
        for _ in range(moment):
            await asyncio.sleep(0)
        given_up.append(not task.done())
        task.cancel()
        await asyncio.wait([task])
        return "went on"

    given_up = [True]
    moment = 0
    while given_up[-1]:
        runtime = MemoryRuntime([giver_up, echo], [pause], limits=SOON)
        if log == "slow":
            slow_down(runtime)
        async with runtime.engine() as engine:
            assert (await engine.execute_agent("giver_up", "x")).output == "went on"
        assert outline(events_of(runtime))[-1] == "agent_completed succeeded"
        moment += 1
    assert moment > 3


async def test_a_timeout_around_the_engine_works_as_everywhere():
    runtime = MemoryRuntime([forever], limits=SOON)
    async with runtime.engine() as engine:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await engine.execute_agent("forever", "x")
    assert outline(events_of(runtime))[-1] == "agent_completed cancelled"


async def test_closing_ends_what_runs_as_interrupted():
    runtime = MemoryRuntime([forever], limits=SOON)
    async with runtime.engine() as engine:
        running = asyncio.create_task(engine.execute_agent("forever", "x"))
        await asyncio.sleep(0.01)
        await engine.close()
        assert (await running).status == "interrupted"
        await engine.close()
    assert outline(events_of(runtime))[-1] == "agent_completed interrupted"


async def test_an_agent_that_swallows_its_cancellation_is_abandoned_and_silenced():
    heard: list[str] = []
    released = asyncio.Event()

    async def deaf(run: AgentRun) -> str:
        """Ignore every cancellation."""
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        for attempt in (run.think("late"), run.say("late"), run.call_tool("late"), run.run_agent("deaf", "late")):
            try:
                await attempt
            except EngineClosedError:
                heard.append("closed")
        return "late"

    runtime = MemoryRuntime([deaf], limits=SOON)
    async with runtime.engine() as engine:
        running = asyncio.create_task(engine.execute_agent("deaf", "x"))
        await asyncio.sleep(0.01)
        engine.cancel()
        assert (await running).status == "cancelled"
    before = events_of(runtime)
    released.set()
    while len(heard) < 4:
        await asyncio.sleep(0.001)
    assert events_of(runtime) == before


async def test_what_an_agent_leaves_running_is_stopped_before_it_completes():
    strays: list[asyncio.Task[object]] = []

    async def careless(run: AgentRun) -> str:
        """Start things and leave."""
        strays.append(asyncio.create_task(run.run_agent("forever", "x")))
        strays.append(asyncio.create_task(run.call_tool("sleep")))
        await asyncio.sleep(0.01)
        return "done"

    runtime = MemoryRuntime([careless, forever], [sleep], limits=SOON)
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("careless", "x")).output == "done"
    events = outline(events_of(runtime))
    assert events[-1] == "agent_completed succeeded"
    assert "agent_completed cancelled" in events
    assert "tool_completed cancelled" in events
    sub_agent, call = await asyncio.gather(*strays, return_exceptions=True)
    assert isinstance(sub_agent, AgentResult)
    assert sub_agent.error_code == "left_running"
    assert isinstance(call, EngineClosedError)


async def test_deaf_work_left_behind_does_not_hold_the_run_open():
    released = asyncio.Event()
    strays: list[asyncio.Task[object]] = []

    async def deaf(run: AgentRun) -> str:
        """Ignore every cancellation."""
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return "late"

    async def careless(run: AgentRun) -> str:
        """Leave it running."""
        strays.append(asyncio.create_task(run.run_agent("deaf", "x")))
        await asyncio.sleep(0.01)
        return "done"

    runtime = MemoryRuntime([careless, deaf], limits=SOON)
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("careless", "x")).status == "succeeded"
    events_of(runtime)
    released.set()
    await asyncio.gather(*strays)


async def test_work_that_outlasts_every_grace_time_is_ended_in_the_log():
    go = asyncio.Event()
    strays: list[asyncio.Task[object]] = []

    async def ignore_cancellations() -> None:
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                continue

    async def deaf(run: AgentRun) -> str:
        """Ignore every cancellation, with a call open that does so too."""
        strays.append(asyncio.create_task(run.use_tool(deaf_tool)))
        await ignore_cancellations()
        return "late"

    async def careless(run: AgentRun) -> str:
        """Leave it running."""
        strays.append(asyncio.create_task(run.run_agent("deaf", "x")))
        await asyncio.sleep(0.01)
        return "done"

    deaf_tool = Tool.from_function(ignore_cancellations, name="deaf_tool")
    runtime = MemoryRuntime([careless, deaf], limits=SOON)
    async with runtime.engine() as engine:
        result = await engine.execute_agent("careless", "x")
    assert (result.status, result.error_code) == ("failed", "agent_failed")
    before = events_of(runtime)
    sub_agent = await strays[0]
    assert isinstance(sub_agent, AgentResult)
    assert sub_agent.error_code == "left_running"
    go.set()
    await asyncio.gather(*strays, return_exceptions=True)
    assert events_of(runtime) == before


async def test_nothing_is_said_after_the_end():
    handles: list[AgentRun] = []

    async def keeps(run: AgentRun) -> str:
        """Keep the handle."""
        handles.append(run)
        await run.store.put("k", 1)
        return "done"

    runtime = MemoryRuntime([keeps])
    async with runtime.engine() as engine:
        await engine.execute_agent("keeps", "x")
    before = events_of(runtime)
    run, store = handles[0], handles[0].store
    for attempt in (
        run.think("late"),
        run.say("late"),
        run.call_tool("late"),
        run.run_agent("keeps", "late"),
        store.get("k"),
        store.put("k", 2),
    ):
        with pytest.raises(EngineClosedError):
            await attempt
    assert events_of(runtime) == before
    assert await runtime.store.get_value(runtime.user(), "k") == 1


async def test_an_engine_serves_one_request():
    engine = engine_for(context_of())
    await engine.execute_agent("echo", "one")
    with pytest.raises(EngineClosedError, match="the engine is closed"):
        await engine.execute_agent("echo", "two")


async def test_a_closed_engine_refuses_everything():
    engine = engine_for(context_of())
    async with engine:
        pass
    with pytest.raises(EngineClosedError, match="the engine is closed"):
        await engine.execute_agent("echo", "x")
    with pytest.raises(EngineClosedError):
        async with engine:
            pass


async def test_an_unknown_agent_and_an_odd_input_leave_no_event():
    log = MemoryEventLog()
    context = context_of()
    engine = engine_for(context, log=log)
    with pytest.raises(AgentNotFoundError, match="there are: echo"):
        await engine.execute_agent("nobody", "x")
    with pytest.raises(InputError):
        await engine.execute_agent("echo", 3)  # type: ignore[arg-type]
    assert log.events(context) == ()
    assert (await engine.execute_agent("echo", "x")).status == "succeeded"


async def test_an_engine_refuses_parts_that_are_bound_to_others():
    mine, other_user, other_run = context_of("ada"), context_of("bob"), context_of("ada")
    other_thread = replace(mine, thread_id=ThreadId("another"))
    log, bridge = MemoryEventLog(), LocalBridge()
    registry = AgentRegistry([echo])

    def emitter(context: UserExecutionContext) -> WebSocketEmitter:
        return WebSocketEmitter(context, log, bridge)

    own = emitter(mine)
    with pytest.raises(IsolationError, match="emitter"):
        UserExecutionEngine(context=mine, agent_factory=AgentFactory(registry), websocket_emitter=emitter(other_thread))
    for foreign in (other_user, other_run):
        with pytest.raises(IsolationError, match="emitter"):
            UserExecutionEngine(context=mine, agent_factory=AgentFactory(registry), websocket_emitter=emitter(foreign))
        with pytest.raises(IsolationError, match="agent factory"):
            UserExecutionEngine(
                context=mine, agent_factory=AgentFactory(registry, context=foreign), websocket_emitter=own
            )
        with pytest.raises(IsolationError, match="tool dispatcher"):
            UserExecutionEngine(
                context=mine,
                agent_factory=AgentFactory(registry),
                websocket_emitter=own,
                tool_dispatcher=ToolDispatcher(foreign, (), emitter(foreign)),
            )
    with pytest.raises(IsolationError, match="tool dispatcher"):
        UserExecutionEngine(
            context=mine,
            agent_factory=AgentFactory(registry),
            websocket_emitter=own,
            tool_dispatcher=ToolDispatcher(mine, (), emitter(mine)),
        )
    with pytest.raises(ContextError):
        UserExecutionEngine(context=None, agent_factory=AgentFactory(registry), websocket_emitter=own)  # type: ignore[arg-type]


async def test_an_engine_keeps_its_context_for_life():
    engine = engine_for(context_of())
    with pytest.raises(AttributeError):
        engine.context = context_of("bob")  # type: ignore[misc]


async def test_an_engine_is_neither_made_nor_used_while_working_for_another_user():
    engine = engine_for(context_of("ada"))
    with ambient_context(context_of("bob")):
        with pytest.raises(IsolationError):
            engine_for(context_of("ada"))
        with pytest.raises(IsolationError, match="the engine"):
            await engine.execute_agent("echo", "x")


async def test_without_a_store_an_agent_is_told_so():
    async def keeper(run: AgentRun) -> str:
        """Keep."""
        await run.store.put("k", 1)
        return "kept"

    assert (await engine_for(context_of(), keeper).execute_agent("keeper", "x")).error_code == "agent_failed"


async def test_a_log_that_refuses_is_an_error_and_not_a_result():
    log = MemoryEventLog()
    engine = engine_for(context_of(), log=log)
    log.fail(StorageError("full"), StorageError("full"))
    with pytest.raises(StorageError):
        await engine.execute_agent("echo", "x")
    await engine.close()


async def test_a_log_that_refuses_once_leaves_a_complete_run():
    async def thinker(run: AgentRun) -> str:
        """Think."""
        log.fail(StorageError("full"))
        return "thought"

    log = MemoryEventLog()
    runtime = MemoryRuntime([thinker])
    runtime.log = log
    context = context_of()
    engine = engine_for(context, thinker, log=log)
    with pytest.raises(StorageError):
        await engine.execute_agent("thinker", "x")
    await engine.close()
    events = events_of(runtime)
    assert events[-1].data["error"]["code"] == "storage_failed"


async def test_runs_of_two_users_interleave_and_stay_apart():
    async def meet(run: AgentRun) -> str:
        """Do everything in small steps, so that the others come in between."""
        own = run.context.user_id
        for number in range(5):
            await run.think(f"{own} {number}")
            await run.store.put("whose", own)
            await asyncio.sleep(0)
            assert await run.store.get("whose") == own
            assert await run.call_tool("whoami") == own
            assert (await run.run_agent("echo", own)).output == own
        return own

    runtime = MemoryRuntime([meet, echo], [whoami])

    async def one(user_id: str) -> str:
        async with runtime.engine(user_id) as engine:
            return (await engine.execute_agent("meet", user_id)).output

    users = [f"user-{number}" for number in range(8)]
    assert await asyncio.gather(*map(one, users)) == users
    for user_id in users:
        events = events_of(runtime, user_id)
        assert {event.user_id for event in events} == {user_id}
        others = [other for other in users if other != user_id]
        text = b"".join(logged.body for logged in runtime.log.events(runtime.user(user_id))).decode()
        assert not any(other in text for other in others)


async def test_a_background_task_of_one_user_cannot_act_for_another():
    """Class 12: a long-lived task keeps the user that it was started for."""
    queue: asyncio.Queue[AgentRun] = asyncio.Queue()
    caught: list[BaseException] = []
    workers: list[asyncio.Task[None]] = []

    async def serve() -> None:
        while True:
            run = await queue.get()
            for attempt in (run.think("x"), run.store.put("k", 1), run.store.get("k"), run.call_tool("noop")):
                try:
                    await attempt
                except IsolationError as error:
                    caught.append(error)

    async def starter(run: AgentRun) -> str:
        """Start the worker, which inherits this user."""
        workers.append(asyncio.create_task(serve()))
        return "started"

    async def user(run: AgentRun) -> str:
        """Hand the run to the worker."""
        queue.put_nowait(run)
        while len(caught) < 4:
            await asyncio.sleep(0)
        return "used"

    runtime = MemoryRuntime([starter, user], [noop])
    async with runtime.engine("ada") as engine:
        await engine.execute_agent("starter", "x")
    async with runtime.engine("bob") as engine:
        assert (await engine.execute_agent("user", "x")).status == "succeeded"
    workers[0].cancel()
    assert len(caught) == 4
    assert outline(events_of(runtime, "bob")) == ["agent_started", "agent_completed succeeded"]
    assert await runtime.store.list_keys(runtime.user("bob")) == []


async def test_an_engine_leaves_nothing_behind():
    async def busy(run: AgentRun) -> str:
        """Do a bit of everything."""
        await run.think("x")
        await run.run_agent("echo", "y")
        return str(await run.call_tool("add", a=1))

    runtime = MemoryRuntime([busy, echo], [add])
    before = living()
    async with runtime.engine() as engine:
        assert (await engine.execute_agent("busy", "x")).output == "2"
        assert living() != before
    del engine
    # Without a cycle everything goes when its last user goes: the collector is not needed.
    assert living(collect=False) == before


def living(*, collect: bool = True) -> Counter[str]:
    """How many of the objects that belong to one request are alive."""
    if collect:
        gc.collect()
    names = {"UserExecutionEngine", "RequestRun", "ToolDispatcher", "WebSocketEmitter", "Request", "Attempt", "Task"}
    return Counter(type(thing).__name__ for thing in gc.get_objects() if type(thing).__name__ in names)


@pytest.mark.timeout(120)  # five seconds when nothing else runs
async def test_thousands_of_runs_of_many_users_leave_no_objects():
    async def busy(run: AgentRun) -> str:
        """Think, call, delegate; some fail."""
        await run.think("x")
        if run.input.endswith("77"):
            raise ValueError(run.input)
        return str(await run.call_tool("add", a=len(run.input)))

    runtime = MemoryRuntime([busy], [add])

    async def some(count: int) -> int:
        for number in range(count):
            user_id = f"user-{number % 500}"
            async with runtime.engine(user_id) as engine:
                await engine.execute_agent("busy", f"run {number}")
            runtime.log.trim(runtime.user(user_id), 0)
        await asyncio.sleep(0)
        gc.collect()
        return len(gc.get_objects())

    before = await some(600)
    after = await some(5000)
    assert after - before < 500, "objects stay behind after runs"


async def test_run_ids_of_two_users_may_be_equal():
    """Class 20: nothing is routed by an id that a client chose."""
    log = MemoryEventLog()
    ids = {"run_id": RunId("same"), "request_id": "same", "thread_id": "same"}
    contexts = [context_of("ada", **ids), context_of("bob", **ids)]
    engines = [engine_for(context, log=log) for context in contexts]
    await asyncio.gather(*(engine.execute_agent("echo", engine.context.user_id) for engine in engines))
    for context in contexts:
        bodies = b"".join(logged.body for logged in log.events(context))
        assert context.user_id.encode() in bodies
        assert (b"bob" if context.user_id == "ada" else b"ada") not in bodies


async def test_nothing_more_is_heard_of_an_agent_while_what_it_left_open_is_stopped():
    answered, refused = asyncio.Event(), asyncio.Event()

    def types() -> list[str]:
        return [encoded_type(logged.body) for logged in log.events(context)]

    @tool
    async def slow_to_stop() -> None:
        """Takes its time."""
        try:
            await asyncio.sleep(3600)
        finally:
            await refused.wait()

    async def hasty(run: AgentRun) -> str:
        """Answers before it is done."""

        async def go_on() -> None:
            await answered.wait()
            for _ in range(10):
                await asyncio.sleep(0)
            try:
                await run.think("and another thing")
            finally:
                refused.set()

        calls = [asyncio.create_task(run.use_tool(slow_to_stop)), asyncio.create_task(go_on())]
        while types()[-1] != "tool_executing":
            await asyncio.sleep(0)
        answered.set()
        left.extend(calls)
        return "done"

    log, context, left = MemoryEventLog(), context_of(), list[asyncio.Task[object]]()
    async with engine_for(context, hasty, log=log) as engine:
        assert (await engine.execute_agent("hasty", "")).output == "done"
    assert types() == ["agent_started", "tool_executing", "tool_completed", "agent_completed"]
    raised = await asyncio.gather(*left, return_exceptions=True)
    assert [type(error) for error in raised] == [EngineClosedError, EngineClosedError]
