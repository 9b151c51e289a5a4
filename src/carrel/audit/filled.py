"""Where a container has something in it, because the function asked or replaced an empty one."""

from __future__ import annotations

import ast
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView

__all__ = ["has_something", "is_empty"]

_MAKERS: Final = frozenset({"list", "dict", "set", "tuple", "OrderedDict", "defaultdict", "Counter", "deque"})


def is_empty(default: ast.expr | None) -> bool:
    """Whether the expression makes a container with nothing in it: `[]`, `dict()`."""
    match default:
        case ast.List(elts=inside) | ast.Tuple(elts=inside) | ast.Dict(values=inside):
            return not inside
        case ast.Call(func=ast.Name(id=name), args=[], keywords=[]):
            return name in _MAKERS
    return False


def has_something(view: FileView, node: ast.AST, name: str, function: Block) -> bool:
    """Whether what stands under the name at the node was not empty when the function was handed it.

    Either the node is only reached when it was not, `if name and more:`, `for each in name:`, or it is not taken when
    it was, `name or {}`, or an empty one was replaced before: `name = name or {}`.
    """
    child, outer = node, list[ast.AST]()
    for around in view.ancestors(node):
        outer.append(around)
        if isinstance(around, ast.FunctionDef | ast.AsyncFunctionDef):
            break
        match around:
            case ast.If(test=test, body=body) | ast.While(test=test, body=body) if child in body:
                if _says_filled(test, name):
                    return True
            case ast.IfExp(test=test, body=body) if child is body and _says_filled(test, name):
                return True
            case ast.BoolOp(op=ast.Or(), values=[first, _, *_]) if child is first and child is node:
                return True
            case ast.For(iter=iterated) | ast.AsyncFor(iter=iterated) if _gone_through(iterated) == name:
                return True
        child = around
    before = (one for one in function.nodes(ast.Assign, ast.If) if one.lineno < getattr(node, "lineno", 0))
    return any(view.module.parent(one) in outer and _replaces_empty(one, name) for one in before)


def _says_filled(test: ast.expr, name: str) -> bool:
    match test:
        case ast.Name(id=named):
            return named == name
        case ast.Call(func=ast.Attribute(attr="get", value=ast.Name(id=named)), args=[_, *other]):
            # `rows.get("open", [])` of an empty one is what stands for nothing.
            return named == name and all(is_empty(one) or (isinstance(one, ast.Constant) and not one.value)
                                         for one in other)  # fmt: skip
        case ast.BoolOp(op=ast.And(), values=values):
            return any(_says_filled(one, name) for one in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return all(_says_filled(one, name) for one in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _says_empty(operand, name)
        case ast.Compare(left=left, ops=[ast.In()], comparators=[container]):
            return _gone_through(container) == name
        case ast.Compare(left=left, ops=[ast.Gt() | ast.GtE() | ast.NotEq()]):
            return _is_length(left, name)
    return False


def _says_empty(test: ast.expr, name: str) -> bool:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _says_filled(operand, name)
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[other]):
            is_name = isinstance(left, ast.Name) and left.id == name
            none = isinstance(other, ast.Constant) and other.value == 0
            return (is_name and is_empty(other)) or (none and _is_length(left, name))
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_says_empty(one, name) for one in values)
    return False


def _is_length(node: ast.expr, name: str) -> bool:
    return ast.unparse(node) == f"len({name})"


def _replaces_empty(statement: ast.Assign | ast.If, name: str) -> bool:
    """Whether the name stands for another container afterwards when there was nothing in it."""
    match statement:
        case ast.If(test=test, body=body) if _says_empty(test, name):
            return any(isinstance(one, ast.Assign) and _binds(one, name) for one in body) or isinstance(
                body[-1], ast.Return | ast.Raise | ast.Continue
            )
        case ast.Assign(value=ast.BoolOp(op=ast.Or(), values=[ast.Name(id=first), *_])):
            return first == name and _binds(statement, name)
        case ast.Assign(value=ast.IfExp(test=test, body=made, orelse=other)) if _binds(statement, name):
            named = [isinstance(one, ast.Name) and one.id == name for one in (made, other)]
            return (named[0] and _says_filled(test, name)) or (named[1] and _says_empty(test, name))
    return False


def _binds(assign: ast.Assign, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in assign.targets)


def _gone_through(iterated: ast.expr) -> str:
    """The name of the container that a loop goes through: of `list(options.items())`, too."""
    while True:
        match iterated:
            case ast.Call(func=ast.Attribute(value=value)):
                iterated = value
            case ast.Call(func=ast.Name(id="list" | "tuple" | "set" | "sorted" | "enumerate"), args=[value, *_]):
                iterated = value
            case ast.Name(id=name):
                return name
            case _:
                return ""
