"""The import cycles of a code base, found anew only where files have changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from carrel.errors import SourceError
from carrel.migrate.recipe import TreeRule
from carrel.source import Index, Outline, Project, SourceFile, SourceTree, read_outline
from carrel.source.import_graph import cycles_of, imported_paths
from carrel.source.outline import ImportSite

__all__ = ["ImportCycles"]

_VERSION: Final = "gate-imports-1"
_Sites = tuple[ImportSite, ...]


class ImportCycles:
    """Finds the groups of files below `root` that import each other when they are imported.

    What a file imports is kept in the directory `cache` by its content, and in memory between two questions: a file
    that has not changed leads to the same files as long as none comes or goes.
    """

    def __init__(self, root: Path, tree: TreeRule, cache: Path) -> None:
        self._source = SourceTree(root, exclude=tree.exclude)
        self._roots = tree.roots
        self._cache = cache
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
            index = Index(self._source, _sites, _Sites, version=_VERSION, directory=self._cache)
            found = index.facts(list(files.values()))
            self._edges = {path: self._targets(path, found.get(path, ())) for path in files}
        self._files = files
        self._cycles = tuple(cycles_of(self._edges))
        return self._cycles

    def _read(self, path: str) -> _Sites:
        try:
            return _sites(path, self._source.read(path)) or ()
        except SourceError:
            return ()

    def _targets(self, path: str, sites: Iterable[ImportSite]) -> frozenset[str]:
        found = {target for site in sites for target in imported_paths(self._project, path, site)}
        return frozenset(found - {path})


def _sites(_path: str, data: bytes) -> _Sites | None:
    """The imports of a file that are carried out when it is imported."""
    return tuple(site for site in read_outline(data).imports if site.top and site.guard != "type_checking") or None


def _no_outline(_path: str) -> Outline:
    """Who imports whom does not depend on what is in a module."""
    return Outline()
