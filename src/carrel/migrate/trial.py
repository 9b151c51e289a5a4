"""A phase on trial: its gate commands run, compared with the baseline, and every gate asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from carrel.migrate.gates import judge
from carrel.migrate.gates.command import CommandRunner
from carrel.migrate.gates.evidence import ChangedFile, Comparison, Fired, PhaseEvidence
from carrel.migrate.gates.notes import notes
from carrel.migrate.history import OpenPhase
from carrel.migrate.import_cycles import ImportCycles
from carrel.migrate.ledger import Ledger
from carrel.migrate.recipe import GateCommand, Recipe
from carrel.migrate.records import GateMeasured, LeftFile, PhaseWritten
from carrel.migrate.references import Reference
from carrel.migrate.workspace import Proof, Workspace

__all__ = ["Find", "Trial", "Verdict"]

Find = Callable[[Path], Iterable[Reference]]
"""Gives the references in the code base at a directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the gates say about a phase."""

    fired: tuple[Fired, ...] = ()
    """The reasons to take it back; none when it may stay."""
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be judged."""


class Trial:
    """Measures before the first phase and judges after each. What was measured once is in the ledger and stays."""

    def __init__(
        self,
        recipe: Recipe,
        workspace: Workspace,
        ledger: Ledger,
        *,
        find: Find,
        checkout: Path,
        state: Path,
        progress: Callable[[str], None],
    ) -> None:
        self._recipe = recipe
        self._workspace = workspace
        self._ledger = ledger
        self._find = find
        self._cycles = ImportCycles(workspace.root, recipe.tree)
        self._commands = CommandRunner(workspace.root, checkout, state / "logs", progress=progress)

    def measure_baseline(self) -> None:
        """Measure each gate command that has not been measured yet; raises `GateFailedError` for one that is broken."""
        history = self._ledger.history
        for command in self._recipe.gates.commands:
            known = history.baseline.get(command.name)
            if known is not None and known.measurement.command == command.run:
                continue
            mark = self._workspace.mark()
            measurement = self._commands.measure(command, runs=self._recipe.gates.runs, label="baseline")
            self._workspace.restore(mark, reread=False)
            self._commands.check_usable(command, measurement)
            applied = tuple(one.name for one in history.applied)
            self._ledger.append(GateMeasured(gate=command.name, measurement=measurement, after=applied))

    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """The import cycles there are now; none when no gate asks for them."""
        if "import_cycle" not in self._recipe.gates.triggers:
            return ()
        return self._cycles.now()

    def judge(self, opened: OpenPhase, written: PhaseWritten) -> Verdict:
        """Run the gate commands that have not run yet after this phase, and ask every gate."""
        comparisons = self._compare(opened)
        tidied = self._workspace.restore(written.mark, reread=False)
        evidence = PhaseEvidence(
            settings=self._recipe.gates,
            comparisons=comparisons,
            files=self._read_back(opened),
            cycles_before=opened.started.cycles,
            cycles_after=self.cycles(),
            remaining=self._remaining(opened.name),
            left=_counted(written.left),
        )
        remarks = (*notes(evidence), *_about_changes(tidied), *self._about_late_baselines(comparisons))
        return Verdict(fired=judge(evidence), comparisons=comparisons, notes=remarks)

    def _compare(self, opened: OpenPhase) -> tuple[Comparison, ...]:
        compared = []
        for command in self._commands_after(opened.name):
            after = opened.measured.get(command.name)
            if after is None:
                runs, label = self._recipe.gates.runs, f"after phase {opened.name}"
                after = self._commands.measure(command, runs=runs, label=label)
                self._ledger.append(GateMeasured(gate=command.name, phase=opened.name, measurement=after))
            before = self._ledger.history.baseline[command.name].measurement
            compared.append(Comparison(gate=command.name, before=before, after=after))
        return tuple(compared)

    def _commands_after(self, phase: str) -> list[GateCommand]:
        known = self._ledger.history.baseline
        return [
            command
            for command in self._recipe.gates.commands
            if (not command.phases or phase in command.phases) and command.name in known
        ]

    def _read_back(self, opened: OpenPhase) -> tuple[ChangedFile, ...]:
        writing = opened.writing
        if writing is None:
            return ()
        root = self._workspace.root
        return tuple(
            ChangedFile(path=path, data=(root / path).read_bytes(), compiled=path not in writing.uncompilable)
            for path in writing.files
        )

    def _remaining(self, phase: str) -> tuple[Reference, ...]:
        if "references" not in self._recipe.gates.triggers:
            return ()
        found = self._find(self._workspace.root)
        return tuple(one for one in found if one.phase == phase and one.certainty == "certain")

    def _about_late_baselines(self, comparisons: tuple[Comparison, ...]) -> list[str]:
        baseline = self._ledger.history.baseline
        return [
            f"{one.gate}: its baseline was taken after the phases {', '.join(baseline[one.gate].after)}, "
            "because the recipe had another command before"
            for one in comparisons
            if baseline[one.gate].after
        ]


def _counted(left: Iterable[LeftFile]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for one in left:
        counted[one.path] = counted.get(one.path, 0) + one.references
    return counted


def _about_changes(tidied: Proof) -> list[str]:
    said = []
    if tidied.restored:
        said.append(f"the gate commands changed files of the code base; put back: {', '.join(tidied.restored)}")
    if tidied.foreign:
        said.append(f"changed or made beside the migration, left as they are: {', '.join(tidied.foreign)}")
    return said
