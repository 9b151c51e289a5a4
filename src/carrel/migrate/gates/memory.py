"""A gate command that takes more memory than before the migration."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from carrel.migrate.gates.evidence import Fired, PhaseEvidence
from carrel.migrate.gates.measurement import RunSpread
from carrel.migrate.recipe import Trigger

__all__ = ["MemoryGate"]

_LEAST: Final = 2e6
"""Bytes."""


class MemoryGate:
    """By the median peak of the runs, beyond the noise. The peak is that of the command's largest process."""

    trigger: Final[Trigger] = "memory"

    def judge(self, evidence: PhaseEvidence) -> Iterable[Fired]:
        allowed = evidence.settings.memory_at_most
        for comparison in evidence.comparisons:
            before, after = comparison.before.peak_bytes, comparison.after.peak_bytes
            if after.above(before, allowed, least=_LEAST):
                yield Fired(
                    trigger=self.trigger,
                    gate=comparison.gate,
                    message=(
                        f"it takes {after.median / before.median:.2f} times the memory; {allowed:g} times are allowed"
                    ),
                    details=(f"before: {_shown(before)}", f"now: {_shown(after)}"),
                )


def _shown(peak: RunSpread) -> str:
    return f"median {peak.median / 1e6:.1f} MB, runs from {peak.low / 1e6:.1f} to {peak.high / 1e6:.1f} MB"
