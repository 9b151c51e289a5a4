"""Buffers that are files in memory: what is called on them, and how they are read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView

__all__ = [
    "calls_on",
    "is_cut",
    "is_file",
    "is_read_in_bounds",
    "is_written_by",
    "made_file",
    "only_reads",
    "values_of",
]

_READS: Final = frozenset({"read", "read1", "readline", "readlines", "getvalue", "getbuffer"})
_FILES: Final = frozenset({"io.StringIO", "io.BytesIO"})


def made_file(view: FileView, access: Access) -> ast.AST | None:
    """Where the in-memory file is made, when the name is one."""
    for value in values_of(view, access):
        if isinstance(value, ast.Call) and view.dotted(value.func) in _FILES:
            return value
    return None


def values_of(view: FileView, access: Access) -> Iterator[ast.expr]:
    """What the file gives the name that the access leads to."""
    if access.kind == "self" and access.block is not None:
        for mutation in view.mutations:
            own = mutation.block.class_ is access.block.class_
            if own and mutation.kind == "attribute" and access.steps[:1] == (mutation.name,):
                yield from mutation.values
    elif access.kind == "cell" and access.block is not None:
        yield from (one.value for one in access.block.scope.bindings.get(access.name, ()) if one.value is not None)
    elif access.kind == "global":
        name = access.name.rpartition(".")[2]
        yield from (one.value for one in view.top.scope.bindings.get(name, ()) if one.value is not None)


def calls_on(view: FileView, access: Access) -> Iterator[tuple[str, ast.Call]]:
    """The methods that the file calls of it, each with the call."""
    for function in view.functions:
        for call in function.nodes(ast.Call):
            if isinstance(call.func, ast.Attribute):
                other = view.access(call.func.value, function)
                same_class = other.block and access.block and other.block.class_ is access.block.class_
                same = other.kind == access.kind and other.steps == access.steps and other.name == access.name
                if same and (access.kind != "self" or same_class):
                    yield call.func.attr, call


def is_cut(view: FileView, access: Access, function: Block) -> bool:
    """Whether the rest is cut off somewhere, or the function takes a new one."""
    return any(name == "truncate" for name, _ in calls_on(view, access)) or any(
        mutation.block is function
        and mutation.kind in ("attribute", "rebind")
        and access.steps[-1:] == (mutation.name,)
        for mutation in view.mutations
    )


def is_read_in_bounds(view: FileView, access: Access) -> bool:
    """Whether it is only ever read as far as was written: `read(size)`, `getvalue()[:size]`."""
    reads = [call for name, call in calls_on(view, access) if name in _READS]
    return bool(reads) and all(_is_bounded(view, call) for call in reads)


def _is_bounded(view: FileView, call: ast.Call) -> bool:
    around = view.module.parent(call)
    if isinstance(around, ast.Subscript):
        return isinstance(around.slice, ast.Slice) and around.slice.upper is not None
    # A number that stands there, or that the caller gives, says nothing of what was written.
    named = (one for value in call.args[:1] for one in ast.walk(value) if isinstance(one, ast.Name | ast.Attribute))
    return any(view.access(one, view.block_of(call)).kind != "parameter" for one in named)


def only_reads(view: FileView, access: Access) -> bool:
    """Whether it is rewound to be read, not to be written anew."""
    called = {name for name, _ in calls_on(view, access)}
    return not called & {"getvalue", "write", "writelines", "getbuffer"}


def is_written_by(buffer: str, function: Block) -> bool:
    """Whether the function lends the buffer to its caller, or writes to it itself."""
    lent = (one.value for one in function.nodes(ast.Yield, ast.Return) if one.value is not None)
    called = (one.func for one in function.nodes(ast.Call) if isinstance(one.func, ast.Attribute))
    return any(ast.unparse(one) == buffer for one in lent) or any(
        one.attr in ("write", "writelines") and ast.unparse(one.value) == buffer for one in called
    )


def is_file(view: FileView, call: ast.Call) -> bool:
    """Whether the call makes a file in memory."""
    return view.dotted(call.func) in _FILES
