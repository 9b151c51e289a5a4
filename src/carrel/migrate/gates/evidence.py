"""What the gates judge a phase by, and what they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from carrel.migrate.gates.measurement import Measurement
from carrel.migrate.recipe import Gates, Trigger
from carrel.migrate.references import Reference

__all__ = ["ChangedFile", "Comparison", "Fired", "Gate", "PhaseEvidence"]


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to take a phase back."""

    trigger: str
    """As in `triggers` of a recipe."""
    message: str
    """One sentence: what is worse than before, with figures."""
    gate: str = ""
    """The gate command that shows it."""
    details: tuple[str, ...] = ()
    """The test ids, files or places, all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One gate command before the first phase and after this one."""

    gate: str
    before: Measurement
    after: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """A file that the phase has written."""

    path: str
    data: bytes
    """As it was read back."""
    compiled: bool
    """Whether Python could compile it before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseEvidence:
    """Everything that is known about a phase once it is written and its gate commands have run."""

    settings: Gates
    comparisons: tuple[Comparison, ...] = ()
    files: tuple[ChangedFile, ...] = ()
    cycles_before: tuple[tuple[str, ...], ...] = ()
    cycles_after: tuple[tuple[str, ...], ...] = ()
    remaining: tuple[Reference, ...] = ()
    """Certain references that are still there in the files of the phase."""
    left: Mapping[str, int] = field(default_factory=dict)
    """For each path, how many references the phase has left on purpose and reported."""


class Gate(Protocol):
    """Judges a phase by one kind of evidence."""

    @property
    def trigger(self) -> Trigger:
        """What a recipe calls it."""

    def judge(self, evidence: PhaseEvidence) -> Iterable[Fired]:
        """The reasons to take the phase back; none when it may stay."""
