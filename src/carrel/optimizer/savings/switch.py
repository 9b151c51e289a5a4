"""Save by moving to a cheaper model of the same class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from carrel.optimizer.ledger import Lot, Money, total_cost
from carrel.optimizer.prices import PriceBook
from carrel.optimizer.savings.evidence import Action, Evidence

__all__ = ["move_lots", "switch_models"]

WORTHWHILE: Final = Money("0.05")
"""Share of a model's cost that a move must save: less does not pay for trying it out."""
SAFE_INPUT: Final = 32_000
"""Input tokens that every model of the classes takes, where the price data does not say how many."""


async def switch_models(evidence: Evidence) -> Sequence[Action]:
    """For each model the later model of its class that would have cost least, if that saves at least 5 %.

    It must be sold by the same provider, not be announced to end, and take the longest input in the records.
    """
    actions = []
    for provider, model in sorted({(lot.key.group.provider, lot.model) for lot in evidence.lots}):
        lots = [lot for lot in evidence.lots if (lot.key.group.provider, lot.model) == (provider, model)]
        action = _best(provider, model, lots, evidence)
        if action is not None:
            actions.append(action)
    return actions


def move_lots(lots: Sequence[Lot], provider: str, model: str, target: str, prices: PriceBook) -> Sequence[Lot]:
    """The lots with everything of `model` charged as `target`; lots whose cost is not known stay as they are."""

    def moved(lot: Lot) -> Lot:
        if (lot.key.group.provider, lot.model) != (provider, model) or lot.scale is None:
            return lot
        other = lot._replace(model=target)
        return other if other.rates(prices) is not None else lot

    return [moved(lot) for lot in lots]


def _best(provider: str, model: str, lots: Sequence[Lot], evidence: Evidence) -> Action | None:
    prices = evidence.prices
    model_id = prices.model_id(provider, model)
    successors = evidence.classes.successors(model_id) if model_id is not None else ()
    longest = max(lot.longest_input for lot in lots)
    costs: list[tuple[Money, str]] = []
    for target in successors:
        window = prices.context_window(provider, target) or SAFE_INPUT
        if prices.rates(provider, target, at=lots[0].key.slot, band=0) is None or longest > window:
            continue
        if not prices.is_retired(provider, target):
            costs.append((total_cost(move_lots(lots, provider, model, target, prices), prices), target))
    now = total_cost(lots, prices)
    if not costs or not now:
        return None
    cost, target = min(costs)
    if now - cost < WORTHWHILE * now:
        return None
    line = evidence.classes.class_of(model_id or "")
    assert line is not None

    def apply(given: Sequence[Lot]) -> Sequence[Lot]:
        return move_lots(given, provider, model, target, prices)

    return Action(
        strategy="switch",
        provider=provider,
        model=model,
        tag=None,
        target=target,
        title=f"Move {model} to {target}",
        because=(
            f"Both are of the class {line.name}, {target} is the later one, takes your longest input "
            f"({longest:,} tokens) and costs {(now - cost) / now:.0%} less for the same tokens."
        ),
        assumption=f"{target} answers your prompts as well and with as many tokens; try it on a sample before moving.",
        apply=apply,
    )
