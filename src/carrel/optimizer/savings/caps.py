"""Save by capping the output where a few answers are far longer than the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from carrel.optimizer.ledger import CellKey, Lot
from carrel.optimizer.savings.evidence import Action, Evidence
from carrel.storage.usage_figures import Spread

__all__ = ["cap_outputs"]

FEWEST_RECORDS: Final = 40
HEAVY_TAIL: Final = 0.15
"""Share of a group's output tokens that must lie above the cap."""


async def cap_outputs(evidence: Evidence) -> Sequence[Action]:
    """Cap each group's output at its own 95th percentile, where at least 15 % of its output tokens lie above that.

    Only for groups with at least 40 records of one request each.
    """
    actions = []
    for spread in evidence.spreads:
        if spread.records < FEWEST_RECORDS or spread.records != spread.requests or not spread.high_output:
            continue
        cells = await evidence.output_over(spread.group, spread.high_output)
        over = sum(cell.extra for cell in cells)
        output = sum(cell.output_tokens for cell in cells)
        if over >= HEAVY_TAIL * output:
            excess = {
                CellKey(cell.group, cell.slot, cell.band, cell.batch, cell.own_cost): cell.extra for cell in cells
            }
            actions.append(_action(spread, over / output, excess))
    return actions


def _action(spread: Spread, share: float, excess: Mapping[CellKey, int]) -> Action:
    provider, model, tag = spread.group

    def apply(lots: Sequence[Lot]) -> Sequence[Lot]:
        return [lot._replace(output=lot.output - excess.get(lot.key, 0)) for lot in lots]

    return Action(
        strategy="caps",
        provider=provider,
        model=model,
        tag=tag,
        title=f"Cap answers at {spread.high_output:,} output tokens",
        because=(
            f"95 % of the {spread.records:,} answers have at most {spread.high_output:,} output tokens (half of them "
            f"at most {spread.median_output:,}), and the rest go so far beyond that {share:.0%} of all output tokens "
            "lie above the cap."
        ),
        assumption="The 5 % of answers that would be cut are as useful when shorter; ask for brevity in the prompt.",
        apply=apply,
    )
