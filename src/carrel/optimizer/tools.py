"""The tools that give agents figures about their user's own usage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, Final, Literal

from carrel.context import UserExecutionContext
from carrel.errors import InputError, ToolFailedError
from carrel.optimizer.analysis import UsageAnalysis, scope_of
from carrel.optimizer.figures import Dimension
from carrel.optimizer.reference import ReferenceData
from carrel.optimizer.savings.plan import STRATEGIES
from carrel.runtime.tools import Tool, tool
from carrel.storage.usage import UsageStore
from carrel.storage.usage_figures import UsageFigures

__all__ = ["READ_USAGE", "WRITE_USAGE", "usage_tools"]

READ_USAGE: Final = "usage:read"
WRITE_USAGE: Final = "usage:write"
SECONDS: Final = 120.0
"""A million records take some seconds to add up."""

StrategyName = Literal["all", "caps", "switch", "batch", "caching"]


def usage_tools(store: UsageStore) -> tuple[Tool, ...]:
    """Tools over the usage records in `store`; each reads those of the user that the request is for.

    Loads the price data: blocks, about a second the first time.
    """
    figures, reference = UsageFigures(store.database), ReferenceData.load()

    def analysis(context: UserExecutionContext) -> UsageAnalysis:
        return UsageAnalysis(figures, context, reference)

    reading = tool(permission=READ_USAGE, timeout_seconds=SECONDS)

    async def usage_overview(
        context: UserExecutionContext,
        since: date | None = None,
        until: date | None = None,
        model: str | None = None,
        tag: str | None = None,
    ) -> dict[str, Any]:
        """What usage records there are: totals, cost, first and last day, models, tags, models without a price.

        Days are UTC and both included. Without arguments: everything that the user has imported.
        """
        return await analysis(context).overview(scope_of(since, until, model, tag))

    async def usage_breakdown(
        context: UserExecutionContext,
        by: Dimension,
        since: date | None = None,
        until: date | None = None,
        model: str | None = None,
        tag: str | None = None,
    ) -> dict[str, Any]:
        """Tokens and cost per model, day, tag or kind of token."""
        return await analysis(context).breakdown(scope_of(since, until, model, tag), by)

    async def usage_change(
        context: UserExecutionContext,
        since: date | None = None,
        until: date | None = None,
        model: str | None = None,
        tag: str | None = None,
    ) -> dict[str, Any]:
        """Why the cost rose or fell: the newest days (at most seven) against as many before, by model and tag."""
        with _refused("usage_change"):
            return await analysis(context).change(scope_of(since, until, model, tag))

    async def usage_savings(
        context: UserExecutionContext,
        strategy: StrategyName = "all",
        since: date | None = None,
        until: date | None = None,
        model: str | None = None,
        tag: str | None = None,
    ) -> dict[str, Any]:
        """What could be saved and how: output caps, a cheaper model of the same class, batches, prompt caching.

        The savings of the actions add up: each is what it saves after those before it. A month is thirty days.
        """
        strategies = tuple(STRATEGIES) if strategy == "all" else (strategy,)
        return await analysis(context).savings(scope_of(since, until, model, tag), strategies)

    async def usage_move(
        context: UserExecutionContext,
        from_model: str,
        to_model: str,
        since: date | None = None,
        until: date | None = None,
        tag: str | None = None,
    ) -> dict[str, Any]:
        """What the records of one model would have cost with another, for the same tokens."""
        with _refused("usage_move"):
            return await analysis(context).move(scope_of(since, until, None, tag), from_model, to_model)

    return tuple(
        reading(function) for function in (usage_overview, usage_breakdown, usage_change, usage_savings, usage_move)
    )


@contextmanager
def _refused(name: str) -> Iterator[None]:
    """An argument that makes no sense for these records is the caller's mistake, and no failure of the tool."""
    try:
        yield
    except InputError as error:
        raise ToolFailedError(name, "invalid_arguments", error.problem) from error
