"""On which objects a method is called: new ones, or one that others have too."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from carrel.audit.call_graph import CallGraph
from carrel.audit.facts import FunctionFact
from carrel.audit.frameworks import REQUEST_OBJECTS, is_made_for_request
from carrel.audit.resolution import Resolution

__all__ = ["Receivers"]

_COPIES: Final = frozenset({"copy", "deepcopy", "deep_copy", "clone", "model_copy", "_replace"})
_DEPTH: Final = 5


class Receivers:
    """The calls of each method, by what they are made on."""

    def __init__(self, resolution: Resolution, calls: CallGraph, shared: Collection[str]) -> None:
        self._resolution = resolution
        self._calls = calls
        self._shared = shared

    def on_shared(self, method: str) -> bool:
        """Whether some call of the method is seen to be made on an object that all requests share.

        A call on `self` is as good as the calls of the method that it stands in. Of the method of an object that is
        itself an entry point there is one object, unless the framework makes one for each request. What nothing calls
        is for others to call.
        """
        waiting, seen, is_called = list(self._versions(method)), set[str](), False
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            if name in self._calls.entry_points:
                is_called = True
                if not self._is_made_for_request(name):
                    return True
            for caller, call in self._calls.callers.get(name, ()):
                receiver, _, called = call.path.rpartition(".")
                if name.endswith(".__init__") and called != "__init__":
                    receiver = f"{call.path}()"  # of the class itself
                if call.on_self:
                    waiting += self._versions(caller)
                    continue
                is_called = True
                if self._is_shared(receiver):
                    return True
        return not is_called

    def _is_made_for_request(self, method: str) -> bool:
        lineage = self._resolution.lineage(method.rpartition(".")[0])
        facts = (self._resolution.classes.get(one) for one in lineage)
        return any(is_made_for_request(base) for fact in facts if fact is not None for base in fact.bases)

    def _is_shared(self, path: str) -> bool:
        """Whether what the path gives is one object for all: it is made once, or a shared object has it."""
        if self._gives_new(path, _DEPTH) or self._holds_new(path) or _is_of_request(path):
            return False
        given = self._resolution.values(path)
        if not given:
            # What a framework hands its handlers it may have made once: the `self` of a task.
            return ":" in path and path.partition(":")[0] in self._calls.entry_points
        if any(value.kind == "function" for value in given):
            given = self._resolution.values(f"{path}()")  # what a property gives
        objects = [value for value in given if value.kind in ("instance", "class")]
        below = (one for value in objects for one in self._resolution.descendants(value.name))
        return any(value.shared is not None for value in objects) or any(one in self._shared for one in below)

    def _versions(self, method: str) -> list[str]:
        """The method, and what subclasses have in its place: theirs may call it through `super()`."""
        owner, _, name = method.rpartition(".")
        return [method, *(f"{below}.{name}" for below in self._resolution.descendants(owner))]

    def _gives_new(self, path: str, depth: int) -> bool:
        """Whether what the path gives was made for who asks: by a class, by a copy, by a function that does so."""
        called = path.removesuffix("()")
        if called == path or depth == 0:
            return False
        if called.rpartition(".")[2] in _COPIES:
            return True
        owner = self._resolution.canonical(called)
        if owner in self._resolution.classes:
            return self._makes_new(owner)
        functions = self._resolution.called(called)
        return bool(functions) and all(self._makes(one, depth - 1) for one in functions)

    def _holds_new(self, path: str) -> bool:
        """Whether it is what each object of a class makes for itself, `State().turns`, and no such object is shared."""
        place, _, name = path.rpartition(".")
        holders = [value.name for value in self._resolution.values(place) if value.kind == "instance"]
        owners = {owner for holder in holders for owner in self._resolution.lineage(holder)}
        facts = [self._resolution.classes[owner] for owner in owners if owner in self._resolution.classes]
        given = [(fact, one) for fact in facts for one in fact.attributes.get(name, ())]
        apart = bool(given) and not any(holder in self._shared for holder in holders)
        return apart and all(one in fact.makes and self._gives_new(one, _DEPTH) for fact, one in given)

    def _makes(self, function: FunctionFact, depth: int) -> bool:
        # What only the annotation says was not made here.
        calls = {call.path for call in function.calls}
        given = bool(function.returns) and not function.cached
        return given and all(
            one.removesuffix("()") in calls and self._gives_new(one, depth) for one in function.returns
        )

    def _makes_new(self, owner: str) -> bool:
        """Whether the class makes an object whenever it is called: its `__new__` does not give the first one again."""
        fact, place = self._resolution.classes[owner], self._resolution.paths[owner]
        made = any(
            kept.path == f"{owner}()" and kept.location.line == fact.line for kept in self._resolution.files[place].kept
        )
        return not made and self._resolution.method(owner, "__new__") is None


def _is_of_request(path: str) -> bool:
    """Whether the request, or the session of its user, holds it: `chainlit.user_session[]`."""
    return any(path.startswith((f"{one}.", f"{one}[")) for one in REQUEST_OBJECTS)
