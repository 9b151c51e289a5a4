"""What becomes of what functions give: they keep it for the next caller, or let caches on the way do so."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

from carrel.audit.call_graph import CallGraph
from carrel.audit.conditions import Proof
from carrel.audit.resolution import Resolution
from carrel.findings import Location

__all__ = ["Answers"]


class Answers:
    """The functions by what becomes of their answers."""

    def __init__(self, resolution: Resolution, calls: CallGraph, shared: Callable[[str], Proof | None]) -> None:
        self._resolution = resolution
        self._calls = calls
        self._shared = shared

    def sends_cacheable(self, path: str) -> Proof | None:
        """The function whose response caches may keep; of a decorator, one that is defined in it."""
        for fact in self._resolution.called(path):
            if fact.name in self._cacheable:
                return (Location(path=self._resolution.paths[fact.name], line=fact.line, note="lets caches keep it"),)
        return None

    @cached_property
    def _cacheable(self) -> frozenset[str]:
        """The functions whose responses caches may keep, and those around them."""
        named = [one.name.split(".") for one in self._resolution.functions.values() if one.cacheable]
        return frozenset(".".join(parts[:end]) for parts in named for end in range(1, len(parts) + 1))

    def answers_users(self, owner: str) -> Proof | None:
        """The method of the class, or of one below it, that takes from the request who is asking."""
        home = self._resolution.canonical(owner)
        names = {one for below in self._resolution.descendants(home) for one in self._resolution.lineage(below)}
        for fact in self._resolution.functions.values():
            if fact.name.rpartition(".")[0] in names and (fact.of_request or fact.asks):
                note, line = "reads who is asking", fact.of_request or fact.asks
                return (Location(path=self._resolution.paths[fact.name], line=line, note=note),)
        return None

    def keeps_by_key(self, path: str, key: str, make: str) -> Proof | None:
        """The function that keeps what it is handed a callable for, under a key, where all requests find it."""
        for fact in self._resolution.called(path):
            owner = fact.name.rpartition(".")[0]
            shared = fact.kind != "method" or self._shared(owner) is not None
            kept_under, made_of = fact.memo
            # `**context` takes every keyword that is no parameter.
            made = fact.parameter_at(make) or (made_of if made_of.startswith("**") and make.isidentifier() else "")
            if all(fact.memo) and shared and (fact.parameter_at(key), made) == fact.memo:
                note = f"keeps it under `{kept_under}`"
                return (Location(path=self._resolution.paths[fact.name], line=fact.line, note=note),)
        return None

    def stores_under(self, path: str, key: str, value: str) -> Proof | None:
        """The function that puts one argument where it outlives the call, under another one."""
        for fact in self._calls.called(path):
            # What is on one of many objects, a row's own settings, is not kept for others.
            on_self = (fact.stores[0], True) in fact.keyed
            if on_self and self._shared(fact.name.rpartition(".")[0]) is None:
                continue
            if all(fact.stores) and (fact.parameter_at(key), fact.parameter_at(value)) == fact.stores:
                note = f"keeps it under `{fact.stores[0]}`"
                return (Location(path=self._resolution.paths[fact.name], line=fact.line, note=note),)
        return None
