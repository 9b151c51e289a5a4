"""What one file cannot know: conditions on the other files, decided when all of them have been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union

import msgspec

from carrel.audit.data_conditions import (
    AnswersUsers,
    ChecksRights,
    Collected,
    DecidesItself,
    FetchesOwned,
    GivenRecord,
    Gives,
    HasOwn,
    Joined,
    KeepsByKey,
    KeepsOwners,
    KeepsUnder,
    LeftOut,
    LeftOutByRequest,
    MadeBy,
    MadeForPerson,
    MakesKeyOf,
    MayGiveNone,
    OpenToAll,
    OwnerAsked,
    ReadAgain,
    SendsCacheable,
    SentParameter,
    StoresUnder,
    WrapsArguments,
)
from carrel.audit.run_conditions import (
    AsksAndAwaits,
    CalledForEvery,
    CalledUnderTest,
    ContextVariable,
    Disposed,
    ForkedWith,
    ForLaterRequests,
    LeftFromMessage,
    NeedsPermission,
    Preloaded,
    ReadsContext,
    ReadsIdentity,
    ReadsRequest,
    RequestsAreAsked,
    RunsInAsync,
    RunsInPool,
    SetBeforeRequests,
    StartedInContext,
    ThreadLocal,
    UsedBy,
    WrapsIdentity,
)
from carrel.findings import Location

if TYPE_CHECKING:
    from carrel.audit.program import Program

__all__ = [
    "AnyOf",
    "ChangesObject",
    "Condition",
    "ExceptionObject",
    "FieldChanged",
    "FieldRead",
    "ForEachThread",
    "HasBase",
    "HasEntryPoints",
    "HasMember",
    "HasSetter",
    "IdentityParameter",
    "MutableGlobal",
    "NamedElsewhere",
    "Not",
    "OfLibrary",
    "OnShared",
    "Proof",
    "Reachable",
    "ResultChanged",
    "SharedClass",
    "SharedContainer",
    "SharedObject",
    "TaintedParameter",
    "UserDependency",
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


class SharedContainer(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What this path gives is a module-level list, dictionary or other container, not an object of a class."""

    path: str

    def proof(self, program: Program) -> Proof | None:
        return program.shared_container(self.path)


class ForEachThread(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What this expression gives is another object in each thread: of a subclass of `threading.local`."""

    path: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.is_for_each_thread(self.path) else None


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


class IdentityParameter(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some call passes for this parameter what tells one user from all others: `use_clinic(claims["clinic"])`."""

    function: str
    parameter: str

    def proof(self, program: Program) -> Proof | None:
        return program.passing.identity_parameter(program.resolution.canonical(self.function), self.parameter)


class Reachable(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some entry point leads to this function."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.way_to(self.function) else None


class OnShared(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some call of the method is seen to be on an object that all requests share: `desk.answer(user)`."""

    method: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.receivers.on_shared(self.method) else None


class HasEntryPoints(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """It is known what calls the code base: entry points, so that what they do not lead to serves no request, or one
    person at a command line. A library may be called by anybody."""

    def proof(self, program: Program) -> Proof | None:
        return () if program.calls.entry_points or program.is_command else None


class ChangesObject(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """This method changes the object that it is called on; `path` as in `SharedObject`, without the call."""

    path: str

    def proof(self, program: Program) -> Proof | None:
        return program.changes_object(self.path)


class FieldChanged(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some function changes in place what objects of the class hold there: `envelope.rows.append(row)`."""

    owner: str
    attribute: str

    def proof(self, program: Program) -> Proof | None:
        return program.fields.changed(self.owner, self.attribute)


class ResultChanged(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some function changes in place what a call of this one gives: `filters = make()`, and then `filters[key] = 1`."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return program.fields.result_changed(self.function)


class FieldRead(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """For a request of any user a function other than `besides` gives on what is there; `directly`: as its handler."""

    owner: str
    attribute: str
    besides: str
    directly: bool = False

    def proof(self, program: Program) -> Proof | None:
        return program.fields.read_by_request(self.owner, self.attribute, self.besides, directly=self.directly)


class HasBase(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The class has a base of one of these names (their last parts) above it, in the project or outside."""

    name: str
    bases: tuple[str, ...]

    def proof(self, program: Program) -> Proof | None:
        return () if program.has_base(self.name, self.bases) else None


class HasSetter(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What is stored under the path, an attribute of an object, goes where a setter of the project's puts it."""

    path: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.has_setter(self.path) else None


class HasMember(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The class, or one of the project's classes above it, binds one of these names in its body."""

    name: str
    members: tuple[str, ...]

    def proof(self, program: Program) -> Proof | None:
        return program.has_member(self.name, self.members)


class NamedElsewhere(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some other file imports the class or calls it by its name."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.naming.named_elsewhere(self.name) else None


class UserDependency(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The dependency, or one that it depends on, is told who is asking, so that what it gives is one user's."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return program.calls.user_dependency(self.function)


class ExceptionObject(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The dotted name is an exception that a module makes once."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return program.exception_object(self.name)


class OfLibrary(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The dotted name is of something that the project imports, and one for the process: `Settings.callbacks`."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return None if program.project.is_module(self.name.partition(".")[0]) else ()


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
    SharedClass,
    SharedContainer,
    SharedObject,
    MutableGlobal,
    TaintedParameter,
    IdentityParameter,
    Reachable,
    ChangesObject,
    FieldChanged,
    FieldRead,
    ResultChanged,
    AsksAndAwaits,
    AnswersUsers,
    HasBase,
    ChecksRights,
    DecidesItself,
    FetchesOwned,
    GivenRecord,
    Gives,
    HasEntryPoints,
    HasOwn,
    HasSetter,
    Joined,
    KeepsOwners,
    Collected,
    KeepsUnder,
    MadeForPerson,
    MadeBy,
    MakesKeyOf,
    OpenToAll,
    OwnerAsked,
    ReadAgain,
    SendsCacheable,
    SentParameter,
    KeepsByKey,
    StoresUnder,
    LeftOut,
    LeftOutByRequest,
    OfLibrary,
    OnShared,
    RunsInAsync,
    NeedsPermission,
    RunsInPool,
    ContextVariable,
    LeftFromMessage,
    Preloaded,
    ReadsContext,
    ReadsIdentity,
    ReadsRequest,
    RequestsAreAsked,
    SetBeforeRequests,
    CalledForEvery,
    CalledUnderTest,
    StartedInContext,
    ThreadLocal,
    UsedBy,
    ForkedWith,
    ForLaterRequests,
    Disposed,
    HasMember,
    NamedElsewhere,
    MayGiveNone,
    ExceptionObject,
    ForEachThread,
    UserDependency,
    WrapsArguments,
    WrapsIdentity,
    AnyOf,
    Not,
]
"""Every kind of condition, each with `proof(program)`: the places that show it, or `None` when it does not hold."""
