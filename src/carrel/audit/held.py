"""What modules and classes hold from the moment they are imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.taint import is_identity_like

__all__ = [
    "Held",
    "calls_method",
    "clears_context",
    "fields_of",
    "given_value",
    "goes_round",
    "held_calls",
    "is_in_finally",
    "is_under_test",
    "keeps_context",
    "names_identity",
    "own_containers",
    "text_of",
    "worker_loop",
]

_CONSUMES: Final = re.compile(r"(?i)consumer|subscri|listen|poll\(|consume\(")
_CLEARS: Final = ("reset", "clear_contextvars", "unbind_contextvars", "reset_contextvars", "bound_contextvars",
                  "clear_threadlocal", "copy_context", "create_task", "start_soon")  # fmt: skip
_OWN_CONTEXT: Final = ("copy_context", "Context", "set", "reset", "bind_contextvars", "clear_contextvars")
_MISSING: Final = frozenset({"KeyError", "AttributeError", "LookupError", "IndexError"})
_MADE_OF_FIELDS: Final = frozenset({"dataclass", "define", "mutable", "frozen", "attrs"})
"""Decorators that write `__init__` for a class."""
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Held:
    """A name that a module or class binds to what a call gives."""

    symbol: str
    """Absolute and dotted."""
    call: ast.Call
    node: ast.AST
    block: Block


def held_calls(view: FileView, dotted: Collection[str] = ()) -> Iterator[Held]:
    """The names of the module and of its classes that hold what a call gives; only of these functions, if given."""
    for block in (view.top, *view.classes):
        for name, bindings in block.scope.bindings.items():
            for binding in bindings:
                value = binding.value.value if isinstance(binding.value, ast.Await) else binding.value
                if isinstance(value, ast.Call) and (not dotted or view.dotted(value.func) in dotted):
                    yield Held(f"{block.symbol}.{name}", value, binding.node, block)


def given_value(view: FileView, node: ast.expr) -> ast.expr:
    """What a name was given first; any other expression is its own value."""
    found = view.module.scope_of(node).lookup(node.id) if isinstance(node, ast.Name) else None
    return next((one.value for one in found[1] if one.value is not None), node) if found is not None else node


def names_identity(node: ast.AST) -> bool:
    """Whether a name, an attribute, a key or a column in the expression says that it is about one user."""
    for child in ast.walk(node):
        match child:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.keyword(arg=str(word)):
                pass
            case ast.Constant(value=str(word)) if len(word) < 40:
                pass
            case _:
                continue
        if is_identity_like(_CAMEL.sub("_", word)):
            return True
    return False


def text_of(node: ast.expr) -> str:
    """The text of a string literal, `{}` for each value in it; of `text("…")` and `"…".format(…)` too."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr():
            return "".join(text_of(part) or "{}" for part in node.values)
        case ast.BinOp(op=ast.Mod(), left=left):
            return text_of(left)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return (text_of(left) or "{}") + (text_of(right) or "{}")
        case ast.Call(func=ast.Attribute(attr="format", value=value)):
            return text_of(value)
        case ast.Call(args=[first, *_]):
            return text_of(first)
    return ""


def calls_method(node: ast.AST, *names: str) -> bool:
    """Whether a function or method of one of the names is called in the node."""
    return any(
        isinstance(one, ast.Call)
        and (one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "")) in names
        for one in ast.walk(node)
    )


def clears_context(node: ast.AST) -> bool:
    """Whether the node takes out of the context again what was set there, or hands its work a context of its own."""
    return calls_method(node, *_CLEARS)


def goes_round(function: Block) -> bool:
    """Whether a coroutine goes round for what others have put somewhere, in the context in which it was started.

    Not in a context of its own making, nor in the one that came with the item.
    """
    return keeps_context(function) and any(True for _ in function.nodes(ast.While, ast.AsyncFor))


def keeps_context(function: Block) -> bool:
    """Whether a coroutine does all its work in the context in which it was started."""
    given = any(one.arg == "context" for call in function.nodes(ast.Call) for one in call.keywords)
    return function.is_async and not given and not calls_method(function.node, *_OWN_CONTEXT)


def is_in_finally(view: FileView, node: ast.AST) -> bool:
    """Whether the node runs however its function ends."""
    child = node
    for around in view.ancestors(node):
        if isinstance(around, ast.Try) and child in around.finalbody:
            return True
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return around.name in ("__exit__", "__aexit__", "close", "aclose", "clear", "reset")
        child = around
    return False


def worker_loop(view: FileView, node: ast.AST) -> ast.While | ast.AsyncFor | ast.For | None:
    """The loop over messages around a node: one without end, or over what a consumer gives."""
    for around in view.ancestors(node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return None
        if isinstance(around, ast.While | ast.AsyncFor):
            return around
        if isinstance(around, ast.For) and _CONSUMES.search(ast.unparse(around.iter)):
            return around
    return None


def is_under_test(view: FileView, node: ast.AST) -> bool:
    """Whether the node runs only under some condition of its function."""
    child = node
    for around in view.ancestors(node):
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            return False
        if isinstance(around, ast.If | ast.Match) and child is not getattr(around, "test", None):
            return True
        if isinstance(around, ast.Try) and child in around.body and any(map(_goes_on, around.handlers)):
            return True
        child = around
    return False


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Whether the function goes on as if nothing were missing: `except KeyError: pass`."""
    named = {ast.unparse(one) for one in ast.walk(handler.type)} if handler.type is not None else set()
    return not named.isdisjoint(_MISSING) and all(isinstance(one, ast.Pass) for one in handler.body)


def own_containers(view: FileView, owner: Block) -> tuple[str, ...]:
    """The attributes for which `__init__` gives each object of the class a container of its own."""
    given = (one for method in view.methods(owner) if method.is_initializer for one in view.mutations_in(method))
    return tuple(
        one.name for one in given
        if one.kind == "attribute" and any(access.own_class is owner and not access.steps for access in one.accesses)
        and any(view.value_kind(value) == "container" for value in one.values)
    )  # fmt: skip


def fields_of(owner: Block) -> dict[str, ast.expr]:
    """What the objects of a class are made with, each with its annotation, when a decorator writes its `__init__`."""
    if not any(one.name in _MADE_OF_FIELDS for one in owner.decorators):
        return {}
    return {
        one.target.id: one.annotation
        for one in owner.nodes(ast.AnnAssign)
        if isinstance(one.target, ast.Name) and "ClassVar" not in ast.unparse(one.annotation)
    }
