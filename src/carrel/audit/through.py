"""What an expression is, through the functions of its file that are called for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.sent import origins

__all__ = ["called_here", "through"]

_DEPTH: Final = 5
_Given: TypeAlias = "Mapping[str, tuple[ast.expr, Block, _Given]]"
"""By parameter, the argument with the function that hands it over, and what that one was given."""


def through(view: FileView, node: ast.expr, block: Block) -> Iterator[tuple[ast.expr, Block]]:
    """As `origins`, and on through what functions of the file give back; each with the function that it stands in."""
    yield from _through(view, node, block, {}, _DEPTH, set())


def called_here(view: FileView, call: ast.Call) -> Block | None:
    """The function of the module that is called by its name, or the method of the object itself."""
    found = view.function_named(view.dotted(call.func))
    if found is None and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        access = view.access(call.func)
        if access.own_class is not None and len(access.steps) == 1:
            return view.function_named(f"{access.own_class.symbol}.{access.steps[0]}")
    return found


def _through(
    view: FileView, node: ast.expr, block: Block, given: _Given, depth: int, seen: set[tuple[ast.expr, ast.expr]]
) -> Iterator[tuple[ast.expr, Block]]:
    """`seen` has what was gone into, each with the call that leads there: the ways of a few locals are millions."""
    for one in origins(view, node, block) if depth else ():
        item = _item(one, block)
        if item is not None:
            yield from _into(view, item, one, block, given, depth, seen)
        elif isinstance(one, ast.Name) and one.id in given and block.parameter(one.id) is not None:
            argument, where, before = given[one.id]
            yield from _into(view, argument, one, where, before, depth, seen)
        elif (part := _part_of_given(one, block, given)) is not None:
            yield part
        elif isinstance(one, ast.Call) and (called := called_here(view, one)) is not None:
            handed = _handed(one, called, block, given)
            for returned in called.nodes(ast.Return):
                if returned.value is not None:
                    yield from _into(view, returned.value, one, called, handed, depth - 1, seen)
        else:
            yield one, block


def _into(
    view: FileView,
    node: ast.expr,
    via: ast.expr,
    block: Block,
    given: _Given,
    depth: int,
    seen: set[tuple[ast.expr, ast.expr]],
) -> Iterator[tuple[ast.expr, Block]]:
    if (node, via) not in seen:
        seen.add((node, via))
        yield from _through(view, node, block, given, depth, seen)


def _item(node: ast.expr, block: Block) -> ast.expr | None:
    """What a dictionary that the function writes down has under a constant: `job["reply_to"]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
        return None
    for binding in block.scope.bindings.get(node.value.id, ()):
        if isinstance(binding.value, ast.Dict):
            for key, value in zip(binding.value.keys, binding.value.values, strict=True):
                if key is not None and ast.dump(key) == ast.dump(node.slice):
                    return value
    return None


def _part_of_given(node: ast.expr, block: Block, given: _Given) -> tuple[ast.expr, Block] | None:
    """The item of what the function was handed, `message["id"]` of its `given["id"]`, as its caller would say it."""
    match node:
        case (
            ast.Subscript(value=ast.Name(id=name), slice=key)
            | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[key, *_])
        ) if name in given and block.parameter(name) is not None:
            handed, where, _ = given[name]
            return ast.copy_location(ast.Subscript(handed, key, ast.Load()), node), where
    return None


def _handed(call: ast.Call, called: Block, block: Block, given: _Given) -> _Given:
    names = [one.name for one in called.parameters if one.name != called.receiver]
    pairs = [*zip(names, call.args, strict=False), *((one.arg, one.value) for one in call.keywords)]
    return {name: (value, block, given) for name, value in pairs if name is not None}
