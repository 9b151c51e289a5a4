from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel

from carrel.context import UserExecutionContext, ambient_context
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import (
    EngineClosedError,
    InputError,
    IsolationError,
    LimitExceededError,
    SettingsError,
    ToolFailedError,
    ToolNotFoundError,
)
from carrel.events import AgentEvent, decode_event
from carrel.runtime.limits import RunLimits
from carrel.runtime.tools import Tool, ToolDispatcher, tool
from carrel.testing import MemoryEventLog, MemoryRuntime


@tool
async def add(a: int, b: int = 1) -> int:
    """Add two numbers."""
    return a + b


@tool(permission="usage:read", name="secret-sum")
async def guarded(context: UserExecutionContext) -> str:
    """Only for some."""
    return context.user_id


@tool(timeout_seconds=0.02)
async def slow() -> None:
    """Take too long."""
    await asyncio.Event().wait()


@tool
def blocking(a: int) -> tuple[int, bool]:
    """Work in a thread."""
    return a, threading.current_thread() is threading.main_thread()


@tool
async def breaks() -> None:
    """Break."""
    raise ValueError("secret of the tool")


@tool
async def picky() -> None:
    """Tell the caller what is wrong."""
    raise InputError("model", "is unknown; there are a and b")


class Row(BaseModel):
    model: str


@dataclass
class Sum:
    total: float


@tool
async def modelled() -> list[object]:
    """Return objects."""
    return [Row(model="m"), Sum(1.5), {1: b"x"}]


TOOLS = (add, guarded, slow, blocking, breaks, picky, modelled)
SOON = RunLimits(grace_seconds=0.02)


class Bench:
    """A dispatcher in a started request, and what it wrote."""

    def __init__(self, context: UserExecutionContext, tools: tuple[Tool, ...] = TOOLS, limits: RunLimits = SOON):
        self.log = MemoryEventLog()
        self.context = context
        self.emitter = WebSocketEmitter(context, self.log, LocalBridge())
        self.dispatcher = ToolDispatcher(context, tools, self.emitter, limits=limits)

    async def call(self, name: str, **arguments: Any) -> Any:
        if not self.log.events(self.context):
            await self.emitter.started("agent", "x")
        return await self.dispatcher.dispatch(name, arguments)

    def events(self) -> list[AgentEvent]:
        return [decode_event(logged.body) for logged in self.log.events(self.context)][1:]

    def completed(self) -> Mapping[str, Any]:
        return self.events()[-1].data


def bench(*permissions: str, tools: tuple[Tool, ...] = TOOLS, limits: RunLimits = SOON) -> Bench:
    return Bench(MemoryRuntime().context(permissions=frozenset(permissions)), tools, limits)


def test_a_tool_is_described_by_its_function():
    assert (add.name, add.description, add.permission, add.timeout_seconds) == ("add", "Add two numbers.", None, 30.0)
    assert add.parameters["properties"]["b"]["default"] == 1
    assert guarded.name == "secret-sum"
    assert add.described.parameters is add.parameters
    with pytest.raises(AttributeError):
        add.name = "other"  # type: ignore[misc]


def test_a_tool_without_a_docstring_has_no_description():
    async def silent() -> None: ...

    assert Tool.from_function(silent).description == ""


def test_what_is_no_tool_is_refused():
    with pytest.raises(SettingsError, match="bad name"):
        Tool(name="bad name", description="", parameters={}, call=add.call)
    with pytest.raises(SettingsError, match="timeout_seconds"):
        Tool(name="x", description="", parameters={}, call=add.call, timeout_seconds=0)
    with pytest.raises(SettingsError, match="same name"):
        bench(tools=(add, add))


async def test_a_call_is_two_events_and_the_result():
    made = bench()
    assert await made.call("add", a=2) == 3
    executing, completed = made.events()
    assert executing.data["tool"] == "add"
    assert executing.data["arguments"] == {"a": 2}
    assert completed.data["tool_call_id"] == executing.data["tool_call_id"]
    assert completed.data["tool_call_id"][14] == "7", "a UUIDv7"
    assert (completed.data["status"], completed.data["result"]) == ("succeeded", 3)
    assert completed.data["duration_ms"] >= 0


