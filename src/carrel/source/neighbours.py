"""Scripts that import the files beside them by their bare names, as Python does for the directory it is started in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import PurePosixPath

from carrel.source.outline import Outline

__all__ = ["neighbours"]


def neighbours(outlines: Mapping[str, Outline], is_module: Callable[[str], bool]) -> dict[str, str]:
    """The paths of modules that have no such name from any root, each by the bare name that only files beside import.

    `is_module` says which names the roots give. A name that two directories use means another file in each, and one
    that is also imported elsewhere is a library's.
    """
    importers: dict[str, set[str]] = {}
    for path, outline in outlines.items():
        for site in outline.imports:
            top = site.module.partition(".")[0]
            if not site.level and top and not is_module(top):
                importers.setdefault(top, set()).add(path)
    found = {}
    for name, paths in importers.items():
        directories = {PurePosixPath(path).parent for path in paths}
        beside = str(directories.pop() / f"{name}.py")
        if not directories and beside in outlines and beside not in paths and not _in_package(beside, outlines):
            found[name] = beside
    return found


def _in_package(path: str, paths: Collection[str]) -> bool:
    return str(PurePosixPath(path).parent / "__init__.py") in paths
