"""Optimization: what could be saved, computed from the records and from list prices."""

from __future__ import annotations

from carrel.errors import ToolFailedError
from carrel.optimizer.agents.data import planned
from carrel.optimizer.agents.figures import Findings, call, sentence
from carrel.optimizer.markdown import money, percent
from carrel.runtime.agent import AgentRun

__all__ = ["Optimization"]


class Optimization:
    """Computes savings; every figure comes from tools."""

    name = "optimization"
    description = "Computes what could be saved on your AI bill: newer models, caching, batches, shorter answers."

    async def run(self, run: AgentRun) -> str:
        """Answer a plan with `Findings` as JSON."""
        plan = await planned(run)
        if plan.problem:
            return Findings(plan=plan, problem=plan.problem).as_json()
        if plan.kind == "move":
            scope = {name: value for name, value in plan.scope.items() if name != "model"}
            try:
                move = await call(run, "usage_move", from_model=plan.model, to_model=plan.target, **scope)
            except ToolFailedError as error:
                return Findings(plan=plan, problem=sentence(error.problem)).as_json()
            await run.think(
                f"{plan.model} cost {money(move['before_usd'])}; {plan.target} would have cost "
                f"{money(move['after_usd'])} for the same tokens."
            )
            return Findings(plan=plan, move=move).as_json()
        savings = await call(run, "usage_savings", strategy=plan.strategy, **plan.scope)
        for action in savings["actions"]:
            where = action["tag"] or action["model"]
            await run.think(f"{where}: {action['title']} saves {money(action['saved_month_usd'])} a month.")
        count = len(savings["actions"])
        await run.think(
            f"{count} thing{'s' if count != 1 else ''} to change, together {money(savings['saved_month_usd'])} "
            f"a month, {percent(savings['saved_share'])} of what was spent."
        )
        return Findings(plan=plan, savings=savings).as_json()