@pytest.mark.parametrize("wrong", [{}, {"a": "2"}, {"a": 1, "c": 2}])
async def test_bad_arguments_fail_before_the_tool_is_called(wrong: dict[str, Any]):
    made = bench()
    with pytest.raises(ToolFailedError) as caught:
        await made.call("add", **wrong)
    assert caught.value.code == "invalid_arguments"
    assert made.completed()["status"] == "failed"
    assert made.completed()["error"] == {"code": "invalid_arguments", "message": str(caught.value)}


async def test_a_tool_that_the_user_may_not_use_is_neither_listed_nor_called():
    made = bench()
    assert list(made.dispatcher.tools) == [one.name for one in TOOLS if one.permission is None]
    with pytest.raises(ToolFailedError) as caught:
        await made.call("secret-sum")
    assert caught.value.code == "permission_denied"
    assert (made.completed()["status"], made.completed()["error"]["code"]) == ("denied", "permission_denied")


@pytest.mark.parametrize("permission", ["usage:read", "*"])
async def test_a_permission_opens_the_tool(permission: str):
    made = bench(permission)
    assert "secret-sum" in made.dispatcher.tools
    assert await made.call("secret-sum") == made.context.user_id


async def test_an_unknown_tool_is_answered_with_those_that_the_user_may_use():
    made = bench()
    with pytest.raises(ToolNotFoundError) as caught:
        await made.call("nothing")
    assert "secret-sum" not in caught.value.known
    assert made.completed()["error"]["code"] == "tool_not_found"


async def test_a_tool_has_its_own_time():
    made = bench()
    with pytest.raises(ToolFailedError) as caught:
        await made.call("slow")
    assert caught.value.code == "timed_out"
    assert (made.completed()["status"], made.completed()["error"]["code"]) == ("failed", "timed_out")


async def test_a_synchronous_tool_runs_in_a_thread():
    assert await bench().call("blocking", a=1) == (1, False)


async def test_a_synchronous_tool_knows_whom_it_works_for():
    @tool
    def touch(context: UserExecutionContext) -> None:
        """Touch another user's things."""
        from carrel.context import check_ambient

        check_ambient(MemoryRuntime().context("bob"), "the store")

    made = bench(tools=(touch,))
    with ambient_context(made.context), pytest.raises(ToolFailedError, match="belongs to another user"):
        await made.call("touch")


async def test_hanging_threads_of_one_run_are_bounded():
    go = threading.Event()
    started: list[int] = []

    @tool(timeout_seconds=5)
    def hang() -> None:
        """Hang."""
        started.append(1)
        go.wait()

    made = bench(tools=(hang,), limits=RunLimits(tool_threads_per_run=2, grace_seconds=0.02))
    await made.emitter.started("agent", "x")
    calls = [asyncio.create_task(made.call("hang")) for _ in range(5)]
    while len(started) < 2:
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    assert len(started) == 2
    go.set()
    await asyncio.gather(*calls)
    assert len(started) == 5


async def test_a_broken_tool_tells_the_class_of_its_error_and_nothing_else():
    made = bench()
    with pytest.raises(ToolFailedError) as caught:
        await made.call("breaks")
    assert caught.value.code == "tool_failed"
    assert isinstance(caught.value.__cause__, ValueError)
    assert "ValueError" in made.completed()["error"]["message"]
    assert b"secret of the tool" not in made.log.events(made.context)[-1].body


async def test_a_tool_may_tell_the_caller_what_is_wrong():
    made = bench()
    with pytest.raises(ToolFailedError, match="there are a and b"):
        await made.call("picky")
    assert "there are a and b" in made.completed()["error"]["message"]


@pytest.mark.parametrize("error", [SystemExit(1), GeneratorExit()], ids=repr)
async def test_a_tool_cannot_end_the_process(error: BaseException):
    @tool
    async def exits() -> None:
        """Exit."""
        raise error

    made = bench(tools=(exits,))
    with pytest.raises(ToolFailedError, match=type(error).__name__):
        await made.call("exits")


async def test_a_tool_that_cancels_itself_has_failed():
    @tool
    async def leaves() -> None:
        """Leave."""
        raise asyncio.CancelledError

    made = bench(tools=(leaves,))
    with pytest.raises(ToolFailedError, match="cancelled itself"):
        await made.call("leaves")


