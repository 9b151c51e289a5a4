"""How a search heeds what it is told about whose documents are meant."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.callers import names_user
from carrel.audit.file_view import FileView
from carrel.audit.mutations import Mutation
from carrel.audit.origins import called_name
from carrel.audit.persons import is_person
from carrel.audit.tagged import names_scope

__all__ = ["narrows_when_told", "unheeded"]

_OR: Final = re.compile(r"(?i)\s*or\b\s*\S")
_ADDS: Final = frozenset({"append", "extend", "add", "update", "insert", "setdefault", "filter", "where"})


def unheeded(view: FileView, function: Block) -> Iterator[tuple[str, Mutation, Access]]:
    """What the function is told of whose question it is, and never looks at, though what it gives was put there by
    another one that is told the same and keeps it; with where that is.
    """
    names = (one.name for one in function.parameters)
    told = [one for one in names if names_scope(one) or names_user(one) or is_person(one)]
    if not told or not any(one.value is not None for one in function.nodes(ast.Return)):
        return
    used = {one.id for one in ast.walk(function.node) if isinstance(one, ast.Name)}
    unused = [name for name in told if name not in used]
    read = {_path(view, node, function) for node in function.nodes(ast.Attribute, ast.Name)} if unused else set()
    for mutation in view.mutations if read else ():
        putter = mutation.block
        if putter is function or mutation.removes or putter.is_initializer or putter.class_ is not function.class_:
            continue
        end = f".{mutation.name}" if mutation.kind == "attribute" else ""
        for access in mutation.accesses:
            kept = access.path and f"{access.path}{end}" in read
            heard = {one.id for one in putter.nodes(ast.Name)} if kept else set()
            name = next((one for one in unused if putter.parameter(one) is not None and one in heard), "")
            if name:
                yield name, mutation, access
                return


def _path(view: FileView, node: ast.expr, function: Block) -> str:
    access = view.access(node, function)
    return access.path if access.kind in ("self", "global") and isinstance(getattr(node, "ctx", None), ast.Load) else ""


def narrows_when_told(function: Block, name: str) -> bool:
    """Whether something is done only where the parameter has a value, and nothing else where it has none."""
    tests = [one for one in function.nodes(ast.If, ast.IfExp) if _is_about(one.test, name) and _adds(one)]
    return bool(tests) and not any(isinstance(one, ast.If) and _narrows_otherwise(one, name) for one in tests)


def _adds(test: ast.If | ast.IfExp) -> bool:
    """Whether more is asked for then: a clause is added, a filter is set. `if comment: write(comment)` asks nothing."""
    if isinstance(test, ast.IfExp):
        return True
    inner = [one for statement in test.body for one in ast.walk(statement)]
    if any(isinstance(one, ast.Constant) and _OR.match(str(one.value)) for one in inner):
        return False  # a second way to be found
    return any(
        isinstance(one, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Return)
        or (isinstance(one, ast.Call) and called_name(one) in _ADDS)
        for one in inner
    )


def _is_about(test: ast.expr, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(test))


def _narrows_otherwise(test: ast.If, name: str) -> bool:
    """Whether what is asked for is another thing where the parameter has no value: `if user is None: only_public()`."""
    match test.test:
        case (
            ast.UnaryOp(op=ast.Not(), operand=ast.Name(id=asked))
            | ast.Compare(left=ast.Name(id=asked), ops=[ast.Is()], comparators=[ast.Constant(value=None)])
        ):
            return asked == name
    return bool(test.orelse)
