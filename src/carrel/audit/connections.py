"""The connections that an application has, of everybody together."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.conditions import Condition, SharedClass, SharedObject
from carrel.audit.data_conditions import Joined
from carrel.audit.file_view import FileView
from carrel.audit.mutations import Mutation
from carrel.audit.sent import origins

__all__ = ["QUEUES", "alive", "asks_state", "everybody"]

QUEUES: Final = frozenset({"asyncio.Queue", "queue.Queue", "queue.SimpleQueue", "janus.Queue", "multiprocessing.Queue"})
"""What a handler may have its connection wait at."""
_STATE: Final = re.compile(r"(?i)(?:state|closed|open|connected|alive|ready)$")
_CONNECTED: Final = re.compile(r"(?i)socket|connect|client|websocket|(?:^|_)ws|active|subscriber|listener|peer|"
                               r"(?:^|_)conns?(?:_|$)|queues")  # fmt: skip
_ADDS: Final = frozenset({"append", "appendleft", "add", "insert", "setdefault"})
_COPIES: Final = frozenset({"list", "set", "tuple", "sorted", "frozenset"})
_FLATTENS: Final = frozenset({"itertools.chain", "itertools.chain.from_iterable"})


def everybody(
    view: FileView, iterated: ast.expr, function: Block, *, known: bool = False
) -> tuple[Condition, ...] | None:
    """What must hold for the expression to be the connections of all users; `None` when it is not.

    `known`: they are connections, whatever the container is called.
    """
    while isinstance(iterated, ast.Call):
        inner = _unwrapped(view, iterated)
        if inner is None:
            return None
        iterated = inner
    if isinstance(iterated, ast.Name):
        made = [one.value for one in function.scope.bindings.get(iterated.id, ())]
        # `targets = [one for group in self.sockets.values() for one in group]`
        if len(made) == 1 and isinstance(made[0], ast.ListComp | ast.SetComp | ast.GeneratorExp):
            return everybody(view, made[0].generators[0].iter, function, known=known) if alive(made[0]) else None
        if len(made) == 1 and isinstance(made[0], ast.Call):
            return everybody(view, made[0], function, known=known)
    for access in view.accesses(iterated, function):
        held = access.held_by_application
        last = held or (access.steps[-1] if access.steps else access.name.rpartition(".")[2])
        if ("[]" in access.steps and not held) or not (known or _CONNECTED.search(last) or _is_joined(view, access)):
            continue
        joined = _joined(view, access)
        if access.own_class is not None and len(access.steps) == 1:
            return (SharedClass(access.own_class.symbol), *joined)
        if access.kind == "class" or (access.kind == "parameter" and held):
            return joined
        if access.kind == "global":
            given = view.mutable_global(access)
            return (*(given if given is not None else (SharedObject(access.path),)), *joined)
    return None


def _unwrapped(view: FileView, call: ast.Call) -> ast.expr | None:
    """What has the same elements as the call gives: `d` for `list(d.values())`, `chain(*d.values())`."""
    if (isinstance(call.func, ast.Name) and call.func.id in _COPIES) or view.dotted(call.func) in _FLATTENS:
        first = call.args[0] if call.args else None
        return first.value if isinstance(first, ast.Starred) else first
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("values", "items", "copy"):
        return call.func.value
    return None


def _group(access: Access) -> str:
    """The name under which the application holds the container, or the one that the container is in."""
    return _whole(access).held_by_application


def _whole(access: Access) -> Access:
    """The container itself, or the one that it is an item of."""
    while access.steps[-1:] == ("[]",) and not access.held_by_application:
        access = replace(access, steps=access.steps[:-1], keys=access.keys[:-1])
    return access


def _joining(view: FileView, access: Access) -> Iterator[Mutation]:
    """Where functions put something into the container."""
    held = access.held_by_application
    for mutation in view.mutations:
        adds = mutation.kind == "item" or mutation.name in _ADDS
        if adds and not mutation.removes and not mutation.block.is_initializer and any(
            _group(one) == held if held else _whole(one).path == access.path and access.path
            for one in mutation.accesses
        ):  # fmt: skip
            yield mutation


def _joined(view: FileView, access: Access) -> tuple[Condition, ...]:
    """What must hold for the connections of users to be among those in the container.

    A queue is no connection yet: somebody has to be seen who takes from it.
    """
    joining = list(_joining(view, access))
    functions = tuple(dict.fromkeys(one.block.symbol for one in joining))
    return (Joined(functions, shown=all(_makes_queue(view, one) for one in joining)),) if functions else ()


def _makes_queue(view: FileView, mutation: Mutation) -> bool:
    return any(
        isinstance(one, ast.Call) and view.dotted(one.func) in QUEUES
        for value in mutation.values
        for one in origins(view, value, mutation.block)
    )


def _is_joined(view: FileView, access: Access) -> bool:
    """Whether the handlers of connections put themselves into the container, or functions each a queue of its own."""
    for mutation in _joining(view, access):
        if mutation.kind == "method" and _makes_queue(view, mutation):
            return True
        entry = view.entry_point(mutation.block)
        if entry is None or entry.kind not in ("websocket", "route"):
            continue
        if _makes_queue(view, mutation):
            return True
        bound = (mutation.block.scope.bindings.get(one.id, ()) for one in mutation.values if isinstance(one, ast.Name))
        if entry.kind == "websocket" and any(one.kind == "parameter" for each in bound for one in each):
            return True
    return False


def alive(many: ast.ListComp | ast.GeneratorExp | ast.SetComp) -> bool:
    """Whether the tests in a comprehension only ask whether the connections are open."""
    targets = {one.id for each in many.generators for one in ast.walk(each.target) if isinstance(one, ast.Name)}
    return all(asks_state(test, targets) for each in many.generators for test in each.ifs)


def asks_state(test: ast.expr, targets: set[str]) -> bool:
    """Whether a test asks an element whether it is open, `not one.closed`, and not whose it is."""
    asked = {one.id for one in ast.walk(test) if isinstance(one, ast.Name) and not one.id[:1].isupper()}
    compared = [one for one in ast.walk(test) if isinstance(one, ast.Compare)]
    return asked <= targets and all(_STATE.search(ast.unparse(one.left)) for one in compared)
