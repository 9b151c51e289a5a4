"""Which functions of the program ask whose objects are, and which say it of what they store."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from carrel.audit.conditions import Proof
from carrel.audit.facts import FunctionFact
from carrel.audit.resolution import Resolution
from carrel.findings import Location

__all__ = ["Ownership"]


class Ownership:
    """The functions that ask for owners, and those that store them, by what the objects are and where they are."""

    def __init__(self, resolution: Resolution) -> None:
        self._resolution = resolution

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
        """What the path stands for: the class of what it fetches, a store, a function."""
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
