"""What must hold after every phase: one file per trigger, and the commands that they judge by."""

from __future__ import annotations

from typing import Final

from carrel.migrate.gates.evidence import Fired, Gate, PhaseEvidence
from carrel.migrate.gates.failed_command import FailedCommandGate
from carrel.migrate.gates.failed_test import FailedTestGate
from carrel.migrate.gates.import_cycle import ImportCycleGate
from carrel.migrate.gates.memory import MemoryGate
from carrel.migrate.gates.references_left import ReferencesGate
from carrel.migrate.gates.slower import SlowerGate
from carrel.migrate.gates.unparsable import UnparsableGate

__all__ = ["GATES", "Fired", "Gate", "PhaseEvidence", "judge"]

GATES: Final[tuple[Gate, ...]] = (
    FailedTestGate(),
    FailedCommandGate(),
    SlowerGate(),
    MemoryGate(),
    UnparsableGate(),
    ImportCycleGate(),
    ReferencesGate(),
)
"""In the order in which reasons are told."""


def judge(evidence: PhaseEvidence) -> tuple[Fired, ...]:
    """Every reason to take the phase back, by the triggers that the recipe has."""
    wanted = frozenset(evidence.settings.triggers)
    return tuple(fired for gate in GATES if gate.trigger in wanted for fired in gate.judge(evidence))
