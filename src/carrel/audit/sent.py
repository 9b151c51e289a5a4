"""What the client says: where an expression is from, and under which name it was sent."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.admission import sign_in
from carrel.audit.blocks import Block, Parameter
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_METHODS, REQUEST_OBJECTS, REQUEST_TYPES, is_servicer
from carrel.audit.persons import gives_caller
from carrel.audit.taint import is_part_name

__all__ = [
    "SAID",
    "claimed",
    "is_connection",
    "is_handler",
    "is_in_address",
    "is_of_grpc",
    "is_request",
    "is_said",
    "origins",
    "spine",
    "ways",
]

_LOADS: Final = frozenset({"loads", "decode", "unpackb", "model_validate_json", "parse_raw"})
_CONNECTION: Final = re.compile(r"(?i)^_?(?:web_?socket|ws|socket|conn|connection|client|peer)$")
SAID: Final = frozenset(
    {"headers", "query_params", "path_params", "args", "form", "match_info", "query", "json", "GET", "POST", "data",
     "values", "params", "body", "post", "rel_url", "view_args", "META", "FILES"}
)  # fmt: skip
"""What of a request the client fills in as it likes."""
_READ: Final = frozenset({"json", "get_json", "form", "body", "post", "receive_json", "receive_text", "receive", "text",
                          "recv", "receive_str", "iter_json", "iter_text"})  # fmt: skip
_ARGUMENTS: Final = frozenset(one for one in REQUEST_METHODS if "argument" in one)
_THROUGH: Final = frozenset(
    {"str", "int", "UUID", "uuid.UUID", "ObjectId", "bson.ObjectId", "quote", "unquote", "cast"}
)
_ADDRESSES: Final = frozenset({"get", "post", "put", "patch", "delete", "route", "websocket", "api_route", "tool"})
_DEPTH: Final = 8
_READ_OUT: Final = 3
"""How often something may be read out of what was read out."""


def origins(view: FileView, node: ast.expr, block: Block) -> Iterator[ast.expr]:
    """What an expression is, through locals, defaults, conversions and texts: not what calls were handed."""
    return _origins(view, node, block, _DEPTH, set())


def _origins(view: FileView, node: ast.expr, block: Block, depth: int, seen: set[ast.expr]) -> Iterator[ast.expr]:
    """`seen` has the names that were followed: `text = text + line` in twenty branches has millions of ways."""
    for part in ways(view, node, block) if depth else ():
        if part is node:
            yield node
        elif part not in seen:
            seen.add(part)
            yield from _origins(view, part, block, depth - 1, seen)


def ways(view: FileView, node: ast.expr, block: Block) -> list[ast.expr]:
    """The expressions that this one is made of; the expression itself where it is made of none."""
    match node:
        case ast.Name():
            bindings = block.scope.bindings.get(node.id, ()) if block.kind == "function" else ()
            known = [one.value for one in bindings if one.kind != "parameter" and one.value is not None]
            return [*known, node] if not known or block.parameter(node.id) is not None else known
        case ast.BoolOp():
            return node.values
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.Await() | ast.NamedExpr() | ast.FormattedValue():
            return [node.value]
        case ast.JoinedStr():
            return [one for one in node.values if not isinstance(one, ast.Constant)]
        case ast.Tuple():
            return node.elts
        case ast.BinOp():
            return [one for one in (node.left, node.right) if not isinstance(one, ast.Constant)]
        case ast.Call() if node.args and view.dotted(node.func).removeprefix("builtins.") in _THROUGH:
            return [node.args[-1]]
        case ast.Call() if isinstance(node.func, ast.Attribute) and node.func.attr in ("strip", "lower", "format"):
            return [node.func.value]
    return [node]


def claimed(view: FileView, leaf: ast.expr, block: Block) -> str:
    """The name under which the client sent the value, `user_id` or `x-user-id`; empty when it is not the client's."""
    match leaf:
        case ast.Name():
            parameter = block.parameter(leaf.id)
            return leaf.id if parameter is not None and _is_sent(view, block, parameter) else ""
        case ast.Attribute():
            root = leaf.value
            if not isinstance(root, ast.Name):
                return ""
            parameter = block.parameter(root.id)
            if parameter is not None and parameter.annotation is None and view.imports("django"):
                return ""  # a part of an address is a text; this is what a decorator has found: `token.character_id`
            return leaf.attr if parameter is not None and _is_sent(view, block, parameter) else ""
        case ast.Subscript():
            return _text(view, leaf.slice) if is_said(view, leaf.value, block) else ""
        case ast.Call() if isinstance(leaf.func, ast.Attribute) and leaf.func.attr == "get" and leaf.args:
            return _text(view, leaf.args[0]) if is_said(view, leaf.func.value, block) else ""
        case ast.Call(func=ast.Attribute(value=ast.Name(id=handler), attr=name), args=[said, *_]) if name in _ARGUMENTS:
            return _text(view, said) if handler == block.receiver else ""  # of Tornado
    return ""


def is_handler(view: FileView, function: Block) -> bool:
    """Whether clients call the function: a route, a WebSocket handler, a tool, or a view that asks for a sign-in."""
    entry = view.entry_point(function)
    if entry is not None:
        return entry.kind in ("route", "websocket", "tool")
    return bool(sign_in(view, function))


