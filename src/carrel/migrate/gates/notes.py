"""What the gates could not judge: said, so that silence means that all is well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from carrel.migrate.gates.evidence import Comparison, PhaseEvidence
from carrel.migrate.gates.measurement import FAILED

__all__ = ["notes"]

_SHOWN: Final = 3


def notes(evidence: PhaseEvidence) -> Iterator[str]:
    """Sentences about tests and commands that nothing was concluded from."""
    for comparison in evidence.comparisons:
        yield from _about(comparison)
    if not evidence.comparisons:
        yield "no gate command was run: the recipe has none for this phase"


def _about(comparison: Comparison) -> Iterator[str]:
    name, before = comparison.gate, comparison.before
    if before.unstable:
        yield f"{name}: not judged, because they passed only now and then before: {_some(sorted(before.unstable))}"
    failing = sorted(test for test, outcomes in (before.tests or {}).items() if set(outcomes) == {FAILED})
    if failing:
        yield f"{name}: not judged, because they failed before too: {_some(failing)}"
    if before.tests is None and not before.succeeded:
        yield f"{name}: its exit code was not judged, because it failed now and then before"
    if len(before.runs) == 1 or len(comparison.after.runs) == 1:
        yield f"{name}: time and memory were compared from one run; more `runs` would show the noise"


def _some(tests: list[str]) -> str:
    more = f" and {len(tests) - _SHOWN} more" if len(tests) > _SHOWN else ""
    return ", ".join(tests[:_SHOWN]) + more
