"""Functions that keep what a callable gives under a key, whoever calls: `await memo.once(key, make)`."""

from __future__ import annotations

import ast

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView

__all__ = ["memo_of"]


def memo_of(view: FileView, function: Block) -> tuple[str, str]:
    """The parameters that are the key and the callable, as in `if key not in kept: kept[key] = make()`; empty texts
    when the function is no such memo.

    Of a container that knows what to call, `kept[kind] = factories[kind](**context)`: what it hands on, `**context`.
    """
    for mutation in view.mutations_in(function):
        if mutation.kind != "item" or not any(one.kind in ("self", "global", "class") for one in mutation.accesses):
            continue
        key = view.access(mutation.keys[-1], function)
        made = mutation.values[0].value if isinstance(mutation.values[0], ast.Await) else mutation.values[0]
        if key.kind != "parameter" or key.steps or not isinstance(made, ast.Call):
            continue
        make = view.access(made.func, function)
        if make.kind == "parameter" and not make.steps and make.name != key.name:
            return key.name, make.name
        is_asked = any(function.nodes(ast.If, ast.Try))
        for handed in (one.value for one in made.keywords if one.arg is None and is_asked):
            if any(one.kind == "**" and ast.unparse(handed) == one.name for one in function.parameters):
                return key.name, f"**{ast.unparse(handed)}"
    return "", ""
