"""Several agents in a fixed order: steps one after another, side by side, or only when something holds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from carrel.errors import SettingsError
from carrel.runtime.agent import AgentResult, AgentRun

__all__ = ["Parallel", "Step", "StepResults", "WorkflowOrchestrator", "WorkflowResult"]


class StepResults(Mapping[str, AgentResult]):
    """How the steps so far ended, by name; a step that was skipped is not in it. Read only."""

    __slots__ = ("_results", "input")

    def __init__(self, input: str, results: Mapping[str, AgentResult]) -> None:
        self.input = input
        """What the workflow was asked."""
        self._results = dict(results)

    def __getitem__(self, name: str) -> AgentResult:
        return self._results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)

    def output(self, name: str) -> str:
        """What a step answered; empty when it was skipped or failed."""
        return self._results[name].output if name in self._results else ""


@dataclass(frozen=True, slots=True)
class Step:
    """One agent's part. Raises `SettingsError` naming the step when a number makes no sense."""

    name: str
    """Under which later steps find its result."""
    agent: str
    input: str | Callable[[StepResults], str] | None = None
    """What the agent is given, or how it is made from the results so far; None for what the workflow was asked."""
    when: Callable[[StepResults], bool] | None = None
    """The step is skipped when this says no; asked just before."""
    retries: int = 0
    """How often a step that failed is tried again."""
    backoff_seconds: float = 0.5
    """How long before the first retry; twice as long before each next one."""
    on_failure: Literal["stop", "continue"] = "stop"
    """Whether the steps after this one are still executed when it has failed for good."""

    def __post_init__(self) -> None:
        if not self.name or not self.agent:
            raise SettingsError("workflow", "every step needs a name and an agent")
        if self.retries < 0 or self.backoff_seconds < 0:
            raise SettingsError("workflow", f"step {self.name!r}: retries and backoff_seconds must not be negative")
        if self.on_failure not in ("stop", "continue"):
            raise SettingsError("workflow", f"step {self.name!r}: on_failure must be stop or continue")


class Parallel:
    """Steps that run side by side; none sees another's result, and all have ended before the next step begins."""

    __slots__ = ("steps",)

    def __init__(self, *steps: Step) -> None:
        if not steps:
            raise SettingsError("workflow", "a parallel group needs at least one step")
        self.steps = steps


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowResult:
    """How a workflow ended."""

    results: StepResults
    """Every step that was executed, in the order of the workflow."""
    stopped_by: str | None
    """The step whose failure ended it; None when it went to its end."""

    @property
    def output(self) -> str:
        """The output of the last step that succeeded."""
        succeeded = [result.output for result in self.results.values() if result.status == "succeeded"]
        return succeeded[-1] if succeeded else ""

    def answer(self) -> AgentResult:
        """The workflow as an agent's answer: the last output, or why it was stopped."""
        if self.stopped_by is None:
            return AgentResult(output=self.output)
        failed = self.results[self.stopped_by]
        return AgentResult(
            status=failed.status,
            error_code=failed.error_code,
            error_message=f"step {self.stopped_by!r}: {failed.error_message}",
        )


class WorkflowOrchestrator:
    """Executes steps in order as sub-agents of one request; the same one may be used for many, it keeps nothing.

    `sleep` waits before a retry: `asyncio.sleep`, or a fake in tests. Raises `SettingsError` when there is no step or
    two have one name.
    """

    __slots__ = ("_groups", "_sleep")

    def __init__(
        self, steps: Sequence[Step | Parallel], *, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    ) -> None:
        self._groups = tuple((step,) if isinstance(step, Step) else step.steps for step in steps)
        self._sleep = sleep
        names = [step.name for group in self._groups for step in group]
        if not names:
            raise SettingsError("workflow", "has no steps")
        for name in names:
            if names.count(name) > 1:
                raise SettingsError("workflow", f"two steps are named {name!r}; rename one")

    async def execute(self, run: AgentRun) -> WorkflowResult:
        """Execute the steps within `run`.

        A step that fails for good ends the workflow after its own group, unless it says `on_failure="continue"`. What
        `when` and `input` raise, and what `run.run_agent` raises for an unknown agent or a limit, is raised here.
        """
        done: dict[str, AgentResult] = {}
        for group in self._groups:
            before = StepResults(run.input, done)
            chosen = [step for step in group if step.when is None or step.when(before)]
            ended = await self._together(run, chosen, before)
            done.update(ended)
            for step in chosen:
                if done[step.name].status != "succeeded" and step.on_failure == "stop":
                    return WorkflowResult(results=StepResults(run.input, done), stopped_by=step.name)
        return WorkflowResult(results=StepResults(run.input, done), stopped_by=None)

    async def _together(self, run: AgentRun, steps: Sequence[Step], before: StepResults) -> dict[str, AgentResult]:
        if len(steps) == 1:
            return {steps[0].name: await self._step(run, steps[0], before)}
        async with asyncio.TaskGroup() as group:
            tasks = {step.name: group.create_task(self._step(run, step, before)) for step in steps}
        return {name: task.result() for name, task in tasks.items()}

    async def _step(self, run: AgentRun, step: Step, before: StepResults) -> AgentResult:
        given = step.input(before) if callable(step.input) else step.input
        given = run.input if given is None else given
        result = await run.run_agent(step.agent, given)
        for retry in range(step.retries):
            if result.status != "failed":
                break
            seconds = step.backoff_seconds * 2**retry
            await run.think(
                f"Step {step.name} failed ({result.error_code}); trying again in {seconds:g} s, "
                f"attempt {retry + 2} of {step.retries + 1}."
            )
            await self._sleep(seconds)
            result = await run.run_agent(step.agent, given)
        return result
