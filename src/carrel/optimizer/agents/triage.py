"""Triage: what the question needs, and whether the records suffice to answer it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from carrel.errors import AgentFailedError, ToolFailedError
from carrel.optimizer.agents.figures import call
from carrel.optimizer.agents.text_model import TextModel
from carrel.optimizer.markdown import days_text, whole
from carrel.optimizer.questions.plan import Plan, Vocabulary
from carrel.optimizer.questions.understanding import CAPABILITIES, understand, understand_thread
from carrel.runtime.agent import AgentResult, AgentRun, Usage

__all__ = ["Triage"]

UPLOAD: Final = (
    "There are no usage records yet, so there is nothing to compute with.\n\n"
    "Upload a file with one row per request (or per hour or day): use the upload button, or drop the file on the page. "
    "These are read as they are:\n\n"
    "- OpenAI: the usage export of the dashboard (CSV, grouped by model), or the JSON of "
    "`/v1/organization/usage/completions`\n"
    "- LiteLLM: the table `LiteLLM_SpendLogs`, as CSV or JSON\n"
    "- carrel's own format: CSV or JSON lines with the columns `time`, `model`, `input_tokens`, `output_tokens`, and, "
    "if you have them, `provider`, `cached_input_tokens`, `tag`, `cost_usd`, `latency_ms`\n\n"
    "Any other table works too: you are then asked which column means what. To try it out, upload `examples/usage.csv`."
)
NOT_UNDERSTOOD: Final = (
    "I answer questions about what your use of AI models costs, and this does not look like one. I can tell:\n\n"
)
GREETING: Final = (
    "I look at your own AI usage records and compute where money goes and where it can be saved. Ask me:\n\n"
)
INSTRUCTIONS: Final = (
    "Rewrite the question as one short question of the kinds listed, keeping every model, tag and period that it "
    "names. Answer with the rewritten question only, or with NONE if it is of none of these kinds."
)


class Triage:
    """Understands the question and looks whether there are records to answer it with."""

    name = "triage"
    description = "Finds out what a question about AI costs needs, and whether your records suffice."

    def __init__(self, model: TextModel | None = None, today: date | None = None) -> None:
        self._model = model
        self._today = today

    async def run(self, run: AgentRun) -> AgentResult:
        """Answer with a `Plan` as JSON; its `problem` is the whole answer when the question cannot be answered."""
        try:
            overview = await call(run, "usage_overview")
        except ToolFailedError as error:
            return _cannot(f"Your usage records cannot be read: {error.problem}.")
        if not overview["records"]:
            await run.think("There are no usage records yet.")
            return _cannot(UPLOAD)
        await run.think(_what_there_is(overview))
        vocabulary = _vocabulary(overview, self._today or datetime.now(UTC).date())
        earlier = [message.text for message in run.history if message.role == "user"]
        plan, usage = await self._understood(run, earlier, vocabulary)
        if plan.kind in ("unclear", "help"):
            opening = GREETING if plan.kind == "help" else NOT_UNDERSTOOD
            await run.think("The question is not one about AI costs that I know." if not plan.problem else plan.problem)
            return _cannot(plan.problem or opening + CAPABILITIES, plan, usage)
        plan, problem = await self._narrowed(run, plan, overview)
        return _cannot(problem, plan, usage) if problem else AgentResult(output=plan.as_json(), usage=usage)

    async def _understood(self, run: AgentRun, earlier: list[str], vocabulary: Vocabulary) -> tuple[Plan, Usage]:
        plan = understand_thread(earlier, run.input, vocabulary)
        if plan.kind != "unclear" or plan.problem or self._model is None:
            return plan, Usage()
        prompt = (
            f"Kinds of questions:\n{CAPABILITIES}\nModels: {', '.join(vocabulary.models[:50])}\n"
            f"Tags: {', '.join(filter(None, vocabulary.tags[:50]))}\n\nQuestion: {run.input}"
        )
        try:
            text, usage = await self._model.complete(INSTRUCTIONS, prompt, _nothing)
        except AgentFailedError as error:
            await run.think(f"The language model could not help to understand the question: {error.problem}.")
            return plan, Usage()
        reworded = understand(text.strip()[:500], vocabulary)
        if reworded.kind not in ("unclear", "help"):
            await run.think(f"I take the question as: {text.strip()[:500]}")
            return reworded, usage
        return plan, usage

    async def _narrowed(self, run: AgentRun, plan: Plan, overview: dict[str, Any]) -> tuple[Plan, str]:
        """The plan, and what is wrong with its scope."""
        if not plan.scope:
            return plan, ""
        found = await call(run, "usage_overview", **plan.scope)
        if found["records"]:
            await run.think(f"Of these, {_what_there_is(found)}")
            return plan, ""
        days = days_text(overview["first_day"], overview["last_day"])
        return plan, (
            f"There are no records {_scope_text(plan)}. Your records are from {days} "
            f"and of these models: {', '.join(overview['models'][:20])}."
        )


async def _nothing(_: str) -> None:
    return None


def _cannot(problem: str, plan: Plan | None = None, usage: Usage | None = None) -> AgentResult:
    plan = msgspec.structs.replace(plan or Plan(kind="unclear"), problem=problem)
    return AgentResult(output=plan.as_json(), usage=usage or Usage())


def _vocabulary(overview: dict[str, Any], today: date) -> Vocabulary:
    return Vocabulary(
        models=tuple(overview["models"]),
        tags=tuple(overview["tags"]),
        first_day=date.fromisoformat(overview["first_day"]),
        last_day=date.fromisoformat(overview["last_day"]),
        today=today,
    )


def _what_there_is(overview: dict[str, Any]) -> str:
    models, tags = len(overview["models"]), len([tag for tag in overview["tags"] if tag])
    parts = [
        f"{whole(overview['records'])} record{'s' if overview['records'] != 1 else ''}",
        days_text(overview["first_day"], overview["last_day"]),
        f"{models} model{'s' if models != 1 else ''}",
    ]
    if tags:
        parts.append(f"{tags} tag{'s' if tags != 1 else ''}")
    return ", ".join(parts) + "."


def _scope_text(plan: Plan) -> str:
    parts = []
    if plan.model is not None:
        parts.append(f"of the model {plan.model}")
    if plan.tag is not None:
        parts.append(f"with the tag {plan.tag}" if plan.tag else "without a tag")
    if plan.since or plan.until:
        since = plan.since or plan.until
        until = plan.until or plan.since
        assert since is not None
        assert until is not None
        if plan.since and plan.until:
            parts.append(f"from {days_text(since.isoformat(), until.isoformat())}")
        else:
            parts.append(f"{'since' if plan.since else 'until'} {days_text(since.isoformat(), since.isoformat())}")
    return " ".join(parts)
