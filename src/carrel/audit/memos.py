"""Functions that keep what a callable gives under a key, whoever calls: `await memo.once(key, make)`."""

from __future__ import annotations

import ast

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView

__all__ = ["memo_of"]


def memo_of(view: FileView, function: Block) -> tuple[str, str]:
    """The parameters that are the key and the callable, as in `if key not in kept: kept[key] = make()`; empty texts
    when the function is no such memo."""
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
    return "", ""
