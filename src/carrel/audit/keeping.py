"""The objects of a file that are made once and then used by every request."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import APPLICATIONS, item_name
from carrel.audit.blocks import Block
from carrel.audit.entry_points import is_django_middleware
from carrel.audit.facts import KeptFact
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_OBJECTS, is_servicer
from carrel.audit.mutations import Mutation
from carrel.audit.origins import is_fixed
from carrel.audit.served import handed_objects, objects_of

__all__ = ["is_application_part", "kept_facts", "state_facts"]

_ONE_OBJECT: Final = frozenset(
    {"celery.Task", "celery.app.task.Task", "starlette.middleware.base.BaseHTTPMiddleware",
     "django.utils.deprecation.MiddlewareMixin", "django.contrib.admin.ModelAdmin", "socketio.AsyncNamespace",
     "socketio.Namespace", "flask_socketio.Namespace", "discord.ext.commands.Cog", "nextcord.ext.commands.Cog",
     "disnake.ext.commands.Cog", "grpc.ServerInterceptor", "grpc.aio.ServerInterceptor"}
)  # fmt: skip
"""Bases of which a framework makes one object for each process, whatever calls it."""
_SERVED: Final = frozenset({"route", "websocket", "middleware"})
_SINGLETONS: Final = frozenset({"Singleton", "ThreadSafeSingleton", "Resource", "singleton"})


def kept_facts(view: FileView) -> tuple[KeptFact, ...]:
    """Objects made while the file is imported, and those that a function puts where all requests see them."""
    found: dict[str, KeptFact] = {}
    for owner in view.classes:
        for node, path in _imported(view, owner) if owner.function is None else ():
            _add(view, found, node, path, owner.symbol)
    for node, path in _made(view):
        _add(view, found, node, path)
    return tuple(found.values())


def state_facts(view: FileView) -> tuple[tuple[str, str], ...]:
    """The names under which the file puts objects into the application's state, each with the path of the object."""
    stored = [(_state_name(mutation), mutation.values, mutation.block) for mutation in view.mutations]
    for assign in view.top.nodes(ast.Assign):
        places = (one for one in assign.targets if isinstance(one, ast.Attribute) and _is_app_state(one.value))
        stored += [(one.attr, (assign.value,), view.top) for one in places]
    return tuple(
        (name, access.path)
        for name, values, block in stored
        if name
        for value in values
        for access in view.accesses(value, block)
        if access.path
    )


def _state_name(mutation: Mutation) -> str:
    """Under which name the change puts something into the application's state; empty when it does nothing of it."""
    if mutation.kind == "attribute":
        return mutation.name if _is_app_state(mutation.target) or _is_on_tornados(mutation) else ""
    return (
        item_name(mutation.keys[-1]) if mutation.kind == "item" and mutation.keys and _is_app(mutation.target) else ""
    )


def _add(view: FileView, found: dict[str, KeptFact], node: ast.AST, path: str, owner: str = "") -> None:
    # What a class body makes may be copied for each object: what is made elsewhere too goes before it.
    if path and (path not in found or found[path].is_doubtful):
        note = f"one `{path.removesuffix('()').rpartition('.')[2].rpartition(':')[2]}` for all requests"
        default = _default_of(view, node)
        is_own = path.startswith(f"{view.top.symbol}.")
        unused = not (is_own or owner or default[0]) and _is_unused(view, node)
        fact = KeptFact(path, view.location(node, note), "" if default[0] else owner, default, unused)
        if path not in found or not fact.is_doubtful:
            found[path] = fact


def _default_of(view: FileView, node: ast.AST) -> tuple[str, str]:
    """The function and the parameter in whose default the node stands."""
    child = node
    for around in view.ancestors(node):
        if isinstance(around, ast.arguments):
            function = next(one for one in view.functions if getattr(one.node, "args", None) is around)
            return function.symbol, next((one.name for one in function.parameters if one.default is child), "")
        if isinstance(around, ast.stmt):
            break
        child = around
    return "", ""


def _is_unused(view: FileView, node: ast.AST) -> bool:
    """Whether it is bound to names of the module that nothing in the file reads: `task = Task("…")` of a script."""
    bound = view.module.parent(node)
    targets = bound.targets if isinstance(bound, ast.Assign) else []
    names = {one.id for one in targets if isinstance(one, ast.Name)}
    if not targets or len(names) < len(targets) or view.block_of(node) is not view.top:
        return False
    return not any(
        one.id in names and isinstance(one.ctx, ast.Load) for block in view.blocks for one in block.nodes(ast.Name)
    )


