"""All savings together, none counted twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from carrel.optimizer.ledger import Money, total_cost
from carrel.optimizer.savings.batch import batch_requests
from carrel.optimizer.savings.caching import cache_prompts
from carrel.optimizer.savings.caps import cap_outputs
from carrel.optimizer.savings.evidence import Action, Evidence, Strategy
from carrel.optimizer.savings.switch import switch_models

__all__ = ["STRATEGIES", "PlannedAction", "SavingsPlan", "make_plan"]

STRATEGIES: Final[Mapping[str, Strategy]] = MappingProxyType(
    {"caps": cap_outputs, "switch": switch_models, "batch": batch_requests, "caching": cache_prompts}
)
"""The ways to save, in the order in which they are applied: each sees what the ones before it have left."""

WORTH_MENTIONING: Final = Money("0.001")
"""Share of the cost; less is no advice."""


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """An action and what it saves over the time of the records."""

    action: Action
    saved: Money
    """After the actions before it: these add up."""
    alone: Money
    """If it were the only one."""


@dataclass(frozen=True, slots=True)
class SavingsPlan:
    """What to change, in the order in which the savings were computed."""

    spent: Money
    """What the records cost, without those whose cost is not known."""
    actions: tuple[PlannedAction, ...]

    @property
    def saved(self) -> Money:
        """What all actions save together; the sum of their `saved`."""
        return sum((one.saved for one in self.actions), Money(0))


async def make_plan(evidence: Evidence, strategies: Sequence[str] = tuple(STRATEGIES)) -> SavingsPlan:
    """Find what the named ways of saving offer, and apply it one after the other.

    An action's saving is the cost before it less the cost after it, so that the sum is what all of them save together
    and never more than was spent. What saves less than 0.1 % of the cost is left out.
    """
    prices = evidence.prices
    lots = evidence.lots
    spent = cost = total_cost(lots, prices)
    planned = []
    for name, strategy in STRATEGIES.items():
        for action in await strategy(evidence) if name in strategies else ():
            changed = action.apply(lots)
            after = total_cost(changed, prices)
            if cost - after > 0 and cost - after >= WORTH_MENTIONING * spent:
                alone = spent - total_cost(action.apply(evidence.lots), prices)
                planned.append(PlannedAction(action, cost - after, alone))
                lots, cost = changed, after
    return SavingsPlan(spent, tuple(planned))
