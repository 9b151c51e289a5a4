"""Where requests enter a file: routes, WebSocket handlers, tools, tasks, consumers, callbacks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec

from carrel.audit.blocks import Block, Decorator
from carrel.audit.frameworks import (
    AMBIGUOUS,
    DECORATED,
    HOOKS,
    HTTP_METHODS,
    PAGE_EVENTS,
    RECEIVERS,
    REGISTERED,
    EntryKind,
    Registration,
    handling,
)

if TYPE_CHECKING:
    from carrel.audit.file_view import FileView

__all__ = ["EntryPoint", "find_entry_points", "is_django_middleware", "page_of", "registration"]

_WEB: Final = frozenset({"route", "websocket"})
_HOMES: Final = MappingProxyType({"action": "rest_framework.", "field": "strawberry.", "mutation": "strawberry."})
"""Where decorators come from whose names say little."""
_ANSWERS: Final = re.compile(
    r"^(?:django\.(?:http|shortcuts|template\.response)|rest_framework\.response|starlette\.responses)\."
    r"|^aiohttp\.web\.(?:json_response$|\w*Response$)|^sanic\.(?:response\.)?(?:json|text|html|raw|empty|redirect)$"
)
"""What a function gives back that answers a request."""
_RPC: Final = (frozenset({"request", "request_iterator"}), frozenset({"context", "ctx", "_context"}))
"""What the methods of a service of gRPC are handed, in their order."""

_ASGI: Final = ("scope", "receive", "send")
"""What applications and middleware of ASGI are called with."""


class EntryPoint(msgspec.Struct, frozen=True, array_like=True):
    """A function that a framework calls for a request, a message or a job."""

    path: str
    """Of the function, as `FileView.path` says it: `app.main.chat`, `app.main.Documents().post`."""
    kind: EntryKind
    label: str
    """`POST /chat`, `tool search`, `task reports.build`."""
    line: int = 0
    by: str = ""
    """The path of what it is registered with: of the router whose decorator it has, of what is called with it."""

    @property
    def text(self) -> str:
        """As the first part of `reachable_from`: the label and the function."""
        return f"{self.label} {self.path.replace('()', '')}"


def find_entry_points(view: FileView) -> tuple[EntryPoint, ...]:
    """The entry points that a file declares, for functions of its own and of others."""
    found: dict[str, EntryPoint] = {}
    found_by = (_decorated, _handlers, _registered, _hooks, _middleware, _views, _services, _pages)
    for entry in (entry for find in found_by for entry in find(view)):
        found.setdefault(entry.path, entry)
    return tuple(found.values())


def _decorated(view: FileView) -> Iterator[EntryPoint]:
    for function in view.functions:
        for decorator in function.decorators:
            row = DECORATED.get(decorator.name)
            if row is None or not _counts(view, decorator):
                continue
            kind, word = row
            text = _first_text(decorator.call)
            if kind in _WEB:
                label = _route_label(decorator.call, word, text)
            else:
                label = f"{word} {text or function.name}" if word != function.name else word
            by = decorator.dotted.rpartition(".")[0]
            yield EntryPoint(function.symbol, kind, label, getattr(function.node, "lineno", 0), by)


def _counts(view: FileView, decorator: Decorator) -> bool:
    """Whether a decorator of this name is the framework's, not something else of the same name."""
    text = _first_text(decorator.call)
    if DECORATED[decorator.name][0] in _WEB and text.startswith("/"):
        return True
    if decorator.name == "command" and _is_for_a_shell(view):
        return False
    if decorator.name not in AMBIGUOUS or decorator.dotted == "aiohttp.web.middleware":
        return "test" not in decorator.dotted
    home = _HOMES.get(decorator.name)
    if home is not None:
        return decorator.dotted.startswith(home)
    named = decorator.call.func if decorator.call is not None else decorator.node
    if not isinstance(named, ast.Attribute):
        return decorator.name == "task" and decorator.dotted.startswith(("celery.", "prefect.", "taskiq."))
    receiver = decorator.dotted.rpartition(".")[0].rpartition(".")[2].lower().strip("()_")
    return any(receiver == word or receiver.endswith(f"_{word}") for word in RECEIVERS)


