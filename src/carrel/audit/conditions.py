"""What one file cannot know: conditions on the other files, decided when all of them have been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

import msgspec

from carrel.findings import Location

if TYPE_CHECKING:
    from carrel.audit.program import Program

__all__ = [
    "AnyOf",
    "ChangesObject",
    "Condition",
    "MutableGlobal",
    "Not",
    "Proof",
    "Reachable",
    "SharedClass",
    "SharedObject",
    "TaintedParameter",
]

Proof = tuple[Location, ...]
"""The places that show that a condition holds, each with its note; empty when there is none to show."""


class SharedClass(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some object of this class, or of a subclass, is used by more than one request."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return program.shared_class(self.name)


class SharedObject(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What this expression gives is one object for more than one request: a module-level value, a cached getter.

    `path` is what `FileView.path` says: `app.deps.get_desk()`, `app.state.CACHE`, `app.deps.desk.memory`.
    """

    path: str

    def proof(self, program: Program) -> Proof | None:
        return program.shared_object(self.path)


class MutableGlobal(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The dotted name is a module-level container or other object that can be changed in place."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return program.mutable_global(self.name)


class TaintedParameter(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some call passes data of one user for this parameter of this function."""

    function: str
    parameter: str

    def proof(self, program: Program) -> Proof | None:
        return program.tainted_parameter(self.function, self.parameter)


class Reachable(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some entry point leads to this function."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.way_to(self.function) else None


class ChangesObject(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """This method changes the object that it is called on; `path` as in `SharedObject`, without the call."""

    path: str

    def proof(self, program: Program) -> Proof | None:
        return program.changes_object(self.path)


class AnyOf(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """At least one of the conditions holds."""

    conditions: tuple[Condition, ...]

    def proof(self, program: Program) -> Proof | None:
        return next((proof for one in self.conditions if (proof := one.proof(program)) is not None), None)


class Not(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The condition does not hold."""

    condition: Condition

    def proof(self, program: Program) -> Proof | None:
        return () if self.condition.proof(program) is None else None


Condition = Union[  # noqa: UP007 - with `|` the forward references of AnyOf and Not could not be resolved
    SharedClass, SharedObject, MutableGlobal, TaintedParameter, Reachable, ChangesObject, AnyOf, Not
]
"""Every kind of condition, each with `proof(program)`: the places that show it, or `None` when it does not hold."""
