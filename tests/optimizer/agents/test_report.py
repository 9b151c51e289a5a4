"""The report agent, and what a language model may add to it."""

from __future__ import annotations

import pytest

from carrel.errors import AgentFailedError
from carrel.runtime.tools import Tool
from tests.optimizer.agents.conftest import Desk
from tests.optimizer.agents.test_triage import Canned
from tests.optimizer.conftest import EXAMPLE, Fill

QUESTION = "What did I spend?"


@pytest.fixture
async def plain(tools: tuple[Tool, ...], fill: Fill) -> str:
    await fill(EXAMPLE[:200])
    return (await Desk(tools).ask(QUESTION)).output


async def test_a_models_comment_follows_the_answer(plain: str, tools: tuple[Tool, ...]) -> None:
    result = await Desk(tools, Canned("Most goes to one model. Look at it first.")).ask(QUESTION)
    assert result.output == f"{plain}\n### In plain words\n\nMost goes to one model. Look at it first.\n"
    assert result.usage.input_tokens == 7


async def test_a_figure_that_a_model_made_up_is_left_out(plain: str, tools: tuple[Tool, ...]) -> None:
    desk = Desk(tools, Canned("You could save 99,999 dollars. Most goes to one model."))
    output = (await desk.ask(QUESTION)).output
    assert output == f"{plain}\n### In plain words\n\nMost goes to one model.\n"
    assert any("left out sentences" in str(event.data.get("text")) for event in desk.events())


async def test_a_model_that_fails_leaves_the_answer_as_it_is(plain: str, tools: tuple[Tool, ...]) -> None:
    desk = Desk(tools, Canned(AgentFailedError("model", "the quota is used up")))
    assert (await desk.ask(QUESTION)).output == plain
    assert any("quota is used up" in str(event.data.get("text")) for event in desk.events())


async def test_a_model_that_says_nothing_usable_adds_nothing(plain: str, tools: tuple[Tool, ...]) -> None:
    assert (await Desk(tools, Canned("Save 99,999 dollars!")).ask(QUESTION)).output == plain


async def test_a_person_is_sent_to_the_supervisor(plain: str, tools: tuple[Tool, ...]) -> None:
    assert "ask the supervisor" in (await Desk(tools).ask("hello", agent="report")).output
