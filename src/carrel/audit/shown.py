"""What a program shows to everybody: the kinds of objects of which a handler lists all, whoever asks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.admission import is_restricted
from carrel.audit.blocks import Block
from carrel.audit.callers import proven
from carrel.audit.file_view import FileView
from carrel.audit.origins import called_name
from carrel.audit.rows import listed
from carrel.audit.said_checks import SELECTS
from carrel.audit.sent import is_handler

__all__ = ["shown_kinds"]

_SAYS_MANY: Final = re.compile(r"^_?(?:list|browse)(?:_|$)|^_?(?:get|read|fetch)_(?:all(?:_|$)|\w+s$)")
"""Names of handlers that show many objects."""
_GIVES_MANY: Final = re.compile(
    r"^a?_?(?:list|all|find_all|find_many|get_all|get_multi|fetch_all|paginate|get_by_query)(?:_|$)|^find(?:_\w*s)?$"
)
_STATEMENTS: Final = frozenset({"select", "query"})


def shown_kinds(view: FileView, function: Block) -> Iterator[str]:
    """The classes of which the function gives all objects to any user, and asks for nobody's: as `listed` calls them.

    `Hierarchy.list_all(session)`, `Place.objects.all()`, `session.scalars(select(Place))`.
    """
    if not _SAYS_MANY.match(function.name) or not is_handler(view, function) or is_restricted(view, function):
        return
    calls = list(function.nodes(ast.Call))
    handed = (each for call in calls for each in (*call.args, *(one.value for one in call.keywords)))
    if any(proven(view, part, function) for one in handed for part in _named(one)):
        return
    narrows = any(called_name(call) in SELECTS for call in calls)
    for call in calls:
        name = called_name(call)
        if isinstance(call.func, ast.Attribute) and _GIVES_MANY.match(name):
            held = call.func.value
            path = view.dotted(held.value if _is_manager(held) and isinstance(held, ast.Attribute) else held)
        elif name in _STATEMENTS and not narrows and len(call.args) == 1:
            path = view.dotted(call.args[0])
        else:
            continue
        if path.rpartition(".")[2][:1].isupper():
            yield listed(path)


def _is_manager(node: ast.expr) -> bool:
    """Whether it is what a class of Django, or of Flask, selects its objects by."""
    return isinstance(node, ast.Attribute) and node.attr in ("objects", "query")


def _named(node: ast.expr) -> Iterator[ast.expr]:
    """The names and attributes in what is handed over, `user.id == Note.user_id`."""
    return (one for one in ast.walk(node) if isinstance(one, ast.Name | ast.Attribute))
