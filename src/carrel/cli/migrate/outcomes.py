"""What `carrel migrate apply` and `rollback` say about what they did."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from carrel.cli.migrate.showing import counted

if TYPE_CHECKING:
    from carrel.migrate.gates.evidence import Comparison, Fired
    from carrel.migrate.phase import PhaseApplied, PhaseOutcome, PhaseReverted
    from carrel.migrate.records import LeftFile, RollbackDone
    from carrel.migrate.workspace import Proof

__all__ = ["narrate", "outcome_data", "outcome_lines", "rollback_lines"]

_SHOWN: Final = 20
"""Lines of one list; `--format json` has them all."""


def narrate(step: str) -> None:
    """Say on a terminal what is being done; nothing where a script reads."""
    if sys.stderr.isatty():
        print(step, file=sys.stderr)  # noqa: T201 - this is the command's output


def outcome_data(outcome: PhaseOutcome) -> dict[str, Any]:
    """An outcome as JSON data; `outcome` says which of the two it is."""
    from carrel.migrate.phase import PhaseApplied

    kind = "applied" if isinstance(outcome, PhaseApplied) else "taken back"
    return {"outcome": kind, **msgspec.to_builtins(outcome)}


def outcome_lines(outcome: PhaseOutcome) -> Iterator[str]:
    """An outcome as text."""
    from carrel.migrate.phase import PhaseApplied

    yield from _applied(outcome) if isinstance(outcome, PhaseApplied) else _reverted(outcome)


def rollback_lines(done: RollbackDone) -> Iterator[str]:
    """A rollback as text."""
    yield f"taken back to {f'the end of phase {done.to}' if done.to else 'before the first phase'}"
    yield from _proof(done.proof)


def _applied(outcome: PhaseApplied) -> Iterator[str]:
    if not outcome.files:
        yield f"phase {outcome.phase}: nothing to edit"
    else:
        judged = "kept" if outcome.gated else "written, and not judged by any gate"
        yield f"phase {outcome.phase}: {judged}; {counted(outcome.edits, 'edit')} in {counted(outcome.files, 'file')}"
    for comparison in outcome.comparisons:
        yield f"  {comparison.gate}: {_compared(comparison)}"
    for note in outcome.notes:
        yield f"  note: {note}"
    if outcome.left:
        yield "  left for a person:"
        yield from _some([_left(one) for one in outcome.left])


def _reverted(outcome: PhaseReverted) -> Iterator[str]:
    yield f"phase {outcome.phase}: TAKEN BACK"
    for fired in outcome.fired:
        yield f"  {_why(fired)}"
        yield from _some(fired.details)
    yield from _proof(outcome.proof)


def _compared(comparison: Comparison) -> str:
    before, after = comparison.before, comparison.after
    said = []
    if after.tests is not None:
        said.append(f"{len(after.passed)} tests pass, {len(before.passed)} before")
    said.append(
        f"{after.seconds.median:.2f} s ({after.seconds.low:.2f} to {after.seconds.high:.2f}), "
        f"{before.seconds.median:.2f} s before ({before.seconds.low:.2f} to {before.seconds.high:.2f})"
    )
    said.append(f"{after.peak_bytes.median / 1e6:.0f} MB, {before.peak_bytes.median / 1e6:.0f} MB before")
    return "; ".join(said)


def _proof(proof: Proof) -> Iterator[str]:
    tree = f", tree {proof.tree[:12]}" if proof.tree else ""
    yield (
        f"  {counted(len(proof.restored), 'file')} put back in {proof.seconds:.1f} s; "
        f"all {counted(proof.files, 'file')} read again: fingerprint {proof.fingerprint[:12]}{tree}"
        + ("" if proof.foreign else ", as before")
    )
    if proof.kept:
        yield f"  what was taken back can be seen with: git log {proof.kept}"
    if proof.saved:
        yield f"  changes that were not the migration's are kept in {proof.saved}"
    if proof.foreign:
        yield "  different from before, and never written by the migration:"
        yield from _some(proof.foreign)


def _why(fired: Fired) -> str:
    return f"{fired.trigger}, gate {fired.gate}: {fired.message}" if fired.gate else f"{fired.trigger}: {fired.message}"


def _left(one: LeftFile) -> str:
    return f"{one.path}:{one.line}: {one.reason}" if one.line else f"{one.path}: {one.reason}"


def _some(lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:_SHOWN]:
        yield f"    {line}"
    if len(lines) > _SHOWN:
        yield f"    ... and {len(lines) - _SHOWN} more; --format json lists them all"