async def test_objects_are_shown_as_json_and_returned_as_they_are():
    made = bench()
    assert (await made.call("modelled"))[0] == Row(model="m")
    assert made.completed()["result"] == [{"model": "m"}, {"total": 1.5}, {"1": "x"}]


async def test_a_result_that_has_no_json_form_breaks_nothing():
    loop: list[object] = []
    loop.append(loop)

    @tool
    async def endless() -> object:
        """Return something that contains itself."""
        return loop

    made = bench(tools=(endless,))
    assert await made.call("endless") is loop
    assert made.completed()["status"] == "succeeded"


async def test_calls_run_at_the_same_time():
    arrived = 0
    all_here = asyncio.Event()

    @tool
    async def meet() -> int:
        """Wait for the others."""
        nonlocal arrived
        arrived += 1
        if arrived == 3:
            all_here.set()
        await all_here.wait()
        return arrived

    made = bench(tools=(meet,))
    await made.emitter.started("agent", "x")
    assert await asyncio.gather(*(made.call("meet") for _ in range(3))) == [3, 3, 3]


async def test_a_cancelled_call_is_completed_as_cancelled():
    made = bench(tools=(add, Tool.from_function(_endless, name="endless")))
    await made.emitter.started("agent", "x")
    call = asyncio.create_task(made.call("endless"))
    await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (made.completed()["status"], made.completed()["error"]["code"]) == ("cancelled", "cancelled")
    assert await made.call("add", a=1) == 2


async def test_a_tool_that_swallows_its_cancellation_is_abandoned():
    go = asyncio.Event()

    @tool(timeout_seconds=0.01)
    async def deaf() -> None:
        """Ignore every cancellation."""
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                continue

    made = bench(tools=(deaf,))
    with pytest.raises(ToolFailedError, match="took longer"):
        await made.call("deaf")
    go.set()


async def test_closing_cancels_open_calls_and_refuses_more():
    made = bench(tools=(Tool.from_function(_endless, name="endless"),))
    await made.emitter.started("agent", "x")
    call = asyncio.create_task(made.call("endless"))
    await asyncio.sleep(0.01)
    assert await made.dispatcher.close()
    with pytest.raises(EngineClosedError):
        await call
    assert made.completed()["status"] == "cancelled"
    with pytest.raises(EngineClosedError):
        await made.call("endless")


async def test_the_calls_of_a_run_are_limited_sub_agents_included():
    made = bench(limits=RunLimits(tool_calls_per_run=2))
    await made.call("add", a=1)
    child_context = made.context.child(parent_agent="agent", agent="other")
    child_emitter = made.emitter.child(child_context)
    await child_emitter.started("other", "x")
    child = made.dispatcher.child(child_context, child_emitter)
    await child.dispatch("add", {"a": 1})
    with pytest.raises(LimitExceededError):
        await child.dispatch("add", {"a": 1})
    with pytest.raises(LimitExceededError):
        await made.call("add", a=1)


async def test_a_tool_that_is_brought_along_obeys_the_same_rules():
    made = bench(tools=())
    await made.emitter.started("agent", "x")
    assert await made.dispatcher.use(add, {"a": 1}) == 2
    with pytest.raises(ToolFailedError, match="permission"):
        await made.dispatcher.use(guarded, {})
    assert made.completed()["status"] == "denied"


async def test_a_dispatcher_is_bound_to_its_request():
    runtime = MemoryRuntime()
    ada, bob = Bench(runtime.context("ada")), Bench(runtime.context("bob"))
    with pytest.raises(IsolationError, match="emitter"):
        ToolDispatcher(ada.context, TOOLS, bob.emitter)
    with pytest.raises(IsolationError):
        ada.dispatcher.child(bob.context, bob.emitter)
    await ada.emitter.started("agent", "x")
    with ambient_context(bob.context), pytest.raises(IsolationError, match="the tool dispatcher"):
        await ada.dispatcher.dispatch("add", {"a": 1})
    assert ada.events() == []


async def _endless() -> None:
    await asyncio.Event().wait()
