"""Rows of tables, as the statements in the text select them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.callers import proven
from carrel.audit.file_view import FileView
from carrel.audit.held import text_of
from carrel.audit.origins import called_name
from carrel.audit.persons import person_in
from carrel.audit.tagged import names_scope

__all__ = ["LISTED", "asked_tables", "bound", "listed", "table", "tables"]

LISTED: Final = "listed-"
_RUNS: Final = re.compile(r"^(?:execute|fetch\w*|query|raw|scalars?|all|first|one)$")
_SELECT: Final = re.compile(r"(?is)\s*select\b.*?\bfrom\s+[\"`]?(\w+)[\"`]?(?!\w|\s*\()(?:.*?\bwhere\b(.*))?")
_ASKED: Final = re.compile(r"(?i)\b(\w+)\s*=\s*(?:\$\d|%s|\?|:\w|%\()")
"""A column that must have a value which the statement is handed."""


def table(name: str) -> str:
    """How facts call a table."""
    return f"table:{name.lower()}"


def listed(kind: str) -> str:
    """How facts call that the rows of a table, or the objects of a class, are shown to everybody."""
    return f"{LISTED}{kind}"


def tables(node: ast.expr) -> tuple[str, ...]:
    """The tables from which the calls in the expression select."""
    calls = (one for one in ast.walk(node) if isinstance(one, ast.Call))
    return tuple(table(name) for one in calls if (name := _selected(one)[0]))


def asked_tables(view: FileView, function: Block) -> Iterator[str]:
    """The tables from which the function selects the caller's own rows, and those whose rows it gives to anybody.

    `SELECT … FROM notes WHERE patient_id = ?` with the patient of the session; `SELECT … FROM notes`. That there is
    a row for each person is not said of a table of persons.
    """
    for call in function.nodes(ast.Call):
        name, where = _selected(call)
        if not name or person_in(name.lower().removesuffix("s")):
            continue
        columns = _ASKED.findall(where)
        if not columns:
            yield listed(table(name))
        elif any(names_scope(one) or person_in(one) for one in columns) and any(
            proven(view, one, function)
            for handed in (*call.args[1:], *(each.value for each in call.keywords))
            for one in bound(handed)
        ):
            yield table(name)


def bound(node: ast.expr) -> Iterator[ast.expr]:
    """What a statement is handed: `(user, day)`, `{"user": user}`."""
    match node:
        case ast.Tuple() | ast.List():
            yield from node.elts
        case ast.Dict():
            yield from node.values
        case _:
            yield node


def _selected(call: ast.Call) -> tuple[str, str]:
    """The table that a statement selects from, and what it asks for; empty for any other call."""
    runs = call.args and _RUNS.match(called_name(call)) is not None
    found = _SELECT.match(text_of(call.args[0])) if runs else None
    return (found[1], found[2] or "") if found is not None else ("", "")
