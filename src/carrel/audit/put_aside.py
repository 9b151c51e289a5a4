"""What handlers put aside with the one whom it is for, for somebody else to go on with."""

from __future__ import annotations

import ast

from carrel.audit.blocks import Block
from carrel.audit.callers import names_user
from carrel.audit.chains import chain_names
from carrel.audit.file_view import FileView
from carrel.audit.origins import leaves
from carrel.audit.persons import person_in

__all__ = ["of_job"]


def of_job(view: FileView, data: ast.expr, function: Block) -> str:
    """What of the data a handler has put aside with the one whom it is for: `job["question"]`."""
    told: frozenset[str] = view.once(_put_aside, view.top, meanwhile=frozenset())
    for leaf, where in leaves(view, data, function) if told else ():
        match leaf:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str(key))) if key in told:
                if where.parameter(name) is not None and view.entry_point(where) is None:
                    return ast.unparse(leaf)
    return ""


def _put_aside(view: FileView, top: Block) -> frozenset[str]:  # noqa: ARG001 - `once` works on blocks
    """The keys of what handlers write down of their users, and for whom: `{"student": student.id, "essay": essay}`."""
    found: set[str] = set()
    for function in view.functions:
        for record in function.nodes(ast.Dict) if view.entry_point(function) is not None else ():
            named = [
                (key.value, value)
                for key, value in zip(record.keys, record.values, strict=True)
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            ]
            whom = {key for key, value in named if _names_whom(key, value)}
            brought = {key for key, value in named if (taint := view.taint(value, function)) and taint.by == "request"}
            found |= brought - whom if whom else set()
    return frozenset(found)


def _names_whom(key: str, value: ast.expr) -> bool:
    """Whether an entry says for whom a record is, by its key or as what a session keeps: `session["editor"]`."""
    of_session = isinstance(value, ast.Subscript) and "session" in chain_names(value.value)
    return of_session or bool(person_in(key)) or names_user(key)
