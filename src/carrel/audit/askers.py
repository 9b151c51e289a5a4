"""What must hold elsewhere for a value that is named after a user to be who asks."""

from __future__ import annotations

import ast

from carrel.audit.blocks import Block
from carrel.audit.chains import chain_root
from carrel.audit.conditions import Condition, IdentityParameter
from carrel.audit.file_view import FileView
from carrel.audit.origins import is_request_name

__all__ = ["asker"]


def asker(view: FileView, leaf: ast.expr, where: Block) -> tuple[Condition, ...] | None:
    """The conditions under which it is who asks, `()` where this file shows it; `None` where it is just anybody.

    A parameter, `user`, or what is worked out from one, is who asks where some call passes that. What is said of each
    row that is gone through, `row.user_id for row in rows`, is anybody's.
    """
    root = chain_root(leaf)
    if isinstance(root, ast.Call) and isinstance(root.func, ast.Attribute):
        root = chain_root(root.func)
    if isinstance(root, ast.Name) and is_request_name(root.id):
        return ()
    taint = view.taint(leaf, where)
    if taint is None:
        return None if isinstance(root, ast.Name) and _is_row(view, root) else ()
    if taint.by == "request" or not taint.parameter or where.function is None:
        return ()
    return (IdentityParameter(where.function.symbol, taint.parameter),)


def _is_row(view: FileView, name: ast.Name) -> bool:
    """Whether a comprehension around it goes through rows by this name."""
    for around in view.ancestors(name):
        if isinstance(around, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            targets = (one for generator in around.generators for one in ast.walk(generator.target))
            if any(isinstance(one, ast.Name) and one.id == name.id for one in targets):
                return True
        elif isinstance(around, ast.stmt):
            break
    return False
