"""The calls in a function, with what they are handed."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from carrel.audit.blocks import Block, chain
from carrel.audit.callers import is_said_of_somebody, names_user, proven, proves
from carrel.audit.facts import CallFact
from carrel.audit.file_view import FileView
from carrel.audit.held import clears_context, is_under_test, worker_loop
from carrel.audit.origins import called_name, identities, in_session, is_credential, is_made, leaves
from carrel.audit.persons import is_person
from carrel.audit.records import is_record
from carrel.audit.sent import claimed, is_request, is_said, ways
from carrel.audit.sifting import is_sifted
from carrel.audit.taint import is_identity_like
from carrel.audit.through import through

__all__ = ["FOREIGN", "call_facts"]

FOREIGN: Final = frozenset(sys.stdlib_module_names) | {"builtins"}
"""Packages that hold no function of the project."""
_THREADS: Final = frozenset({"to_thread", "run_in_executor", "run_sync", "run_in_threadpool"})
"""What runs a function in another thread."""
_SIGNS_IN: Final = re.compile(r"(?i)^(?:authorization|credentials?|bearer|jwt|access_token|session_?id|token)$")
"""What a client sends to say who it is."""
_LATER: Final = MappingProxyType(
    {"submit": 0, "start_background_task": 0, "to_thread": 0, "run_sync": 0, "run_in_threadpool": 0,
     "run_in_executor": 1}
)  # fmt: skip
"""What is handed a function, at this place, and then what to call it with."""


def call_facts(view: FileView, block: Block) -> tuple[CallFact, ...]:
    """The calls in a block that may lead to a function of the project, and what one user's data they pass."""
    found = []
    for call in block.nodes(ast.Call):
        path = _called(view, call, block)
        if path:
            found.append(
                CallFact(
                    path,
                    call.lineno,
                    tuple(_passes(view, call, block)),
                    _is_on_self(view, call, block),
                    _is_in_thread(view, call),
                    tuple(_tells(view, call, block)),
                    is_under_test(view, call),
                    (loop := worker_loop(view, call)) is not None and not clears_context(loop),
                    tuple(_given(call)),
                    _is_dropped(view, call),
                    tuple(_records(view, call, block)),
                    tuple(_sends(view, call, block)),
                    tuple(_hands(view, call, block)) if path.rpartition(".")[2][:1].isupper() else (),
                    is_sifted(view, call, block),
                    _is_beside(view, call),
                )
            )
        if (first := _LATER.get(called_name(call), len(call.args))) < len(call.args):
            found += _submitted(view, call, block, first)
    if view.imports("tornado"):
        found += [one for row in block.nodes(ast.Tuple) for one in _routed(view, row, block)]
    return tuple(found)


def _routed(view: FileView, row: ast.Tuple, block: Block) -> Iterator[CallFact]:
    """What Tornado calls with the third part of a route: `("/chat", Chat, {"desk": Desk()})`."""
    match row.elts:
        case [_, ast.Name() | ast.Attribute() as handler, ast.Call(func=ast.Name(id="dict"), keywords=keywords)]:
            named = keywords
        case [_, ast.Name() | ast.Attribute() as handler, ast.Dict(keys=keys, values=values)]:
            pairs = zip(keys, values, strict=True)
            named = [ast.keyword(str(key.value), value) for key, value in pairs if isinstance(key, ast.Constant)]
        case _:
            return
    made = ast.copy_location(ast.Call(handler, [], named), row)
    path, given = f"{view.path(handler, block)}.initialize", tuple(_given(made))
    yield CallFact(path, row.lineno, given=given, hands=tuple(_hands(view, made, block)))


def _is_beside(view: FileView, call: ast.Call) -> bool:
    taken = view.module.parent(call) if called_name(call) == "get" and not call.args else None
    return isinstance(taken, ast.Attribute) and not (is_identity_like(taken.attr) or is_person(taken.attr))


def _records(view: FileView, call: ast.Call, block: Block) -> Iterator[str]:
    for place, value in zip(_given(call), (*call.args, *(one.value for one in call.keywords)), strict=True):
        if not isinstance(value, ast.Constant) and is_record(view, value, block):
            yield place


