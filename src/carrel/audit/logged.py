"""Whether what an object collects goes nowhere but to a log."""

from __future__ import annotations

import ast
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["is_logged", "logged_getters"]

_LEVELS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
_PUTS: Final = frozenset({"append", "appendleft", "extend", "insert", "clear"})
_MAKES_TEXT: Final = frozenset({"dumps", "str", "repr", "list", "tuple", "pformat", "join", "sorted"})


def logged_getters(view: FileView, method: Block, attribute: str) -> tuple[Block, ...]:
    """The methods that give out what `method` puts into the attribute, when the file only logs or counts it.

    Nothing when none does, or when anything else is done with it.
    """
    if method.class_ is None:
        return ()
    methods = view.methods(method.class_)
    getters: set[Block] = set()
    for block in view.blocks:
        for node in block.nodes(ast.Attribute):
            if node.attr == attribute and isinstance(node.ctx, ast.Load) and not _is_put_into(view, node):
                if block not in methods:
                    return ()
                getters.add(block)
    names = {one.name for one in getters}
    asked = [node for block in view.blocks for node in block.nodes(ast.Attribute) if node.attr in names]
    if asked and all(_is_logged_call(view, node) for node in asked):
        return tuple(one for one in methods if one in getters)
    return ()


def _is_put_into(view: FileView, node: ast.expr) -> bool:
    around = view.module.parent(node)
    return isinstance(around, ast.Attribute) and around.attr in _PUTS


def _is_logged_call(view: FileView, method: ast.expr) -> bool:
    """Whether the method is called, and only a log gets what it gives, at once or under a name of the function."""
    call = view.module.parent(method)
    if not isinstance(call, ast.Call) or call.func is not method:
        return False
    assign = view.module.parent(call)
    if not isinstance(assign, ast.Assign):
        return is_logged(view, call)
    function = view.block_of(call)
    names = [one.id for one in assign.targets if isinstance(one, ast.Name) and one.id in function.scope.bindings]
    if function.kind != "function" or len(names) < len(assign.targets):
        return False
    # A name of a function is also read by the functions inside it.
    return all(
        is_logged(view, one)
        for one in ast.walk(function.node)
        if isinstance(one, ast.Name) and one.id in names and isinstance(one.ctx, ast.Load)
    )


def is_logged(view: FileView, node: ast.expr) -> bool:
    """Whether a log gets the value or a text of it, or it is only counted."""
    around = view.module.parent(node)
    if not isinstance(around, ast.Call) or node not in around.args:
        return False
    name = called_name(around)
    if name == "len":
        return True
    if name in _MAKES_TEXT:
        return is_logged(view, around)
    is_log = isinstance(around.func, ast.Attribute) and "log" in ast.unparse(around.func.value).lower()
    return is_log and name in _LEVELS and isinstance(view.module.parent(around), ast.Expr)
