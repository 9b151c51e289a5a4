"""All files of a code base together: what conditions and project rules ask."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Final

from carrel.audit.answers import Answers
from carrel.audit.call_graph import CallGraph
from carrel.audit.conditions import Proof
from carrel.audit.data_conditions import Given
from carrel.audit.facts import FileFacts
from carrel.audit.fields import Fields
from carrel.audit.flow import Flow
from carrel.audit.frameworks import RECEIVES, SENDS
from carrel.audit.naming import Naming
from carrel.audit.ownership import Ownership
from carrel.audit.parts import Parts
from carrel.audit.passing import Passing
from carrel.audit.pins import Pin
from carrel.audit.places import is_test_path
from carrel.audit.receivers import Receivers
from carrel.audit.resolution import Resolution
from carrel.audit.scripts import COMMAND_LINES, is_script
from carrel.audit.shared_classes import SharedClasses, kept_result
from carrel.findings import Location
from carrel.source import ImportGraph, Project

__all__ = ["Program"]

_DEPTH: Final = 4
_FOR_EACH_THREAD: Final = ("local", "Local", "ThreadLocal")
"""Bases of which one object is another one in each thread: `threading.local`, and what it is often bound to."""


_APPLICATION: Final = 20
"""Entry points of a program whose ways the audit evidently knows: what none of them leads to serves no request."""


class Program:
    """What the files say about each other. Names may be given as any file has them; they are followed home."""

    def __init__(
        self, files: Iterable[FileFacts], pins: tuple[Pin, ...] = (), roots: Iterable[str] = (),
        manifests: tuple[str, ...] = (), *, strict: bool = False,
    ) -> None:  # fmt: skip
        self._strict = strict
        self.pins = pins
        self._manifests = manifests
        self.resolution = Resolution(files, roots)

    @property
    def files(self) -> dict[str, FileFacts]:
        """Every file by its path."""
        return self.resolution.files

    @property
    def project(self) -> Project:
        return self.resolution.project

    @cached_property
    def imports(self) -> ImportGraph:
        return ImportGraph.of(self.project)

    @cached_property
    def parts(self) -> Parts:
        return Parts(self.imports, self._manifests)

    @cached_property
    def is_application(self) -> bool:
        """Whether it has so many entry points that a leak must show more than elsewhere; never in a strict audit."""
        return not self._strict and len(self.calls.entry_points) >= _APPLICATION

    @cached_property
    def calls(self) -> CallGraph:
        return CallGraph(self.resolution)

    @cached_property
    def flow(self) -> Flow:
        return Flow(self.resolution, self.calls, self.passing)

    @cached_property
    def receivers(self) -> Receivers:
        return Receivers(self.resolution, self.calls, self.shared_classes)

    @cached_property
    def naming(self) -> Naming:
        return Naming(self.resolution)

    @cached_property
    def ownership(self) -> Ownership:
        return Ownership(self.resolution, self.calls)

    @cached_property
    def passing(self) -> Passing:
        return Passing(self.resolution, self.calls)

    @cached_property
    def answers(self) -> Answers:
        return Answers(self.resolution, self.calls, self.shared_class)

    @cached_property
    def fields(self) -> Fields:
        return Fields(self.resolution, self.calls, self.passing)

    @cached_property
    def shared_classes(self) -> dict[str, Location]:
        """The classes of which one object serves every request, each with the place that makes it."""
        return SharedClasses(self.resolution, self.calls, self.imports).found

    def shared_class(self, name: str) -> Proof | None:
        """Where an object of the class, or of a class below it, is made once for all requests."""
        home = self.resolution.canonical(name)
        for one in self.resolution.descendants(home):
            if one in self.shared_classes and not self.has_base(one, _FOR_EACH_THREAD):
                return (self.shared_classes[one],)
        return None

    def shared_object(self, path: str) -> Proof | None:
        """Where the object is made that the path gives to every request."""
        values = () if self.is_for_each_thread(path) else self.resolution.values(path)
        shared = (value.shared for value in values if value.kind in ("instance", "object"))
        return next(((place,) for place in shared if place is not None), None) or self._kept_result(path)

    def _kept_result(self, path: str) -> Proof | None:
        """The function that gives every caller what it once made, also where a library made it: `@cache`."""
        called = self.resolution.called(path.removesuffix("()")) if path.endswith("()") else ()
        kept = (kept_result(fact, self.resolution.paths[fact.name]) for fact in called)
        return next(((place,) for place in kept if place is not None), None)

    def is_for_each_thread(self, path: str) -> bool:
        """Whether the path gives an object that is another one in each thread."""
        values = self.resolution.values(path)
        return any(value.kind == "instance" and self.has_base(value.name, _FOR_EACH_THREAD) for value in values)

    def has_setter(self, path: str) -> bool:
        """Whether a store there is a call: of a property's setter, a descriptor's `__set__`, the `__setattr__`."""
        place, _, name = path.rpartition(".")
        owners = [one.name for one in self.resolution.values(place) if one.kind == "instance"]
        setters = [(owner, method) for owner in owners for method in (name, "__setattr__")]
        setters += [(one.name, "__set__") for one in self.resolution.values(path) if one.kind == "instance"]
        return any(self.resolution.method(*one) is not None for one in setters)

    def shared_container(self, path: str) -> Proof | None:
        """Where the module-level container is made that the path gives to every request."""
        for value in self.resolution.values(path):
            fact = self.resolution.globals.get(value.name) if value.kind == "object" else None
            if fact is not None and fact.kind == "container":
                return (fact.location,)
        return None

    def mutable_global(self, name: str) -> Proof | None:
        """Where the name, or the global object that it is an attribute of, is given a value that can change."""
        home = self.resolution.canonical(name)
        while home:
            fact = self.resolution.globals.get(home)
            if fact is not None:
                if fact.kind != "alias":
                    return (fact.location,)
                return next((proof for path in fact.paths if (proof := self._alias(path, name)) is not None), None)
            if home in self.resolution.classes:
                attribute = self.resolution.canonical(name).removeprefix(home)[1:].partition(".")[0]
                if attribute and self.has_member(home, (attribute,)) is not None:
                    return None  # what its body gives the attribute is no such value
                fact_of = self.resolution.classes[home]
                return (Location(path=self.resolution.paths[home], line=fact_of.line, note="the class"),)
            if home in self.resolution.functions:
                return None
            if self.project.is_module(home):
                return () if home == self.resolution.canonical(name) else None
            home = home.rpartition(".")[0]
        return None

    def tainted_parameter(self, function: str, parameter: str) -> Proof | None:
        """The call that passes one user's data for the parameter."""
        return self.passing.tainted_parameter(self.resolution.canonical(function), parameter)

    def asks_and_awaits(self, name: str) -> Proof | None:
        """The method of the class, or of what the path gives, that sends something on what its object holds, and then
        reads there."""
        owners = {self.resolution.canonical(name), *(one.name for one in self.resolution.values(name))}
        for fact in self.resolution.functions.values():
            home = fact.name.rpartition(".")[0]
            if fact.is_async and home in owners:
                held = [call.path.rpartition(".")[2] for call in fact.calls if call.path.startswith(f"{home}().")]
                if not SENDS.isdisjoint(held) and not RECEIVES.isdisjoint(held):
                    return (Location(path=self.resolution.paths[fact.name], line=fact.line, note="asks and awaits"),)
        return None

    def for_later_requests(self, owner: str) -> Proof | None:
        """The module-level container that has objects of the class, when a route makes them, not a connection."""
        home = self.resolution.canonical(owner)
        way = self.calls.way_to(f"{home}.__init__")
        if not way or self.calls.entry_kind(f"{home}.__init__") != "route":
            return None
        for fact in self.resolution.globals.values():
            if fact.holds and any(value.name == home for value in self.resolution.values(fact.holds)):
                return (fact.location,)
        return None

    def has_base(self, name: str, bases: tuple[str, ...]) -> bool:
        """Whether some class above the class, or that of what a path gives, has one of these names."""
        owners = [one.name for one in self.resolution.values(name) if one.kind == "instance"]
        return any(self.resolution.has_base(one, bases) for one in (self.resolution.canonical(name), *owners))

    def has_member(self, name: str, members: tuple[str, ...]) -> Proof | None:
        """Where the class, or a class of the project above it, binds one of these names in its body."""
        for owner in self.resolution.lineage(self.resolution.canonical(name)):
            path = self.resolution.paths.get(owner)
            if path is None:
                continue
            for export in self.files[path].outline.exports.get(owner.rpartition(".")[2], ()):
                found = next((member for member in members if member in export.members), None)
                if export.kind == "class" and found is not None:
                    return (Location(path=path, line=export.line, note=f"has `{found}`"),)
        return None

    def may_give_none(self, function: str) -> Proof | None:
        """The function, when it gives `None` in some cases and something else in others."""
        for fact in self.resolution.called(function):
            if fact.gives_none:
                return (Location(path=self.resolution.paths[fact.name], line=fact.line, note="may give `None`"),)
        return None

    def gives(self, path: str, what: Given) -> Proof | None:
        """The function that the path calls, when it gives back such a value."""
        for fact in self.resolution.called(path):
            if what in fact.gives:
                return (Location(path=self.resolution.paths[fact.name], line=fact.line, note="gives it"),)
        return None

    def fetches_owned(self, path: str, members: tuple[str, ...]) -> Proof | None:
        """Where the class of the path, or of what calling it fetches, says whose its objects are."""
        for name in (path, *(fact.fetched for fact in self.calls.called(path) if fact.fetched)):
            fact = self.resolution.classes.get(self.resolution.canonical(name))
            if fact is not None and fact.owner:
                note = f"`{fact.owner}` says whose it is"
                return (Location(path=self.resolution.paths[fact.name], line=fact.line, note=note),)
            proof = self.has_member(name, members)
            if proof is not None:
                return proof
        return None

    def decides_itself(self, path: str) -> Proof | None:
        """What the path calls, when it is a handler or finds out who is asking."""
        for fact in self.resolution.called(path):
            if fact.name in self.calls.entry_points:
                return (Location(path=self.resolution.paths[fact.name], line=fact.line, note="is a handler itself"),)
            if proof := self.flow.reads_identity(fact.name, itself=True):
                return proof
        return None

    def keeps_under(self, path: str, place: str) -> Proof | None:
        """The function that the path calls, when it makes a key of the argument, in what requests share."""
        for fact in self.resolution.called(path):
            parameter = fact.parameter_at(place)
            shared = [not on_self or self.shared_class(fact.name.rpartition(".")[0]) is not None
                      for name, on_self in fact.keyed if name == parameter]  # fmt: skip
            if any(shared):
                return (Location(path=self.resolution.paths[fact.name], line=fact.line, note="makes a key of it"),)
        return None

    def made_by(self, name: str, makers: tuple[str, ...]) -> Proof | None:
        """Where a module makes the global by one of these calls."""
        fact = self.resolution.globals.get(self.resolution.canonical(name))
        if fact is None or not any(path.removesuffix("()") in makers for path in fact.paths):
            return None
        return (fact.location,)

    def makes_key_of(self, name: str) -> Proof | None:
        """The function that makes a key of what has this name, when a request gets there."""
        for fact in self.resolution.functions.values():
            if name in fact.keys and self.way_to(fact.name):
                return (Location(path=self.resolution.paths[fact.name], line=fact.line, note="makes a key of it"),)
        return None

    def open_to_all(self, function: str) -> Proof | None:
        """The view without a sign-in that leads to the function."""
        view = self.calls.open_ways.get(self.resolution.canonical(function))
        if view is None:
            return None
        fact = self.resolution.functions[view]
        return (Location(path=self.resolution.paths[view], line=fact.line, note="asks for no sign-in"),)

    def exception_object(self, name: str) -> Proof | None:
        """Where a module makes an exception once."""
        fact = self.resolution.globals.get(self.resolution.canonical(name))
        if fact is None or fact.kind != "call":
            return None
        for path in fact.paths:
            made = self.resolution.canonical(path.removesuffix("()"))
            bases = [base.rpartition(".")[2] for one in self.resolution.lineage(made)
                     if one in self.resolution.classes for base in self.resolution.classes[one].bases]  # fmt: skip
            if any(one.endswith(("Exception", "Error")) for one in (made.rpartition(".")[2], *bases)):
                return (fact.location,)
        return None

    def changes_object(self, path: str) -> Proof | None:
        """Whether calling the path changes the object that it is called on."""
        for function in self.resolution.called(path):
            if self._changes(function.name, _DEPTH):
                where = self.resolution.paths[function.name]
                return (Location(path=where, line=function.line, note="changes its object"),)
        return None

    def way_to(self, symbol: str) -> tuple[str, ...]:
        """The way from an entry point to a function: its label, then the functions; empty when there is none."""
        return self.calls.way_to(symbol)

    def _alias(self, path: str, name: str) -> Proof | None:
        return None if path == name else self.mutable_global(path.partition("(")[0].partition("[")[0])

    def _changes(self, name: str, depth: int) -> bool:
        fact = self.resolution.functions.get(name)
        if fact is None or depth == 0:
            return False
        if fact.changes:
            return True
        owner = name.rpartition(".")[0]
        own = f"{owner}()."
        return any(
            self._changes(called.name, depth - 1)
            for call in fact.calls
            if call.path.startswith(own)
            for called in self.resolution.called(call.path)
        )

    @cached_property
    def is_command(self) -> bool:
        """Whether it reads a command line: one person runs it."""
        sites = (site for path, facts in self.files.items() if not is_test_path(path) for site in facts.outline.imports)
        return any(site.module.partition(".")[0] in COMMAND_LINES for site in sites)

    @cached_property
    def scripts(self) -> frozenset[str]:
        """The files that one person runs, and that no other file of the product imports."""
        files = {path for path, one in self.files.items() if is_script(one)}
        importers = self.imports.importers() if files else {}
        return frozenset(one for one in files if all(map(is_test_path, importers.get(one, ()))))
