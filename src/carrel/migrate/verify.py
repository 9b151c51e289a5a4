"""Checks a code base after its migration, against how it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from carrel.errors import MigrationError, SourceError
from carrel.migrate.checkout import Checkout
from carrel.migrate.file_gate import unbound_names
from carrel.migrate.gates.unparsable import compile_problem
from carrel.migrate.recipe import Recipe
from carrel.migrate.references import Scan, find_references
from carrel.migrate.shim import is_shim
from carrel.migrate.snapshot import Snapshot, snapshot_at
from carrel.source import read_module

__all__ = ["Check", "Verification", "verify_migration"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must hold."""

    name: str
    checked: str
    """What was looked at, with counts."""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What does not count against the code base, but should be known."""

    @property
    def holds(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Everything that was checked."""

    against: str
    """The revision that the code base was compared with."""
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)


def verify_migration(
    root: str | Path,
    recipe: Recipe,
    *,
    against: str = "",
    jobs: int = 0,
    cache: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Check that no reference is left, and that nothing is broken that was not broken at the revision `against`.

    By default that is the commit that the migration's first phase began at. Raises `MigrationError` where there is no
    repository or no such revision.
    """
    revision = against or _start(Path(root), recipe)
    scan = find_references(root, recipe, jobs=jobs, cache=cache, progress=progress)
    before, now = snapshot_at(Path(root), recipe.tree, revision, jobs=jobs, cache=cache)
    checks = (
        _references(scan),
        _unparsable(before, now),
        _unbound(before, now),
        _imports(before, now),
        _cycles(before, now),
        _definitions(recipe, now),
    )
    return Verification(against=revision, checks=checks)


def _start(root: Path, recipe: Recipe) -> str:
    opening = Checkout.of(root).journal(recipe.name).history().opening
    if opening is None or not opening.base:
        raise MigrationError(
            f"the journal knows no commit that {recipe.name} began at; name one with --against, such as HEAD"
        )
    return opening.base


def _references(scan: Scan) -> Check:
    code = [one for one in scan.references if one.certainty in ("certain", "mixed")]
    strings = [one for one in scan.references if one.certainty == "string"]
    return Check(
        name="no reference left",
        checked=f"{scan.python_files} Python files, {scan.parsed} of them parsed",
        problems=tuple(f"{one.path}:{one.line}: {one.kind} {one.text}" for one in code),
        notes=(
            *(f"{one.path}:{one.line}: a string names it: {one.text}" for one in strings),
            *([f"{scan.mentions} mentions in text, in {scan.mention_files} files"] if scan.mentions else []),
        ),
    )


def _unparsable(before: Snapshot, now: Snapshot) -> Check:
    paths = _both(now.outlines, now.changed)
    found = [(path, compile_problem(path, now.read(path))) for path in paths]
    old = [path for path, problem in found if problem and _failed(before, path)]
    return Check(
        name="nothing unparsable that was not",
        checked=f"{len(paths)} changed files compiled",
        problems=tuple(problem for path, problem in found if problem and path not in old),
        notes=tuple(f"{path}: could not be compiled before" for path in old),
    )


def _unbound(before: Snapshot, now: Snapshot) -> Check:
    paths = _both(now.outlines, now.changed)
    problems = []
    for path in paths:
        known = _unbound_in(before, path)
        problems += [f"{path}: `{name}` is bound by nothing" for name in sorted(_unbound_in(now, path) - known)]
    return Check(name="no new unbound name", checked=f"{len(paths)} changed files", problems=tuple(problems))


def _imports(before: Snapshot, now: Snapshot) -> Check:
    new = {key: line for key, line in now.missing.items() if key not in before.missing}
    old = len(now.missing) - len(new)
    return Check(
        name="every import finds its name",
        checked=f"{now.imports} imported names in {len(now.outlines)} files",
        problems=tuple(f"{path}:{line}: `{dotted}` does not exist" for (path, dotted), line in sorted(new.items())),
        notes=(f"{old} imports found nothing before, too",) if old else (),
    )


def _cycles(before: Snapshot, now: Snapshot) -> Check:
    new = [cycle for cycle in now.cycles if not any(known.issuperset(cycle) for known in before.cycles)]
    return Check(
        name="no new import cycle",
        checked=f"{len(now.outlines)} files; {len(now.cycles)} cycles, {len(before.cycles)} before",
        problems=tuple(" <-> ".join(sorted(cycle)) for cycle in new),
    )


def _definitions(recipe: Recipe, now: Snapshot) -> Check:
    """The old implementation is gone or only a redirect, and the new name has one definition."""
    problems, notes = [], []
    for symbol in recipe.symbols:
        path = now.project.path(symbol.old_module)
        if path is not None:
            outline = now.outlines[path]
            kinds = {export.kind for export in outline.exports.get(symbol.old_name, ())}
            if is_shim(outline, symbol.old_name):
                notes.append(f"{path}: `{symbol.old_name}` is a shim")
            elif kinds & {"class", "function", "value"}:
                problems.append(f"{path}: `{symbol.old_name}` is implemented beside `{symbol.new}`")
        found = now.project.resolve(symbol.new)
        if any(one.kind == "missing" for one in found):
            problems.append(f"`{symbol.new}` does not exist")
        elif len(found) > 1:
            places = ", ".join(sorted({one.path for one in found}))
            problems.append(f"`{symbol.new}` has {len(found)} definitions: {places}")
    return Check(
        name="one definition of what moved",
        checked=f"{len(recipe.symbols)} symbols",
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _both(known: Iterable[str], changed: frozenset[str]) -> Sequence[str]:
    return sorted(changed.intersection(known))


def _failed(before: Snapshot, path: str) -> bool:
    return path in before.outlines and bool(compile_problem(path, before.read(path)))


def _unbound_in(snapshot: Snapshot, path: str) -> frozenset[str]:
    if path not in snapshot.outlines:
        return frozenset()
    try:
        return unbound_names(read_module(path, snapshot.project.name(path), snapshot.read(path)))
    except SourceError:
        return frozenset()
