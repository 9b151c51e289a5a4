"""A gate command that succeeded before the migration, and now does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from carrel.migrate.gates.evidence import Comparison, Fired, PhaseEvidence
from carrel.migrate.recipe import Trigger

__all__ = ["FailedCommandGate"]


class FailedCommandGate:
    """By exit code, by what hangs, and by a test report that was there before and is missing now.

    A command whose tests failed before fails still: its exit code says nothing, and its tests are judged one by one.
    """

    trigger: Final[Trigger] = "failed_command"

    def judge(self, evidence: PhaseEvidence) -> Iterable[Fired]:
        for comparison in evidence.comparisons:
            problem = _problem(comparison)
            if problem:
                yield Fired(
                    trigger=self.trigger,
                    gate=comparison.gate,
                    message=problem,
                    details=(f"its output: {comparison.after.log}",),
                )


def _problem(comparison: Comparison) -> str:
    before, after = comparison.before, comparison.after
    stuck = next((run for run in after.runs if run.timed_out), None)
    if stuck is not None:
        return f"it did not end within {stuck.seconds:.0f} s; before, it took {before.seconds.median:.1f} s"
    if before.tests is not None and after.tests is None:
        return f"it exits with {after.runs[-1].exit_code} and writes no test report any more"
    if before.succeeded and not after.succeeded:
        codes = ", ".join(str(run.exit_code) for run in after.runs)
        return f"it succeeded before and exits with {codes} now"
    return ""
