from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from carrel.context import UserExecutionContext, ambient_context
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.delivery.old_bridge import LoggedBridge, NotifyingLog, write_ends
from carrel.errors import IsolationError, UnrecoverablePositionError
from carrel.testing import MemoryEventLog, MemoryRuntime


class Bridge:
    """As the old engine had it; `notify_agent_thinking` is not async."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    async def notify_agent_started(self, run_id, agent_name, context=None, trace_context=None, user_context=None):
        self.told.append(("started", run_id, agent_name, context, user_context))
        return True

    def notify_agent_thinking(self, run_id, agent_name, reasoning, step_number=None):
        self.told.append(("thinking", run_id, agent_name, reasoning, step_number))

    async def notify_tool_executing(self, run_id, agent_name, tool_name, parameters):
        self.told.append(("executing", run_id, agent_name, tool_name, parameters))

    async def notify_tool_completed(self, run_id, tool_name, result=None, agent_name=None, execution_time_ms=None):
        self.told.append(("completed_tool", run_id, tool_name, result["status"], execution_time_ms))

    async def notify_agent_completed(self, run_id, agent_name, result=None, execution_time_ms=None):
        self.told.append(("completed", run_id, agent_name, result["success"], execution_time_ms))


def old_context(user_id: str = "ada") -> SimpleNamespace:
    return SimpleNamespace(user_id=user_id, thread_id="t", run_id=f"run-of-{user_id}")


def emitter_for(bridge: object, context: object) -> WebSocketEmitter:
    with pytest.deprecated_call():
        return WebSocketEmitter.from_bridge(bridge, context)


async def run_one(emitter: WebSocketEmitter) -> None:
    await emitter.started("adder", "40 and 2")
    await emitter.thinking("hm", 1)
    await emitter.message("42")
    await emitter.tool_executing("call", "add", {"a": 40, "b": 2})
    await emitter.tool_completed("call", "add", "succeeded", 2.0, result=42)
    await emitter.completed("succeeded", 5.0, output="42")


async def test_an_old_bridge_is_told_of_the_five_events_whatever_the_order_of_its_parameters():
    bridge, context = Bridge(), old_context()
    await run_one(emitter_for(bridge, context))
    assert bridge.told == [
        ("started", "run-of-ada", "adder", {"input": "40 and 2"}, context),
        ("thinking", "run-of-ada", "adder", "hm", 1),
        ("executing", "run-of-ada", "adder", "add", {"a": 40, "b": 2}),
        ("completed_tool", "run-of-ada", "add", "succeeded", 2.0),
        ("completed", "run-of-ada", "adder", True, 5.0),
    ]


async def test_a_bridge_that_takes_any_values_gets_them_in_the_old_order():
    told: list[tuple[Any, ...]] = []

    class Anything:
        def notify_agent_started(self, *values: Any) -> None:
            told.append(values)

        notify_agent_thinking = notify_tool_executing = notify_agent_started
        notify_tool_completed = notify_agent_completed = notify_agent_started

    await run_one(emitter_for(Anything(), old_context()))
    assert {values[0] for values in told} == {"run-of-ada"}
    assert {values[1] for values in told} == {"adder"}
    started, thinking, executing, completed, ended = (values[2:-1] for values in told)
    assert (started, thinking, executing) == (({"input": "40 and 2"},), ("hm", 1), ("add", {"a": 40, "b": 2}))
    assert (completed[0], completed[1]["result"], completed[2]) == ("add", 42, 2.0)
    assert (ended[0]["output"], ended[1]) == ("42", 5.0)


async def test_the_bridge_need_not_remember_whom_it_serves():
    bridge, contexts = Bridge(), [old_context("ada"), old_context("bob")]
    emitters = [emitter_for(bridge, context) for context in contexts]
    for emitter in emitters:
        await emitter.started("adder", f"for {emitter.context.user_id}")
    assert [(call[3]["input"], call[4].user_id) for call in bridge.told] == [("for ada", "ada"), ("for bob", "bob")]


async def test_from_bridge_writes_to_carrels_own_log_too():
    log, heard = MemoryEventLog(), list[tuple[str, int]]()
    bridge = LocalBridge()
    bridge.subscribe(lambda user_id, top: heard.append((user_id, top)))
    emitter = emitter_for(LoggedBridge(log, bridge), old_context())
    await emitter.started("adder", "")
    assert len(log.events(emitter.context)) == 1
    assert heard == [("ada", 1)]


async def test_what_a_bridge_raises_ends_no_run():
    class Broken(Bridge):
        async def notify_agent_started(self, *_: Any, **__: Any) -> None:
            raise ConnectionError

    bridge = Broken()
    await run_one(emitter_for(bridge, old_context()))
    assert bridge.told[-1][0] == "completed"


async def test_a_bridge_that_requires_what_is_not_known_is_refused():
    class Greedy(Bridge):
        async def notify_agent_started(self, run_id: str, tenant: str) -> None:  # type: ignore[override]
            raise AssertionError

    with pytest.raises(TypeError, match="notify_agent_started requires tenant"):
        await emitter_for(Greedy(), old_context()).started("adder", "")


@pytest.mark.parametrize("bridge", [None, object(), LocalBridge()])
def test_what_is_no_bridge_is_refused_with_what_is(bridge: object):
    with pytest.raises(TypeError, match=r"without notify_agent_started.* pass LoggedBridge\(log, bridge\)"):
        write_ends(bridge, MemoryRuntime().context("ada"))


def test_from_bridge_warns_at_its_callers_line():
    with pytest.warns(DeprecationWarning, match=r"WebSocketEmitter\(context, log, bridge\)") as caught:
        WebSocketEmitter.from_bridge(Bridge(), old_context())
    assert [warning.filename for warning in caught] == [__file__]


class Silent:
    def notify_agent_started(self, **given: Mapping[str, Any]) -> None: ...
    def notify_agent_completed(self, **given: Mapping[str, Any]) -> None: ...


def notifying_log(context: UserExecutionContext) -> NotifyingLog:
    return NotifyingLog(Silent(), context, context)


async def test_a_notifying_log_keeps_nothing_and_says_so():
    context = MemoryRuntime().context("ada")
    log = notifying_log(context)
    await WebSocketEmitter(context, log, LocalBridge()).started("adder", "")
    state = await log.state(context)
    assert (state.oldest, state.top, (await log.state(context)).epoch) == (2, 1, state.epoch)
    assert list(await log.read(context, 1, 10)) == []
    with pytest.raises(UnrecoverablePositionError):
        await log.read(context, 0, 10)
    log.acknowledge(context, 1)
    assert log.held(context, 0, 10) is None


async def test_a_notifying_log_is_one_users():
    runtime = MemoryRuntime()
    ada, bob = runtime.context("ada"), runtime.context("bob")
    log = notifying_log(ada)
    for attempt in (log.state(bob), log.append(bob, ()), log.read(bob, 0, 1)):
        with pytest.raises(IsolationError):
            await attempt
    with pytest.raises(IsolationError):
        log.held(bob, 0, 1)
    with pytest.raises(IsolationError):
        log.acknowledge(bob, 1)
    with ambient_context(bob), pytest.raises(IsolationError):
        await log.state(ada)


async def test_a_draft_of_another_user_is_not_told():
    runtime = MemoryRuntime()
    ada, bob = runtime.context("ada"), runtime.context("bob")
    drafts: list[Any] = []

    class Spy(MemoryEventLog):
        async def append(self, context, given):
            drafts.extend(given)
            return await super().append(context, given)

    await WebSocketEmitter(bob, Spy(), LocalBridge()).started("adder", "bob's secret")
    with pytest.raises(IsolationError):
        await notifying_log(ada).append(ada, drafts)
