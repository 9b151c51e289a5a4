"""Which files take a class, a function or a module from the file that defines it."""

from __future__ import annotations

from collections.abc import Mapping

from carrel.audit.places import is_test_path
from carrel.audit.program import Program
from carrel.source.import_graph import imported_paths
from carrel.source.outline import ImportSite

__all__ = ["Users"]


class Users:
    """Who uses what, tests left out."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._importers: Mapping[str, frozenset[str]] = program.imports.importers()
        self._known: dict[tuple[str, str], dict[str, bool]] = {}

    def of(self, path: str, symbol: str = "") -> dict[str, bool]:
        """The other files that take `symbol`, or anything, from the file; for each whether it may take something else.

        A file that takes it under an `if` or in a `try` has a choice.
        """
        found = self._known.get((path, symbol))
        if found is not None:
            return found
        found = self._known[path, symbol] = {}
        for user in self._importers.get(path, ()):
            sites = (
                [] if is_test_path(user) else [one for one in self._sites(user, path) if self._takes(one, path, symbol)]
            )
            if sites:
                found[user] = all(one.guard in ("conditional", "optional") for one in sites)
        return found

    def _sites(self, user: str, path: str) -> list[ImportSite]:
        project = self._program.project
        return [one for one in self._program.files[user].outline.imports if path in imported_paths(project, user, one)]

    def _takes(self, site: ImportSite, path: str, symbol: str) -> bool:
        """Whether the import brings the symbol; a module, or all that is in it, brings everything."""
        names = self._program.files[path].outline.exports
        return not symbol or site.name not in names or symbol == f"{self._program.files[path].module}.{site.name}"
