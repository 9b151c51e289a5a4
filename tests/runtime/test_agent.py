from __future__ import annotations

from typing import ClassVar, Final

from carrel.runtime.agent import Agent, AgentResult, AgentRun, Usage


def test_usage_adds_up():
    total = Usage(input_tokens=1, output_tokens=2, cost_usd=0.5) + Usage(input_tokens=10, cost_usd=0.25)
    assert total == Usage(input_tokens=11, output_tokens=2, cost_usd=0.75)


def test_a_result_succeeded_unless_it_says_otherwise():
    result = AgentResult(output="x")
    assert (result.status, result.error_code, result.usage) == ("succeeded", None, Usage())


def test_names_may_be_plain_final_or_class_variables():
    class Plain:
        name = "plain"
        description = "x"

        async def run(self, run: AgentRun) -> str:
            return ""

    class Fixed:
        name: Final = "fixed"
        description: ClassVar[str] = "x"

        async def run(self, run: AgentRun) -> None:
            return None

    agents: tuple[type[Agent], ...] = (Plain, Fixed)  # what this asserts, mypy checks
    assert [agent().name for agent in agents] == ["plain", "fixed"]
