"""Report: the answer, in Markdown."""

from __future__ import annotations

from typing import Final

from carrel.errors import AgentFailedError
from carrel.optimizer.agents.figures import Findings, read_findings
from carrel.optimizer.agents.text_model import TextModel, without_foreign_figures
from carrel.optimizer.answers import write_answer
from carrel.runtime.agent import AgentResult, AgentRun, Usage

__all__ = ["ReportWriter"]

INSTRUCTIONS: Final = (
    "You are given a report about a team's spending on AI models. Say in three to five plain sentences what matters "
    "most in it and what to do first. Use only figures that stand in the report, written exactly as there. "
    "Plain sentences: no headings, no lists, no tables."
)


class ReportWriter:
    """Writes up what the other agents found out."""

    name = "report"
    description = "Writes the answer: tables, charts and what to do."

    def __init__(self, model: TextModel | None = None) -> None:
        self._model = model

    async def run(self, run: AgentRun) -> AgentResult:
        """Answer `Findings` as JSON with Markdown."""
        found = read_findings(run.input)
        if found is None:
            return AgentResult(output="I write up what the other agents found out; ask the supervisor instead.\n")
        answer = write_answer(found)
        if self._model is None or found.problem:
            return AgentResult(output=answer)
        comment, usage = await self._comment(run, self._model, found, answer)
        return AgentResult(output=f"{answer}\n### In plain words\n\n{comment}\n" if comment else answer, usage=usage)

    async def _comment(self, run: AgentRun, model: TextModel, found: Findings, answer: str) -> tuple[str, Usage]:
        """What a language model makes of the answer, without any figure that is not in it."""
        try:
            text, usage = await model.complete(INSTRUCTIONS, answer, _nothing)
        except AgentFailedError as error:
            await run.think(f"The language model could not comment on this {found.plan.kind} answer: {error.problem}.")
            return "", Usage()
        comment = without_foreign_figures(text, answer)
        if comment != " ".join(text.split()) and len(comment) < len(text.strip()):
            await run.think("I left out sentences of the language model whose figures are not in the report.")
        return comment, usage


async def _nothing(_: str) -> None:
    return None
