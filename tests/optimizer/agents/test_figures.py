"""Findings travel as JSON."""

from __future__ import annotations

from carrel.optimizer.agents.figures import Findings, read_findings, sentence
from carrel.optimizer.questions.plan import Plan

PLAN = Plan(kind="savings")


def test_findings_are_read_as_they_were_written() -> None:
    found = Findings(plan=PLAN, savings={"actions": [], "saved_usd": 0.25})
    assert read_findings(found.as_json()) == found
    assert read_findings("Where can I save?") is None


def test_findings_of_two_agents_are_joined() -> None:
    data = Findings(plan=PLAN, overview={"records": 1})
    savings = Findings(plan=PLAN, savings={"actions": []})
    assert data.joined(savings) == Findings(plan=PLAN, overview={"records": 1}, savings={"actions": []})
    assert data.joined(Findings(plan=PLAN, problem="none")).problem == "none"


def test_a_problem_becomes_a_sentence() -> None:
    assert sentence("a comparison needs two days") == "A comparison needs two days."
    assert sentence("") == "."
