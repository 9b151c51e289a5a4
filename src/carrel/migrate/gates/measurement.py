"""What several runs of one gate command took, and what its tests did."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final, Literal

import msgspec

__all__ = ["ABSENT", "FAILED", "PASSED", "SKIPPED", "CommandRun", "Measurement", "RunSpread", "TestOutcome", "combined"]

TestOutcome = Literal["p", "f", "s"]
"""Passed, failed (an error too), skipped (an expected failure too)."""
PASSED: Final[TestOutcome] = "p"
FAILED: Final[TestOutcome] = "f"
SKIPPED: Final[TestOutcome] = "s"
ABSENT: Final = "-"
"""Stands for a test that a run did not report."""


class CommandRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a gate command."""

    exit_code: int
    """Negative for the signal that ended it."""
    seconds: float
    peak_bytes: int
    """Resident memory of its largest process at its largest."""
    timed_out: bool = False


class RunSpread(msgspec.Struct, frozen=True):
    """A figure measured several times; `low` to `high` is the noise."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> RunSpread:
        return cls(median(figures), min(figures), max(figures))

    def above(self, other: RunSpread, factor: float, *, least: float) -> bool:
        """Whether this is more than `factor` times the other, beyond the noise.

        Every figure of the one is then above every figure of the other, and the medians are more than `least` apart:
        below that, starting a process is what was measured.
        """
        return self.median > max(other.median * factor, other.median + least) and self.low > other.high


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """All runs of one gate command on one state of the code base."""

    command: str
    """As the recipe has it."""
    runs: tuple[CommandRun, ...]
    tests: dict[str, str] | None = None
    """For each test id one letter a run, in the order of the runs; `None` when the command reports no tests."""
    log: str = ""
    """The file with what the command printed in its last run."""

    @property
    def seconds(self) -> RunSpread:
        return RunSpread.of([run.seconds for run in self.runs])

    @property
    def peak_bytes(self) -> RunSpread:
        return RunSpread.of([run.peak_bytes for run in self.runs])

    @property
    def succeeded(self) -> bool:
        """Whether every run ended with exit code 0."""
        return all(run.exit_code == 0 and not run.timed_out for run in self.runs)

    @property
    def passed(self) -> frozenset[str]:
        """The tests that passed in every run."""
        return frozenset(name for name, outcomes in (self.tests or {}).items() if set(outcomes) == {PASSED})

    @property
    def unstable(self) -> frozenset[str]:
        """The tests that passed in some runs only: from them nothing can be concluded."""
        return frozenset(
            name for name, outcomes in (self.tests or {}).items() if PASSED in outcomes and set(outcomes) != {PASSED}
        )


def combined(reports: Sequence[dict[str, TestOutcome] | None]) -> dict[str, str] | None:
    """The outcomes of several runs, by test; `None` when a run has no report."""
    whole = [report for report in reports if report is not None]
    if len(whole) != len(reports) or not whole:
        return None
    names = sorted({name for report in whole for name in report})
    return {name: "".join(report.get(name, ABSENT) for report in whole) for name in names}
