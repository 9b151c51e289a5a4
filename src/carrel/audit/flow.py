"""What runs where: in a coroutine, in somebody's context, in a forked process."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal

from carrel.audit.call_graph import CallGraph
from carrel.audit.conditions import Proof
from carrel.audit.facts import PRELOADED, CallFact, FunctionFact
from carrel.audit.frameworks import SERVERS
from carrel.audit.origins import says_which, says_whose
from carrel.audit.passing import Passing
from carrel.audit.resolution import Resolution
from carrel.audit.scripts import is_script
from carrel.audit.taint import is_identity_like
from carrel.findings import Location

__all__ = ["Flow"]

_STRUCTLOG: Final = MappingProxyType(
    {
        "structlog.contextvars.bind_contextvars": "set",
        "structlog.contextvars.bound_contextvars": "set",
        "structlog.contextvars.get_contextvars": "get",
    }
)
_STARTING: Final = re.compile(
    r"(?:^|\.)(?:_*main|startup|on_startup|start_up|start|run_server|bootstrap|lifespan|create_app|make_app|serve)$"
)
_START_HOOKS: Final = frozenset({"before_server_start", "after_server_start", "main_process_start", "before_serving",
                                 "on_event", "on_startup"})  # fmt: skip
"""Decorators of what a framework calls before there are requests."""
_NEAR: Final = 4
"""Calls within which a name alone says that a context variable matters; farther on, calls are less sure."""


class Flow:
    """The call graph, asked for the surroundings that a function runs in."""

    def __init__(self, resolution: Resolution, calls: CallGraph, passing: Passing) -> None:
        self._resolution = resolution
        self._calls = calls
        self._passing = passing

    def runs_in_async(self, function: str) -> Proof | None:
        """The coroutine from which a function is called; what a thread is handed, nobody calls."""
        home = self._resolution.canonical(function)
        for name in _walk((home,), lambda one: self._same_thread_callers.get(one, ())):
            fact = self._resolution.functions.get(name)
            if fact is not None and fact.is_async:
                return () if name == home else (self._at(fact, fact.line, "runs in the event loop's thread"),)
        return None

    def runs_in_pool(self, function: str) -> Proof | None:
        """Where an executor is handed the function, or one that calls it: its threads go on to other work."""
        for name in self._upwards(self._resolution.canonical(function)):
            for caller, call in self._calls.callers.get(name, ()):
                if call.in_thread:
                    return (self._at(self._resolution.functions[caller], call.line, "handed to a pool of threads"),)
        return None

    def is_context_variable(self, name: str) -> bool:
        return self._resolution.canonical(name) in self._context_variables

    def reads_context(self, function: str, starter: str = "", *, in_loop: bool = False) -> Proof | None:
        """Where a context variable is read below the function; `None` when the function sets one itself.

        With a `starter` only those count that are set there, or on the way to it; else those named after a user.
        `in_loop`: only of a function that is a loop that serves others.
        """
        home = self._resolution.canonical(function)
        own = self._resolution.functions.get(home)
        if own is None or (in_loop and not own.goes_round):
            return None
        if any(True for _ in self._context_calls(own, "set")):
            return None
        flags = {one for facts in self._resolution.files.values() for one in facts.context_flags}
        flags |= {one for one in self._context_variables if says_which(one.rpartition(".")[2])}
        places = {one: at for one, at in self._sets_before(starter) if one not in flags} if starter else {}
        near = None if starter else _NEAR
        for name in self._downwards(home, depth=near):
            fact = self._resolution.functions[name]
            for variable, call in self._context_calls(fact, "get"):
                if variable in places:
                    return (self._at(fact, call.line, "reads the context"), places[variable])
                if not starter and is_identity_like(variable.rpartition(".")[2]):
                    return (self._at(fact, call.line, "reads the context"),)
        return None

    def set_before_requests(self, path: str) -> Proof | None:
        """Where the object is made or set that the path gives in every context, because no request sets its own."""
        getters = self._resolution.called(path.removesuffix("()"))
        paths = [given for fact in getters for given in fact.returns] or [path]
        variables = {self._resolution.canonical(one.removesuffix("()").removesuffix(".get")) for one in paths}
        setters = [
            (self._resolution.functions[name], call)
            for name, calls in self._in_context.items()
            for variable, method, call in calls
            if method == "set" and variable in variables
        ]
        if any(self._calls.way_to(fact.name) for fact, _ in setters):
            return None
        for facts in self._resolution.files.values():
            for name, line in facts.shared_contexts:
                if name in variables:
                    return (Location(path=facts.path, line=line, note="made once"),)
            for call in facts.imported_calls:
                owner, _, last = call.path.rpartition(".")
                if last == "set" and self._resolution.canonical(owner) in variables:
                    return (Location(path=facts.path, line=call.line, note="set while the module is imported"),)
        starting = [
            (fact, call)
            for fact, call in setters
            if self._starts(fact.name)
            or (
                # What sets it back has given it to what runs meanwhile, and to nobody else.
                all(variable not in variables for variable, _ in self._context_calls(fact, "reset"))
                and any(self._starts(name) for name in self._upwards(fact.name))
            )
        ]
        if not starting:
            return None
        return (self._at(starting[0][0], starting[0][1].line, "set before there are requests"),)

    def _starts(self, name: str) -> bool:
        """Whether the function starts the program, by its name or because it runs the server."""
        fact = self._resolution.functions.get(name)
        serves = fact is not None and any(call.path in SERVERS for call in fact.calls)
        hooked = fact is not None and any(one.rpartition(".")[2] in _START_HOOKS for one in fact.decorators)
        return serves or hooked or _STARTING.search(name) is not None

    def left_from_message(self, variable: str, function: str, *, called: bool) -> Proof | None:
        """Where a message is handled with what the variable has from one before it: nothing else sets it, or resets it.

        `called`: the function that sets it is called for each message, in a loop of another function.
        """
        home, setter = self._resolution.canonical(variable), self._resolution.canonical(function)
        changes = [
            (name, call)
            for name, calls in self._in_context.items()
            for one, method, call in calls
            if one == home and method in ("set", "reset")
        ]
        label = home.rpartition(".")[2]
        if len(changes) != 1 or says_which(label):
            return None
        workers = [setter]
        if called:
            calls = self._calls.callers.get(setter, ())
            workers = [name for name, call in calls if call.in_worker] if len(calls) == 1 else []
        for name in self._downwards(*workers, depth=_NEAR):
            for one, call in self._context_calls(self._resolution.functions[name], "get"):
                if one == home:
                    return (self._at(self._resolution.functions[name], call.line, "reads what is left"),)
        return None

    def reads_identity(self, function: str, *, itself: bool, within: int = _NEAR) -> Proof | None:
        """Where a function that this one leads to by few calls finds out who is asking; `itself` counts too."""
        home = self._resolution.canonical(function)
        for name in self._made_with(home, within):
            fact = self._resolution.functions[name]
            if name == home and not itself:
                continue
            for variable, call in self._context_calls(fact, "get"):
                if variable in self._telling and not call.is_beside:
                    return (self._at(fact, call.line, "reads who is asking"),)
            if fact.asks:
                return (self._at(fact, fact.asks, "reads who is asking"),)
        return None

    def _made_with(self, home: str, within: int = _NEAR) -> Iterator[str]:
        """The function and those below it, of few calls, whose results it may be using."""
        return _walk(
            (home,) if home in self._resolution.functions else (),
            lambda one: [called.name for call, called in self._calls.callees.get(one, ()) if not call.is_dropped],
            within,
        )

    @cached_property
    def _telling(self) -> frozenset[str]:
        """The context variables that say who is asking: by their names, or by what a request sets them to."""
        found = {
            name for name, label in self._context_variables.items()
            if says_whose(name.rpartition(".")[2]) or says_whose(label)
        }  # fmt: skip
        for name, calls in self._in_context.items():
            for variable, method, call in calls:
                told = any(
                    not parameter or self._passing.identity_parameter(name, parameter) for _, parameter in call.tells
                )
                brought = any(
                    not parameter or self._passing.tainted_parameter(name, parameter) for _, parameter in call.passes
                )
                if method == "set" and (told or (brought and not says_which(variable.rpartition(".")[2]))):
                    found.add(variable)
        return frozenset(found)

    def reads_request(self, function: str) -> Proof | None:
        """Where the function, or one below it, takes from a request who is asking; of another's, nobody knows."""
        called = [one.name for one in self._resolution.called(function)]
        for name in self._downwards(*called, depth=_NEAR):
            fact = self._resolution.functions[name]
            if fact.of_request or fact.asks:
                return (self._at(fact, fact.of_request or fact.asks, "reads who is asking"),)
        return None if called else ()

    def wraps_identity(self, decorator: str) -> Proof | None:
        """The function under the decorator that is told who is asking, or finds it out by itself."""
        home = self._resolution.canonical(decorator)
        for fact in self._resolution.functions.values():
            if any(self._resolution.canonical(one) == home for one in fact.decorators):
                found = self.reads_identity(fact.name, itself=True)
                if found or fact.of_request or any(is_identity_like(one) for one in fact.parameters):
                    return found or (self._at(fact, fact.of_request or fact.line, "is one user's"),)
        return None

    @cached_property
    def requests_are_asked(self) -> Proof | None:
        """Where a function that a request leads to finds out who is asking.

        Of a code base without routes nobody knows.
        """
        if all(one.kind == "middleware" for one in self._calls.entry_points.values()):
            return ()
        for fact in self._resolution.functions.values():
            handed = fact.name in self._calls.entry_points and any(says_whose(one) for one in fact.parameters)
            if handed or ((fact.asks or fact.of_request) and self._calls.way_to(fact.name)):
                return (self._at(fact, fact.asks or fact.of_request or fact.line, "reads who is asking"),)
        return None

    def asked_at(self, addresses: tuple[str, ...]) -> Proof | None:
        """Where a route whose address begins so finds out who is asking."""
        for name, entry in self._calls.entry_points.items():
            is_there = entry.kind == "route" and entry.label.partition(" ")[2].startswith(addresses)
            if is_there and (found := self.reads_request(name)):
                return found
        return None

    def started_in_context(self, function: str) -> Proof | None:
        """Where a context variable is set by the function, or by one on the way to it."""
        return next(((place,) for _, place in self._sets_before(function)), None)

    def _sets_before(self, function: str) -> Iterator[tuple[str, Location]]:
        """The context variables that are set on the way to the function, nearest first, each with the place."""
        above = list(self._upwards(self._resolution.canonical(function)))
        if above and self._calls.way_to(above[0]) and not self._starts(above[0]):
            # What is run for each request has been run before.
            above += (name for name, entry in self._calls.entry_points.items() if entry.kind == "middleware")
        for name in above:
            fact = self._resolution.functions.get(name)
            if fact is None:
                continue
            called = [one for _, one in self._calls.callees.get(name, ())]
            # What is run in a thread sets the variable in a copy of the context.
            before = [one for path in fact.run_before for one in self._resolution.called(path) if one.is_async]
            for one in (fact, *called, *before):
                for variable, call in self._context_calls(one, "set"):
                    yield variable, self._at(one, call.line, "sets the context")

    def used_by(self, name: str, kind: Literal["request", "async", "waiting", "function"]) -> Proof | None:
        """A function that uses the global or a method of it: any, a coroutine, one with an `await`, of a request."""
        home = self._resolution.canonical(name)
        for fact, call in self._uses(home):
            serves = not is_script(self._resolution.files[self._resolution.paths[fact.name]])
            fits = {"function": True, "async": fact.is_async and serves, "waiting": fact.awaits and serves}
            if fits.get(kind, kind == "request" and bool(self._calls.way_to(fact.name))):
                return (self._at(fact, call.line, "used here"),)
        return None

    def forked_with(self, name: str, after: str = "") -> Proof | None:
        """Where a forked process uses the global, or what the function gives.

        Only when the parent has used what is at `after`: while it was imported.
        """
        home = self._resolution.canonical(name)
        before = () if not after else self._used_in_import(self._resolution.canonical(after))
        children = {fact.name for path in self._forked for fact in self._resolution.called(path)}
        if before is None:
            return None
        kinds = (*(("route", "websocket") if self.is_preloaded else ()), *(("task",) if self._has_celery else ()))
        children.update(name for name, one in self._calls.entry_points.items() if one.kind in kinds)
        below = set(self._downwards(*children))
        for fact, call in self._uses(home):
            if fact.name in below:
                return (*before, self._at(fact, call.line, "used in the forked process"))
        return None

    def _used_in_import(self, home: str) -> Proof | None:
        above = set(self._upwards(home, *(fact.name for fact, _ in self._uses(home))))
        for path, facts in self._resolution.files.items():
            for call in facts.imported_calls:
                if any(fact.name in above for fact in self._resolution.called(call.path)):
                    return (Location(path=path, line=call.line, note="used before the fork"),)
        return None

    def disposed(self, name: str) -> bool:
        """Whether some function lets go of the connections that the global has: `engine.dispose()`."""
        uses = self._uses(self._resolution.canonical(name))
        return any(call.path.endswith((".dispose", ".close")) for _, call in uses)

    @cached_property
    def is_preloaded(self) -> bool:
        """Whether a server loads the application and then forks its workers."""
        return any(PRELOADED in facts.forked for facts in self._resolution.files.values())

    @cached_property
    def _has_celery(self) -> bool:
        """Whether there is an application of Celery, whose workers fork after they have loaded the tasks."""
        return any("celery.Celery()" in fact.paths for fact in self._resolution.globals.values())

    @cached_property
    def _forked(self) -> tuple[str, ...]:
        return tuple(path for facts in self._resolution.files.values() for path in facts.forked)

    @cached_property
    def _context_variables(self) -> dict[str, str]:
        return {
            name: label for facts in self._resolution.files.values() for name, label in facts.context_variables.items()
        }

    @cached_property
    def _callers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, calls in self._calls.callees.items():
            for _, called in calls:
                found.setdefault(called.name, []).append(name)
        return found

    @cached_property
    def _same_thread_callers(self) -> dict[str, list[str]]:
        """The callers that run a function in the thread that they run in."""
        found: dict[str, list[str]] = {}
        for name, calls in self._calls.callees.items():
            for call, called in calls:
                if not call.in_thread:
                    found.setdefault(called.name, []).append(name)
        return found

    def _upwards(self, *names: str) -> Iterator[str]:
        """The functions and those that call them, nearest first."""
        return _walk(names, lambda one: self._callers.get(one, ()))

    def _downwards(self, *names: str, depth: int | None = None) -> Iterator[str]:
        """The functions and those that they call, nearest first, at most so many calls away."""
        known = [name for name in names if name in self._resolution.functions]
        return _walk(known, lambda one: [called.name for _, called in self._calls.callees.get(one, ())], depth)

    def _context_calls(
        self, fact: FunctionFact, method: Literal["get", "set", "reset"]
    ) -> Iterator[tuple[str, CallFact]]:
        """The calls of a method of a context variable, with the variable."""
        return ((variable, call) for variable, one, call in self._in_context.get(fact.name, ()) if one == method)

    @cached_property
    def _in_context(self) -> dict[str, list[tuple[str, str, CallFact]]]:
        """For each function that reads, sets or resets the context, the variable, the method and the call."""
        found: dict[str, list[tuple[str, str, CallFact]]] = {}
        for fact in self._resolution.functions.values():
            for call in fact.calls:
                owner, _, last = call.path.rpartition(".")
                if call.path in _STRUCTLOG:
                    found.setdefault(fact.name, []).append(("structlog.contextvars", _STRUCTLOG[call.path], call))
                elif last in ("get", "set", "reset") and self.is_context_variable(owner):
                    found.setdefault(fact.name, []).append((self._resolution.canonical(owner), last, call))
        return found

    def _uses(self, home: str) -> Iterator[tuple[FunctionFact, CallFact]]:
        last = home.rpartition(".")[2]
        for fact in self._resolution.functions.values():
            for call in fact.calls:
                if last in call.path and self._is_of(call.path, home):
                    yield fact, call

    def _is_of(self, path: str, home: str) -> bool:
        name = path.partition("(")[0].partition("[")[0]
        while name:
            if self._resolution.canonical(name) == home:
                return True
            name = name.rpartition(".")[0]
        return False

    def _at(self, fact: FunctionFact, line: int, note: str) -> Location:
        return Location(path=self._resolution.paths[fact.name], line=line, note=note)


def _walk(start: Iterable[str], following: Callable[[str], Iterable[str]], depth: int | None = None) -> Iterator[str]:
    waiting = deque((name, 0) for name in start)
    seen = {name for name, _ in waiting}
    while waiting:
        name, away = waiting.popleft()
        yield name
        for one in following(name) if depth is None or away < depth else ():
            if one not in seen:
                seen.add(one)
                waiting.append((one, away + 1))
