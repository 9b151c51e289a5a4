"""One phase: edited, written, judged, and kept or taken back; each step resumable."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from carrel.errors import MigrationError
from carrel.migrate.fingerprint import content_digest
from carrel.migrate.gates.evidence import Comparison, Fired
from carrel.migrate.gates.unparsable import compile_problem
from carrel.migrate.history import OpenPhase
from carrel.migrate.ledger import Ledger
from carrel.migrate.outcome import Edited, FileOutcome, Refused
from carrel.migrate.records import (
    LeftFile,
    PhaseCondemned,
    PhaseKept,
    PhaseStarted,
    PhaseTakenBack,
    PhaseWriting,
    PhaseWritten,
)
from carrel.migrate.references import Reference
from carrel.migrate.trial import Find, Trial, Verdict
from carrel.migrate.workspace import Mark, Proof, Workspace

__all__ = ["PhaseApplied", "PhaseOutcome", "PhaseReverted", "PhaseRun", "Rewrite", "edited_files"]

Rewrite = Callable[[Path, Sequence[Reference], Sequence[Reference]], Iterable[FileOutcome]]
"""Gives what becomes of each file that has some of the first references, and writes nothing.

The second ones are those of the whole code base, for what other files reach in these.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseApplied:
    """The phase is in the code base."""

    phase: str
    mark: Mark
    """The state after it."""
    files: int
    edits: int
    left: tuple[LeftFile, ...]
    """What a person must look at."""
    gated: bool
    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseReverted:
    """The phase was taken back: `fired` says why, `proof` that everything is as before."""

    phase: str
    fired: tuple[Fired, ...]
    proof: Proof


PhaseOutcome = PhaseApplied | PhaseReverted


