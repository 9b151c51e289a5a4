"""The import cycles of a code base, found anew only where files have changed."""

from __future__ import annotations

from pathlib import Path

from carrel.errors import SourceError
from carrel.migrate.outlines import read_outlines
from carrel.migrate.recipe import TreeRule
from carrel.source import Outline, Project, SourceFile, SourceTree, read_outline
from carrel.source.import_graph import cycles_of, imported_paths

__all__ = ["ImportCycles"]


class ImportCycles:
    """Finds the groups of files below `root` that import each other when they are imported.

    Between two questions a file that has not changed leads to the same files, as long as none comes or goes.
    """

    def __init__(self, root: Path, tree: TreeRule) -> None:
        self._source = SourceTree(root, exclude=tree.exclude)
        self._roots = tree.roots
        self._files: dict[str, SourceFile] = {}
        self._project = Project((), _no_outline)
        self._edges: dict[str, frozenset[str]] = {}
        self._cycles: tuple[tuple[str, ...], ...] = ()

    def now(self) -> tuple[tuple[str, ...], ...]:
        """The groups as the files are now, each sorted."""
        files = {file.path: file for file in self._source.files()}
        if files == self._files:
            return self._cycles
        if files.keys() == self._files.keys():
            changed = [path for path, file in files.items() if file != self._files[path]]
            self._edges.update((path, self._targets(path, self._read(path))) for path in changed)
        else:
            self._project = Project(files, _no_outline, roots=self._roots)
            found = read_outlines(self._source)
            self._edges = {path: self._targets(path, found.get(path, Outline())) for path in files}
        self._files = files
        self._cycles = tuple(cycles_of(self._edges))
        return self._cycles

    def _read(self, path: str) -> Outline:
        try:
            return read_outline(self._source.read(path))
        except SourceError:
            return Outline()

    def _targets(self, path: str, outline: Outline) -> frozenset[str]:
        """The files that one imports when it is imported."""
        sites = (site for site in outline.imports if site.is_loading)
        found = {target for site in sites for target in imported_paths(self._project, path, site)}
        return frozenset(found - {path})


def _no_outline(_path: str) -> Outline:
    """Who imports whom does not depend on what is in a module."""
    return Outline()
