"""The desk: the supervisor of the shipped agents, which runs them in order and writes the answer out."""

from __future__ import annotations

from typing import Final

from carrel.optimizer.agents.data import Data
from carrel.optimizer.agents.figures import Findings, read_findings
from carrel.optimizer.agents.optimization import Optimization
from carrel.optimizer.agents.report import ReportWriter
from carrel.optimizer.agents.triage import Triage
from carrel.optimizer.questions.plan import Plan, read_plan
from carrel.runtime.agent import AgentResult, AgentRun
from carrel.runtime.supervisor import Supervisor
from carrel.runtime.workflow import Parallel, Step, StepResults, WorkflowOrchestrator

__all__ = ["UsageDesk"]

PIECE: Final = 600
"""Characters of the answer that are said at once, more or less: whole paragraphs."""


class UsageDesk:
    """Answers questions about AI costs: triage first, then data and optimization side by side, then report."""

    name = Supervisor.name
    description = "Answers what your use of AI models costs, why, and where you can save."

    async def run(self, run: AgentRun) -> AgentResult:
        done = await _workflow().execute(run)
        if done.stopped_by is not None:
            return done.answer()
        plan = _plan(done.results)
        answer = plan.problem or done.output
        for piece in pieces(answer):
            await run.say(piece)
        return AgentResult(output=answer)


def pieces(text: str) -> list[str]:
    """The text in pieces that each end at the end of a paragraph; joined they are the text."""
    found = [""]
    for paragraph in text.split("\n\n"):
        if len(found[-1]) >= PIECE:
            found.append("")
        found[-1] += paragraph + "\n\n"
    return [*found[:-1], found[-1].removesuffix("\n\n")]


def _plan(before: StepResults) -> Plan:
    return read_plan(before.output(Triage.name)) or Plan(kind="unclear", problem="The question could not be read.")


def _goes_on(before: StepResults) -> bool:
    return not _plan(before).problem


def _needs_data(before: StepResults) -> bool:
    return _goes_on(before) and _plan(before).kind != "move"


def _needs_optimization(before: StepResults) -> bool:
    return _goes_on(before) and _plan(before).kind in ("savings", "move")


def _planned(before: StepResults) -> str:
    return _plan(before).as_json()


def _found(before: StepResults) -> str:
    found = Findings(plan=_plan(before))
    for name in (Data.name, Optimization.name):
        part = read_findings(before.output(name))
        if part is not None:
            found = found.joined(part)
    return found.as_json()


def _workflow() -> WorkflowOrchestrator:
    return WorkflowOrchestrator(
        [
            Step(Triage.name, agent=Triage.name),
            Parallel(
                Step(Data.name, agent=Data.name, input=_planned, when=_needs_data),
                Step(Optimization.name, agent=Optimization.name, input=_planned, when=_needs_optimization),
            ),
            Step(ReportWriter.name, agent=ReportWriter.name, input=_found, when=_goes_on),
        ]
    )