def _is_for_a_shell(view: FileView) -> bool:
    """Whether commands in this file are those of a shell: one person calls them, in a process of its own."""
    return view.imports("typer", "click", "cyclopts")


def _handlers(view: FileView) -> Iterator[EntryPoint]:
    for owner in view.classes:
        handled = _handled(view, owner)
        if handled is None:
            continue
        kind, methods = handled
        for function in view.methods(owner):
            if any(fnmatchcase(function.name, one) for one in methods):
                label = f"{function.name.removeprefix('do_').upper()} {owner.name}"
                if kind not in _WEB:
                    label = f"{kind} {owner.name}"
                yield EntryPoint(function.symbol, kind, label, getattr(function.node, "lineno", 0))


def _handled(view: FileView, owner: Block) -> tuple[EntryKind, tuple[str, ...]] | None:
    """What calls the methods of the class, and which of them, by the bases above it that this file shows."""
    waiting, seen = [owner], {owner}
    while waiting:
        for path in view.base_paths(waiting.pop(0)):
            handled = handling(path)
            if handled is not None:
                return handled
            above = [one for one in view.classes if one.symbol == path and one not in seen]
            waiting += above
            seen.update(above)
    return None


def is_django_middleware(view: FileView, owner: Block) -> bool:
    """Whether Django makes one object of the class, with the next handler."""
    made = next((one for one in view.methods(owner) if one.is_initializer), None)
    return made is not None and made.parameter("get_response") is not None


def _middleware(view: FileView) -> Iterator[EntryPoint]:
    """Classes of Django that are made with the next handler, and what ASGI calls, for every request."""
    for function in view.functions:
        handed = tuple(one.name for one in function.parameters if one.name != function.receiver)
        if function.is_async and handed == _ASGI and function.parent is not None and function.parent.kind != "function":
            owned = function.class_.name if function.class_ is not None else function.name
            line = getattr(function.node, "lineno", 0)
            yield EntryPoint(function.symbol, "middleware", f"middleware {owned}", line)
    for owner in view.classes:
        called = next((one for one in view.methods(owner) if one.name == "__call__"), None)
        if called is not None and is_django_middleware(view, owner):
            line = getattr(called.node, "lineno", 0)
            yield EntryPoint(called.symbol, "middleware", f"middleware {owner.name}", line)


def _views(view: FileView) -> Iterator[EntryPoint]:
    """Functions that take a `request` and give an answer to it, wherever the table of addresses is."""
    for function in view.functions:
        first = function.parameters[0].name if function.parameters else ""
        if function.parent is not view.top or first != "request":
            continue
        if any(_is_answer(view, returned.value, function) for returned in function.nodes(ast.Return)):
            label = f"view {function.name}"
            yield EntryPoint(function.symbol, "route", label, getattr(function.node, "lineno", 0))


def _services(view: FileView) -> Iterator[EntryPoint]:
    """The methods of a service of gRPC, by what they are handed: `def Open(self, request, context)`."""
    for function in view.functions if view.imports("grpc", "grpclib") else ():
        handed = [one.name for one in function.parameters if one.name != function.receiver]
        is_method = function.class_ is not None and function.name[:1].isupper() and len(handed) == len(_RPC)
        if is_method and all(name in names for name, names in zip(handed, _RPC, strict=True)):
            label = f"{function.name} {function.class_.name if function.class_ else ''}"
            yield EntryPoint(function.symbol, "route", label, getattr(function.node, "lineno", 0))


def _pages(view: FileView) -> Iterator[EntryPoint]:
    if view.is_page:
        yield EntryPoint(page_of(view), "route", "page", 1)


def page_of(view: FileView) -> str:
    """The name that the module of a page has as a function."""
    return f"{view.top.symbol}.<page>"


def _is_answer(view: FileView, value: ast.expr | None, function: Block) -> bool:
    """Whether it is an answer of a framework, or a local that was made one."""
    made = [value]
    if isinstance(value, ast.Name):
        made = [one.value for one in function.scope.bindings.get(value.id, ())]
    return any(isinstance(one, ast.Call) and _ANSWERS.match(view.dotted(one.func)) is not None for one in made)


