from __future__ import annotations

from collections.abc import Sequence

import pytest

from carrel.runtime.agent import AgentResult, AgentRun, Usage
from carrel.runtime.registry import AgentSpec
from carrel.runtime.supervisor import Choose, Supervisor, supervised
from carrel.runtime.workflow import Step, WorkflowOrchestrator
from carrel.testing import MemoryRuntime
from tests.runtime.lifecycle import events_of


async def billing(run: AgentRun) -> AgentResult:
    """Answers questions about invoices, bills and spending."""
    return AgentResult(output=f"billing on {run.input}", usage=Usage(input_tokens=7))


async def weather(run: AgentRun) -> str:
    """Tells tomorrow's weather in a city."""
    return f"weather on {run.input}"


async def ask(input: str, *agents: AgentSpec, choose: Choose | None = None, several: bool = True):
    runtime = MemoryRuntime(
        [AgentSpec("supervisor", "x", lambda: Supervisor(choose)), billing, *([weather] if several else [])]
    )
    async with runtime.engine() as engine:
        result = await engine.execute_agent("supervisor", input)
    events = events_of(runtime)
    return result, [event.data["text"] for event in events if event.type == "agent_thinking"], events


async def test_the_only_agent_answers():
    result, thoughts, events = await ask("anything", several=False)
    assert result.output == "billing on anything"
    assert thoughts == ["billing answers: it is the only agent here."]
    assert [event.agent for event in events] == ["supervisor", "supervisor", "billing", "billing", "supervisor"]
    assert result.usage == Usage(input_tokens=7)


@pytest.mark.parametrize(
    ("input", "chosen", "why"),
    [
        ("Where can I cut my bill?", "billing", "bill"),
        ("How much am I SPENDING on invoices", "billing", "invoices, spending"),
        ("Will it rain? The weather in this city, please", "weather", "city, weather"),
        ("xyzzy", "billing", "comes first"),
    ],
)
async def test_the_agent_that_shares_most_words_answers(input: str, chosen: str, why: str):
    result, thoughts, _ = await ask(input)
    assert result.output == f"{chosen} on {input}"
    assert len(thoughts) == 1
    assert why in thoughts[0]


async def test_without_another_agent_it_fails_and_says_so():
    runtime = MemoryRuntime([Supervisor])
    async with runtime.engine() as engine:
        result = await engine.execute_agent("supervisor", "x")
    assert result.error_message == "agent 'supervisor' failed: there is no other agent; register one"


async def test_a_choice_of_ones_own():
    async def choose(run: AgentRun) -> Sequence[str]:
        await run.think("the weather, as always")
        return ["weather"]

    result, thoughts, _ = await ask("bill", choose=choose)
    assert (result.output, thoughts) == ("weather on bill", ["the weather, as always"])


async def test_several_agents_run_in_order_and_know_what_was_answered():
    async def choose(run: AgentRun) -> Sequence[str]:
        return ["weather", "billing"]

    result, _, _ = await ask("x", choose=choose)
    assert result.output == "billing on x\n\nweather answered:\nweather on x"


async def test_a_name_alone_will_do_and_none_will_not():
    async def one(run: AgentRun) -> str:
        return "weather"

    async def none(run: AgentRun) -> Sequence[str]:
        return []

    assert (await ask("x", choose=one))[0].output == "weather on x"
    assert (await ask("x", choose=none))[0].error_code == "agent_failed"


async def test_a_workflow_may_be_chosen():
    async def choose(run: AgentRun) -> WorkflowOrchestrator:
        return WorkflowOrchestrator([Step("a", "billing"), Step("b", "weather", input=lambda b: b.output("a"))])

    assert (await ask("x", choose=choose))[0].output == "weather on billing on x"


async def test_a_failure_below_is_its_own():
    async def choose(run: AgentRun) -> Sequence[str]:
        return ["nobody"]

    assert (await ask("x", choose=choose))[0].error_code == "agent_not_found"


def test_a_registry_is_given_a_supervisor_unless_it_has_one():
    assert list(supervised([billing])) == ["supervisor", "billing"]

    class Own:
        name = "supervisor"
        description = "My own."

        async def run(self, run: AgentRun) -> str:
            return ""

    registry = supervised([billing, Own])
    assert list(registry) == ["billing", "supervisor"]
    assert registry["supervisor"].description == "My own."
