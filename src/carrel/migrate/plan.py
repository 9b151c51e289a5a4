"""What a migration will do: its phases in order, what each edits by itself, and what needs a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from carrel.migrate.outcome import Edited, FileOutcome, LeftReference, Refused, Unchanged
from carrel.migrate.phases import REST, phases_of
from carrel.migrate.recipe import Recipe
from carrel.migrate.records import PhaseKept, PhaseStarted, Record
from carrel.migrate.references import Reference, Scan

__all__ = ["MigrationPlan", "PhasePlan", "phase_seconds", "plan_migration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhasePlan:
    """One phase."""

    name: str
    files: tuple[str, ...]
    """Those with references, the ones that most others import first."""
    references: int
    automatic: int
    """References that are edited."""
    manual: tuple[LeftReference, ...]
    dependents: int
    """Files outside of the phase that import one of its files, directly or through others: its risk."""
    seconds: float | None
    """What it is expected to take; `None` when no run tells."""
    seconds_from: str
    """Where that figure comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationPlan:
    """The phases in the order in which they are applied."""

    phases: tuple[PhasePlan, ...]
    requires: tuple[str, ...]
    """Distributions that must be installed."""
    missing: tuple[str, ...]
    """Old names that the code base does not define."""

    @property
    def automatic(self) -> int:
        return sum(phase.automatic for phase in self.phases)

    @property
    def manual(self) -> int:
        return sum(len(phase.manual) for phase in self.phases)

    @property
    def seconds(self) -> float | None:
        """Of all phases; `None` when one of them cannot be estimated."""
        known = [phase.seconds for phase in self.phases if phase.seconds is not None]
        return sum(known) if len(known) == len(self.phases) else None


def plan_migration(
    recipe: Recipe,
    scan: Scan,
    outcomes: Iterable[FileOutcome],
    *,
    importers: Mapping[str, frozenset[str]] | None = None,
    durations: Mapping[str, Sequence[float]] | None = None,
) -> MigrationPlan:
    """The plan for a scan, from what the edits make of its files.

    `importers` are those of the import graph, `durations` the seconds that phases took before. The phases of a recipe
    keep their order; the default ones are ordered by risk, the highest first.
    """
    manual = _manual(outcomes)
    by_phase: dict[str, list[Reference]] = defaultdict(list)
    for reference in scan.references:
        by_phase[reference.phase].append(reference)
    order = [rule.name for rule in phases_of(recipe)]
    if REST in by_phase and REST not in order:
        order.append(REST)
    phases = [
        _phase(name, by_phase[name], manual, importers or {}, durations or {}) for name in order if name in by_phase
    ]
    if not recipe.phases:
        phases.sort(key=lambda phase: -phase.dependents)
    return MigrationPlan(phases=tuple(phases), requires=recipe.requires, missing=scan.missing)


def phase_seconds(records: Iterable[Record]) -> dict[str, list[float]]:
    """The seconds that each phase took in the runs that a journal knows, oldest first."""
    started: dict[str, float] = {}
    found: dict[str, list[float]] = defaultdict(list)
    for record in records:
        if isinstance(record, PhaseStarted):
            started = {record.phase: record.time}
        elif isinstance(record, PhaseKept):
            for phase, begun in started.items():
                found[phase].append(record.time - begun)
            started = {}
    return dict(found)


def _manual(outcomes: Iterable[FileOutcome]) -> dict[tuple[str, int, int], LeftReference]:
    left: list[LeftReference] = []
    for outcome in outcomes:
        match outcome:
            case Edited() | Unchanged():
                left.extend(outcome.left)
            case Refused():
                left.extend(LeftReference(reference=one, reason=outcome.reason) for one in outcome.references)
    return {(one.reference.path, one.reference.start, one.reference.end): one for one in left}


def _phase(
    name: str,
    references: Sequence[Reference],
    manual: Mapping[tuple[str, int, int], LeftReference],
    importers: Mapping[str, frozenset[str]],
    durations: Mapping[str, Sequence[float]],
) -> PhasePlan:
    paths = sorted({reference.path for reference in references})
    reached = {path: _dependents([path], importers) for path in paths}
    paths.sort(key=lambda path: (-len(reached[path]), path))
    found = (manual.get((one.path, one.start, one.end)) for one in references)
    left = tuple(one for one in found if one is not None)
    seconds, source = _estimate(name, durations)
    return PhasePlan(
        name=name,
        files=tuple(paths),
        references=len(references),
        automatic=len(references) - len(left),
        manual=left,
        dependents=len(_dependents(paths, importers)),
        seconds=seconds,
        seconds_from=source,
    )


def _dependents(paths: Sequence[str], importers: Mapping[str, frozenset[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(paths)
    while waiting:
        for importer in importers.get(waiting.pop(), ()):
            if importer not in found:
                found.add(importer)
                waiting.append(importer)
    return found.difference(paths)


def _estimate(name: str, durations: Mapping[str, Sequence[float]]) -> tuple[float | None, str]:
    own = durations.get(name)
    if own:
        return own[-1], "the last run of this phase"
    others = [seconds for runs in durations.values() for seconds in runs]
    if others:
        return median(others), f"the median of {len(others)} run{'s' if len(others) > 1 else ''} of other phases"
    return None, "no run yet"
