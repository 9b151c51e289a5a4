"""Who calls whom, from which entry point a function is reached, and where data of one user is passed on."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Final

from carrel.audit.conditions import Proof
from carrel.audit.entry_points import EntryPoint
from carrel.audit.facts import CallFact, FunctionFact
from carrel.audit.frameworks import REQUEST_OBJECTS, handling
from carrel.audit.mutations import MUTATORS
from carrel.audit.origins import says_whose
from carrel.audit.persons import gives_caller
from carrel.audit.places import is_test_path
from carrel.audit.resolution import PROPERTIES, Resolution
from carrel.findings import Location

__all__ = ["CallGraph"]

_LONGEST: Final = 12
_SERVED: Final = frozenset({"route", "websocket", "consumer"})
_ASKED: Final = frozenset({"route", "websocket", "tool"})
_EVERYWHERE: Final = MUTATORS | {
    "get", "items", "keys", "values", "copy", "join", "split", "strip", "format", "encode", "decode", "read", "close",
    "open", "run", "start", "stop", "send", "execute", "commit", "info", "debug", "warning", "error", "exception",
    "count", "index", "replace", "lower", "upper", "startswith", "endswith", "json", "text", "group", "match", "search",
    "connect", "flush", "wait", "cancel", "result", "done", "acquire", "release", "set", "is_set", "name", "exists",
    "filter", "all", "first", "save", "delete", "create", "invoke", "register", "call", "load", "dump", "dumps",
}  # fmt: skip
"""Methods that too many things have to say by the name whose they are."""
_SIGNED: Final = frozenset({"authorization", "x_api_key", "api_key", "bearer_token"})
"""Headers that say who asks, as parameters."""
_LOADERS: Final = re.compile(r"\.(?:delay|apply_async|send|kiq|ainvoke|invoke|remote|submit)$")


class CallGraph:
    """The calls between functions of the project, resolved through imports, classes and types."""

    def __init__(self, resolution: Resolution) -> None:
        self._resolution = resolution
        self._known: dict[str, Sequence[FunctionFact]] = {}
        self._by_method: dict[str, list[FunctionFact]] = defaultdict(list)
        self._methods_of: dict[str, list[FunctionFact]] = defaultdict(list)
        for fact in resolution.functions.values():
            if fact.kind == "method":
                owner, _, method = fact.name.rpartition(".")
                self._by_method[method].append(fact)
                self._methods_of[owner].append(fact)

    @cached_property
    def callees(self) -> dict[str, tuple[tuple[CallFact, FunctionFact], ...]]:
        """For each function, its calls with what they may run; to read a property is to call it."""
        return {
            name: (
                *((call, called) for call in fact.calls for called in self.called(call.path)),
                *((CallFact(path, line), called) for path, line in fact.read for called in self._computed(path)),
            )
            for name, fact in self._resolution.functions.items()
        }

    def _computed(self, path: str) -> Iterator[FunctionFact]:
        """The properties that reading the path runs."""
        if path.rpartition(".")[2] in self._properties:
            yield from (one for one in self._resolution.called(path) if not PROPERTIES.isdisjoint(one.decorators))

    @cached_property
    def _properties(self) -> frozenset[str]:
        functions = self._resolution.functions.values()
        return frozenset(one.name.rpartition(".")[2] for one in functions if not PROPERTIES.isdisjoint(one.decorators))

    @cached_property
    def callers(self) -> dict[str, list[tuple[str, CallFact]]]:
        """For each function, who calls it."""
        found: dict[str, list[tuple[str, CallFact]]] = defaultdict(list)
        for caller, calls in self.callees.items():
            for call, called in calls:
                found[called.name].append((caller, call))
        return found

    @cached_property
    def entry_points(self) -> dict[str, EntryPoint]:
        """The functions that are called from outside, by name."""
        found: dict[str, EntryPoint] = {}
        for facts in self._resolution.files.values():
            for entry in facts.entry_points:
                for name in self._functions_of(entry.path):
                    found.setdefault(name, entry)
        for entry in self._inherited():
            found.setdefault(entry.path, entry)
        return found

    def _inherited(self) -> Iterator[EntryPoint]:
        """The handlers of classes whose base is in another file, and only there is a framework's."""
        for name in self._resolution.classes:
            above = self._resolution.lineage(name)[1:]
            bases = (base for one in above if one in self._resolution.classes
                     for base in self._resolution.classes[one].bases)  # fmt: skip
            kind, methods = next((found for base in bases if (found := handling(base)) is not None), ("route", ()))
            for fact in self._methods_of.get(name, ()) if methods else ():
                method = fact.name.rpartition(".")[2]
                if any(fnmatchcase(method, one) for one in methods):
                    yield EntryPoint(fact.name, kind, f"{method.upper()} {name.rpartition('.')[2]}", fact.line)

    @cached_property
    def _before(self) -> dict[str, str]:
        """For each function that an entry point leads to, the function before it; empty for the entry point itself."""
        closed = (name for name in self.entry_points if name not in self._open)
        return self._ways({**self._open, **dict.fromkeys(closed, "")}, frozenset())

    @cached_property
    def _open(self) -> dict[str, str]:
        """As `_before`, for what the requests of all users lead to and share."""
        tasks = (name for name in self.entry_points if name not in self._closed and name not in self._asked)
        return self._ways({**self._asked, **dict.fromkeys(tasks, "")}, self._closed)

    @cached_property
    def _asked(self) -> dict[str, str]:
        """As `_open`, for what somebody who asks leads to, and not a task that runs by itself."""
        asked = (name for name, entry in self.entry_points.items() if entry.kind != "task" and name not in self._closed)
        return self._ways(dict.fromkeys(asked, ""), self._closed)

    @cached_property
    def _closed(self) -> frozenset[str]:
        """What is for administrators, or has a process of its own."""
        alone = (
            name
            for name, entry in self.entry_points.items()
            if self._is_closed(entry) or self._has_process(entry) or (entry.kind == "tool" and self._by_pipe)
        )
        functions = self._resolution.functions.values()
        return frozenset((*alone, *(fact.name for fact in functions if fact.admits == "administrators")))

    def _ways(self, before: dict[str, str], closed: frozenset[str]) -> dict[str, str]:
        waiting = deque(before)
        while waiting:
            name = waiting.popleft()
            for called in self._next(name):
                if called not in before and called not in closed:
                    before[called] = name
                    waiting.append(called)
        return before

    def _is_closed(self, entry: EntryPoint) -> bool:
        """Whether all routes of its router are for administrators."""
        return bool(entry.by) and self._resolution.canonical(entry.by) in self._closed_routers

    @cached_property
    def _closed_routers(self) -> frozenset[str]:
        files = self._resolution.files.values()
        return frozenset(self._resolution.canonical(one) for facts in files for one in facts.closed_routers)

    def _has_process(self, entry: EntryPoint) -> bool:
        """Whether each call of it has a process of its own, in which modules are new."""
        return entry.kind == "task" and any(one.spawns for one in self._resolution.called(entry.by))

    @cached_property
    def _by_pipe(self) -> bool:
        """Whether each client starts a process of its own and talks to it by pipes, and none by a network."""
        files = (facts for facts in self._resolution.files.values() if not is_test_path(facts.path))
        ways = {way for facts in files for way in facts.transports}
        return ways == {"pipe"} and _SERVED.isdisjoint(entry.kind for entry in self.entry_points.values())

    def is_apart(self, symbol: str) -> bool:
        """Whether only entry points lead to the function that are for administrators, or have a process of their own:
        there, what is kept for all is meant for all, or there is nobody else."""
        return symbol in self._before and symbol not in self._open

    def is_asked(self, symbol: str) -> bool:
        """Whether somebody who asks leads to the function: more than a task that runs by itself."""
        return symbol in self._asked

    def needs_permission(self, symbol: str) -> bool:
        """Whether somebody who asks leads to the function, and only when they have a permission, not by signing in."""
        return symbol in self._before and symbol not in self._free

    @cached_property
    def _free(self) -> dict[str, str]:
        """As `_asked`, for what no permission is needed for."""
        functions = self._resolution.functions.values()
        closed = self._closed.union(fact.name for fact in functions if fact.admits == "permitted")
        return self._ways({one: "" for one in self.entry_points if one not in closed}, closed)

    def joined(self, function: str) -> Proof | None:
        """The request of users, not of administrators alone, that gets to the function and is handed all that the
        function gives: nobody on the way looks for whom it is."""
        waiting, seen = [function], set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen or name not in self._open:
                continue
            seen.add(name)
            if name in self.entry_points:
                entry, fact = self.entry_points[name], self._resolution.functions[name]
                return (Location(path=self._resolution.paths[name], line=fact.line, note=f"{entry.label} gets it"),)
            callers = self.callers.get(name, ())
            waiting += [caller for caller, call in callers if not call.is_sifted]
            if all(caller != self._open[name] for caller, _ in callers):
                waiting.append(self._open[name])  # that it is defined in, or that depends on it
        return None

    @cached_property
    def open_ways(self) -> dict[str, str]:
        """For each function that a view of Django without a sign-in leads to, such a view."""
        found: dict[str, str] = {}
        for name, entry in self.entry_points.items():
            if not entry.label.startswith("view ") or self._resolution.functions[name].admits != "anybody":
                continue
            waiting = [name]
            while waiting:
                one = waiting.pop()
                if one not in found:
                    found[one] = name
                    waiting += self._next(one)
        return found

    def way_to(self, symbol: str) -> tuple[str, ...]:
        """The label and name of the entry point, then the functions on the shortest way to `symbol`: from where
        somebody asks, if there is one, before a task's."""
        before = self._before
        if symbol not in before:
            return ()
        way = [symbol]
        while before[way[-1]]:
            way.append(before[way[-1]])
        entry = self.entry_points[way[-1]]
        return (f"{entry.label} {way[-1]}", *reversed(way[:-1]))[:_LONGEST]

    def entry_kind(self, symbol: str) -> str:
        """The kind of the entry point that the shortest way to the function starts from; empty when there is none."""
        before = self._before
        if symbol not in before:
            return ""
        while before[symbol]:
            symbol = before[symbol]
        return self.entry_points[symbol].kind

    def user_dependency(self, function: str) -> Proof | None:
        """Where the dependency, or one that it depends on, is told who is asking."""
        waiting, seen = [self._resolution.canonical(function)], set[str]()
        while waiting:
            name = waiting.pop()
            fact = self._resolution.functions.get(name)
            if fact is None and gives_caller(name.rpartition(".")[2]):
                return ()  # of a file that is not here
            if fact is None or name in seen:
                continue
            seen.add(name)
            named = any(says_whose(one) or one in _SIGNED for one in fact.parameters)
            if named or fact.of_request or fact.asks:
                note = f"`{name.rpartition('.')[2]}` gives what belongs to one user"
                return (Location(path=self._resolution.paths[name], line=fact.line, note=note),)
            waiting += [self._resolution.canonical(one.removesuffix("()")) for one in fact.types.values()]
        return None

    def called_under_test(self, function: str, *, by_worker: bool) -> Proof | None:
        """A call that is made only in some cases, when there is none that is made in all."""
        calls = self.callers.get(function, ())
        if not calls or not all(call.under_test and (call.in_worker or not by_worker) for _, call in calls):
            return None
        caller, call = calls[0]
        return (Location(path=self._resolution.paths[caller], line=call.line, note="called only in some cases"),)

    def given_record(self, function: str, parameter: str) -> Proof | None:
        """The calls of the function, when each passes for the parameter a mapping from the names of fields."""
        found: list[Location] = []
        for caller, call in self.callers.get(function, ()):
            places = {self._resolution.functions[function].parameter_at(place) for place in call.records}
            if parameter not in places:
                return None
            note = f"passes fields for `{parameter}`"
            found.append(Location(path=self._resolution.paths[caller], line=call.line, note=note))
        return tuple(found[:1]) or None

    def left_out(self, function: str, parameter: str, *, always: bool = False) -> Proof | None:
        """A call of the function without the argument; of a function that nothing here calls, nobody knows.

        `always`: and no call with it. A method that nothing calls is called as the one that it overrides.
        """
        owner, _, name = function.rpartition(".")
        above = (f"{one}.{name}" for one in self._resolution.lineage(owner))
        calls = next((self.callers[one] for one in (function, *above) if one in self.callers), ())
        proof: Proof = ()
        for caller, call in calls:
            places = {self._resolution.functions[function].parameter_at(place) for place in call.given}
            if parameter in places or "*" in call.given:
                if always:
                    return None
            elif not proof:
                note = f"leaves `{parameter}` out"
                proof = (Location(path=self._resolution.paths[caller], line=call.line, note=note),)
                if not always:
                    break
        return proof or (None if calls and function not in self.entry_points else ())

    def left_out_by_request(self, function: str, parameter: str) -> Proof | None:
        """A call without the argument by what a request leads to, of users who need no more than to have signed in."""
        for caller, call in self.callers.get(function, ()):
            places = {self._resolution.functions[function].parameter_at(place) for place in call.given}
            if parameter in places or "*" in call.given or self.entry_kind(caller) not in _ASKED:
                continue
            if self._resolution.functions[caller].admits in ("anybody", "users") and not self.is_apart(caller):
                note = f"leaves `{parameter}` out"
                return (Location(path=self._resolution.paths[caller], line=call.line, note=note),)
        return None

    def _next(self, name: str) -> Iterator[str]:
        for _, called in self.callees.get(name, ()):
            yield called.name
        # What a route depends on is called for its requests, by the framework.
        for path in self._resolution.functions[name].run_before if name in self._resolution.functions else ():
            yield from (one.name for one in self._resolution.called(path))
        yield from self._inner.get(name, ())
        yield from self.dependencies(name)

    def dependencies(self, name: str) -> Iterator[str]:
        """The functions that a framework calls before this one, for the same request."""
        fact = self._resolution.functions.get(name)
        for path in fact.run_before if fact is not None else ():
            yield from (called.name for called in self._resolution.called(path))

    @cached_property
    def _inner(self) -> dict[str, list[str]]:
        """The functions that are defined in a function: whoever runs it may run them."""
        found: dict[str, list[str]] = defaultdict(list)
        for name in self._resolution.functions:
            outer = name.rpartition(".")[0]
            if outer in self._resolution.functions:
                found[outer].append(name)
        return found

    def called(self, path: str) -> Sequence[FunctionFact]:
        """What calling the path may run, also of an object of which only the method's name is known."""
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._find(path)
        return known

    def _find(self, path: str) -> Sequence[FunctionFact]:
        found = self._resolution.called(path)
        if found:
            return found
        if path.startswith("?."):
            return self._by_name(path[2:])
        method = path.rpartition(".")[2]
        if _LOADERS.search(path):
            return self._resolution.called(path.rpartition(".")[0])
        known = self._resolution.values(path.rpartition(".")[0]) if "." in path else ()
        # Of an object whose class is not known: `self.desk.answer` with an untyped `desk`.
        of_user = any(path.startswith(f"{one}[]") for one in REQUEST_OBJECTS)  # `user_session.get("desk").answer`
        is_own = of_user or "()" in path or ":" in path or self._resolution.is_global(path)
        return [] if known or "." not in path or not is_own else self._by_name(method)

    def _by_name(self, method: str) -> list[FunctionFact]:
        if method in _EVERYWHERE:
            return []
        found = self._by_method.get(method, [])
        return found if len(found) == 1 else []

    def _functions_of(self, path: str) -> Iterator[str]:
        for value in self._resolution.values(path):
            if value.kind == "function":
                yield value.name
            elif value.kind == "instance":
                special = self._resolution.method(value.name, "__call__")
                if special is not None:
                    yield special.name
