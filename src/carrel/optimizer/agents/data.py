"""Data: sums the records up as the plan asks."""

from __future__ import annotations

from carrel.errors import ToolFailedError
from carrel.optimizer.agents.figures import Findings, call, sentence
from carrel.optimizer.agents.triage import Triage
from carrel.optimizer.markdown import money, whole
from carrel.optimizer.questions.plan import Plan, read_plan
from carrel.runtime.agent import AgentRun

__all__ = ["Data", "planned"]


class Data:
    """Reads totals, breakdowns and changes; everything it says comes from tools."""

    name = "data"
    description = "Sums up your AI usage by model, day, tag or kind of token."

    async def run(self, run: AgentRun) -> str:
        """Answer a plan with `Findings` as JSON."""
        plan = await planned(run)
        if plan.problem:
            return Findings(plan=plan, problem=plan.problem).as_json()
        overview = await call(run, "usage_overview", **plan.scope)
        await run.think(
            f"{whole(overview['records'])} records cost {money(overview['cost_usd'])} on {overview['days']} "
            f"day{'s' if overview['days'] != 1 else ''}."
        )
        found = Findings(plan=plan, overview=overview)
        if plan.kind == "change":
            try:
                change = await call(run, "usage_change", **plan.scope)
            except ToolFailedError as error:
                return found.joined(Findings(plan=plan, problem=sentence(error.problem))).as_json()
            found = found.joined(Findings(plan=plan, change=change))
        if plan.kind in ("savings", "spend"):
            by = plan.by if plan.kind == "spend" else "model"
            breakdown = await call(run, "usage_breakdown", by=by, **plan.scope)
            found = found.joined(Findings(plan=plan, breakdown=breakdown))
        if plan.kind in ("spend", "change") and overview["days"] > 1:
            days = await call(run, "usage_breakdown", by="day", **plan.scope)
            found = found.joined(Findings(plan=plan, days=days))
        return found.as_json()


async def planned(run: AgentRun) -> Plan:
    """The plan that the agent was given; asked directly by a person, it lets triage make one."""
    plan = read_plan(run.input)
    if plan is not None:
        return plan
    result = await run.run_agent(Triage.name, run.input)
    return read_plan(result.output) or Plan(kind="unclear", problem=result.error_message or "There is no plan.")
