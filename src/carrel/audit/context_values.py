"""Values that a context variable has in every context, because nobody sets another one."""

from __future__ import annotations

import ast
import re
from typing import Final

from carrel.audit.file_view import FileView
from carrel.audit.held import Held, held_calls

__all__ = ["VARIABLE", "context_flags", "shared_contexts", "shared_value"]

VARIABLE: Final = "contextvars.ContextVar"
_RIGHTS: Final = re.compile(r"(?i)admin|staff|super|privilege|allow|can_|auth|trusted|role")
"""Names of flags that say what somebody may do."""


def context_flags(view: FileView) -> tuple[str, ...]:
    """The context variables that say yes or no, and not what somebody may do: nobody is known by them."""
    return tuple(
        held.symbol
        for held in held_calls(view, (VARIABLE,))
        if not _RIGHTS.search(held.symbol.rpartition(".")[2])
        and any(
            one.arg == "default" and isinstance(one.value, ast.Constant) and isinstance(one.value.value, bool)
            for one in held.call.keywords
        )
    )


def shared_contexts(view: FileView) -> tuple[tuple[str, int], ...]:
    """The context variables of the file that have one mutable object in every context, each with the object's line."""
    found = ((held, shared_value(view, held)) for held in held_calls(view, (VARIABLE,)))
    return tuple((held.symbol, value.lineno) for held, value in found if value is not None)


def shared_value(view: FileView, held: Held) -> ast.expr | None:
    """The mutable object that the variable has in every context: its default, or what the module sets."""
    values = [one.value for one in held.call.keywords if one.arg == "default"]
    sets = [call for call in view.top.nodes(ast.Call) if view.dotted(call.func) == f"{held.symbol}.set"]
    values += [call.args[0] for call in sets if call.args]
    return next((value for value in values if _is_mutable(view, value)), None)


def _is_mutable(view: FileView, value: ast.expr) -> bool:
    kind = view.value_kind(value)
    if kind != "call":
        return kind == "container"
    path = view.path(value, view.top).removesuffix("()")
    owner = next((one for one in view.classes if one.symbol == path), None)
    return owner is not None and not view.is_frozen(owner)
