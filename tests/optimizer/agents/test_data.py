"""The data agent, asked by a person or given a plan."""

from __future__ import annotations

import pytest

from carrel.optimizer.agents.figures import read_findings
from carrel.optimizer.questions.plan import Plan
from tests.optimizer import independent
from tests.optimizer.agents.conftest import Desk

pytestmark = pytest.mark.usefixtures("example_file")


async def test_a_person_may_ask_it_directly(desk: Desk) -> None:
    found = read_findings((await desk.ask("What did I spend by day?", agent="data")).output)
    assert found is not None
    assert found.breakdown["by"] == "day"
    assert len(found.breakdown["rows"]) == 30


async def test_a_plan_is_followed(desk: Desk) -> None:
    plan = Plan(kind="spend", by="tag", model="gpt-5.4")
    found = read_findings((await desk.ask(plan.as_json(), agent="data")).output)
    assert found is not None
    some = [record for record in independent.read() if record.model == "gpt-5.4"]
    assert found.overview["records"] == len(some)
    assert {row["key"] for row in found.breakdown["rows"]} == {record.tag for record in some}
    assert found.days["by"] == "day"


async def test_what_cannot_be_planned_is_its_answer(desk: Desk) -> None:
    found = read_findings((await desk.ask("tell me a joke", agent="data")).output)
    assert found is not None
    assert "does not look like one" in found.problem


async def test_a_change_of_one_day_is_a_problem(desk: Desk) -> None:
    found = read_findings((await desk.ask("Why did it rise on 2026-10-05?", agent="data")).output)
    assert found is not None
    assert found.problem == "A comparison needs records of two days or more."
