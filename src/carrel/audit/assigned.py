"""What functions do with the objects by which a framework gives them the current request."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from carrel.audit.frameworks import REQUEST_OBJECTS
from carrel.audit.mutations import Mutation
from carrel.findings import Location

if TYPE_CHECKING:
    from carrel.audit.conditions import Proof
    from carrel.audit.facts import FileFacts
    from carrel.audit.file_view import FileView
    from carrel.audit.program import Program

__all__ = ["assigned", "in_session", "session_hook"]

_SESSIONS: Final = frozenset({"flask.session", "quart.session", "flask_login.current_user", "quart_auth.current_user"})
"""What lies in the session of the request, or is looked up in it."""
_HOOKS: Final = frozenset({"before_request", "before_app_request", "after_request", "after_app_request"})


def assigned(view: FileView) -> tuple[tuple[str, int], ...]:
    """Each attribute that a handler, or what it calls, sets: `flask.session.permanent`, with the line.

    What a hook does for every request is left out, and what only takes something back: `session.permanent = False`.
    """
    found = []
    for mutation in view.mutations:
        if mutation.kind == "attribute" and any(getattr(one, "value", one) for one in mutation.values):
            entry = view.entry_point(mutation.block)
            if entry is None or entry.kind != "middleware":
                found += [(f"{one}.{mutation.name}", getattr(mutation.node, "lineno", 0))
                          for one in _objects(view, mutation) if one in REQUEST_OBJECTS]  # fmt: skip
    return tuple(found)


def in_session(view: FileView) -> tuple[str, ...]:
    """The functions that read or change the session of the request, or look up there who has signed in."""
    if not view.imports("flask", "quart", "flask_login", "quart_auth"):
        return ()
    return tuple(
        function.symbol
        for function in view.functions
        if any(view.dotted(one) in _SESSIONS for one in function.nodes(ast.Name, ast.Attribute))
    )


def session_hook(program: Program, files: Iterable[FileFacts]) -> Proof | None:
    """The hook of an application in these files that, or that calls what, uses the session in every request."""
    files = list(files)
    users = {name for file in files for name in file.in_session}
    for file in files if users else ():
        for entry in file.entry_points:
            owner = entry.by.rpartition(".")[2]
            if entry.label.partition(" ")[0] in _HOOKS and ("app" in entry.label or "app" in owner):
                called = (fact.name for _, fact in program.calls.callees.get(entry.path, ()))
                if not users.isdisjoint((entry.path, *called)):
                    return (Location(path=file.path, line=entry.line, note="uses the session in every request"),)
    return None


def _objects(view: FileView, mutation: Mutation) -> Iterator[str]:
    for access in mutation.accesses:
        if access.kind == "global" and not access.steps:
            yield access.name
        elif access.kind == "parameter" and not access.steps:
            # `def sign_in(user, session=session)`
            parameter = mutation.block.parameter(access.name)
            default = parameter.default if parameter is not None else None
            if isinstance(default, ast.Name | ast.Attribute):
                yield view.dotted(default)
