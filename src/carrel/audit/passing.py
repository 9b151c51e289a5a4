"""Where calls pass on data of one user, who asks, and what the client sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import cached_property

from carrel.audit.call_graph import CallGraph
from carrel.audit.conditions import Proof
from carrel.audit.facts import CallFact
from carrel.audit.resolution import Resolution
from carrel.audit.taint import is_part_name
from carrel.findings import Location

__all__ = ["Passing"]


class Passing:
    """The parameters of functions by what calls hand over for them."""

    def __init__(self, resolution: Resolution, calls: CallGraph) -> None:
        self._resolution = resolution
        self._calls = calls

    @cached_property
    def _tainted(self) -> dict[tuple[str, str], Location]:
        found: dict[tuple[str, str], Location] = {}
        functions = self._resolution.functions
        handed, waiting = dict(self._calls.entry_points), list(self._calls.entry_points)
        while waiting:
            name = waiting.pop()
            for one in self._calls.dependencies(name):
                if one not in handed:
                    handed[one] = handed[name]
                    waiting.append(one)
        for name, entry in handed.items():
            fact = functions[name]
            where = Location(path=self._resolution.paths[name], line=fact.line, note=f"called for {entry.label}")
            for parameter in fact.parameters:
                given = fact.types.get(parameter, "").removesuffix("()")
                is_users = not self._is_dependency(given) or self._calls.user_dependency(given) is not None
                if is_users and not is_part_name(given.rpartition(".")[2]):
                    found[name, parameter] = where
        self._spread(found, lambda call: call.passes, "passes one user's data for", gathered=True)
        return found

    @cached_property
    def _identities(self) -> dict[tuple[str, str], Location]:
        found: dict[tuple[str, str], Location] = {}
        for name in self._calls.entry_points:
            for parameter, given in self._resolution.functions[name].types.items():
                proof = self._calls.user_dependency(given.removesuffix("()")) if self._is_dependency(given) else None
                if proof:
                    found[name, parameter] = proof[0]
        self._spread(found, lambda call: call.tells, "says who the user is by", gathered=True)
        return found

    def _is_dependency(self, given: str) -> bool:
        """Whether what a parameter is given by is a function, not its type."""
        return self._resolution.canonical(given.removesuffix("()")) in self._resolution.functions

    @cached_property
    def _sent(self) -> dict[tuple[str, str], Location]:
        found: dict[tuple[str, str], Location] = {}
        self._spread(found, lambda call: call.sends, "passes what the client chose for")
        return found

    def _spread(
        self,
        found: dict[tuple[str, str], Location],
        passed: Callable[[CallFact], tuple[tuple[str, str], ...]],
        says: str,
        *,
        gathered: bool = False,
    ) -> None:
        """Adds the parameters that calls pass something for, and those that are passed on from them.

        `gathered`: also the `**` parameter that takes the arguments of other names.
        """
        functions = self._resolution.functions
        # What only administrators bring is no user's.
        waiting = deque(name for name in functions if not self._calls.is_apart(name))
        queued = set(functions)
        while waiting:
            name = waiting.popleft()
            queued.discard(name)
            for call, called in self._calls.callees.get(name, ()):
                fresh = False
                for place, parameter in passed(call):
                    if parameter and (name, parameter) not in found and not self._is_sent(parameter):
                        continue
                    target = called.parameter_at(place)
                    if gathered and not target and place.isidentifier():
                        target = called.gathers
                    if target and (called.name, target) not in found:
                        note = f"{says} `{target}`"
                        found[called.name, target] = Location(
                            path=self._resolution.paths[name], line=call.line, note=note
                        )
                        fresh = True
                if fresh and called.name not in queued:
                    queued.add(called.name)
                    waiting.append(called.name)

    def _is_sent(self, path: str) -> bool:
        """Whether it is what a function gives, `ids.reference()`, and that is what the client sent."""
        return path.endswith("()") and any("sent" in one.gives for one in self._resolution.called(path[:-2]))

    def tainted_parameter(self, function: str, parameter: str) -> Proof | None:
        """The call that passes one user's data for the parameter."""
        found = self._tainted.get((function, parameter))
        return (found,) if found is not None else None

    def identity_parameter(self, function: str, parameter: str) -> Proof | None:
        """The call that passes for the parameter what tells the user from all others."""
        found = self._identities.get((function, parameter))
        return (found,) if found is not None else None

    def sent_parameter(self, function: str, parameter: str) -> Proof | None:
        """The call that passes for the parameter what the client sent."""
        found = self._sent.get((function, parameter))
        return (found,) if found is not None else None
