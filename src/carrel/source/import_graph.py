"""Who imports whom in a code base."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from carrel.source.bindings import Project
from carrel.source.outline import ImportSite

__all__ = ["ImportGraph"]


class ImportGraph:
    """The imports between the files of a project, by path.

    `imports` holds for each file the files it imports when it is itself imported, `ImportSite.is_loading`. `every`
    holds the imports inside functions, for type checkers and for the file as a program too.
    """

    def __init__(self, imports: Mapping[str, frozenset[str]], every: Mapping[str, frozenset[str]]) -> None:
        self.imports = imports
        self.every = every

    @classmethod
    def of(cls, project: Project) -> ImportGraph:
        """The graph of all files of a project; reads every outline."""
        imports: dict[str, frozenset[str]] = {}
        every: dict[str, frozenset[str]] = {}
        for path in project.paths:
            loaded: set[str] = set()
            named: set[str] = set()
            for site in project.outline(path).imports:
                found = imported_paths(project, path, site)
                named.update(found)
                if site.is_loading:
                    loaded.update(found)
            loaded.discard(path)
            named.discard(path)
            imports[path], every[path] = frozenset(loaded), frozenset(named)
        return cls(imports, every)

    def importers(self) -> dict[str, frozenset[str]]:
        """For each file, the files that import it, anywhere in their text."""
        found: dict[str, set[str]] = {path: set() for path in self.every}
        for path, targets in self.every.items():
            for target in targets:
                found.setdefault(target, set()).add(path)
        return {path: frozenset(sources) for path, sources in found.items()}

    def distances(self, starts: Iterable[str]) -> dict[str, int]:
        """How many imports away each file is from the nearest of `starts` that it imports; itself is 0."""
        importers = self.importers()
        distances = dict.fromkeys(starts, 0)
        waiting = deque(distances)
        while waiting:
            path = waiting.popleft()
            for importer in sorted(importers.get(path, ())):
                if importer not in distances:
                    distances[importer] = distances[path] + 1
                    waiting.append(importer)
        return distances

    def cycles(self) -> list[tuple[str, ...]]:
        """The groups of files that import each other at module level, each sorted (Tarjan 1972)."""
        return cycles_of(self.imports)


def imported_paths(project: Project, path: str, site: ImportSite) -> list[str]:
    """The files of the project that one import names: the module, or the submodule that the name is."""
    names = project.names(path) or (project.name(path),)
    for name in names:
        module = name.absolute(site.level, site.module)
        if not module:
            continue
        found = []
        if site.name and site.name != "*":
            inner = project.path(f"{module}.{site.name}")
            outer = project.path(module)
            # A name that the package binds itself hides the submodule only when it is not imported from it.
            found = [one for one in (inner, outer) if one is not None]
        else:
            found = [one for one in (project.path(module),) if one is not None]
        if found or not site.level:
            return found
    return []


def cycles_of(edges: Mapping[str, frozenset[str]]) -> list[tuple[str, ...]]:
    """The groups of more than one node that lead to each other, each sorted."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    is_open: set[str] = set()
    found: list[tuple[str, ...]] = []
    for root in sorted(edges):
        if root in index:
            continue
        work = [(root, iter(sorted(edges.get(root, ()))))]
        index[root] = low[root] = len(index)
        open_.append(root)
        is_open.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    open_.append(target)
                    is_open.add(target)
                    work.append((target, iter(sorted(edges.get(target, ())))))
                    break
                if target in is_open:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = []
                    while True:
                        member = open_.pop()
                        is_open.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    if len(component) > 1:
                        found.append(tuple(sorted(component)))
    return sorted(found)
