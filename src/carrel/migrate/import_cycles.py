"""The import cycles of a code base, read anew only where files have changed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from carrel.migrate.recipe import TreeRule
from carrel.source import ImportGraph, Index, Outline, Project, SourceTree, read_outline

__all__ = ["import_cycles"]

_VERSION: Final = "gate-outlines-1"


def import_cycles(root: Path, tree: TreeRule, cache: Path) -> tuple[tuple[str, ...], ...]:
    """The groups of files that import each other when they are imported, each sorted."""
    source = SourceTree(root, exclude=tree.exclude)
    index = Index(source, _read, Outline, version=_VERSION, directory=cache)
    outlines = index.facts(source.files())
    project = Project(outlines, outlines.__getitem__, roots=tree.roots)
    return tuple(ImportGraph.of(project).cycles())


def _read(_path: str, data: bytes) -> Outline:
    return read_outline(data)