def _is_dropped(view: FileView, call: ast.Call) -> bool:
    around = view.module.parent(call)
    return isinstance(view.module.parent(around) if isinstance(around, ast.Await) else around, ast.Expr)


def _submitted(view: FileView, call: ast.Call, block: Block, first: int) -> Iterator[CallFact]:
    """The call that an executor or a server makes of what it is handed: `executor.submit(export, job)`."""
    made = ast.copy_location(ast.Call(call.args[first], call.args[first + 1 :], call.keywords), call)
    path = _called(view, made, block) if isinstance(made.func, ast.Name | ast.Attribute) else ""
    if path:
        passes, given = tuple(_passes(view, made, block)), tuple(_given(made))
        tells = tuple(_tells(view, made, block))
        yield CallFact(path, call.lineno, passes, in_thread=True, tells=tells, given=given)


def _is_on_self(view: FileView, call: ast.Call, block: Block) -> bool:
    access = view.access(call.func, block)
    return access.kind == "self" and len(access.steps) == 1


def _is_in_thread(view: FileView, call: ast.Call) -> bool:
    """Whether it stands in a lambda that is handed to a thread: `to_thread(lambda: self.client().ask())`."""
    for around in view.ancestors(call):
        if isinstance(around, ast.Lambda):
            user = view.module.parent(around)
            return isinstance(user, ast.Call) and chain(user.func).rpartition(".")[2] in _THREADS
        if not isinstance(around, ast.expr):
            return False
    return False


def _called(view: FileView, call: ast.Call, block: Block) -> str:
    access = view.access(call.func, block)
    path = access.path
    if not path and isinstance(call.func, ast.Attribute):
        # Of an object that nothing is known about: by the method's name alone, where only one class has it.
        return f"?.{call.func.attr}"
    if not path and access.kind in ("local", "cell") and access.block is not None and not access.steps:
        inner = next((one for one in view.functions if one.parent is access.block and one.name == access.name), None)
        return inner.symbol if inner is not None else ""
    return "" if path.partition(".")[0] in FOREIGN else path


def _passes(view: FileView, call: ast.Call, block: Block) -> Iterator[tuple[str, str]]:
    values = (*call.args, *(one.value for one in call.keywords))
    for place, value in zip(_given(call), values, strict=True):
        yield from _passed(view, value, block, place)


def _tells(view: FileView, call: ast.Call, block: Block) -> Iterator[tuple[str, str]]:
    """The arguments that tell the user from all others, and those that do so when a parameter of the caller does."""
    for place, value in zip(_given(call), (*call.args, *(one.value for one in call.keywords)), strict=True):
        taint = None if isinstance(value, ast.Constant) else view.taint(value, block)
        parts = ways(view, value, block) if isinstance(value, ast.Name) else [value]
        if taint is None or all(map(is_said_of_somebody, parts)):
            continue
        # `request.ctx.clinic`, where the file puts a claim of the token; `driver.id` of `Depends(current_driver)`.
        is_put = isinstance(value, ast.Name | ast.Attribute | ast.Subscript) and proves(view, value, block)
        if taint.by == "request":
            # A name that only sounds like a user's, `printer_profile`, does not tell.
            told = [one for one in identities(view, value, block) if not is_credential(one)]
            sure = told and (proven(view, value, block) or any(names_user(one.rpartition(".")[2]) for one in told))
            if sure or is_put or in_session(view, value, block) or _of_person(view, value, block):
                yield place, ""
        elif is_put or taint.parameter:
            yield place, "" if is_put else taint.parameter


def _of_person(view: FileView, value: ast.expr, block: Block) -> bool:
    """Whether a part of a request is a person by its name, `headers["x-student"]`, or is found by what one signs in
    with: `await subject_of(request.headers["Authorization"])`."""
    for leaf, where in leaves(view, value, block):
        match leaf:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
                named = name
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
                named = name
            case ast.Call() if not isinstance(leaf.func, ast.Name) or not leaf.func.id[:1].isupper():
                handed = (one for each in leaf.args for one in (each, *ast.walk(each)))
                if any(_is_credential(one) for one in handed) and view.taint(leaf, where) is not None:
                    return True
                continue
            case _:
                continue
        if is_person(named.lower().removeprefix("x-").removeprefix("x_")):
            return True
        if _SIGNS_IN.match(named) and not isinstance(leaf, ast.Name) and _is_request(view, leaf, where):
            return True
    return False


