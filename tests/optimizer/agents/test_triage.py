"""Triage with and without a language model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from carrel.errors import AgentFailedError
from carrel.optimizer.questions.plan import read_plan
from carrel.runtime.agent import Usage
from carrel.runtime.tools import Tool
from tests.optimizer.agents.conftest import Desk
from tests.optimizer.conftest import EXAMPLE, Fill


class Canned:
    """A model that always says the same."""

    def __init__(self, text: str | AgentFailedError) -> None:
        self.text = text
        self.prompts: list[str] = []

    async def complete(
        self, instructions: str, prompt: str, on_text: Callable[[str], Awaitable[None]]
    ) -> tuple[str, Usage]:
        self.prompts.append(prompt)
        if isinstance(self.text, AgentFailedError):
            raise self.text
        await on_text(self.text)
        return self.text, Usage(input_tokens=7, output_tokens=3)


async def plan_for(
    question: str, tools: tuple[Tool, ...], fill: Fill, model: Canned | None
) -> tuple[object, Usage, Desk]:
    await fill(EXAMPLE[:50])
    desk = Desk(tools, model)
    result = await desk.ask(question, agent="triage")
    return read_plan(result.output), result.usage, desk


async def test_a_question_that_the_rules_know_needs_no_model(tools: tuple[Tool, ...], fill: Fill) -> None:
    model = Canned("What did I spend?")
    plan, usage, _ = await plan_for("Where can I save?", tools, fill, model)
    assert model.prompts == []
    assert (getattr(plan, "kind", None), usage) == ("savings", Usage())


async def test_a_model_may_reword_what_the_rules_do_not_know(tools: tuple[Tool, ...], fill: Fill) -> None:
    model = Canned("What did I spend by tag?\n")
    plan, usage, desk = await plan_for("Wohin geht mein Geld?", tools, fill, model)
    assert (getattr(plan, "kind", None), getattr(plan, "by", None), usage.input_tokens) == ("spend", "tag", 7)
    assert "Wohin geht mein Geld?" in model.prompts[0]
    assert any("I take the question as" in str(event.data.get("text")) for event in desk.events())


async def test_a_model_that_knows_no_better_changes_nothing(tools: tuple[Tool, ...], fill: Fill) -> None:
    for answer in ("NONE", "", "bananas"):
        plan, _, _ = await plan_for("Wohin geht mein Geld?", tools, fill, Canned(answer))
        assert "does not look like one" in getattr(plan, "problem", "")


async def test_a_model_that_fails_is_mentioned_and_not_needed(tools: tuple[Tool, ...], fill: Fill) -> None:
    model = Canned(AgentFailedError("model", "the model provider did not answer in time; try again"))
    plan, _, desk = await plan_for("Wohin geht mein Geld?", tools, fill, model)
    assert "does not look like one" in getattr(plan, "problem", "")
    assert any("did not answer in time" in str(event.data.get("text")) for event in desk.events())
