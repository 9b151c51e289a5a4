"""Answers at their edges; the whole answers are tested with the agents."""

from __future__ import annotations

from typing import Any

from carrel.optimizer.agents.figures import Findings
from carrel.optimizer.answers import write_answer
from carrel.optimizer.questions.plan import Plan

NOTHING: dict[str, Any] = {
    "first_day": "2026-10-05", "last_day": "2026-10-05", "days": 1, "spent_usd": 1.0, "spent_month_usd": 30.0,
    "saved_usd": 0.0, "saved_month_usd": 0.0, "saved_share": 0.0, "actions": [], "unpriced": [],
}  # fmt: skip
ACTION = {
    "strategy": "caps", "provider": "openai", "model": "gpt-4o", "tag": "", "target": None, "title": "Cap",
    "because": "b", "assumption": "a", "saved_usd": 0.5, "saved_month_usd": 15.0, "alone_usd": 0.5,
}  # fmt: skip


def row(key: str, **changes: Any) -> dict[str, Any]:
    figures = {"requests": 1, "input_tokens": 2, "cached_input_tokens": 0, "output_tokens": 3, "records": 1}
    return {"key": key, **figures, "cost_usd": 1.0, "priced_records": 1, "share": 1.0, **changes}


def test_a_problem_is_the_answer() -> None:
    assert write_answer(Findings(plan=Plan(kind="savings"), problem="Nothing there.")) == "Nothing there.\n"


def test_nothing_to_save_says_what_was_looked_for() -> None:
    answer = write_answer(Findings(plan=Plan(kind="savings"), savings=NOTHING))
    assert "I found nothing worth changing" in answer
    assert "I looked for" in answer
    answer = write_answer(Findings(plan=Plan(kind="savings", strategy="caps"), savings=NOTHING))
    assert "nothing worth changing with output caps" in answer


def test_few_days_are_a_rough_guess() -> None:
    answer = write_answer(Findings(plan=Plan(kind="savings"), savings={**NOTHING, "actions": [ACTION]}))
    assert "With only 1 day of records that is a rough guess" in answer
    assert "(no tag), gpt-4o" in answer


def test_names_from_a_file_are_no_markup_in_an_answer() -> None:
    rows = [row("<script>|x", cost_usd=2.0), row("b")]
    found = Findings(
        plan=Plan(kind="spend", by="tag"),
        overview=NOTHING,
        breakdown={"rows": rows, "total": row(""), "unpriced": []},
    )
    answer = write_answer(found)
    assert r"\<script\>\|x" in answer.replace("```", "")


def test_long_tables_say_how_many_rows_are_missing_and_unknown_costs_are_said() -> None:
    rows = [row(f"m{number}") for number in range(30)] + [row("own", priced_records=0, cost_usd=0.0)]
    found = Findings(
        plan=Plan(kind="spend", model="x", tag=""), overview=NOTHING,
        breakdown={"rows": rows, "total": row(""), "unpriced": [{"model": "own", "records": 1}]},
    )  # fmt: skip
    answer = write_answer(found)
    assert "11 more are not shown." in answer
    assert "on x without a tag on 5 October 2026" in answer
    assert "**Not in these amounts:** own (1 records)" in answer


def test_an_input_that_is_too_long_for_the_other_model_is_said() -> None:
    move = {
        **NOTHING, "from_model": "a", "to_model": "b", "records_compared": 1, "before_usd": 1.0, "after_usd": 2.0,
        "saved_share": -1.0, "saved_usd": -1.0, "longest_input": 9, "context_window": 8, "fits": False,
    }  # fmt: skip
    answer = write_answer(Findings(plan=Plan(kind="move", model="a", target="b"), move=move))
    assert "$1.00 more" in answer
    assert "too long for it" in answer
