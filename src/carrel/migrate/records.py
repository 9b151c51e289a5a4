"""What the lines of a journal say: each step of a migration, before it is taken or when it is done."""

from __future__ import annotations

import time
from typing import Literal

import msgspec

from carrel.migrate.gates.evidence import Fired
from carrel.migrate.gates.measurement import Measurement
from carrel.migrate.workspace import Mark, Proof

__all__ = [
    "GateMeasured",
    "LeftFile",
    "MigrationOpened",
    "MigrationOpening",
    "PhaseCondemned",
    "PhaseKept",
    "PhaseStarted",
    "PhaseTakenBack",
    "PhaseWriting",
    "PhaseWritten",
    "Record",
    "RollbackDone",
    "RollbackStarted",
]


class _Record(msgspec.Struct, frozen=True, kw_only=True, tag_field="step"):
    """One line of a journal."""

    time: float = msgspec.field(default_factory=time.time)
    """Seconds since 1970."""


class MigrationOpening(_Record, frozen=True, tag="opening"):
    """The place where phases are applied is about to be made."""

    mode: Literal["worktree", "in place"]
    root: str
    """The directory that the user named."""
    recipe: str
    place: str
    """The worktree's directory, or the root again."""
    branch: str = ""
    base: str = ""
    """The commit that the branch begins at."""


class MigrationOpened(_Record, frozen=True, tag="opened"):
    """The place is there; `mark` is the state before the first phase."""

    mark: Mark


class GateMeasured(_Record, frozen=True, tag="measured"):
    """All runs of one gate command are over: of the baseline when `phase` is empty, after the phase otherwise."""

    gate: str
    measurement: Measurement
    phase: str = ""
    after: tuple[str, ...] = ()
    """For a baseline: the phases that were applied when it was taken."""


class PhaseStarted(_Record, frozen=True, tag="started"):
    """A phase begins at `mark`."""

    phase: str
    mark: Mark
    gated: bool
    cycles: tuple[tuple[str, ...], ...] = ()
    """The import cycles there were."""


class PhaseWriting(_Record, frozen=True, tag="writing"):
    """The files named here are about to be written, each with the digest of its new bytes."""

    phase: str
    files: dict[str, str]
    uncompilable: tuple[str, ...] = ()
    """Those among them that Python could not compile before."""


class LeftFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a phase did not edit in one file, and why."""

    path: str
    line: int = 0
    """0 when the whole file was left."""
    reason: str
    references: int = 0
    """How many still lead to what was to move."""


class PhaseWritten(_Record, frozen=True, tag="written"):
    """The phase is in the code base: as the commit `mark.at`, or with the backup of that number."""

    phase: str
    mark: Mark
    files: int
    edits: int
    left: tuple[LeftFile, ...] = ()


class PhaseKept(_Record, frozen=True, tag="kept"):
    """No trigger fired."""

    phase: str
    mark: Mark
    notes: tuple[str, ...] = ()
    """What the gates could not judge, and why."""


class PhaseCondemned(_Record, frozen=True, tag="condemned"):
    """The phase will be taken back, because of what `fired`."""

    phase: str
    fired: tuple[Fired, ...]


class PhaseTakenBack(_Record, frozen=True, tag="taken back"):
    """The code base is as it was before the phase."""

    phase: str
    fired: tuple[Fired, ...]
    proof: Proof


class RollbackStarted(_Record, frozen=True, tag="rolling back"):
    """Everything after the phase `to` will be taken back, or everything when it is empty."""

    to: str
    mark: Mark


class RollbackDone(_Record, frozen=True, tag="rolled back"):
    """The code base is as it was at `mark`."""

    to: str
    mark: Mark
    proof: Proof


Record = (
    MigrationOpening
    | MigrationOpened
    | GateMeasured
    | PhaseStarted
    | PhaseWriting
    | PhaseWritten
    | PhaseKept
    | PhaseCondemned
    | PhaseTakenBack
    | RollbackStarted
    | RollbackDone
)
