"""Conditions on when functions run: in which context, task or process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from carrel.audit.assigned import session_hook

if TYPE_CHECKING:
    from carrel.audit.conditions import Proof
    from carrel.audit.program import Program

__all__ = [
    "AsksAndAwaits",
    "CalledForEvery",
    "CalledUnderTest",
    "ContextVariable",
    "Disposed",
    "ForLaterRequests",
    "ForkedWith",
    "LeftFromMessage",
    "NeedsPermission",
    "Preloaded",
    "ReadsContext",
    "ReadsIdentity",
    "ReadsRequest",
    "RequestsAreAsked",
    "RunsInAsync",
    "RunsInPool",
    "SetBeforeRequests",
    "StartedInContext",
    "ThreadLocal",
    "UsedBy",
    "WrapsIdentity",
]


class RunsInAsync(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The function is a coroutine, or one calls it: other tasks use the same thread."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return program.flow.runs_in_async(self.function)


class RunsInPool(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The function, or one that calls it, is handed to a pool, whose threads go on to other work."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return program.flow.runs_in_pool(self.function)


class NeedsPermission(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Entry points lead to the function, and all of them only those who have a permission."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.calls.needs_permission(program.resolution.canonical(self.function)) else None


class ContextVariable(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The dotted name is a `ContextVar`."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.flow.is_context_variable(self.name) else None


class CalledUnderTest(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Those who call the function do so only in some cases: `if "tenant" in message: enter(message["tenant"])`.

    `by_worker`: in a loop over messages.
    """

    function: str
    by_worker: bool = False

    def proof(self, program: Program) -> Proof | None:
        return program.calls.called_under_test(program.resolution.canonical(self.function), by_worker=self.by_worker)


class SetBeforeRequests(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The path gives the value of a context variable that no request sets, but the module, a default or the start-up.

    `app.scope.current.get`, or `app.scope.scope()` of a function that returns that.
    """

    path: str

    def proof(self, program: Program) -> Proof | None:
        return program.flow.set_before_requests(self.path)


class ReadsIdentity(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A function that this one leads to finds out who is asking: by a context variable, or from the framework.

    `itself`: this one may do so too. `within` so many calls.
    """

    function: str
    itself: bool = False
    within: int = 4

    def proof(self, program: Program) -> Proof | None:
        return program.flow.reads_identity(self.function, itself=self.itself, within=self.within)


class Preloaded(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A server loads the application and then forks its workers."""

    def proof(self, program: Program) -> Proof | None:
        return () if program.flow.is_preloaded else None


class ReadsRequest(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The function takes from the request that it is handed who is asking, or one that it leads to does so.

    Of a function that is not in the project nobody knows; but for `shown`, it may do so.
    """

    function: str
    shown: bool = False

    def proof(self, program: Program) -> Proof | None:
        proof = program.flow.reads_request(self.function)
        return proof if proof or not self.shown else None


class RequestsAreAsked(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some function that a request leads to finds out who is asking, so that there are answers for one user.

    Of a code base without routes nobody knows. With `addresses`, a route whose address begins with one of them.
    `by_flask`: no hook uses the session in every request, with which Flask sends `Vary: Cookie`.
    """

    addresses: tuple[str, ...] = ()
    by_flask: bool = False

    def proof(self, program: Program) -> Proof | None:
        if self.by_flask and session_hook(program, program.files.values()):
            return None
        return program.flow.asked_at(self.addresses) if self.addresses else program.flow.requests_are_asked


class CalledForEvery(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A framework calls the function for every request: another file has `app.after_request(function)`."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        entry = program.calls.entry_points.get(program.resolution.canonical(self.function))
        return () if entry is not None and entry.kind == "middleware" else None


class ReadsContext(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The function, or one that it leads to, reads a context variable, and itself sets none.

    With a `starter`, one that is set by that function or on the way to it; without, one that is named after a user.
    `in_loop`: the function is a loop that serves others.
    """

    function: str
    starter: str = ""
    in_loop: bool = False

    def proof(self, program: Program) -> Proof | None:
        return program.flow.reads_context(self.function, self.starter, in_loop=self.in_loop)


class ForLaterRequests(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Objects of the class are made by a route and kept in a module's container, for other requests to find."""

    owner: str

    def proof(self, program: Program) -> Proof | None:
        return program.for_later_requests(self.owner)


class LeftFromMessage(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A message that sets nothing is handled with what the function has set the variable to for one before it.

    `called`: the function is called for each message by a worker's loop; else it has the loop itself.
    """

    variable: str
    function: str
    called: bool = False

    def proof(self, program: Program) -> Proof | None:
        return program.flow.left_from_message(self.variable, self.function, called=self.called)


class StartedInContext(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The function sets a context variable, or is called by one that does."""

    function: str

    def proof(self, program: Program) -> Proof | None:
        return program.flow.started_in_context(self.function)


class WrapsIdentity(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The decorator is put on some function that is told who is asking, or finds it out by itself."""

    decorator: str

    def proof(self, program: Program) -> Proof | None:
        return program.flow.wraps_identity(self.decorator)


class ThreadLocal(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The name, of another file, is a `threading.local`, or an object of a class below it."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.resolution.canonical(self.name) in program.resolution.thread_locals else None


class UsedBy(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A function of this kind calls the global, or a method of it."""

    name: str
    kind: Literal["request", "async", "waiting", "function"]

    def proof(self, program: Program) -> Proof | None:
        return program.flow.used_by(self.name, self.kind)


class ForkedWith(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A forked process uses the global, or what the function gives; its parent has used what is at `after` before."""

    name: str
    after: str = ""

    def proof(self, program: Program) -> Proof | None:
        return program.flow.forked_with(self.name, self.after)


class Disposed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Some function lets go of the connections that the global has: `engine.dispose()`."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return () if program.flow.disposed(self.name) else None


class AsksAndAwaits(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """A method of the class, or of what the path gives, sends something on what its object holds and then reads there:
    it has a connection."""

    name: str

    def proof(self, program: Program) -> Proof | None:
        return program.asks_and_awaits(self.name)
