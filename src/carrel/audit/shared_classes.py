"""The classes of which one object serves every request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from carrel.audit.call_graph import CallGraph
from carrel.audit.facts import FunctionFact, KeptFact
from carrel.audit.frameworks import COPYING_BASES, DECLARING_BASES, ROW_BASES, ROW_MAKERS, is_made_for_request
from carrel.audit.places import is_test_path
from carrel.audit.resolution import Resolution
from carrel.audit.taint import is_identity_like
from carrel.findings import Location
from carrel.source import ImportGraph

__all__ = ["SharedClasses", "kept_result"]

_OF_APPLICATION: Final = re.compile(r":\w+\.app(?:\[\]|\.(?:state|ctx)\.\w+)\.\w+$")
"""A method of what the application holds, from a request: `request.app["rpc"].ask`."""


class SharedClasses:
    """What is made once and then used by all, with what it makes, holds and is set up with."""

    def __init__(self, resolution: Resolution, calls: CallGraph, imports: ImportGraph) -> None:
        self._resolution = resolution
        self._calls = calls
        self._imports = imports

    @cached_property
    def found(self) -> dict[str, Location]:
        """The classes of which one object serves every request, each with the place that makes it."""
        found: dict[str, Location] = {}
        waiting = list(self._kept())
        while waiting:
            name, where = waiting.pop()
            if name in found or self._is_of_one(name):
                continue
            found[name] = where
            # What a shared object makes and holds is shared with it, and what it is set up with before any request.
            handed = self._resolution.handed_to.get(name, ())
            # Of what a maker is itself handed nobody knows when it was made.
            paths = [
                path for maker, path in handed if not path.startswith(f"{maker}:") and not self._calls.way_to(maker)
            ]
            for owner in self._resolution.lineage(name):
                fact = self._resolution.classes.get(owner)
                paths += (*(fact.makes if fact is not None else ()), *self._copied.get(owner, ()))
            waiting += [(one, where) for path in paths for one in self._instances(path)]
        return found

    def _is_of_one(self, name: str) -> bool:
        """Whether there is an object of the class for each row of a table, or for each request, so that one more is a
        stand-in."""
        facts = (self._resolution.classes.get(one) for one in self._resolution.lineage(name))
        bases = [base for fact in facts if fact for base in fact.bases]
        return any(base in ROW_BASES or self._makes_rows(base) or is_made_for_request(base) for base in bases)

    def _makes_rows(self, base: str) -> bool:
        made = self._resolution.globals.get(self._resolution.canonical(base.removesuffix(".Model")))
        return made is not None and any(path.removesuffix("()") in ROW_MAKERS for path in made.paths)

    @cached_property
    def _copied(self) -> dict[str, list[str]]:
        """By class, what its body makes and each of its objects gets a copy of."""
        found: dict[str, list[str]] = {}
        for facts in self._resolution.files.values():
            for kept in facts.kept:
                if kept.owner and self._resolution.has_base(kept.owner, (*COPYING_BASES, *DECLARING_BASES)):
                    found.setdefault(kept.owner, []).append(kept.path)
        return found

    def _kept(self) -> Iterator[tuple[str, Location]]:
        for facts in self._resolution.files.values():
            for kept in facts.kept:
                if kept.owner not in self._copied and self._is_handed_out(facts.path, kept):
                    for name in self._instances(kept.path):
                        yield name, kept.location
            for function in facts.functions:
                for call in function.calls if not is_test_path(facts.path) else ():
                    if _OF_APPLICATION.search(call.path):
                        # Nobody may be seen to make it, and still there is one for all.
                        where = Location(path=facts.path, line=call.line, note="taken from the application")
                        yield from ((one.name.rpartition(".")[0], where) for one in self._calls.called(call.path))
                if (proof := kept_result(function, facts.path)) is not None:
                    yield from ((name, proof) for path in function.returns for name in self._instances(path))

    def _is_handed_out(self, path: str, kept: KeptFact) -> bool:
        """Whether anybody gets the object: a default goes to who leaves the argument out, a name to who imports it,
        and what a test or an example makes to nobody but itself."""
        home = self._resolution.canonical(kept.path.removesuffix("()"))
        if is_test_path(path) and not is_test_path(self._resolution.paths.get(home, path)):
            return False
        if kept.default[0]:
            return self._calls.left_out(*kept.default) is not None
        return not kept.unused or path in self._imported

    @cached_property
    def _imported(self) -> frozenset[str]:
        """The files that some other file imports."""
        return frozenset(path for paths in self._imports.every.values() for path in paths)

    def _instances(self, path: str) -> list[str]:
        return [value.name for value in self._resolution.values(path) if value.kind == "instance"]


def kept_result(function: FunctionFact, path: str) -> Location | None:
    """The function, when it keeps what it gives for every caller."""
    if not function.cached or any(is_identity_like(one) for one in function.parameters):
        return None
    note = f"`{function.name.rpartition('.')[2]}` keeps what it gives for every caller"
    return Location(path=path, line=function.line, note=note)