def _registered(view: FileView) -> Iterator[EntryPoint]:
    is_page = view.imports("gradio")
    for block in view.blocks:
        for call in block.nodes(ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            row = registration(call)
            # `executor.submit(work)` is no page's event.
            if row is None or (name in PAGE_EVENTS and not is_page):
                continue
            handler = _handler(call, row)
            if handler is None:
                continue
            text = _first_text(call) or _first_text(call, place=1)
            if row.kind in _WEB and row.position == 1 and not (text or name in ("path", "re_path")):
                continue
            path = _function_path(view, handler, block)
            if path:
                label = _route_label(call, row.label, text) if row.kind in _WEB else f"{row.kind} {name}"
                yield EntryPoint(path, row.kind, label, call.lineno, view.path(call.func, block))


def registration(call: ast.Call) -> Registration | None:
    """How a call is told what to call; `None` when it is told nothing of the kind."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in HTTP_METHODS and not (_first_text(call) or _first_text(call, place=1)).startswith("/"):
        return None  # `values.get("name", self.default)`
    return REGISTERED.get(name)


def _handler(call: ast.Call, row: Registration) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg in row.keywords:
            return keyword.value
    # Sanic has it the other way round: `add_route(handler, "/path")`.
    is_first = row.position == 1 and _first_text(call, place=1).startswith("/")
    position = 0 if is_first or (row.may_be_alone and len(call.args) == 1) else row.position
    return call.args[position] if 0 <= position < len(call.args) else None


def _hooks(view: FileView) -> Iterator[EntryPoint]:
    """The functions that an application, a router or a route is told to call: `Litestar(guards=[sign_in])`,
    `app.on_response_prepare.append(sign)`."""
    for block in view.blocks:
        for call in block.nodes(ast.Call):
            told = [(one.arg or "", one.value, call.func) for one in call.keywords]
            match call:
                case ast.Call(func=ast.Attribute(value=ast.Attribute(value=owner, attr=hook), attr="append" | "extend"),
                              args=[given]):  # fmt: skip
                    told.append((hook, given, owner))
            for hook, given, owner in told:
                named = given.elts if isinstance(given, ast.List | ast.Tuple) else [given]
                for one in named if hook in HOOKS else ():
                    path = _function_path(view, one, block)
                    if path:
                        by = view.path(owner, block)
                        yield EntryPoint(path, "middleware", f"middleware {hook}", call.lineno, by)


def _function_path(view: FileView, node: ast.expr, block: Block) -> str:
    match node:
        case ast.Call(func=func, args=[first, *_]) if view.dotted(func) == "functools.partial":
            return _function_path(view, first, block)
        case ast.Lambda(body=ast.Call(func=func)):
            return _function_path(view, func, block)
        case ast.Call(func=ast.Name() as func):
            # `make_handler(pool)` gives the function that is defined in it.
            return _given_function(view, view.dotted(func))
        case ast.Name() | ast.Attribute():
            pass
        case _:
            # `MyView.as_view()`: its methods are found by the class.
            return ""
    access = view.access(node, block)
    if access.kind == "new" or (access.kind == "global" and access.name.startswith("builtins.")):
        return ""
    if access.kind in ("local", "cell"):
        owner = access.block
        inner = next((one for one in view.functions if one.parent is owner and one.name == access.name), None)
        return inner.symbol if inner is not None else ""
    return view.symbol_path(access)


def _given_function(view: FileView, maker: str) -> str:
    """The function of its own that a function of the file gives."""
    for inner in view.functions:
        outer = inner.parent if inner.parent is not None and inner.parent.symbol == maker else None
        for returned in outer.nodes(ast.Return) if outer is not None else ():
            if isinstance(returned.value, ast.Name) and returned.value.id == inner.name:
                return inner.symbol
    return ""


def _first_text(call: ast.Call | None, *, place: int = 0) -> str:
    if call is None:
        return ""
    named = (one.value for one in call.keywords if one.arg in ("path", "name", "rule"))
    for node in (*call.args[place : place + 1], *named):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
    return ""


def _route_label(call: ast.Call | None, word: str, text: str) -> str:
    methods = next((one.value for one in call.keywords if one.arg == "methods"), None) if call is not None else None
    if isinstance(methods, ast.List | ast.Tuple | ast.Set):
        named = [one.value for one in methods.elts if isinstance(one, ast.Constant)]
        word = ",".join(str(name).upper() for name in named) or word
    return f"{word or 'GET'} {text or '/'}"
