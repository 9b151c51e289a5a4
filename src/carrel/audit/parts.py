"""Which files of a repository are one program, so that one of them could have taken a thing from another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from carrel.audit.places import is_test_path
from carrel.source import ImportGraph

__all__ = ["Parts"]

_OF_REQUIREMENTS: Final = re.compile(r"(?:/|^)requirements$")


class Parts:
    """What is installed together, and what leads to each other."""

    def __init__(self, imports: ImportGraph, manifests: Iterable[str] = ()) -> None:
        """`manifests` are the files that say what a part needs, `pyproject.toml` and the like."""
        self._imports = imports
        self._manifests = tuple(manifests)

    def are_one(self, path: str, other: str) -> bool:
        """Whether the same requirements hold for both files, and imports connect them.

        `services/mail/` and `services/search/`, each with a `requirements.txt` of its own, are built apart; two scripts
        that nothing leads to are each run alone. A package is one, and so is what takes things from the same modules.
        """
        return self._described(path) == self._described(other) and self._root(path) == self._root(other)

    def _described(self, path: str) -> str:
        """The nearest directory above that says what it needs."""
        directory = path
        while directory:
            directory = directory.rpartition("/")[0]
            if directory in self._describing:
                return directory
        return ""

    @cached_property
    def _describing(self) -> frozenset[str]:
        files = [*self._manifests, *(one for one in self._imports.every if _name(one) == "setup.py")]
        found = (path.rpartition("/")[0] for path in files if not is_test_path(path))
        return frozenset(_OF_REQUIREMENTS.sub("", one) for one in found)

    def _root(self, path: str) -> str:
        return _root(self._parents, path)

    @cached_property
    def _parents(self) -> dict[str, str]:
        """A forest of the files, one tree for all that imports connect (Galler and Fischer 1964)."""
        parents = {path: path for path in self._imports.every}
        for path, targets in self._imports.every.items():
            if not is_test_path(path):
                for target in (*targets, _package(path)):
                    if target in parents:
                        parents[_root(parents, target)] = _root(parents, path)
        return parents


def _root(parents: dict[str, str], path: str) -> str:
    while parents[path] != path:
        parents[path] = path = parents[parents[path]]
    return path


def _package(path: str) -> str:
    directory = path.removesuffix("/__init__.py") if _name(path) == "__init__.py" else path
    return f"{directory.rpartition('/')[0]}/__init__.py"


def _name(path: str) -> str:
    return path.rpartition("/")[2]