def _is_sent(view: FileView, function: Block, parameter: Parameter) -> bool:
    if not is_handler(view, function) or parameter.name == function.receiver:
        return False
    if view.dependency(parameter) is not None or parameter.kind in ("*", "**"):
        return False
    if not _may_be_addressed(view, function, parameter.name):
        return False
    annotation = view.annotation_name(parameter.annotation)
    if gives_caller(parameter.name) or gives_caller(annotation):
        return False  # `user: CurrentActiveUser`, which another file binds to a dependency
    if parameter.name == "request" and is_of_grpc(view, function):
        return True  # the message itself
    return annotation not in REQUEST_TYPES and not is_part_name(annotation) and parameter.name not in ("request", "ctx")


def _may_be_addressed(view: FileView, function: Block, name: str) -> bool:
    """Whether nothing says that a route takes all its arguments from its address, and that this one is not there.

    In Flask and its like a decorator hands over the others: `@app.route("/files")` over `def files(tenant_id)`.
    """
    routes = [one for one in function.decorators if one.call is not None and (one.name == "route" or _marks(one.call))]
    if not routes or view.imports("litestar", "starlite"):
        return True
    texts = [ast.unparse(one.call.args[0]) for one in routes if one.call is not None and one.call.args]
    return not texts or any(re.search(rf"[<:{{]{name}[>:}}]", text) for text in texts)


def is_in_address(function: Block, name: str, label: str) -> bool:
    """Whether a part of the address has the name: as the route says, or as an argument of a view of Django, whose
    `urls.py` does.
    """
    if f"{{{name}" in label or f":{name}>" in label or f"<{name}>" in label:
        return True
    first = function.parameters[0].name if function.parameters else ""
    addressed = any(one.name in _ADDRESSES for one in function.decorators)
    return first == "request" and not addressed and function.parameter(name) is not None


def _marks(call: ast.Call) -> bool:
    """Whether an address marks its parts as Flask does: `/files/<file_id>`."""
    address = call.args[0] if call.args else None
    return isinstance(address, ast.Constant) and "<" in str(address.value)


def is_of_grpc(view: FileView, function: Block) -> bool:
    """Whether the function is a method of a servicer of gRPC: its `request` is the message."""
    return function.class_ is not None and is_servicer(view.base_paths(function.class_))


def is_said(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether the expression is the part of a request that the client fills in."""
    for one in origins(view, node, block):
        inner = one.value if isinstance(one, ast.Await) else one
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr in _READ:
            inner = inner.func
        if isinstance(inner, ast.Attribute) and (inner.attr in SAID or inner.attr in _READ):
            if any(is_request(view, part, block) for part in spine(inner.value)):
                return True
        elif _is_received(view, inner, block) or (isinstance(inner, ast.Name) and claimed(view, inner, block)):
            return True
    return False


def _is_received(view: FileView, node: ast.expr, block: Block, depth: int = _READ_OUT) -> bool:
    """Whether the expression is a message that came over a connection, or what was read out of one."""
    if not depth:  # `data = json.loads(data)`
        return False
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[first, *_]) if name in _LOADS:
            return any(_is_received(view, one, block, depth - 1) for one in origins(view, first, block))
        case ast.Call(func=ast.Attribute(value=inner, attr=name)):
            return (name in _READ and is_connection(view, inner, block)) or (
                name == "json" and _is_received(view, inner, block, depth - 1)
            )
        case ast.Await(value=inner):
            return _is_received(view, inner, block, depth - 1)
        case ast.Attribute(value=ast.Name() as inner, attr="data" | "content"):
            return _is_received(view, inner, block, depth - 1)
        case ast.Name() if block.parameter(node.id) is not None:
            return bool(claimed(view, node, block))
        case ast.Name() if block.kind == "function":
            for binding in block.scope.bindings.get(node.id, ()):
                around = view.module.parent(binding.node)
                if binding.kind == "loop" and isinstance(around, ast.For | ast.AsyncFor):
                    return any(is_connection(view, one, block) for one in spine(around.iter))
    return False


def is_connection(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether it is the connection to one client: what a WebSocket's handler is called with, or makes."""
    if not isinstance(node, ast.Name) or block.kind != "function":
        return False
    if block.parameter(node.id) is not None:
        entry = view.entry_point(block)
        is_websocket = entry is not None and entry.kind == "websocket" and _CONNECTION.match(node.id) is not None
        return is_websocket or is_request(view, node, block)
    made = [one.value for one in block.scope.bindings.get(node.id, ()) if isinstance(one.value, ast.Call)]
    return any(view.dotted(one.func) == "aiohttp.web.WebSocketResponse" for one in made)


def is_request(view: FileView, node: ast.expr, block: Block) -> bool:
    """Whether the name stands for the request, or for a connection that came with one; `self.request` of a view too."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr == "request" and node.value.id == block.receiver
    if not isinstance(node, ast.Name):
        return False
    parameter = block.parameter(node.id)
    if parameter is not None:
        return (
            node.id in ("request", "req", "websocket", "ws", "socket", "handler_request")
            or view.annotation_name(parameter.annotation) in REQUEST_TYPES
        )
    return view.dotted(node) in REQUEST_OBJECTS


def spine(node: ast.expr) -> Iterator[ast.expr]:
    """The expression, and what its attributes and items are read from and its calls are made of, to the root."""
    yield node
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
        yield node


def _text(view: FileView, node: ast.expr) -> str:
    """The text that the expression is, written there or under a name of the module."""
    if isinstance(node, ast.Name) and view.access(node).kind == "global":
        bound = view.module.scope.bindings.get(node.id, ())
        node = next((one.value for one in bound if one.value is not None), node) if len(bound) == 1 else node
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
