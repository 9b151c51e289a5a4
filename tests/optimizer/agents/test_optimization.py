"""The optimization agent."""

from __future__ import annotations

import pytest

from carrel.optimizer.agents.figures import read_findings
from tests.optimizer.agents.conftest import Desk

pytestmark = pytest.mark.usefixtures("example_file")


async def test_savings_are_those_of_the_tool(desk: Desk) -> None:
    found = read_findings((await desk.ask("Where can I save?", agent="optimization")).output)
    assert found is not None
    events = desk.events()
    (tool,) = [event for event in events if event.type == "tool_completed" and event.data["tool"] == "usage_savings"]
    assert found.savings == tool.data["result"]
    thoughts = [event.data["text"] for event in events if event.type == "agent_thinking"]
    assert any("a month" in text for text in thoughts)


async def test_a_move_is_computed(desk: Desk) -> None:
    found = read_findings((await desk.ask("What if I moved gpt-5.4 to gpt-4.1?", agent="optimization")).output)
    assert found is not None
    assert (found.move["from_model"], found.move["to_model"]) == ("gpt-5.4", "gpt-4.1")


async def test_a_problem_is_passed_on(desk: Desk) -> None:
    for question, says in (("sing", "does not look like"), ("What if I moved gpt-5.4 to foo-1?", "No list price")):
        found = read_findings((await desk.ask(question, agent="optimization")).output)
        assert found is not None
        assert says in found.problem