def _made(view: FileView) -> Iterator[tuple[ast.AST, str]]:
    yield from _imported(view, view.top)
    yield from handed_objects(view)
    for mutation in view.mutations:
        if _is_kept(view, mutation):
            for value in mutation.values:
                yield from objects_of(view, value, mutation.block)
        owner = mutation.block.class_
        # `cls._one = ...`: of what goes into a list, `cls._stack.append(new)`, there may be many.
        is_one = mutation.kind == "attribute" and _on_class(mutation) and not mutation.keys
        if mutation.block.name == "__new__" and owner is not None and is_one:
            yield owner.node, f"{owner.symbol}()"
    for owner in view.classes:
        bases = view.base_paths(owner)
        framework = not _ONE_OBJECT.isdisjoint(bases) or is_django_middleware(view, owner) or is_servicer(bases)
        if framework or any(decorator.name in _SINGLETONS for decorator in owner.decorators):
            yield owner.node, f"{owner.symbol}()"
    yield from _closed_over(view)
    yield from _given_out(view)


def _given_out(view: FileView) -> Iterator[tuple[ast.AST, str]]:
    """What a function takes from the application's state, as its annotation names it: `-> Broker`."""
    for function in view.functions:
        if not isinstance(function.node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for returned in function.nodes(ast.Return):
            if isinstance(returned.value, ast.Attribute) and _is_app_state(returned.value.value):
                path = view.annotation_path(function.node.returns)
                yield returned, f"{path}()" if path else ""


def _imported(view: FileView, block: Block) -> Iterator[tuple[ast.AST, str]]:
    for call in block.nodes(ast.Call):
        if _in_main(view, call) or _in_lambda(view, call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in _SINGLETONS and call.args:
            yield call, f"{view.path(call.args[0], block)}()"
        path = view.path(call, block)
        if path and not path.startswith("builtins."):
            yield call, path


def _is_kept(view: FileView, mutation: Mutation) -> bool:
    if mutation.kind == "rebind":
        return mutation.block.scope.globals.__contains__(mutation.name)
    if mutation.kind == "attribute":
        on_application = _is_app_state(mutation.target) or _is_on_tornados(mutation)
        return on_application or _on_class(mutation) or _on_module(mutation)
    if mutation.kind == "item":
        key = mutation.keys[-1] if mutation.keys else None
        fixed = key is not None and is_fixed(view, key, mutation.block)
        return fixed and (_on_class(mutation) or _on_module(mutation) or _is_app(mutation.target))
    return False


def _on_class(mutation: Mutation) -> bool:
    # `new = Desk()` and then `new.agent = agent` is one object's, not the class's.
    return any(access.kind == "class" and "()" not in access.steps for access in mutation.accesses)


def _on_module(mutation: Mutation) -> bool:
    # What is put on `flask.g` is the request's.
    return any(
        access.kind == "global" and "()" not in access.steps and access.name not in REQUEST_OBJECTS
        for access in mutation.accesses
    )


def is_application_part(mutation: Mutation) -> bool:
    """Whether the change puts something where every request finds it: `app["db"] = …`, `app.state.db = …`."""
    if mutation.kind == "item":
        return _is_app(mutation.target)
    return mutation.kind == "attribute" and (_is_app_state(mutation.target) or _is_app(mutation.target))


def _is_app_state(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("state", "ctx") and _is_app(node.value)


def _is_on_tornados(mutation: Mutation) -> bool:
    """Whether it is put on an application of Tornado, which every handler has as `self.application`."""
    return any(access.path == "tornado.web.Application()" for access in mutation.accesses)


def _is_app(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name in APPLICATIONS or name == "api"


def _closed_over(view: FileView) -> Iterator[tuple[ast.AST, str]]:
    """What a function makes for the handlers that are defined in it: `def create_app(): desk = Desk()`."""
    for handler in view.functions:
        outer = handler.parent.function if handler.parent is not None else None
        entry = view.entry_point(handler)
        # A task or callback that a request starts holds the request's own.
        if outer is None or entry is None or entry.kind in ("task", "callback"):
            continue
        for name in handler.nodes(ast.Name):
            if name.id in handler.scope.bindings:
                continue
            for binding in outer.scope.bindings.get(name.id, ()):
                if binding.kind == "assignment" and binding.value is not None:
                    yield from objects_of(view, binding.value, outer)
                elif binding.kind == "parameter" and entry.kind in _SERVED and view.entry_point(outer) is None:
                    yield name, f"{outer.symbol}:{name.id}"


def _in_main(view: FileView, node: ast.AST) -> bool:
    for around in view.ancestors(node):
        if isinstance(around, ast.If) and isinstance(around.test, ast.Compare):
            if isinstance(around.test.left, ast.Name) and around.test.left.id == "__name__":
                return True
        elif isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return False
    return False


def _in_lambda(view: FileView, node: ast.AST) -> bool:
    return any(isinstance(around, ast.Lambda) for around in view.ancestors(node))
