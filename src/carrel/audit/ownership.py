"""Which functions of the program ask whose objects are, and which say it of what they store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from carrel.audit.call_graph import CallGraph
from carrel.audit.conditions import Proof
from carrel.audit.facts import FunctionFact
from carrel.audit.resolution import Resolution
from carrel.audit.rows import LISTED, listed
from carrel.findings import Location

__all__ = ["Ownership"]

_ASKS: Final = re.compile(r"(?i)not_?allowed$|^(?:user_)?(?:can|may)_|^has_(?:perm|access|role)")
_DEPTH: Final = 4
_MANY: Final = 200


class Ownership:
    """The functions that ask for owners, and those that store them, by what the objects are and where they are."""

    def __init__(self, resolution: Resolution, calls: CallGraph) -> None:
        self._resolution = resolution
        self._calls = calls

    def checks_rights(self, path: str, given: str = "") -> Proof | None:
        """Where what the path calls, or what that calls, asks whether somebody may, or says that they may not.

        `given`: only if it, or a dependency of it, is handed what has this name.
        """
        level = list(self._resolution.called(path))
        seen = {one.name: one for one in level}
        found: Proof | None = None
        for _ in range(_DEPTH):
            for one in level:
                found = found or self._refusal(one)
                given = "" if given in one.parameters else given
            if found and not given:
                return found
            level = [one for fact in level for one in self._led_to(fact) if one.name not in seen][:_MANY]
            seen.update((one.name, one) for one in level)
        return None

    def _led_to(self, fact: FunctionFact) -> Iterator[FunctionFact]:
        """What runs for a call of the function: what it calls, its dependencies, and what a decorator puts around."""
        yield from (called for _, called in self._calls.callees.get(fact.name, ()))
        for path in fact.run_before:
            yield from self._resolution.called(path)
        yield from self._inner.get(fact.name, ())

    def _refusal(self, fact: FunctionFact) -> Proof | None:
        asked = (call.line for call in fact.calls if _ASKS.search(call.path.rpartition(".")[2]))
        line = fact.refuses or next(asked, 0)
        return (Location(path=self._resolution.paths[fact.name], line=line, note="may refuse"),) if line else None

    @cached_property
    def _inner(self) -> dict[str, list[FunctionFact]]:
        """By function, those that are defined in it."""
        functions = self._resolution.functions
        found: dict[str, list[FunctionFact]] = {}
        for name, fact in functions.items():
            outer = name.rpartition(".")[0]
            if outer in functions:
                found.setdefault(outer, []).append(fact)
        return found

    def asked(self, kinds: tuple[str, ...]) -> Proof | None:
        """The function that asks for the owner of an object of one of these kinds."""
        fact = next((found for one in kinds for kind in self._kinds(one) if (found := self._asked.get(kind))), None)
        if fact is None:
            return None
        return (Location(path=self._resolution.paths[fact.name], line=fact.line, note="asks whose it is"),)

    @cached_property
    def _asked(self) -> dict[str, FunctionFact]:
        """By kind of object, a function that asks for its owner."""
        functions = self._resolution.functions.values()
        return {kind: fact for fact in functions for one in fact.asked for kind in self._kinds(one)}

    def _kinds(self, path: str) -> Iterator[str]:
        """What the path stands for: the class of what it fetches, a store, a function; and such, listed."""
        if path.startswith(LISTED):
            yield from map(listed, self._kinds(path.removeprefix(LISTED)))
            return
        yield self._resolution.canonical(path)
        yield from (one.name for one in self._resolution.values(path))
        yield from (self._resolution.canonical(one.fetched) for one in self._resolution.called(path) if one.fetched)

    def kept(self, store: str) -> Proof | None:
        """The function that puts documents with their owner into the store."""
        fact = self._tagging.get(self._resolution.canonical(store))
        if fact is None:
            return None
        note = "documents are stored with their owner"
        return (Location(path=self._resolution.paths[fact.name], line=fact.line, note=note),)

    @cached_property
    def _tagging(self) -> dict[str, FunctionFact]:
        """By store, the first function that puts documents with their owner into it."""
        found: dict[str, FunctionFact] = {}
        for fact in self._resolution.functions.values():
            for store in fact.tags:
                found.setdefault(self._resolution.canonical(store), fact)
        return found
