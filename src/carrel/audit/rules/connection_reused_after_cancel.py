"""A connection that the next caller gets with the reply to the last one still under way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.cancellation import catches_cancel, finally_around, is_guarded, shielded
from carrel.audit.chains import chain_root
from carrel.audit.conditions import AnyOf, ChangesObject, HasEntryPoints, Not, Reachable
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import RECEIVES, SENDS
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.run_conditions import AsksAndAwaits
from carrel.audit.through import called_here
from carrel.findings import RuleInfo

__all__ = ["ConnectionReusedAfterCancel"]

_CONNECTION: Final = re.compile(r"conn|channel|sock|stream|reader|writer|transport|client", re.IGNORECASE)
_PUTS: Final = frozenset({"append", "appendleft", "put", "put_nowait", "add"})
_CONNECTS: Final = frozenset({"open_connection", "open_unix_connection", "create_connection", "wrap_socket"})
_CHECKS: Final = frozenset(
    {"close", "disconnect", "terminate", "discard", "is_closed", "closed", "reset", "invalidate", "abort",
     "is_connected", "shield", "kill", "is_dirty", "broken"}
)  # fmt: skip


class ConnectionReusedAfterCancel:
    """`finally: self._free.append(connection)` around a question and its answer."""

    info = RuleInfo(
        rule="connection-reused-after-cancel",
        code="CAR015",
        severity="error",
        title="A connection is used again after a cancelled request",
        why="A request that is cancelled between its question and the answer leaves the answer on the connection. The "
        "next user of the connection reads it as the answer to another question.",
        fix="Give a connection back only when its answer has been read; close it when anything else happens, "
        "`CancelledError` too, or run the exchange under `asyncio.shield`.",
        page=rule_page("connection-reused-after-cancel"),
        leak_classes=(15,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        safe = shielded(view)
        for mutation in view.mutations:
            function = mutation.block
            if not function.is_async and _gives_back(view, mutation) and _is_asked(mutation) and _times_out(view):
                message = f"`{function.name}` gives its connection back after a timeout too, with the answer under way"
                yield view.candidate(self.info, mutation.node, message, block=function, lower_unreachable=True)
            if function.is_async and function not in safe and _gives_back(view, mutation):
                value = mutation.values[0]
                shown = _is_asked(mutation) or _is_connected(mutation) or _is_lent(view, function)
                named = shown or (isinstance(value, ast.Name) and _CONNECTION.search(value.id) is not None)
                kinds = tuple(AsksAndAwaits(name) for name in _made(view, mutation))
                message = f"`{function.name}` gives its connection back after a cancel too, with the answer under way"
                # What is only called a connection may be an object that keeps questions apart.
                served = () if shown else (AnyOf((Reachable(function.symbol), Not(HasEntryPoints()))),)
                if named or kinds:
                    yield view.candidate(self.info, mutation.node, message, block=function, lower_unreachable=True,
                                         given=() if named else (AnyOf(kinds),),
                                         grades=(Grade("error", served), Grade("info")))  # fmt: skip
        for function in view.functions:
            if function.is_async and function not in safe:
                yield from self._released(view, function)
                if function.class_ is not None:
                    yield from self._exchange(view, function)
            if function.name == "__aexit__" and function.class_ is not None:
                yield from self._left(view, function, function.class_)

    def _released(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`pair = await wire.acquire()`, a question and its answer, and `finally: wire.release(pair)`."""
        for call in function.nodes(ast.Call):
            guard = finally_around(view, call)
            if (
                guard is None
                or _looks_first(guard, function)
                or not isinstance(call.func, ast.Attribute)
                or len(call.args) != 1
            ):
                continue
            given = {one.id for one in ast.walk(call.args[0]) if isinstance(one, ast.Name)}
            owner = ast.unparse(call.func.value)
            taken = any(
                isinstance(one.value, ast.Await) and isinstance(one.value.value, ast.Call)
                and ast.unparse(one.value.value.func).startswith(f"{owner}.")
                and any(isinstance(each, ast.Name) and each.id in given
                        for target in one.targets for each in ast.walk(target))
                for one in function.nodes(ast.Assign)
            )  # fmt: skip
            path = view.path(call.func, function)
            own = _asks_and_reads(function, frozenset(given))
            if taken and path and call.func.attr not in _PUTS and (own or _only_puts_back(view, call.func.attr)):
                # `link.ask(prompt)`, which sends and then reads.
                asked = () if own else (AsksAndAwaits(view.path(call.args[0], function)),)
                message = f"`{function.name}` gives its connection back after a cancel too, with the answer under way"
                yield view.candidate(self.info, call, message, block=function, lower_unreachable=True,
                                     given=(ChangesObject(path), *asked))  # fmt: skip

    def _left(self, view: FileView, function: Block, owner: Block) -> Iterator[Candidate]:
        """`async with Borrowed(pool) as stream`, whose `__aexit__` puts it back whatever has happened."""
        enters = [one for one in view.methods(owner) if one.name == "__aenter__"]
        told = {one.name for one in function.parameters[1:]}
        asks = any(isinstance(one, ast.Name) and one.id in told for one in ast.walk(function.node))
        if asks or _mentions_check(function.node):
            return
        for mutation in view.mutations_in(function):
            place = ast.unparse(mutation.target)
            named = any(_CONNECTION.search(ast.unparse(value)) for value in mutation.values)
            taken = any(
                isinstance(call.func, ast.Attribute) and call.func.attr in ("get", "pop", "popleft", "get_nowait")
                and ast.unparse(call.func.value) == place
                for one in enters for call in one.nodes(ast.Call)
            )  # fmt: skip
            if mutation.kind == "method" and mutation.name in _PUTS and named and taken:
                message = f"leaving `{owner.name}` gives its connection back after a cancel too"
                yield view.candidate(self.info, mutation.node, message, block=function)

    def _exchange(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """A question and its answer on a connection that the object keeps."""
        awaited = [one.value for one in function.nodes(ast.Await) if isinstance(one.value, ast.Call)]
        sent = next((one for one in function.nodes(ast.Call) if _is_on_kept(view, one, function, SENDS)), None)
        read = next((one for one in awaited if _is_on_kept(view, one, function, RECEIVES)), None)
        if sent is None or read is None or sent.lineno > read.lineno:
            return
        if is_guarded(view, read, _CHECKS) or not _takes_turns(view, function):
            return
        message = f"a cancel between question and answer in `{function.name}` leaves the answer for the next caller"
        yield view.candidate(self.info, read, message, block=function, related=(view.location(sent, "asked here"),),
                             grades=(Grade("error"),), lower_unreachable=True)  # fmt: skip


def _gives_back(view: FileView, mutation: Mutation) -> bool:
    if mutation.kind != "method" or mutation.name not in _PUTS or len(mutation.values) != 1:
        return False
    if not _given_names(mutation):
        return False
    if not any(one.kind == "global" or (one.kind == "self" and one.steps) for one in mutation.accesses):
        return False
    guard = finally_around(view, mutation.node)
    # Taken from the same place, so it is a pool.
    pool = ast.unparse(mutation.target)
    taken = guard is not None and any(
        isinstance(call.func, ast.Attribute)
        and call.func.attr in ("pop", "popleft", "get", "get_nowait")
        and ast.unparse(call.func.value) == pool
        for block in (mutation.block, *_called(view, mutation.block))
        for call in block.nodes(ast.Call)
    )
    return guard is not None and taken and not _looks_first(guard, mutation.block)


def _called(view: FileView, function: Block) -> Iterator[Block]:
    """The functions of the file that it calls: `connection = await self._take()`."""
    found = (called_here(view, call) for call in function.nodes(ast.Call))
    return (one for one in found if one is not None and one is not function)


def _looks_first(guard: ast.Try, function: Block) -> bool:
    """Whether the connection is looked at, or closed, before it is given back after a cancel, or a timeout."""
    parts = [one for one in guard.handlers if not function.is_async or catches_cancel(one)]
    return any(_mentions_check(one) for one in (*guard.body, *parts, *guard.orelse, *guard.finalbody))


def _given_names(mutation: Mutation) -> frozenset[str]:
    """What is given back: one name, or the parts of a pair, `(reader, writer)`."""
    value = mutation.values[0]
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    names = frozenset(one.id for one in parts if isinstance(one, ast.Name))
    return names if len(names) == len(parts) else frozenset()


def _is_asked(mutation: Mutation) -> bool:
    """Whether what is given back, or a part of it (`reader, writer = link`), was asked something and read from."""
    return _asks_and_reads(mutation.block, _given_names(mutation))


def _asks_and_reads(function: Block, given: frozenset[str]) -> bool:
    parts = set(given)
    for assign in function.nodes(ast.Assign):
        is_part = isinstance(assign.value, ast.Name | ast.Attribute | ast.Subscript)
        if is_part and ast.unparse(chain_root(assign.value)) in given:
            parts |= {one.id for target in assign.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    used = {
        call.func.attr
        for call in function.nodes(ast.Call)
        if isinstance(call.func, ast.Attribute) and ast.unparse(chain_root(call.func)) in parts
    }
    return not used.isdisjoint(SENDS) and not used.isdisjoint(RECEIVES)


def _is_lent(view: FileView, function: Block) -> bool:
    """Whether who gets it by `async with self.lease() as line` asks something there and reads the answer."""
    return any(
        isinstance(item.context_expr, ast.Call) and called_name(item.context_expr) == function.name
        and isinstance(item.optional_vars, ast.Name) and _asks_and_reads(user, frozenset({item.optional_vars.id}))
        for user in view.functions
        for block in user.nodes(ast.AsyncWith)
        for item in block.items
    )  # fmt: skip


def _only_puts_back(view: FileView, name: str) -> bool:
    """Whether a method of the file takes a connection back, and none of that name looks at it first."""
    named = [one for one in view.functions if one.name == name and one.class_ is not None]
    return bool(named) and not any(_mentions_check(one.node) for one in named)


def _is_connected(mutation: Mutation) -> bool:
    """Whether what is given back was connected here, where the pool had none."""
    given = mutation.values[0]
    bound = mutation.block.scope.bindings.get(given.id, ()) if isinstance(given, ast.Name) else ()
    made = (
        call for one in bound if one.value is not None for call in ast.walk(one.value) if isinstance(call, ast.Call)
    )
    return any(called_name(call) in _CONNECTS for call in made)


def _times_out(view: FileView) -> bool:
    """Whether the file gives its sockets a limit of time, after which an answer is not waited for."""
    return any(
        (isinstance(call.func, ast.Attribute) and call.func.attr == "settimeout")
        or (view.dotted(call.func) == "socket.create_connection"
            and (len(call.args) > 1 or any(one.arg == "timeout" for one in call.keywords)))
        for block in view.blocks
        for call in block.nodes(ast.Call)
    )  # fmt: skip


def _made(view: FileView, mutation: Mutation) -> tuple[str, ...]:
    """The classes of what else is put there: `idle.put(Link(…))`."""
    places = {access.path for access in mutation.accesses}
    return tuple(
        view.dotted(value.func)
        for other in view.mutations
        if other.kind == "method" and other.name in _PUTS and any(one.path in places for one in other.accesses)
        for value in other.values
        if isinstance(value, ast.Call)
    )


def _mentions_check(node: ast.AST) -> bool:
    return any(isinstance(one, ast.Attribute) and one.attr in _CHECKS for one in ast.walk(node))


def _is_on_kept(view: FileView, call: ast.Call, function: Block, methods: frozenset[str]) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in methods:
        return False
    places = [(call.func.value, "")]
    if isinstance(call.func.value, ast.Name):
        # `reader, writer = self._link`.
        for binding in function.scope.bindings.get(call.func.value.id, ()):
            unpacked = next((one for one in view.ancestors(binding.node) if isinstance(one, ast.stmt)), None)
            if isinstance(unpacked, ast.Assign):
                places.append((unpacked.value, call.func.value.id))
    return any(_is_kept(access, name) for place, name in places for access in view.accesses(place, function))


def _is_kept(access: Access, name: str) -> bool:
    """Whether the object keeps it, and it, or the part of it that has the name, is called a connection."""
    said = ".".join((*access.steps, name))
    return access.kind == "self" and bool(access.steps) and _CONNECTION.search(said) is not None


def _takes_turns(view: FileView, function: Block) -> bool:
    """Whether callers take turns on the connection: a lock in this class."""
    owner = function.class_
    return owner is not None and any(
        "lock" in ast.unparse(item.context_expr).lower()
        for method in view.methods(owner)
        for block in method.nodes(ast.AsyncWith)
        for item in block.items
    )
