"""Which files use a name that another one defines."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from carrel.audit.conditions import Proof
from carrel.audit.resolution import Resolution
from carrel.findings import Location

__all__ = ["Naming"]

_WORD: Final = re.compile(r"\w+")
_TESTS: Final = re.compile(r"(?:^|/)(?:tests?/|test_[^/]*$|conftest\.py$)")


class Naming:
    """The names that files import and call."""

    def __init__(self, resolution: Resolution) -> None:
        self._resolution = resolution

    def named_elsewhere(self, name: str) -> bool:
        """Whether a file other than the class's own, and no test, imports the class or calls it by its name."""
        symbol = self._resolution.canonical(name)
        last, home = symbol.rpartition(".")[2], self._resolution.paths.get(symbol)
        return any(last in words for path, words in self._named.items() if path != home)

    @cached_property
    def _named(self) -> dict[str, frozenset[str]]:
        """For each file but tests, the names that it imports and calls."""
        found = {}
        for path, facts in self._resolution.files.items():
            if not _TESTS.search(path):
                names = [site.name for site in facts.outline.imports]
                names += [base for one in facts.classes for base in one.bases]
                calls = (*facts.imported_calls, *(call for one in facts.functions for call in one.calls))
                names += [call.path for call in calls]
                found[path] = frozenset(word for each in names for word in _WORD.findall(each))
        return found

    def wraps_arguments(self, decorator: str) -> Proof | None:
        """The function or method whose calls, which differ, the decorator is put around."""
        home = self._resolution.canonical(decorator)
        for fact in self._resolution.functions.values():
            differs = bool(fact.parameters) or fact.kind == "method"
            if differs and any(self._resolution.canonical(one) == home for one in fact.decorators):
                return (Location(path=self._resolution.paths[fact.name], line=fact.line, note="decorated with it"),)
        return None
