"""Where a migration stands, as its journal tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from carrel.migrate.gates.measurement import Measurement
from carrel.migrate.records import (
    GateMeasured,
    MigrationOpened,
    MigrationOpening,
    PhaseCondemned,
    PhaseKept,
    PhaseStarted,
    PhaseTakenBack,
    PhaseWriting,
    PhaseWritten,
    Record,
    RollbackDone,
    RollbackStarted,
)

__all__ = ["AppliedPhase", "History", "OpenPhase"]


@dataclass(slots=True)
class AppliedPhase:
    """A phase that is in the code base."""

    started: PhaseStarted
    written: PhaseWritten
    kept: PhaseKept

    @property
    def name(self) -> str:
        return self.kept.phase


@dataclass(slots=True)
class OpenPhase:
    """A phase that was begun and neither kept nor taken back."""

    started: PhaseStarted
    writing: PhaseWriting | None = None
    written: PhaseWritten | None = None
    measured: dict[str, Measurement] = field(default_factory=dict)
    """By gate command."""
    condemned: PhaseCondemned | None = None

    @property
    def name(self) -> str:
        return self.started.phase


@dataclass(slots=True)
class History:
    """The state after all records: what is applied, and what was interrupted."""

    opening: MigrationOpening | None = None
    opened: MigrationOpened | None = None
    baseline: dict[str, GateMeasured] = field(default_factory=dict)
    """By gate command."""
    applied: list[AppliedPhase] = field(default_factory=list)
    """In the order in which they were applied."""
    taken_back: list[PhaseTakenBack] = field(default_factory=list)
    open: OpenPhase | None = None
    rollback: RollbackStarted | None = None
    """A rollback that was not finished."""
    over: RollbackDone | None = None
    """Everything was taken back; only clearing up may be left to do."""

    @classmethod
    def of(cls, records: Iterable[Record]) -> History:
        history = cls()
        for record in records:
            history.add(record)
        return history

    def is_applied(self, phase: str) -> bool:
        return any(one.name == phase for one in self.applied)

    def add(self, record: Record) -> None:
        """Take one more record into account."""
        match record:
            case MigrationOpening():
                self.opening = record
            case MigrationOpened():
                self.opened = record
            case PhaseTakenBack():
                self.taken_back.append(record)
                self.open = None
            case RollbackStarted():
                self.rollback = record
            case RollbackDone():
                self._roll_back(record)
            case GateMeasured(phase=""):
                self.baseline[record.gate] = record
            case PhaseStarted():
                self.open = OpenPhase(record)
            case _ if self.open is not None:
                self._add_to_phase(self.open, record)

    def _add_to_phase(self, phase: OpenPhase, record: Record) -> None:
        match record:
            case PhaseWriting():
                phase.writing = record
            case PhaseWritten():
                phase.written = record
            case GateMeasured():
                phase.measured[record.gate] = record.measurement
            case PhaseCondemned():
                phase.condemned = record
            case PhaseKept() if phase.written is not None:
                self.applied.append(AppliedPhase(phase.started, phase.written, record))
                self.open = None
            case _:
                pass

    def _roll_back(self, record: RollbackDone) -> None:
        self.rollback = None
        if not record.to:
            self.over = record
            return
        last = max(index for index, one in enumerate(self.applied) if one.name == record.to)
        del self.applied[last + 1 :]
