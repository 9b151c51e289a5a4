from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from carrel import ExecutionEngine, LoggedBridge
from carrel.delivery.bridge import LocalBridge
from carrel.events import decode_event
from carrel.runtime.agent import AgentResult
from carrel.runtime.old_agent import described, is_agent, result_of
from carrel.testing import MemoryEventLog
from tests.runtime.lifecycle import grammatical, outline


@dataclass
class OldResult:
    success: bool
    data: Any = None
    error: str | None = None


class Adder:
    """As agents of the old engine are written."""

    def set_websocket_bridge(self, bridge: Any, run_id: str) -> None:
        self.bridge, self.run_id = bridge, run_id

    async def execute(self, context: Any, stream_updates: bool = False, message: str | None = None) -> OldResult:
        await self.bridge.notify_agent_thinking(self.run_id, "adder", f"{message} from {context.user_id}")
        await self.bridge.notify_tool_executing(self.run_id, "add", parameters={"a": 40, "b": 2})
        await self.bridge.notify_tool_completed(self.run_id, "add", {"sum": 42})
        return OldResult(success=True, data="42")


class Greedy:
    async def execute(self, context: Any, sandwich: Any) -> None:
        raise AssertionError


class Plain:
    def execute(self, user_context: Any, user_input: str, run_id: str) -> str:
        return f"{user_context.user_id} {user_input} {run_id}"


async def run_old(agent: object, text: str = "40 and 2") -> tuple[AgentResult, list[Any]]:
    log = MemoryEventLog()
    context = SimpleNamespace(user_id="ada", thread_id="t", run_id="r")
    with pytest.deprecated_call():
        engine = ExecutionEngine({"adder": agent}, LoggedBridge(log, LocalBridge()), context)
    result = await engine.execute_agent("adder", text)
    return result, [decode_event(logged.body) for logged in log.events(engine.context)]


async def test_an_old_agents_notifications_are_the_five_events():
    result, events = await run_old(Adder())
    assert result.output == "42"
    assert outline(grammatical(events)) == [
        "agent_started",
        "agent_thinking",
        "tool_executing",
        "tool_completed succeeded",
        "agent_completed succeeded",
    ]
    assert events[1].data["text"] == "40 and 2 from ada"
    assert events[3].data["result"] == {"sum": 42}


async def test_execute_gets_what_it_names():
    assert (await run_old(Plain(), "hi"))[0].output == "ada hi r"


async def test_an_execute_that_requires_more_fails_with_what_it_requires(capsys: pytest.CaptureFixture[str]):
    result, events = await run_old(Greedy())
    assert (result.status, outline(grammatical(events))[-1]) == ("failed", "agent_completed failed")
    assert "sandwich" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, None),
        ("text", "text"),
        (AgentResult(output="x"), AgentResult(output="x")),
        ({"a": [1, None]}, '{"a":[1,null]}'),
        (7, "7"),
        (OldResult(True, "text"), "text"),
        (OldResult(True), None),
        (OldResult(True, {"a": 1}), '{"a":1}'),
        (OldResult(False, error="no"), AgentResult(status="failed", error_code="agent_failed", error_message="no")),
        (
            OldResult(False),
            AgentResult(status="failed", error_code="agent_failed", error_message="agent 'a' gave no reason"),
        ),
    ],
)
def test_an_old_answer_is_read(answer: object, expected: object):
    assert result_of("a", answer) == expected


def test_agents_are_told_from_what_makes_them():
    assert is_agent(Plain())
    assert not is_agent(lambda: Plain())


def test_an_agent_is_described_by_its_description_or_its_docstring():
    assert described(SimpleNamespace(description="Adds.")) == "Adds."
    assert described(Adder()) == "As agents of the old engine are written."
    assert described(Greedy()) == ""
