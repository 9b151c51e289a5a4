"""Plans travel as JSON."""

from __future__ import annotations

from datetime import date

from carrel.optimizer.questions.plan import Plan, read_plan


def test_a_plan_is_read_as_it_was_written() -> None:
    plan = Plan(kind="savings", since=date(2026, 10, 1), tag="", strategy="caps")
    assert read_plan(plan.as_json()) == plan


def test_other_text_is_no_plan() -> None:
    for text in ("Where can I save?", "{}", '{"kind": "dance"}', "[]", ""):
        assert read_plan(text) is None


def test_a_scope_has_what_is_said_and_nothing_else() -> None:
    assert Plan(kind="spend").scope == {}
    plan = Plan(kind="spend", since=date(2026, 10, 1), until=date(2026, 10, 2), model="m", tag="")
    assert plan.scope == {"since": "2026-10-01", "until": "2026-10-02", "model": "m", "tag": ""}
