"""Tests of carrel.delivery.emitter."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from carrel.context import RequestId, RunId, ThreadId, UserExecutionContext, UserId, ambient_context
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import EngineClosedError, GrammarError, IsolationError, StorageError
from carrel.events import AgentEvent, decode_event
from carrel.testing.event_log import MemoryEventLog

ERROR = {"code": "cancelled", "message": "the run was cancelled"}


def context(**changes: Any) -> UserExecutionContext:
    ids: dict[str, Any] = {
        "user_id": UserId("ann"),
        "thread_id": ThreadId("t"),
        "run_id": RunId("r"),
        "request_id": RequestId("q"),
    }
    return UserExecutionContext(**{**ids, **changes})


class Written:
    """A log, a bridge and what came of them."""

    def __init__(self) -> None:
        self.log = MemoryEventLog()
        self.bridge = LocalBridge()
        self.published: list[tuple[UserId, int]] = []
        self.bridge.subscribe(lambda user, top: self.published.append((user, top)))

    def emitter(self, **changes: Any) -> WebSocketEmitter:
        return WebSocketEmitter(context(**changes), self.log, self.bridge)

    @property
    def events(self) -> list[AgentEvent]:
        return [decode_event(event.body) for event in self.log.events(context())]

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]


@pytest.fixture
def written() -> Written:
    return Written()


async def test_a_run_is_written_as_the_protocol_has_it(written: Written):
    emitter = written.emitter()
    await emitter.queued(2, agent="supervisor")
    await emitter.started("supervisor", "Where can I cut my bill?")
    await emitter.thinking("I look.")
    await emitter.thinking("I look again.", step=2)
    await emitter.message("So: ")
    await emitter.tool_executing("c1", "sum", {"by": "model"})
    await emitter.tool_completed("c1", "sum", "succeeded", 1.5, result=None)
    await emitter.tool_executing("c2", "sum", {})
    await emitter.tool_completed("c2", "sum", "failed", 2.5, error=ERROR)
    await emitter.completed("succeeded", 9.0, output="So: yes", usage={"input_tokens": 3})
    assert [(event.type, event.data) for event in written.events] == [
        ("run_queued", {"position": 2}),
        ("agent_started", {"input": "Where can I cut my bill?"}),
        ("agent_thinking", {"text": "I look."}),
        ("agent_thinking", {"text": "I look again.", "step": 2}),
        ("agent_message", {"text": "So: "}),
        ("tool_executing", {"tool_call_id": "c1", "tool": "sum", "arguments": {"by": "model"}}),
        (
            "tool_completed",
            {"tool_call_id": "c1", "tool": "sum", "status": "succeeded", "result": None, "duration_ms": 1.5},
        ),
        ("tool_executing", {"tool_call_id": "c2", "tool": "sum", "arguments": {}}),
        (
            "tool_completed",
            {"tool_call_id": "c2", "tool": "sum", "status": "failed", "error": ERROR, "duration_ms": 2.5},
        ),
        (
            "agent_completed",
            {"status": "succeeded", "output": "So: yes", "duration_ms": 9.0, "usage": {"input_tokens": 3}},
        ),
    ]
    assert {event.agent for event in written.events} == {"supervisor"}
    assert written.published == [(UserId("ann"), offset) for offset in range(1, 11)]


async def test_a_failure_carries_its_error_and_no_output(written: Written):
    emitter = written.emitter()
    await emitter.started("a", "x")
    await emitter.completed("failed", 1.0, output="half", error=ERROR)
    assert written.events[-1].data == {"status": "failed", "error": ERROR, "duration_ms": 1.0, "usage": {}}


async def test_a_sub_agent_lies_inside_its_parent_and_shares_its_order(written: Written):
    parent = written.emitter()
    await parent.started("supervisor", "x")
    child = parent.child(parent.context.child(parent_agent="supervisor", agent="data"))
    with pytest.raises(GrammarError):
        await child.thinking("too early")
    await child.started("data", "y")
    with pytest.raises(GrammarError):
        await parent.completed("succeeded", 1.0)
    await child.completed("succeeded", 1.0, output="z")
    await parent.thinking("go on")
    await parent.completed("succeeded", 1.0, output="z")
    assert [(event.type, event.agent) for event in written.events] == [
        ("agent_started", "supervisor"),
        ("agent_started", "data"),
        ("agent_completed", "data"),
        ("agent_thinking", "supervisor"),
        ("agent_completed", "supervisor"),
    ]
    assert written.events[1].parent_request_id == "q"


@pytest.mark.parametrize(
    "foreign",
    [
        {"user_id": UserId("bob")},
        {"run_id": RunId("other")},
        {"thread_id": ThreadId("other")},
        {"parent_request_id": RequestId("other")},
        {"parent_request_id": None},
    ],
)
async def test_a_child_of_anything_else_is_refused(written: Written, foreign: dict[str, Any]):
    emitter = written.emitter()
    ids = {"request_id": RequestId("q-2"), "parent_request_id": RequestId("q"), **foreign}
    with pytest.raises(IsolationError):
        emitter.child(context(**ids))


CALLS: tuple[tuple[str, Callable[[WebSocketEmitter], Awaitable[None]]], ...] = (
    ("queued", lambda emitter: emitter.queued(1)),
    ("started", lambda emitter: emitter.started("a", "x")),
    ("thinking", lambda emitter: emitter.thinking("x")),
    ("message", lambda emitter: emitter.message("x")),
    ("tool_executing", lambda emitter: emitter.tool_executing("c", "t", {})),
    ("tool_completed", lambda emitter: emitter.tool_completed("c", "t", "succeeded", 1.0)),
    ("completed", lambda emitter: emitter.completed("succeeded", 1.0)),
)


@pytest.mark.parametrize("call", [call for _, call in CALLS], ids=[name for name, _ in CALLS])
async def test_nothing_is_written_after_the_end(written: Written, call: Callable[[WebSocketEmitter], Awaitable[None]]):
    completed, closed = written.emitter(), written.emitter(run_id=RunId("r2"))
    await completed.started("a", "x")
    child = completed.child(completed.context.child(parent_agent="a", agent="b"))
    await completed.completed("succeeded", 1.0)
    await closed.close_open("cancelled", **ERROR)
    before = written.types
    for emitter in (completed, closed, child):
        assert emitter.closed
        with pytest.raises(EngineClosedError):
            await call(emitter)
    with pytest.raises(EngineClosedError):
        completed.child(completed.context.child(parent_agent="a", agent="c"))
    assert written.types == before


@pytest.mark.parametrize("call", [call for _, call in CALLS], ids=[name for name, _ in CALLS])
async def test_nothing_is_written_while_working_for_another_user(
    written: Written, call: Callable[[WebSocketEmitter], Awaitable[None]]
):
    emitter = written.emitter()
    await emitter.started("a", "x")
    with ambient_context(context(user_id=UserId("bob"))), pytest.raises(IsolationError):
        await call(emitter)
    with ambient_context(context(user_id=UserId("bob"))), pytest.raises(IsolationError):
        await emitter.close_open("cancelled", **ERROR)
    assert written.types == ["agent_started"]


async def test_a_message_needs_a_request_that_has_started(written: Written):
    with pytest.raises(GrammarError):
        await written.emitter().message("x")


async def test_pieces_of_an_answer_are_joined_and_come_before_the_next_event(written: Written):
    emitter = written.emitter()
    await emitter.started("a", "x")
    for piece in ("one ", "two ", "", "three"):
        await emitter.message(piece)
    await emitter.thinking("then")
    assert [event.data.get("text") for event in written.events[1:]] == ["one ", "two three", "then"]


async def test_what_a_request_has_said_comes_before_its_sub_agent(written: Written):
    parent = written.emitter()
    await parent.started("supervisor", "x")
    await parent.message("first ")
    await parent.message("I ask.")
    child = parent.child(parent.context.child(parent_agent="supervisor", agent="data"))
    await child.started("data", "y")
    assert [event.type for event in written.events] == [
        "agent_started",
        "agent_message",
        "agent_message",
        "agent_started",
    ]


async def test_text_that_is_not_unicode_is_written_with_replacements(written: Written):
    emitter = written.emitter()
    await emitter.started("a", "x")
    await emitter.message("half \ud800, whole é")
    assert written.events[-1].data == {"text": "half ?, whole é"}


async def test_values_that_json_cannot_carry_break_nothing(written: Written):
    emitter = written.emitter()
    await emitter.started("a", "x")
    await emitter.tool_executing("c", "t", {"when": object})
    await emitter.tool_completed("c", "t", "succeeded", 1.0, result={1, 2} | {3})
    assert written.events[-2].data["arguments"] == {"when": "<class 'object'>"}
    assert sorted(written.events[-1].data["result"]) == [1, 2, 3]


async def test_a_huge_result_is_cut(written: Written):
    emitter = written.emitter()
    await emitter.started("a", "x")
    await emitter.tool_executing("c", "t", {})
    await emitter.tool_completed("c", "t", "succeeded", 1.0, result="x" * 2_000_000)
    assert written.events[-1].data["result"].endswith(" characters]")
    assert len(written.log.events(context())[-1].body) < 257 * 1024


async def test_closing_completes_the_request_and_all_inside_it(written: Written):
    emitter = written.emitter()
    await emitter.started("supervisor", "x")
    await emitter.tool_executing("c", "t", {})
    child = emitter.child(emitter.context.child(parent_agent="supervisor", agent="data"))
    await child.started("data", "y")
    await child.message("one ")
    await child.message("two")
    for _ in range(2):
        await emitter.close_open("cancelled", **ERROR)
    assert [(event.type, event.agent) for event in written.events[2:]] == [
        ("agent_started", "data"),
        ("agent_message", "data"),
        ("agent_message", "data"),
        ("agent_completed", "data"),
        ("tool_completed", "supervisor"),
        ("agent_completed", "supervisor"),
    ]
    assert written.events[-1].data["error"] == ERROR
    assert written.published[-1] == (UserId("ann"), 8)


async def test_closing_a_sub_agent_leaves_its_parent_open(written: Written):
    parent = written.emitter()
    await parent.started("supervisor", "x")
    child = parent.child(parent.context.child(parent_agent="supervisor", agent="data"))
    await child.started("data", "y")
    await child.close_open("failed", "agent_failed", "it broke")
    assert child.closed
    assert not parent.closed
    await parent.completed("succeeded", 1.0)


async def test_closing_after_the_completion_writes_nothing(written: Written):
    emitter = written.emitter()
    await emitter.started("a", "x")
    await emitter.completed("succeeded", 1.0)
    await emitter.close_open("failed", "x", "y")
    assert written.types == ["agent_started", "agent_completed"]


async def test_closing_can_be_tried_again_after_the_log_refused(written: Written):
    emitter = written.emitter()
    await emitter.started("a", "x")
    written.log.fail(StorageError("the disk is full"))
    with pytest.raises(StorageError):
        await emitter.close_open("failed", "x", "y")
    with pytest.raises(EngineClosedError):
        await emitter.thinking("too late")
    await emitter.close_open("failed", "x", "y")
    assert written.types == ["agent_started", "agent_completed"]


async def test_a_completion_that_the_log_refused_can_be_tried_again(written: Written):
    emitter = written.emitter()
    await emitter.started("a", "x")
    written.log.fail(StorageError("the disk is full"))
    with pytest.raises(StorageError):
        await emitter.completed("succeeded", 1.0)
    assert not emitter.closed
    await emitter.completed("succeeded", 1.0)
    assert written.types == ["agent_started", "agent_completed"]


async def test_concurrent_callers_are_put_in_one_order(written: Written):
    emitter = written.emitter()
    await emitter.started("a", "x")

    async def call(number: int) -> None:
        await emitter.tool_executing(str(number), "t", {})
        await asyncio.sleep(0)
        await emitter.tool_completed(str(number), "t", "succeeded", 1.0)

    await asyncio.gather(*(call(number) for number in range(20)))
    await emitter.completed("succeeded", 1.0)
    assert [event.offset for event in written.events] == list(range(1, 43))
    assert written.types[-1] == "agent_completed"
