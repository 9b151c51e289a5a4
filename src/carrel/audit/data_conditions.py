"""Conditions on what functions are handed, give, make keys of and store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from carrel.audit.conditions import Proof
    from carrel.audit.program import Program

__all__ = [
    "AnswersUsers",
    "ChecksRights",
    "Collected",
    "DecidesItself",
    "FetchesOwned",
    "Given",
    "GivenRecord",
    "Gives",
    "HasOwn",
    "Joined",
    "KeepsByKey",
    "KeepsOwners",
    "KeepsUnder",
    "LeftOut",
    "LeftOutByRequest",
    "MadeBy",
    "MadeForPerson",
    "MakesKeyOf",
    "MayGiveNone",
    "OpenToAll",
    "OwnerAsked",
    "ReadAgain",
    "SendsCacheable",
    "SentParameter",
    "StoresUnder",
    "WrapsArguments",
]

Given = Literal["claimed", "sent", "stand-in", "fixed-path", "anybodys-row", "collected", "of-last-call"]
"""What a function may give back: an identity as the client says it, anything that the client sent, a constant for
everybody who has none, a path that is the same at every call with the same arguments, a row that has an owner and was
selected without, everything that calls have put into a container of the module, what the last call has left on the
object."""


class ChecksRights(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What the path calls, or what that calls, refuses those who may not: `raise Forbidden`, `user.can_edit(build)`.

    `given`: it is handed what has this name, or a dependency of it is.
    """

    path: str
    given: str = ""

    def proof(self, program: Program) -> Proof | None:
        return program.ownership.checks_rights(self.path, self.given)


class DecidesItself(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What the path calls decides by itself who gets what: it is a handler, or finds out who is asking."""

    path: str

    def proof(self, program: Program) -> Proof | None:
        return program.decides_itself(self.path)


class FetchesOwned(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The class, or that of what calling the path fetches by an id alone, says whose its objects are.

    `members` are the attributes that say so besides those that link to a user.
    """

    path: str
    members: tuple[str, ...]

    def proof(self, program: Program) -> Proof | None:
        return program.fetches_owned(self.path, self.members)


class Gives(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Calling the path gives such a value, `FunctionFact.gives`."""

    path: str
    what: Given

    def proof(self, program: Program) -> Proof | None:
        return program.gives(self.path, self.what)


class GivenRecord(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """All calls of the function pass for the parameter a mapping whose keys are the names of fields."""

    function: str
    parameter: str

    def proof(self, program: Program) -> Proof | None:
        return program.calls.given_record(program.resolution.canonical(self.function), self.parameter)


class KeepsOwners(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some function puts documents with their owner into the store."""

    store: str

    def proof(self, program: Program) -> Proof | None:
        return program.ownership.kept(self.store)


class Joined(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Users who are no administrators get by one of these functions what is sent to all, and nobody on the way looks
    for whom it is.

    Without `shown`, it may also be by a way that is not seen.
    """

    functions: tuple[str, ...]
    shown: bool = True

    def proof(self, program: Program) -> Proof | None:
        homes = [program.resolution.canonical(one) for one in self.functions]
        if not self.shown and not any(map(program.calls.way_to, homes)):
            return ()
        return next((proof for one in homes if (proof := program.calls.joined(one)) is not None), None)


class KeepsUnder(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What the path calls makes a key of the argument, by position (`0`) or by name."""

    path: str
    place: str

    def proof(self, program: Program) -> Proof | None:
        return program.keeps_under(self.path, self.place)


class LeftOut(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some call of the function leaves the argument out; but for `shown`, it may be one that is not in the project.

    `always`: none passes it.
    """

    function: str
    parameter: str
    shown: bool = False
    always: bool = False

    def proof(self, program: Program) -> Proof | None:
        proof = program.calls.left_out(self.function, self.parameter, always=self.always)
        return proof if proof or not self.shown else None


class LeftOutByRequest(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What a request of any user leads to calls the function without the argument."""

    function: str
    parameter: str

    def proof(self, program: Program) -> Proof | None:
        return program.calls.left_out_by_request(program.resolution.canonical(self.function), self.parameter)


class MadeBy(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What the dotted name stands for is a global that one of these calls makes: `socketio.AsyncServer`."""

    name: str
    makers: tuple[str, ...]

    def proof(self, program: Program) -> Proof | None:
        return program.made_by(self.name, self.makers)


class MakesKeyOf(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A function that a request gets to makes a key of what has this name, `user_id`."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return program.makes_key_of(self.name)


class OpenToAll(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A view that asks for no sign-in leads to the function."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return program.open_to_all(self.function)


class OwnerAsked(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Somewhere an object of one of these kinds is selected for its owner, or its owner is compared with a caller."""

    kinds: tuple[str, ...]

    def proof(self, program: Program) -> Proof | None:
        return program.ownership.asked(self.kinds)


class ReadAgain(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What a function leaves there is read for somebody who asks, by another one or by one of these of its file.

    In a small program it is taken to be, seen or not.
    """

    owner: str
    """The class, or the module."""
    attribute: str
    besides: str
    readers: tuple[str, ...]

    def proof(self, program: Program) -> Proof | None:
        if not program.is_application:
            return ()
        return program.fields.read_again(self.owner, self.attribute, self.besides, self.readers)


class SentParameter(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some call passes for this parameter just what the client sent: `link.ask(message["id"], …)`."""

    function: str
    parameter: str

    def proof(self, program: Program) -> Proof | None:
        return program.passing.sent_parameter(program.resolution.canonical(self.function), self.parameter)


class Collected(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The method or property gives all that its object has collected, also what requests have brought."""

    path: str

    def proof(self, program: Program) -> Proof | None:
        return program.fields.collected(self.path)


class HasOwn(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Each object of the class is given a container of its own under the attribute when it is made."""

    owner: str
    attribute: str

    def proof(self, program: Program) -> Proof | None:
        return program.fields.has_own(self.owner, self.attribute)


class MadeForPerson(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Objects of the class are made with a person: `def __init__(self, charts: Charts, patient: Patient)`."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return program.fields.made_for_person(self.name)


class MayGiveNone(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The function gives `None` in some cases and something else in others."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return program.may_give_none(self.function)


class WrapsArguments(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The decorator is put on some method, or on some function that takes arguments: its calls are not all the same."""

    decorator: str

    def proof(self, program: Program) -> Proof | None:
        return program.naming.wraps_arguments(self.decorator)


class AnswersUsers(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A method of the class, or of a class below it, takes from the request who is asking."""

    owner: str

    def proof(self, program: Program) -> Proof | None:
        return program.answers.answers_users(self.owner)


class SendsCacheable(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What the path calls gives a response that caches between server and users may keep."""

    path: str

    def proof(self, program: Program) -> Proof | None:
        return program.answers.sends_cacheable(self.path)


class KeepsByKey(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What the path calls keeps under its argument `key` what its argument `make` gives, for all requests, or what it
    makes of `make`."""

    path: str
    key: str
    make: str

    def proof(self, program: Program) -> Proof | None:
        return program.answers.keeps_by_key(self.path, self.key, self.make)


class StoresUnder(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What the path calls puts its argument `value` under its argument `key` where it outlives the call."""

    path: str
    key: str
    value: str

    def proof(self, program: Program) -> Proof | None:
        return program.answers.stores_under(self.path, self.key, self.value)
