"""Records of every kind, as a migration writes them."""

from __future__ import annotations

from carrel.migrate.gates.evidence import Fired
from carrel.migrate.records import (
    GateMeasured,
    LeftFile,
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
from carrel.migrate.workspace import Mark, Proof
from tests.migrate.gates.samples import measured

BASE, FIRST, SECOND = Mark("0", "base"), Mark("1", "first"), Mark("2", "second")
PROOF = Proof(files=3, fingerprint="f")
FIRED = (Fired(trigger="slower", message="it is"),)

OPENING = MigrationOpening(mode="worktree", root="/r", recipe="x", place="/p", branch="carrel/x", base="c")
OPENED = MigrationOpened(mark=BASE)
BASELINE = GateMeasured(gate="g", measurement=measured())
STARTED = PhaseStarted(phase="first", mark=BASE, gated=True, cycles=(("a.py", "b.py"),))
WRITING = PhaseWriting(phase="first", files={"a.py": "digest"}, uncompilable=("b.py",))
WRITTEN = PhaseWritten(phase="first", mark=FIRST, files=1, edits=2, left=(LeftFile(path="a.py", reason="odd"),))
MEASURED = GateMeasured(gate="g", phase="first", measurement=measured(tests={"t": "ppp"}))
KEPT = PhaseKept(phase="first", mark=FIRST, notes=("n",))
CONDEMNED = PhaseCondemned(phase="first", fired=FIRED)
TAKEN_BACK = PhaseTakenBack(phase="first", fired=FIRED, proof=PROOF)
ROLLING_BACK = RollbackStarted(to="", mark=BASE)
ROLLED_BACK = RollbackDone(to="", mark=BASE, proof=PROOF)

ALL: tuple[Record, ...] = (
    OPENING, OPENED, BASELINE, STARTED, WRITING, WRITTEN, MEASURED, KEPT, CONDEMNED, TAKEN_BACK, ROLLING_BACK,
    ROLLED_BACK,
)  # fmt: skip
