"""Parts of a buffer that are as long as what is put there."""

from __future__ import annotations

import ast

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name

__all__ = ["ends_with_values", "is_beginning", "is_zero"]


def ends_with_values(view: FileView, key: ast.expr | None, function: Block) -> bool:
    """Whether it is a slice that ends where the values do that are put there: the rest stays as it was."""
    return isinstance(key, ast.Slice) and (is_beginning(key) or _counts_up(view, key, function) or _ends_with_it(key))


def is_beginning(key: ast.expr) -> bool:
    """Whether it is a slice from the start to where the new values end: `[:len(values)]`."""
    if not isinstance(key, ast.Slice):
        return False
    starts = key.lower is None or is_zero(key.lower)
    return starts and key.step is None and key.upper is not None and not isinstance(key.upper, ast.Constant)


def _ends_with_it(key: ast.Slice) -> bool:
    """Whether it is a slice that ends as far on as the new values are long: `[2 : 2 + len(name)]`."""
    calls = (one for one in ast.walk(key.upper) if isinstance(one, ast.Call)) if key.upper is not None else ()
    return key.step is None and any(called_name(one) == "len" for one in calls)


def _counts_up(view: FileView, key: ast.Slice, function: Block) -> bool:
    """Whether it is one slice after the other from the start: `[at:at + len(part)]`, after `at = 0`."""
    if not isinstance(key.lower, ast.Name) or not isinstance(key.upper, ast.BinOp | ast.Name):
        return False
    bound = function.scope.bindings.get(key.lower.id, ())
    return any(one.value is not None and is_zero(one.value) for one in bound) and not any(
        isinstance(view.module.parent(one.node), ast.While) for one in bound
    )


def is_zero(node: ast.expr) -> bool:
    """Whether it is a zero that is written there."""
    return isinstance(node, ast.Constant) and node.value == 0
