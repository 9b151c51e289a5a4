"""A test that passed before the migration, and now does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from carrel.migrate.gates.evidence import Fired, PhaseEvidence
from carrel.migrate.gates.measurement import ABSENT, FAILED, PASSED, SKIPPED
from carrel.migrate.recipe import Trigger

__all__ = ["FailedTestGate"]


class FailedTestGate:
    """By test id. A test that is skipped now, or is no longer there, is as lost as one that fails.

    A test counts as passing when it did in every run: one that failed before in any is judged by nothing.
    """

    trigger: Final[Trigger] = "failed_test"

    def judge(self, evidence: PhaseEvidence) -> Iterable[Fired]:
        for comparison in evidence.comparisons:
            if comparison.before.tests is None or comparison.after.tests is None:
                continue  # without a report the command itself is judged
            after = comparison.after.tests
            lost = [
                f"{name}: {_what(after.get(name, ABSENT))}"
                for name in sorted(comparison.before.passed)
                if set(after.get(name, ABSENT)) != {PASSED}
            ]
            if lost:
                count = len(comparison.before.passed)
                yield Fired(
                    trigger=self.trigger,
                    gate=comparison.gate,
                    message=f"{len(lost)} of {count} tests that passed before do not now",
                    details=tuple(lost),
                )


def _what(outcomes: str) -> str:
    for letter, what in ((FAILED, "fails"), (ABSENT, "is no longer there"), (SKIPPED, "is skipped")):
        times = outcomes.count(letter)
        if times:
            return what if times == len(outcomes) else f"{what} in {times} of {len(outcomes)} runs"
    return "passes"
