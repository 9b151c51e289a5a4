"""How far a migration is: what is left in each phase, and who still imports what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from carrel.migrate.phases import REST, phases_of
from carrel.migrate.recipe import Recipe
from carrel.migrate.references import Scan

__all__ = ["Importer", "MigrationStatus", "PhaseStatus", "migration_status"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseStatus:
    """What is left in one phase."""

    name: str
    applied: bool
    references: int
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """A file that still imports something that moves."""

    path: str
    line: int
    symbol: str
    written: str
    """The dotted name that it imports it by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationStatus:
    """Where a migration stands."""

    references: int
    files: int
    mentions: int
    phases: tuple[PhaseStatus, ...]
    importers: tuple[Importer, ...]

    @property
    def done(self) -> bool:
        """Whether no reference is left."""
        return not self.references


def migration_status(recipe: Recipe, scan: Scan, applied: Sequence[str] = ()) -> MigrationStatus:
    """Where a migration stands after a scan; `applied` are the phases that a journal has as done."""
    left = Counter(one.phase for one in scan.references)
    files = {name: len({one.path for one in scan.in_phase(name)}) for name in left}
    names = [rule.name for rule in phases_of(recipe)]
    if left[REST] and REST not in names:
        names.append(REST)
    return MigrationStatus(
        references=len(scan.references),
        files=len({one.path for one in scan.references}),
        mentions=scan.mentions,
        phases=tuple(
            PhaseStatus(name=name, applied=name in applied, references=left[name], files=files.get(name, 0))
            for name in names
        ),
        importers=tuple(
            Importer(path=one.path, line=one.line, symbol=one.symbol, written=one.written)
            for one in scan.references
            if one.kind == "import"
        ),
    )
