"""On which objects a method is called: new ones only, or also one that others have."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from carrel.audit.call_graph import CallGraph
from carrel.audit.facts import CallFact
from carrel.audit.resolution import Resolution

__all__ = ["Receivers"]


class Receivers:
    """The calls of each method, by what they are made on."""

    def __init__(self, resolution: Resolution, calls: CallGraph) -> None:
        self._resolution = resolution
        self._calls = calls

    def only_new(self, method: str) -> bool:
        """Whether every call of the method that is known is made on an object that the caller has just made.

        A call on `self` is as good as the calls of the method that it stands in. Of a method that nobody calls, nobody
        knows.
        """
        waiting, seen, found = list(self._versions(method)), set[str](), False
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self._calls.entry_points:
                return False
            for caller, call in self._callers.get(name, ()):
                if call.on_self:
                    waiting += self._versions(caller)
                elif not self._is_new(call.path):
                    return False
                else:
                    found = True
        return found

    @cached_property
    def _callers(self) -> dict[str, list[tuple[str, CallFact]]]:
        found: dict[str, list[tuple[str, CallFact]]] = defaultdict(list)
        for caller, calls in self._calls.callees.items():
            for call, called in calls:
                found[called.name].append((caller, call))
        return found

    def _versions(self, method: str) -> list[str]:
        """The method, and what subclasses have in its place: theirs may call it through `super()`."""
        owner, _, name = method.rpartition(".")
        return [method, *(f"{below}.{name}" for below in self._resolution.descendants(owner))]

    def _is_new(self, path: str) -> bool:
        """Whether it is a method of `Desk()`, whose `__new__` does not give everybody the first one."""
        receiver = path.rpartition(".")[0]
        owner = self._resolution.canonical(receiver.removesuffix("()"))
        if not receiver.endswith("()") or owner not in self._resolution.classes:
            return False
        fact = self._resolution.classes[owner]
        place = self._resolution.paths[owner]
        made = any(
            kept.path == f"{owner}()" and kept.location.line == fact.line for kept in self._resolution.files[place].kept
        )
        return not made and self._resolution.method(owner, "__new__") is None
