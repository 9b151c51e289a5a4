"""Which functions read and change what the objects of a class hold, wherever they stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cached_property

from carrel.audit.call_graph import CallGraph
from carrel.audit.conditions import Proof
from carrel.audit.facts import FunctionFact
from carrel.audit.passing import Passing
from carrel.audit.persons import says_of_person
from carrel.audit.resolution import Resolution
from carrel.findings import Location

__all__ = ["Fields"]


class Fields:
    """The functions that use an attribute, by the classes of the objects that they use it of."""

    def __init__(self, resolution: Resolution, calls: CallGraph, passing: Passing) -> None:
        self._resolution = resolution
        self._calls = calls
        self._passing = passing
        self._changes = _by_attribute(resolution, lambda fact: fact.changed)
        self._reads = _by_attribute(resolution, lambda fact: fact.read)

    def changed(self, owner: str, attribute: str) -> Proof | None:
        """Where what objects of the class hold under the attribute is changed in place."""
        for fact, line in self._uses(self._changes, owner, attribute):
            return (self._at(fact, line, f"changes `{attribute}`"),)
        return None

    def result_changed(self, function: str) -> Proof | None:
        """Where what a call of the function gives is changed in place."""
        home = self._resolution.canonical(function)
        for path, fact, line in self._changes.get(f"{home.rpartition('.')[2]}()", ()):
            called = self._resolution.called(f"{path}.{home.rpartition('.')[2]}")
            if any(one.name == home for one in called):
                return (self._at(fact, line, "changes what it gives"),)
        return None

    def read_by_request(self, owner: str, attribute: str, besides: str, *, directly: bool) -> Proof | None:
        """Where a function that requests of any user lead to, and that lets in who has no permission, reads the
        attribute and hands it on; `directly`: the entry point does it itself. Without entry points, any function."""
        for fact, line in self._uses(self._reads, owner, attribute):
            serves = fact.name in self._calls.entry_points if directly else self._serves(fact)
            if fact.name != besides and serves:
                return (self._at(fact, line, f"reads `{attribute}`"),)
        return None

    def read_again(self, owner: str, attribute: str, besides: str, readers: tuple[str, ...]) -> Proof | None:
        """Where a function that somebody who asks gets to reads the attribute, or the name of the module: one other
        than `besides`, or one of these, of which it is enough that something calls what is called so."""
        if any(self._calls.is_asked(one) or one.rpartition(".")[2] in self._called for one in readers):
            return ()
        for fact, line in self._uses(self._reads, owner, attribute):
            if fact.name != besides and self._calls.is_asked(fact.name):
                return (self._at(fact, line, f"reads `{attribute}`"),)
        return None

    @cached_property
    def _called(self) -> frozenset[str]:
        """The last names of all that is called, wherever it may lead."""
        files = self._resolution.files.values()
        calls = (call for facts in files for one in facts.functions for call in one.calls)
        return frozenset(call.path.rpartition(".")[2] for call in calls)

    def _serves(self, fact: FunctionFact) -> bool:
        if not self._calls.entry_points:
            return True
        permitted = fact.admits in ("permitted", "administrators")
        return not permitted and bool(self._calls.way_to(fact.name)) and not self._calls.is_apart(fact.name)

    def has_own(self, owner: str, attribute: str) -> Proof | None:
        """The class, or the one above it, whose `__init__` gives each object a container of its own."""
        for name in self._resolution.lineage(self._resolution.canonical(owner)):
            fact = self._resolution.classes.get(name)
            if fact is not None and attribute in fact.own:
                return (
                    Location(path=self._resolution.paths[name], line=fact.line, note=f"gives each its `{attribute}`"),
                )
        return None

    def made_for_person(self, owner: str) -> Proof | None:
        """Where the class takes a person whom its objects are made for, by the name of a class: `patient: Patient`."""
        fact = self._resolution.method(self._resolution.canonical(owner), "__init__")
        for parameter in fact.parameters if fact is not None else ():
            given = fact.types.get(parameter, "").removesuffix("()").rpartition(".")[2] if fact is not None else ""
            if fact is not None and given[:1].isupper() and says_of_person(given):
                return (self._at(fact, fact.line, f"is made with the `{parameter}`"),)
        return None

    def collected(self, path: str) -> Proof | None:
        """Where a request puts something of its user's into what the method or property gives all of."""
        for fact in self._resolution.called(path):
            for function, parameter in fact.collected:
                found = self._passing.tainted_parameter(function, parameter) or self._gathered(function, parameter)
                if found is not None and self._calls.way_to(function):
                    return found
        return None

    def _gathered(self, function: str, parameter: str) -> Proof | None:
        """A call that hands over something of a user's under a name of its own, for `**values`."""
        fact = self._resolution.functions[function]
        for caller, call in self._calls.callers.get(function, ()) if fact.gathers == parameter else ():
            if any(place.isidentifier() and not fact.parameter_at(place) and not given for place, given in call.passes):
                return (self._at(self._resolution.functions[caller], call.line, f"passes it in `{parameter}`"),)
        return None

    def _uses(
        self, uses: dict[str, list[tuple[str, FunctionFact, int]]], owner: str, attribute: str
    ) -> Iterator[tuple[FunctionFact, int]]:
        home = self._resolution.canonical(owner)
        place = self._resolution.canonical(f"{home}.{attribute}")
        owners = {home, *(one.name for one in self._resolution.values(owner) if one.kind == "instance")}
        for path, fact, line in uses.get(attribute, ()):
            if self._resolution.canonical(f"{path}.{attribute}") == place:
                yield fact, line
                continue
            for value in self._resolution.values(path):
                if value.kind in ("instance", "class") and any(
                    one in self._resolution.lineage(value.name) or value.name in self._resolution.lineage(one)
                    for one in owners
                ):
                    yield fact, line
                    break

    def _at(self, fact: FunctionFact, line: int, note: str) -> Location:
        return Location(path=self._resolution.paths[fact.name], line=line, note=note)


def _by_attribute(
    resolution: Resolution, used: Callable[[FunctionFact], tuple[tuple[str, int], ...]]
) -> dict[str, list[tuple[str, FunctionFact, int]]]:
    """By attribute, the path of the object that it is used of."""
    found: dict[str, list[tuple[str, FunctionFact, int]]] = defaultdict(list)
    for fact in resolution.functions.values():
        for path, line in used(fact):
            owner, _, attribute = path.rpartition(".")
            found[attribute].append((owner, fact, line))
    return found
