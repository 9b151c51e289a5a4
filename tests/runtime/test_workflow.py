from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from carrel.errors import SettingsError
from carrel.runtime.agent import AgentResult, AgentRun
from carrel.runtime.workflow import Parallel, Step, StepResults, WorkflowOrchestrator
from carrel.testing import MemoryRuntime
from tests.runtime.lifecycle import events_of


class Trial:
    """Executes a workflow inside a run; agents `echo`, `flaky`, `broken` and `meets` are there."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.fails = 0
        self.arrived = 0
        self.all_here = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def execute(self, steps: Sequence[Step | Parallel]) -> AgentResult:
        async def echo(run: AgentRun) -> str:
            """Echo."""
            return f"<{run.input}>"

        async def flaky(run: AgentRun) -> str:
            """Fail a few times."""
            self.fails -= 1
            if self.fails >= 0:
                raise ValueError("not yet")
            return "at last"

        async def broken(run: AgentRun) -> AgentResult:
            """Fail."""
            return AgentResult(status="failed", error_code="no_data", error_message="nothing there")

        async def meets(run: AgentRun) -> str:
            """Wait for another."""
            self.arrived += 1
            if self.arrived == 2:
                self.all_here.set()
            await self.all_here.wait()
            return run.input

        async def flow(run: AgentRun) -> AgentResult:
            """Execute the workflow."""
            return (await WorkflowOrchestrator(steps, sleep=self.sleep).execute(run)).answer()

        self.runtime = MemoryRuntime([flow, echo, flaky, broken, meets])
        async with self.runtime.engine() as engine:
            result = await engine.execute_agent("flow", "asked")
        self.events = events_of(self.runtime)
        return result

    def agents(self) -> list[str]:
        return [event.agent for event in self.events if event.type == "agent_started"][1:]


async def test_steps_run_in_order_and_later_ones_know_earlier_results():
    trial = Trial()
    result = await trial.execute(
        [
            Step("first", "echo"),
            Step("second", "echo", input="fixed"),
            Step("third", "echo", input=lambda before: f"{before.input} {before.output('first')}"),
        ]
    )
    assert result.output == "<asked <asked>>"
    assert trial.agents() == ["echo", "echo", "echo"]


async def test_a_step_is_skipped_when_its_condition_does_not_hold():
    trial = Trial()

    def then(before: StepResults) -> str:
        assert list(before) == ["first"]
        assert len(before) == 1
        assert before.output("second") == ""
        return "went on"

    result = await trial.execute(
        [
            Step("first", "echo"),
            Step("second", "echo", when=lambda before: before["first"].output != "<asked>"),
            Step("third", "echo", input=then, when=lambda before: "second" not in before),
        ]
    )
    assert (result.output, len(trial.agents())) == ("<went on>", 2)


async def test_parallel_steps_run_side_by_side():
    trial = Trial()
    result = await trial.execute(
        [
            Parallel(Step("left", "meets", input="l"), Step("right", "meets", input="r")),
            Step("both", "echo", input=lambda before: before.output("left") + before.output("right")),
        ]
    )
    assert result.output == "<lr>"


async def test_a_failing_step_stops_what_comes_after_it():
    trial = Trial()
    result = await trial.execute(
        [Parallel(Step("bad", "broken"), Step("beside", "echo")), Step("after", "echo")],
    )
    assert (result.status, result.error_code) == ("failed", "no_data")
    assert result.error_message == "step 'bad': nothing there"
    assert trial.agents() == ["broken", "echo"]


async def test_a_failing_step_may_be_passed_over():
    trial = Trial()
    result = await trial.execute(
        [
            Step("bad", "broken", on_failure="continue"),
            Step("after", "echo", input=lambda before: str(before["bad"].error_code)),
        ]
    )
    assert result.output == "<no_data>"


async def test_a_step_is_retried_with_growing_pauses():
    trial = Trial()
    trial.fails = 3
    result = await trial.execute([Step("try", "flaky", retries=5, backoff_seconds=0.5)])
    assert result.output == "at last"
    assert trial.slept == [0.5, 1.0, 2.0]
    thoughts = [event.data["text"] for event in trial.events if event.type == "agent_thinking"]
    assert thoughts[0] == "Step try failed (agent_failed); trying again in 0.5 s, attempt 2 of 6."
    assert trial.agents() == ["flaky"] * 4


async def test_retries_end():
    trial = Trial()
    trial.fails = 9
    result = await trial.execute([Step("try", "flaky", retries=2)])
    assert (result.status, len(trial.agents())) == ("failed", 3)


async def test_a_workflow_of_which_nothing_ran_has_no_output():
    result = await Trial().execute([Step("never", "echo", when=lambda before: False)])
    assert (result.status, result.output) == ("succeeded", "")


@pytest.mark.parametrize("in_parallel", [False, True])
async def test_an_unknown_agent_fails_the_whole_run(in_parallel: bool):
    step = Step("x", "nobody")
    result = await Trial().execute([Parallel(step, Step("y", "echo")) if in_parallel else step])
    assert result.error_code == "agent_not_found"


def test_a_workflow_that_makes_no_sense_is_refused():
    twice: list[Step | Parallel] = [Parallel(Step("a", "x")), Step("a", "y")]
    for steps in ([], [Step("a", "x"), Step("a", "y")], twice):
        with pytest.raises(SettingsError, match="workflow"):
            WorkflowOrchestrator(steps)
    with pytest.raises(SettingsError):
        Parallel()
    with pytest.raises(SettingsError):
        Step("", "x")
    with pytest.raises(SettingsError, match="'a'"):
        Step("a", "x", retries=-1)
    with pytest.raises(SettingsError, match="'a'"):
        Step("a", "x", on_failure="panic")  # type: ignore[arg-type]
