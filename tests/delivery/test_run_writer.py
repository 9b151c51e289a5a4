"""Tests of carrel.delivery.run_writer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest

from carrel.context import RequestId, RunId, ThreadId, UserContext, UserExecutionContext, UserId
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.log import LoggedEvent
from carrel.delivery.run_writer import LONGEST_PIECE, RunWriter
from carrel.errors import GrammarError, StorageError
from carrel.events import AgentEvent, EventDraft, EventType, decode_event, draft_event
from carrel.testing.event_log import MemoryEventLog

ROOT = UserExecutionContext(
    user_id=UserId("ann"), thread_id=ThreadId("t"), run_id=RunId("r"), request_id=RequestId("q")
)


class SlowLog(MemoryEventLog):
    """A log whose appends wait to be let through, and are carried out even when nobody waits any more."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0
        self._writes: set[asyncio.Task[Sequence[LoggedEvent]]] = set()

    async def append(self, context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        task = asyncio.create_task(self._append(context, drafts))
        self._writes.add(task)
        return await asyncio.shield(task)

    async def _append(self, context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        self.waiting += 1
        await self.gate.wait()
        return await super().append(context, drafts)

    async def reached(self, count: int) -> None:
        while self.waiting < count:
            await asyncio.sleep(0)


def writer(log: MemoryEventLog) -> RunWriter:
    return RunWriter(ROOT.user_id, log, LocalBridge())


async def write(target: RunWriter, kind: EventType, context: UserExecutionContext = ROOT, **data: object) -> None:
    await target.write(context, draft_event(context, kind, "a", data), after=(context.request_id,))


def events(log: MemoryEventLog) -> list[AgentEvent]:
    return [decode_event(event.body) for event in log.events(ROOT)]


def texts(log: MemoryEventLog) -> list[str]:
    return [event.data["text"] for event in events(log) if event.type == "agent_message"]


async def test_a_wrong_event_is_refused_before_it_is_written():
    log = MemoryEventLog()
    with pytest.raises(GrammarError):
        await write(writer(log), "agent_thinking")
    assert events(log) == []


async def test_an_event_that_the_log_refused_did_not_happen():
    log = MemoryEventLog()
    target = writer(log)
    log.fail(StorageError("full"))
    with pytest.raises(StorageError):
        await write(target, "agent_started")
    assert not target.grammar.is_open("q")
    await write(target, "agent_started")
    assert [event.type for event in events(log)] == ["agent_started"]


async def test_a_write_whose_caller_was_cancelled_is_closed_by_the_grammar():
    log = SlowLog()
    target = writer(log)
    await write(target, "agent_started")
    log.gate.clear()
    call = asyncio.create_task(write(target, "tool_executing", tool_call_id="c", tool="t"))
    await log.reached(2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    closing = asyncio.create_task(target.close(ROOT, "cancelled", "cancelled", "the run was cancelled"))
    log.gate.set()
    await closing
    assert [event.type for event in events(log)] == [
        "agent_started",
        "tool_executing",
        "tool_completed",
        "agent_completed",
    ]


async def test_closing_goes_on_when_its_caller_is_cancelled():
    log = SlowLog()
    target = writer(log)
    await write(target, "agent_started")
    log.gate.clear()
    closing = asyncio.create_task(target.close(ROOT, "cancelled", "cancelled", "the run was cancelled"))
    await log.reached(2)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    log.gate.set()
    while not target.grammar.over:
        await asyncio.sleep(0)
    assert [event.type for event in events(log)] == ["agent_started", "agent_completed"]


async def test_closing_goes_on_when_its_caller_is_cancelled_half_way():
    log = SlowLog()
    target = writer(log)
    await write(target, "agent_started")
    await target.say(ROOT, "a", "one ")
    await target.say(ROOT, "a", "two")
    log.gate.clear()
    closing = asyncio.create_task(target.close(ROOT, "cancelled", "cancelled", "the run was cancelled"))
    await log.reached(3)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    log.gate.set()
    while not target.grammar.over:
        await asyncio.sleep(0)
    assert texts(log) == ["one ", "two"]
    assert events(log)[-1].type == "agent_completed"


async def test_text_whose_caller_was_cancelled_is_written_once():
    log = SlowLog()
    target = writer(log)
    await write(target, "agent_started")
    log.gate.clear()
    saying = asyncio.create_task(target.say(ROOT, "a", "hello"))
    await log.reached(2)
    saying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saying
    log.gate.set()
    await write(target, "agent_completed")
    assert texts(log) == ["hello"]


async def test_text_that_is_said_while_the_log_is_busy_is_kept():
    log = SlowLog()
    target = writer(log)
    await write(target, "agent_started")
    log.gate.clear()
    first = asyncio.create_task(target.say(ROOT, "a", "one "))
    await log.reached(2)
    await target.say(ROOT, "a", "two ")
    await target.say(ROOT, "a", "three")
    log.gate.set()
    await first
    await write(target, "agent_completed")
    assert "".join(texts(log)) == "one two three"


async def test_waiting_text_is_written_by_itself():
    log = MemoryEventLog()
    target = writer(log)
    await write(target, "agent_started")
    for piece in ("one ", "two ", "three"):
        await target.say(ROOT, "a", piece)
    while len(texts(log)) < 2:
        await asyncio.sleep(0.01)
    assert texts(log) == ["one ", "two three"]


async def test_text_that_the_log_refused_in_the_background_comes_with_the_next_event():
    log = MemoryEventLog()
    target = writer(log)
    await write(target, "agent_started")
    await target.say(ROOT, "a", "one ")
    await target.say(ROOT, "a", "two")
    failure = StorageError("full")
    log.fail(failure)
    while log._failures:
        await asyncio.sleep(0.01)
    assert texts(log) == ["one "]
    await write(target, "agent_completed")
    assert texts(log) == ["one ", "two"]


async def test_text_that_the_log_refused_is_told_and_kept():
    log = MemoryEventLog()
    target = writer(log)
    await write(target, "agent_started")
    log.fail(StorageError("full"))
    with pytest.raises(StorageError):
        await target.say(ROOT, "a", "one")
    await write(target, "agent_completed")
    assert texts(log) == ["one"]


async def test_long_text_takes_several_events_and_loses_nothing():
    log = MemoryEventLog()
    target = writer(log)
    await write(target, "agent_started")
    text = "".join(f"{number} " for number in range(20_000))
    await target.say(ROOT, "a", text)
    await write(target, "agent_completed")
    assert "".join(texts(log)) == text
    assert len(texts(log)) == -(-len(text) // LONGEST_PIECE)


async def test_requests_that_speak_at_the_same_time_share_the_pace_and_take_turns():
    log = MemoryEventLog()
    target = writer(log)
    await write(target, "agent_started")
    children = [ROOT.child(parent_agent="a", agent=f"child{number}") for number in range(3)]
    for child in children:
        await write(target, "agent_started", child)
    for step in range(40):
        for child in children:
            await target.say(child, "a", f"{step} ")
        await asyncio.sleep(0.005)
    for child in children:
        await write(target, "agent_completed", child)
    await write(target, "agent_completed")
    said = {child.request_id: "" for child in children}
    moments = []
    for event in events(log):
        if event.type == "agent_message":
            said[RequestId(event.request_id)] += event.data["text"]
            moments.append(datetime.fromisoformat(event.created_at).timestamp())
    assert set(said.values()) == {"".join(f"{step} " for step in range(40))}
    for index in range(len(moments) - 20):
        assert moments[index + 20] - moments[index] >= 0.99


async def test_text_between_many_events_waits_for_its_turn():
    log = MemoryEventLog()
    target = writer(log)
    await write(target, "agent_started")
    for step in range(23):
        await target.say(ROOT, "a", f"{step} ")
        await target.say(ROOT, "a", "and ")
        await write(target, "agent_thinking", text="x")
    moments = [
        datetime.fromisoformat(event.created_at).timestamp() for event in events(log) if event.type == "agent_message"
    ]
    assert "".join(texts(log)) == "".join(f"{step} and " for step in range(23))
    for index in range(len(moments) - 20):
        assert moments[index + 20] - moments[index] >= 0.99


async def test_closing_what_is_not_open_writes_nothing():
    log = MemoryEventLog()
    await writer(log).close(ROOT, "failed", "x", "y")
    assert events(log) == []


async def test_a_run_that_has_ended_starts_nothing_more() -> None:
    target = writer(MemoryEventLog())
    await write(target, "agent_started", input="?")
    await target.say(ROOT, "a", "one")
    await target.say(ROOT, "a", "two")
    await write(target, "agent_completed", status="succeeded", output="onetwo", duration_ms=1, usage={})
    started: list[object] = []

    def factory(loop: asyncio.AbstractEventLoop, work: object, **rest: object) -> asyncio.Task[object]:
        started.append(work)
        return asyncio.Task(work, loop=loop, **rest)  # type: ignore[arg-type]

    asyncio.get_running_loop().set_task_factory(factory)  # type: ignore[arg-type]
    await asyncio.sleep(0.2)
    assert started == []
