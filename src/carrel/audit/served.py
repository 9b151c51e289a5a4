"""The objects that an application or a server is handed: they live as long as it does, and serve every request."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.entry_points import registration
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["handed_objects", "objects_of"]

_APPLICATIONS: Final = frozenset({"Application", "Starlette", "FastAPI", "Litestar", "Sanic", "Quart", "Middleware"})
"""Classes of what answers requests; whatever they are made with, they keep."""
_TAKES: Final = re.compile(
    r"^(?:register_namespace|add_\w+_to_server|add_(?:generic_rpc_handlers|routes|middleware|handlers?|event_handler)|"
    r"include_router|register_blueprint|mount|Mount|create_(?:unix_)?server|run_app)$"
)
"""Functions and methods that hand the application something to answer requests with."""
_KINDS: Final = frozenset({"route", "websocket", "consumer"})
_HANDLERS: Final = frozenset({"MessageHandler", "CommandHandler"})


def handed_objects(view: FileView) -> Iterator[tuple[ast.AST, str]]:
    """The objects that the functions of a file hand to applications and servers, each with its path.

    With what they are made with: of `add_EchoServicer_to_server(Echo(Store()), server)` the `Store()` as well.
    """
    for block in view.blocks:
        for call in block.nodes(ast.Call):
            for value in _handed(view, call):
                yield from objects_of(view, value, block, named=True)


def _handed(view: FileView, call: ast.Call) -> list[ast.expr]:
    """What of a call's arguments the application keeps."""
    name = called_name(call)
    if name in _APPLICATIONS or _TAKES.match(name) is not None:
        return [*call.args, *(one.value for one in call.keywords)]
    row = registration(call)
    if row is None or (row.kind not in _KINDS and name not in _HANDLERS):
        return []
    by_name = [one.value for one in call.keywords if one.arg in row.keywords]
    handlers = by_name or call.args[row.position : row.position + 1] if row.position >= 0 else by_name
    # `cache.get("/x", default)` may be no route: only what has methods of an object for handlers says so.
    return [one for one in handlers if isinstance(one, ast.Attribute) or _is_partial(view, one)]


def _is_partial(view: FileView, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and view.dotted(node.func) == "functools.partial"


def objects_of(view: FileView, value: ast.expr, block: Block, *, named: bool = False) -> Iterator[tuple[ast.AST, str]]:
    """What a value is made of: the calls that make it with what they are handed, and what its functions see.

    A function that is handed over makes what it makes anew at each call; what it closes over is there once. `named`
    adds what only has a name here, and the objects of methods: `desk` and `desk.answer` of a parameter `desk`.
    """
    stack = [value]
    seen: set[ast.AST] = set()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        match node:
            case ast.Call():
                yield node, view.path(node, block)
                stack += [*node.args, *(keyword.value for keyword in node.keywords)]
            case ast.IfExp() | ast.BoolOp() | ast.Await() | ast.NamedExpr() | ast.Starred():
                stack += [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
            case ast.List() | ast.Tuple() | ast.Set():
                stack += node.elts
            case ast.Dict():
                stack += node.values
            case ast.Attribute() if named:
                yield node, view.path(node.value, block)
                stack.append(node.value)
            case ast.Name():
                if named:
                    yield node, view.path(node, block)
                stack += _bound(view, node.id, block)
            case ast.Lambda():
                stack += _closed_over(node.body)


def _bound(view: FileView, name: str, block: Block) -> Iterator[ast.expr]:
    """What the function gives the name: where it is made, what is put into it, what a function of its own sees."""
    for one in block.scope.bindings.get(name, ()):
        around = view.module.parent(one.node)
        if one.value is not None and one.kind != "parameter":
            yield one.value
        elif isinstance(around, ast.withitem):
            yield around.context_expr
        elif one.kind == "function" and isinstance(one.node, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in one.node.body:
                yield from _closed_over(statement)
    for mutation in view.mutations_of(block, name) if block.kind == "function" else ():
        yield from mutation.values


def _closed_over(body: ast.AST) -> list[ast.expr]:
    """The names in the body of a function, for the function around it to say what they are."""
    return [one for one in ast.walk(body) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)]
