"""Which files are imported together."""

from __future__ import annotations

from carrel.source import Project
from carrel.source.import_graph import imported_paths

__all__ = ["loaded_with"]


def loaded_with(project: Project, path: str, *, packages: bool = False) -> frozenset[str]:
    """The file, and every file that is imported when it is; with `packages` the packages that they are in, too."""
    found = {path}
    waiting = [path]
    while waiting:
        importer = waiting.pop()
        named = {
            target
            for site in project.outline(importer).imports
            if site.is_loading
            for target in imported_paths(project, importer, site)
        }
        if packages:
            named |= _packages(project, importer)
        waiting += named - found
        found |= named
    return frozenset(found)


def _packages(project: Project, path: str) -> set[str]:
    name = project.name(path).dotted
    found = set()
    while "." in name:
        name = name.rpartition(".")[0]
        package = project.path(name)
        if package is not None:
            found.add(package)
    return found