def _is_request(view: FileView, leaf: ast.expr, block: Block) -> bool:
    taint = view.taint(leaf, block)
    return taint is not None and taint.by == "request"


def _is_credential(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str(name)):
            return _SIGNS_IN.match(name) is not None
    return False


def _sends(view: FileView, call: ast.Call, block: Block) -> Iterator[tuple[str, str]]:
    """The arguments that are just what the client sent, and those that are a parameter of the caller, or an item of it.

    What the server makes when the client says nothing may stand beside what it says.
    """
    for place, value in zip(_given(call), (*call.args, *(one.value for one in call.keywords)), strict=True):
        if isinstance(value, ast.Constant | ast.Starred | ast.Lambda | ast.Dict | ast.List):
            continue
        parts = list(through(view, value, block))
        said = [bool(claimed(view, one, where)) or is_said(view, one, where) for one, where in parts]
        handed = [
            "" if sure or where is not block else _parameter(one, block) or _asked_elsewhere(view, one, block)
            for sure, (one, where) in zip(said, parts, strict=True)
        ]
        known = zip(said, handed, (one for one, _ in parts), strict=True)
        if any((*said, *handed)) and all(sure or name or _stands_in(view, one) for sure, name, one in known):
            yield from dict.fromkeys((place, name) for sure, name in zip(said, handed, strict=True) if sure or name)


def _stands_in(view: FileView, node: ast.expr) -> bool:
    """Whether it is there for want of what the client says: an id that is made, `said or self.next_id()`."""
    around = view.module.parent(node)
    return is_made(node) or (
        isinstance(node, ast.Call) and isinstance(around, ast.BoolOp) and isinstance(around.op, ast.Or)
        and around.values[0] is not node
    )  # fmt: skip


def _asked_elsewhere(view: FileView, node: ast.expr, block: Block) -> str:
    """The path of what a function of another file gives that is handed the request, `ids.reference()`; else empty."""
    if not isinstance(node, ast.Call) or not any(is_request(view, one, block) for one in node.args):
        return ""
    access = view.access(node.func, block)
    return f"{access.path}()" if access.kind == "global" and not access.steps else ""


def _parameter(node: ast.expr, block: Block) -> str:
    """The parameter that the expression is, or is an item of; empty when it is none."""
    match node:
        case (
            ast.Subscript(value=inner, slice=ast.Constant())
            | ast.Call(func=ast.Attribute(attr="get", value=inner), args=[ast.Constant(), *_])
        ):
            return _parameter(inner, block)
        case ast.Name(id=name) if block.parameter(name) is not None and name != block.receiver:
            return name
    return ""


def _hands(view: FileView, call: ast.Call, block: Block) -> Iterator[tuple[str, str]]:
    """The objects that a call of a class is handed: `Desk(db=Database())`."""
    for place, value in zip(_given(call), (*call.args, *(one.value for one in call.keywords)), strict=True):
        path = view.path(value, block) if isinstance(value, ast.Name | ast.Attribute | ast.Call) else ""
        if path and path.partition(".")[0] not in FOREIGN:
            yield place, path


def _given(call: ast.Call) -> Iterator[str]:
    for index, argument in enumerate(call.args):
        yield "*" if isinstance(argument, ast.Starred) else str(index)
    for keyword in call.keywords:
        yield sys.intern(keyword.arg) if keyword.arg else "*"


def _passed(view: FileView, argument: ast.expr, block: Block, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(argument, ast.Constant):
        return
    taint = view.taint(argument, block)
    if taint is None:
        entry = view.entry_point(block) if isinstance(argument, ast.Name) and argument.id == block.receiver else None
        if entry is not None and entry.kind == "websocket":
            yield place, ""  # the handler is the connection
        return
    if taint.certain:
        yield place, ""
    for condition in taint.given:
        parameter = getattr(condition, "parameter", "")
        if parameter:
            yield place, parameter
