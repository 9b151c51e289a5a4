"""Where a function finds out by itself who is asking: from a framework, not from its arguments."""

from __future__ import annotations

import ast
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import proven, proves
from carrel.audit.chains import chain_names
from carrel.audit.depending import signs_in
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_OBJECTS, REQUEST_TYPES
from carrel.audit.origins import identities, is_request_name, is_shown, leaves
from carrel.audit.persons import is_person
from carrel.audit.taint import OF_HANDLER

__all__ = ["asks_request", "asks_who"]

_FRAMEWORKS: Final = ("flask", "quart", "flask_login", "quart_auth", "flask_jwt_extended", "streamlit", "fastmcp",
                      "mcp", "chainlit", "sanic", "bottle", "cherrypy", "aiohttp_session",
                      "aiohttp_security")  # fmt: skip
_USERS: Final = frozenset({"current_user", "user", "experimental_user"})
_CALLS: Final = frozenset(
    {"flask_jwt_extended.get_jwt_identity", "flask_jwt_extended.get_jwt",
     "fastmcp.server.dependencies.get_http_headers", "fastmcp.server.dependencies.get_access_token",
     "mcp.server.auth.middleware.auth_context.get_access_token", "aiohttp_session.get_session",
     "aiohttp_security.authorized_userid"}
)  # fmt: skip


def asks_who(view: FileView, function: Block) -> int:
    """The line where the function asks for the current user, `g.user` or `session["user_id"]`; 0 when it does not."""
    for parameter in function.parameters:
        if isinstance(parameter.default, ast.Name) and parameter.default.id == "current_user":
            return parameter.default.lineno  # `def find(note_id, user=current_user)`
    if "current_user" in view.top.scope.bindings:
        # The application's own, `from shop.auth import current_user`, as long as it is no function to be asked.
        told = (one for one in function.nodes(ast.Attribute) if ast.unparse(one.value) == "current_user")
        own = next((one for one in told if view.access(one.value, function).kind == "global"), None)
        if own is not None:
            return own.lineno
    if not view.imports(*_FRAMEWORKS):
        return 0
    for node in function.nodes(ast.Attribute, ast.Name):
        dotted = view.dotted(node)
        if dotted not in REQUEST_OBJECTS or view.access(node, function).kind == "parameter":
            continue
        whole = _whole(view, node)
        if whole is node and isinstance(view.module.parent(node), ast.Compare):
            continue  # `"connection" not in g`
        if dotted.rpartition(".")[2] in _USERS or (not is_shown(whole) and _tells_who(view, whole, function)):
            return node.lineno
    return next((call.lineno for call in function.nodes(ast.Call) if view.dotted(call.func) in _CALLS), 0)


def _tells_who(view: FileView, whole: ast.expr, function: Block) -> bool:
    """Whether it is somebody by its name, `g.employee`, or the file puts who is asking there, in a `before_request`."""
    named = any(is_person(one) for leaf, _ in leaves(view, whole, function) for one in chain_names(leaf)[1:])
    return named or bool(identities(view, whole, function)) or proven(view, whole, function)


def asks_request(view: FileView, function: Block) -> int:
    """The line where it takes from the request that it is handed who is asking, `request.user`; 0 when it does not."""
    if any(signs_in(view, one) for one in function.parameters):
        return getattr(function.node, "lineno", 0)
    requests = {
        one.name
        for one in function.parameters
        if is_request_name(one.name) or view.annotation_name(one.annotation) in REQUEST_TYPES
    }
    used = [
        node for node in function.nodes(ast.Name, ast.Attribute)
        if (node.id in requests if isinstance(node, ast.Name) else _is_of_handler(node, function))
    ]  # fmt: skip
    told = (one for one in (_whole(view, name) for name in used) if not isinstance(one, ast.Name))
    line = next((one.lineno for one in told if not is_shown(one) and identities(view, one, function)), 0)
    # `await holder_of(request)`
    asked = (
        one.lineno for one in (function.nodes(ast.Call) if used and not line else ()) if proves(view, one, function)
    )
    return line or next(asked, 0)


def _is_of_handler(node: ast.Attribute, function: Block) -> bool:
    """Whether a framework has put it on the object that handles one request: `self.request`, `self.current_user`."""
    return node.attr in OF_HANDLER and isinstance(node.value, ast.Name) and node.value.id == function.receiver


def _whole(view: FileView, node: ast.expr) -> ast.expr:
    """The expression as far as it goes on from the object: `session.get("user")` for `session`."""
    while True:
        around = view.module.parent(node)
        match around:
            case ast.Attribute(value=inner) | ast.Subscript(value=inner) | ast.Call(func=inner) if inner is node:
                node = around
            case _:
                return node
