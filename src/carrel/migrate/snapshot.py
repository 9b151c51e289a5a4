"""The Python files of a code base at one time: now, or at a revision of its repository."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from carrel.errors import MigrationError
from carrel.migrate.checkout import Checkout
from carrel.migrate.outlines import read_outlines
from carrel.migrate.recipe import TreeRule
from carrel.source import ImportGraph, Outline, Project, SourceTree, read_outline
from carrel.source.files import SUFFIXES

__all__ = ["Snapshot", "snapshot_at", "snapshot_now"]


class Snapshot:
    """Files by path, and what they give to each other."""

    def __init__(
        self,
        outlines: dict[str, Outline],
        read: Callable[[str], bytes],
        changed: frozenset[str],
        roots: tuple[str, ...],
    ) -> None:
        self.outlines = outlines
        self.changed = changed
        """The paths that differ between then and now, those that are there only once among them."""
        self._read = read
        self._roots = roots

    def read(self, path: str) -> bytes:
        """The bytes of a file; empty for one that is not there or cannot be read."""
        return self._read(path) if path in self.outlines else b""

    @cached_property
    def project(self) -> Project:
        return Project(self.outlines, self.outlines.__getitem__, roots=self._roots)

    @cached_property
    def cycles(self) -> tuple[frozenset[str], ...]:
        """The groups of files that import each other when they are imported."""
        return tuple(frozenset(cycle) for cycle in ImportGraph.of(self.project).cycles())

    @cached_property
    def missing(self) -> dict[tuple[str, str], int]:
        """Imports of names that do not exist in the module they are taken from: path and dotted name -> line."""
        found: dict[tuple[str, str], int] = {}
        for path, outline in self.outlines.items():
            for site in outline.imports:
                dotted = self._imported(path, site.level, site.module, site.name)
                if dotted and not self._exists(dotted):
                    found.setdefault((path, dotted), site.line)
        return found

    @property
    def imports(self) -> int:
        """How many names are imported in all files."""
        return sum(len(outline.imports) for outline in self.outlines.values())

    def _imported(self, path: str, level: int, module: str, name: str) -> str:
        names = self.project.names(path) or (self.project.name(path),)
        candidates = [base for base in (one.absolute(level, module) for one in names) if base]
        known = next((base for base in candidates if self.project.is_module(base)), candidates[0] if candidates else "")
        return f"{known}.{name}" if known and name and name != "*" else known

    def _exists(self, dotted: str) -> bool:
        """Whether an import can find a name; where a module answers for itself (`__getattr__`), it can."""
        for found in self.project.resolve(dotted):
            if found.kind != "missing":
                return True
        parts = dotted.split(".")
        for index in range(len(parts) - 1, 0, -1):
            path = self.project.path(".".join(parts[:index]))
            if path is not None:
                outline = self.outlines[path]
                return "__getattr__" in outline.exports or bool(outline.error)
        return False


def snapshot_now(root: Path, tree: TreeRule, changed: frozenset[str], *, jobs: int = 0, cache: bool = True) -> Snapshot:
    """The files as they are; with `cache` only what has changed is read anew the next time."""
    source = SourceTree(root, exclude=tree.exclude)
    return Snapshot(read_outlines(source, jobs=jobs, cache=cache), source.read, changed, tree.roots)


def snapshot_at(
    root: Path, tree: TreeRule, revision: str, *, jobs: int = 0, cache: bool = True
) -> tuple[Snapshot, Snapshot]:
    """The files at a revision, and now. Only what differs is read from the repository.

    Raises `MigrationError` where there is no repository, or no such revision.
    """
    checkout = Checkout.of(root)
    git = checkout.git
    if git is None:
        raise MigrationError(f"{root} is in no git repository, so that there is nothing to compare with")
    commit = git.asked("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise MigrationError(f"there is no revision {revision!r}; give another with --against")
    here = f"./{checkout.prefix}"
    differing = git.paths("diff", "-z", "--name-only", "--no-renames", "--no-ext-diff", commit, "--", here)
    unknown = git.paths("ls-files", "-z", "--others", "--exclude-standard", "--", here)
    then = set(git.paths("ls-tree", "-r", "-z", "--name-only", commit, "--", here))
    prefix = len(checkout.prefix)
    changed = frozenset(path[prefix:] for path in (*differing, *unknown) if path.endswith(SUFFIXES))
    now = snapshot_now(checkout.root, tree, changed, jobs=jobs, cache=cache)

    def read(path: str) -> bytes:
        if path not in changed:
            return now.read(path)
        return git.run("cat-file", "blob", f"{commit}:{checkout.prefix}{path}")

    source = SourceTree(checkout.root, exclude=tree.exclude)
    outlines = {path: outline for path, outline in now.outlines.items() if path not in changed}
    for path in sorted(changed):
        if f"{checkout.prefix}{path}" in then and source.takes(path):
            outlines[path] = read_outline(read(path))
    return Snapshot(outlines, read, changed, tree.roots), now
