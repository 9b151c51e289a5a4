"""Questions and what they ask for; a follow-up takes over what it does not say."""

from __future__ import annotations

from datetime import date

import pytest

from carrel.optimizer.questions.plan import Plan, Vocabulary
from carrel.optimizer.questions.understanding import CAPABILITIES, understand, understand_thread

VOCABULARY = Vocabulary(
    models=("gpt-5.4", "claude-opus-5", "gpt-4o", "gpt-4o-mini", "claude-opus-4-1", "gemini-2.5-flash"),
    tags=("support-bot", "summariser", "nightly-batch", "docs", ""),
    first_day=date(2026, 10, 2),
    last_day=date(2026, 10, 31),
    today=date(2026, 11, 20),
)
WEEK = {"since": date(2026, 10, 25), "until": date(2026, 10, 31), "period": "the last 7 days of your records"}
OCTOBER = {"since": date(2026, 10, 1), "until": date(2026, 10, 31), "period": "October 2026"}


@pytest.mark.parametrize(
    ("question", "plan"),
    [
        ("Where can I cut my AI bill?", Plan(kind="savings")),
        ("how can we reduce costs", Plan(kind="savings")),
        ("What did I spend?", Plan(kind="spend")),
        ("What did I spend last week?", Plan(kind="spend", **WEEK)),  # type: ignore[arg-type]
        ("What did I spend on gpt-4o?", Plan(kind="spend", by="tag", model="gpt-4o")),
        ("cost of GPT 4o mini", Plan(kind="spend", by="tag", model="gpt-4o-mini")),
        ("What did I spend by tag?", Plan(kind="spend", by="tag")),
        ("What did I spend per day in October?", Plan(kind="spend", by="day", **OCTOBER)),  # type: ignore[arg-type]
        ("Which model costs most?", Plan(kind="spend")),
        ("How much goes to output tokens?", Plan(kind="spend", by="token_kind")),
        ("Why did the bill rise?", Plan(kind="change")),
        ("why is it so expensive for the support bot", Plan(kind="change", tag="support-bot")),
        ("How much would caching save?", Plan(kind="savings", strategy="caching")),
        ("How much would batching save?", Plan(kind="savings", strategy="batch")),
        ("What would shorter answers save?", Plan(kind="savings", strategy="caps")),
        ("would cheaper models help?", Plan(kind="savings", strategy="switch")),
        ("what does the nightly batch cost", Plan(kind="spend", tag="nightly-batch")),
        ("What if I moved gpt-4o to gpt-4.1-mini?", Plan(kind="move", model="gpt-4o", target="gpt-4.1-mini")),
        ("use gemini-2.5-flash instead of gpt-5.4", Plan(kind="move", model="gpt-5.4", target="gemini-2.5-flash")),
        ("what if I moved gpt-5.4 to foo-1?", Plan(kind="move", model="gpt-5.4", target="foo-1")),
        ("opus 4.1 since 20 October", Plan(kind="spend", by="tag", model="claude-opus-4-1", since=date(2026, 10, 20))),
        ("What is untagged?", Plan(kind="spend", tag="")),
        ("hello", Plan(kind="help")),
        ("What can you do?", Plan(kind="help")),
        ("What is the capital of France?", Plan(kind="unclear")),
        ("", Plan(kind="unclear")),
        ("Tell me a joke", Plan(kind="unclear")),
    ],
)
def test_a_question_alone(question: str, plan: Plan) -> None:
    assert understand(question, VOCABULARY) == plan


@pytest.mark.parametrize(
    ("earlier", "question", "plan"),
    [
        (["Where can I cut my AI bill?"], "And only for the support bot?", Plan(kind="savings", tag="support-bot")),
        (
            ["Where can I cut my AI bill?", "And only for the support bot?"],
            "and last week?",
            Plan(kind="savings", tag="support-bot", **WEEK),  # type: ignore[arg-type]
        ),
        (["What did I spend last week?"], "by tag", Plan(kind="spend", by="tag", **WEEK)),  # type: ignore[arg-type]
        (["What did I spend by day?"], "and for gpt-4o?", Plan(kind="spend", by="day", model="gpt-4o")),
        (
            ["What did I spend on gpt-4o?"],
            "what if we moved it to gpt-4.1",
            Plan(kind="move", model="gpt-4o", target="gpt-4.1"),
        ),
        (["What did I spend on gpt-4o last week?"], "Where can I save?", Plan(kind="savings")),
        (["cost of the support bot"], "and in total?", Plan(kind="spend", tag=None)),
        (["Where can I cut my AI bill?", "tell me a joke"], "and for docs?", Plan(kind="savings", tag="docs")),
    ],
)
def test_a_question_after_others(earlier: list[str], question: str, plan: Plan) -> None:
    assert understand_thread(earlier, question, VOCABULARY) == plan


def test_a_model_without_records_is_said_with_those_that_there_are() -> None:
    plan = understand("how much did gpt-9 cost", VOCABULARY)
    assert plan.kind == "unclear"
    assert "no records of the model gpt-9" in plan.problem
    assert "gemini-2.5-flash" in plan.problem


def test_a_move_from_nowhere_asks_for_its_model() -> None:
    assert "Say which model" in understand("what if I switched to gpt-4.1?", VOCABULARY).problem


@pytest.mark.parametrize("line", [line.removeprefix("- ") for line in CAPABILITIES.splitlines()])
def test_what_is_offered_is_understood(line: str) -> None:
    for question in line.replace("one model to another", "gpt-4o to gpt-4.1").split("? "):
        assert understand(question, VOCABULARY).kind not in ("unclear", "help")
