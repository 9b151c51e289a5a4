"""A gate command that takes more time than before the migration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from carrel.migrate.gates.evidence import Fired, PhaseEvidence
from carrel.migrate.gates.measurement import RunSpread
from carrel.migrate.recipe import Trigger

__all__ = ["SlowerGate"]

_LEAST: Final = 0.1
"""Seconds."""


class SlowerGate:
    """By the median of the runs, beyond the noise only: the fastest run now is slower than the slowest was."""

    trigger: Final[Trigger] = "slower"

    def judge(self, evidence: PhaseEvidence) -> Iterable[Fired]:
        allowed = evidence.settings.slower_at_most
        for comparison in evidence.comparisons:
            before, after = comparison.before.seconds, comparison.after.seconds
            if after.above(before, allowed, least=_LEAST):
                yield Fired(
                    trigger=self.trigger,
                    gate=comparison.gate,
                    message=(
                        f"it takes {after.median / before.median:.2f} times as long; {allowed:g} times are allowed"
                    ),
                    details=(f"before: {_shown(before)}", f"now: {_shown(after)}"),
                )


def _shown(seconds: RunSpread) -> str:
    return f"median {seconds.median:.2f} s, runs from {seconds.low:.2f} to {seconds.high:.2f} s"