class PhaseRun:
    """Carries out phases of the recipe named `recipe` in a workspace."""

    def __init__(
        self,
        recipe: str,
        workspace: Workspace,
        ledger: Ledger,
        trial: Trial,
        *,
        find: Find,
        rewrite: Rewrite,
        progress: Callable[[str], None],
    ) -> None:
        self._recipe = recipe
        self._workspace = workspace
        self._ledger = ledger
        self._trial = trial
        self._find = find
        self._rewrite = rewrite
        self._progress = progress

    def carry_out(self, phase: str, *, gated: bool) -> PhaseOutcome:
        """Apply a phase, or go on with it where an earlier process was interrupted."""
        opened = self._ledger.history.open or self._start(phase, gated=gated)
        if opened.condemned is not None:
            return self.take_back(opened.condemned.fired)
        written = opened.written or self._write(opened)
        verdict = self._trial.judge(opened, written) if opened.started.gated and written.files else Verdict()
        if verdict.fired:
            return self.take_back(verdict.fired)
        self._ledger.append(PhaseKept(phase=opened.name, mark=written.mark, notes=verdict.notes))
        return PhaseApplied(
            phase=opened.name,
            mark=written.mark,
            files=written.files,
            edits=written.edits,
            left=written.left,
            gated=opened.started.gated,
            comparisons=verdict.comparisons,
            notes=verdict.notes,
        )

    def take_back(self, fired: tuple[Fired, ...] = ()) -> PhaseReverted:
        """Take back the phase that is open, or go on with doing so; without a reason, because it was interrupted."""
        opened = self._ledger.history.open
        if opened is None:
            raise MigrationError("no phase is open; carrel migrate status shows where the migration stands")
        if opened.condemned is None:
            fired = fired or (Fired(trigger="interrupted", message="it was interrupted, and not asked for again"),)
            self._ledger.append(PhaseCondemned(phase=opened.name, fired=fired))
        else:
            fired = opened.condemned.fired
        self._progress(f"phase {opened.name}: taking it back")
        proof = self._workspace.restore(opened.started.mark, ours=_ours(opened))
        self._ledger.append(PhaseTakenBack(phase=opened.name, fired=fired, proof=proof))
        return PhaseReverted(phase=opened.name, fired=fired, proof=proof)

    def _start(self, phase: str, *, gated: bool) -> OpenPhase:
        self._workspace.check_clean()
        if gated:
            self._trial.measure_baseline()
        cycles = self._trial.cycles() if gated else ()
        started = PhaseStarted(phase=phase, mark=self._workspace.mark(), gated=gated, cycles=cycles)
        self._ledger.append(started)
        return self._ledger.history.open or OpenPhase(started)

    def _write(self, opened: OpenPhase) -> PhaseWritten:
        root, mark = self._workspace.root, opened.started.mark
        # An earlier process may have written some of the files, all of them, or the commit too.
        self._workspace.restore(mark, ours=_ours(opened), reread=False)
        self._progress(f"phase {opened.name}: editing")
        files, left = edited_files(root, self._rewrite, tuple(self._find(root)), (opened.name,))
        if files:
            self._check_writable(opened, files)
            self._ledger.append(
                PhaseWriting(
                    phase=opened.name,
                    files={file.path: content_digest(file.after) for file in files},
                    uncompilable=tuple(file.path for file in files if compile_problem(file.path, file.before)),
                )
            )
            try:
                self._workspace.write(files)
            except OSError as error:
                raise self._given_up(error) from None
            mark = self._workspace.record(self._message(opened.name, files), int(opened.started.time), files)
        edits = sum(file.edits for file in files)
        written = PhaseWritten(phase=opened.name, mark=mark, files=len(files), edits=edits, left=left)
        self._ledger.append(written)
        return written

    def _check_writable(self, opened: OpenPhase, files: Sequence[Edited]) -> None:
        """Find out before anything is written; the phase is then over, as if it had not begun."""
        try:
            for file in files:
                if (self._workspace.root / file.path).read_bytes() != file.before:
                    raise MigrationError(
                        f"{file.path} was changed while the phase was made; give the same command again"
                    )
            self._workspace.check_writable(files)
        except MigrationError as error:
            self.take_back((Fired(trigger="write", message=str(error)),))
            raise

    def _given_up(self, error: OSError) -> MigrationError:
        """Take back what was written before the disk was full, or a file turned out not to be writable."""
        problem = f"{error.strerror or error}" + (f" ({error.filename})" if error.filename else "")
        reverted = self.take_back((Fired(trigger="write", message=problem),))
        return MigrationError(
            f"phase {reverted.phase!r} cannot be written: {problem}; everything is as it was before. "
            "Free some space or make the file writable, and give the same command again"
        )

    def _message(self, phase: str, files: Sequence[Edited]) -> str:
        edits = sum(file.edits for file in files)
        return (
            f"Move {self._recipe}: {phase}\n\n"
            f"Files: {len(files)}. Edits: {edits}. Made by carrel migrate.\n\n"
            f"Carrel-Recipe: {self._recipe}\nCarrel-Phase: {phase}\n"
        )


def edited_files(
    root: Path, rewrite: Rewrite, every: Sequence[Reference], phases: Collection[str]
) -> tuple[list[Edited], tuple[LeftFile, ...]]:
    """The files that some phases edit, and what they leave, each with the reason. Writes nothing."""
    references = [one for one in every if one.phase in phases]
    files: list[Edited] = []
    left: list[LeftFile] = []
    for outcome in rewrite(root, references, every):
        if isinstance(outcome, Refused):
            left.append(LeftFile(path=outcome.path, reason=outcome.reason, references=len(outcome.references)))
            continue
        reason = _inadmissible(root, outcome.path) if isinstance(outcome, Edited) else ""
        if reason:
            count = sum(one.path == outcome.path for one in references)
            left.append(LeftFile(path=outcome.path, reason=reason, references=count))
            continue
        left.extend(
            LeftFile(path=outcome.path, line=one.reference.line, reason=one.reason, references=0 if one.moved else 1)
            for one in outcome.left
        )
        if isinstance(outcome, Edited):
            files.append(outcome)
    return files, tuple(left)


def _inadmissible(root: Path, path: str) -> str:
    """Why a file is not written, whatever is in it."""
    if not path.isprintable():
        return "its name holds characters that cannot be printed; rename the file"
    if (root / path).is_symlink():
        return "it is a symbolic link; the file that it leads to is edited when it belongs to the code base"
    return ""


def _ours(opened: OpenPhase) -> Mapping[str, str]:
    return opened.writing.files if opened.writing is not None else {}
