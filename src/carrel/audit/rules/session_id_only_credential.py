"""Whoever knows the id of a session has the session."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.admission import is_restricted
from carrel.audit.blocks import Block
from carrel.audit.callers import known_before, names_user, prover
from carrel.audit.conditions import Condition, Reachable, SharedClass, SharedObject
from carrel.audit.fetches import Fetch, fetches
from carrel.audit.file_view import FileView
from carrel.audit.owner_checks import asks_whose, unless_asked
from carrel.audit.owners import names_owner
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sent import origins
from carrel.audit.through import called_here
from carrel.findings import RuleInfo

__all__ = ["SessionIdOnlyCredential"]

_SESSION: Final = re.compile(r"(?:^|_)(?:session|session_?id|sid|session_?key|session_?hash|resume_?(?:id|token)|"
                             r"(?<!db_)(?<!database_)(?<!source_)connection_?id|terminal_?id|stream_?id)$")  # fmt: skip
_ENDS: Final = re.compile(r"(?:^|_)(?:delete|remove|close|pop|discard|disconnect|cleanup)(?:_|$)")

_DATABASE: Final = re.compile(r"(?i)(?:^|[._])(?:db|database|conn|connection|engine|crud|dao|objects|query)$")
_URL: Final = frozenset({"query", "query_params", "match_info", "path_params", "rel_url"})


class SessionIdOnlyCredential:
    """`sessions.find(mcp_session_id)`, and nothing that binds the session to the user who opened it."""

    info = RuleInfo(
        rule="session-id-only-credential",
        code="CAR026",
        severity="error",
        title="A session id is the only credential",
        why="An id travels in URLs, logs and headers, and the client chooses which one it sends. Whoever sends "
        "another user's goes on in that user's session.",
        fix="Keep the owner with the session, and refuse whoever is not the owner.",
        page=rule_page("session-id-only-credential"),
        leak_classes=(26,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            entry = view.entry_point(function)
            if entry is not None and entry.kind in ("route", "websocket"):
                if not is_restricted(view, function):
                    yield from self._handler(view, function)
            elif entry is not None and entry.kind == "tool":
                # A server of tools that asks nobody who they are serves one person.
                yield from (one for one in self._handler(view, function) if one.grades[0].severity == "error")
            elif entry is None and (routes := _depending(view, function)):
                yield from self._dependency(view, function, routes)
            elif any(names_user(parameter.name) for parameter in function.parameters):
                yield from self._helper(view, function)
            elif entry is None:
                loaded = tuple(self._loader(view, function))
                yield from loaded or self._dependency(view, function, list(_calling(view, function)))

    def _handler(self, view: FileView, function: Block) -> Iterator[Candidate]:
        caller = prover(view, function)
        for fetch in fetches(view, function, _SESSION):
            owned = names_owner(view, fetch, function)
            shared = () if owned else _shared(view, fetch, function)
            if shared is None or _ENDS.search(fetch.method) or asks_whose(view, function, fetch):
                continue
            message = (
                f"`{function.name}` continues the session that `{fetch.name}` of the request names, whoever sends it"
            )
            yield view.candidate(self.info, fetch.node, message, block=function,
                                 given=(*shared, *unless_asked(view, function, fetch)),
                                 severity="error" if caller or owned else "warning")  # fmt: skip
            return

    def _loader(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`load(request)`, which handlers call that ask for nothing else, while another says whose a session is.

        What lets nobody in who has not signed in asks nothing about the session.
        """
        for fetch in fetches(view, function, _SESSION):
            if _ENDS.search(fetch.method) or not names_owner(view, fetch, function) or prover(view, function):
                continue
            before = known_before(view)
            known = () if before and _is_about(view, before, fetch, function) else ("", before)
            blind = next((one for one in _calling(view, function) if prover(view, one) in known), None)
            if blind is not None and not asks_whose(view, function, fetch):
                message = f"`{function.name}` gives the session that `{fetch.name}` of the request names to anybody"
                used = view.location(blind.node, "asks for nothing else")
                grades = (Grade("error", (Reachable(function.symbol),)), Grade("warning"))
                yield view.candidate(self.info, fetch.node, message, block=function, related=(used,), grades=grades,
                                     given=unless_asked(view, function, fetch))  # fmt: skip
                return

    def _dependency(self, view: FileView, function: Block, routes: list[Block]) -> Iterator[Candidate]:
        """`Depends(open_session)`, or a call of it, in a route that asks for nothing else: an id lets one in."""
        open_to_all = [one for one in routes if not prover(view, one) and not is_restricted(view, one)]
        if not open_to_all or prover(view, function) or is_restricted(view, function):
            return
        for fetch in fetches(view, function, _SESSION, sent=False):
            shared = _shared(view, fetch, function)
            if shared is None or _ENDS.search(fetch.method) or not _is_given_back(view, fetch, function):
                continue
            if not asks_whose(view, function, fetch):
                message = f"`{function.name}` gives the session that `{fetch.name}` of the request names to anybody"
                used = view.location(open_to_all[0].node, "asks for nothing else")
                yield view.candidate(self.info, fetch.node, message, block=function, given=shared, severity="warning",
                                     related=(used,))  # fmt: skip
                return

    def _helper(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`attach(session, user)`, which looks at the user only to make a new session."""
        for fetch in fetches(view, function, _SESSION, sent=False):
            shared = _shared(view, fetch, function)
            if shared is None or _ENDS.search(fetch.method) or not _is_given_back(view, fetch, function):
                continue
            if not asks_whose(view, function, fetch):
                user = next(one.name for one in function.parameters if names_user(one.name))
                message = f"`{function.name}` finds the session by `{fetch.name}` alone and never compares `{user}`"
                grades = (Grade("error", (Reachable(function.symbol),)), Grade("warning"))
                yield view.candidate(self.info, fetch.node, message, block=function, given=shared, grades=grades)
                return


def _is_about(view: FileView, name: str, fetch: Fetch, function: Block) -> bool:
    """Whether what the file does before each request has to do with the session, too."""
    texts = (ast.unparse(one.node) for one in view.functions if one.name == name)
    return any(fetch.name in text or f"{function.name}(" in text for text in texts)


def _calling(view: FileView, function: Block) -> Iterator[Block]:
    """The handlers of the file that call the function."""
    for one in view.functions:
        entry = view.entry_point(one)
        serves = entry is not None and entry.kind in ("route", "websocket") and not is_restricted(view, one)
        if serves and any(called_here(view, call) is function for call in one.nodes(ast.Call)):
            yield one


def _depending(view: FileView, function: Block) -> list[Block]:
    """The routes of the file that get a parameter from the function."""
    return [
        one
        for one in view.functions
        if (entry := view.entry_point(one)) is not None
        and entry.kind in ("route", "websocket")
        and any(view.dependency(parameter) == function.symbol for parameter in one.parameters)
    ]


def _shared(view: FileView, fetch: Fetch, function: Block) -> tuple[Condition, ...] | None:
    """What must hold for the sessions to be those of all users; `None` when they are not."""
    if fetch.receiver is None:
        return None
    access = view.access(fetch.receiver, function)
    if _DATABASE.search(ast.unparse(fetch.receiver)):
        return None  # rows of all kinds are there, and whose they are the rule for objects asks
    if access.kind == "global" and not access.name.startswith(("os.", "builtins.", "flask.", "streamlit.")):
        mutable = view.mutable_global(access)
        if isinstance(fetch.node, ast.Subscript) or mutable == ():
            return mutable
        return (SharedObject(access.path),)
    # `request.app["sessions"].get(request.query["sid"])`; an id in a header may be as secret as a token.
    if access.kind == "parameter" and access.steps[:1] == ("app",) and _is_in_url(view, fetch.key, function):
        return ()
    if access.own_class is not None and access.steps:
        return (SharedClass(access.own_class.symbol),)
    return None


def _is_in_url(view: FileView, key: ast.expr, function: Block) -> bool:
    return any(
        isinstance(part, ast.Attribute) and part.attr in _URL
        for one in origins(view, key, function)
        for part in ast.walk(one)
    )


def _is_given_back(view: FileView, fetch: Fetch, function: Block) -> bool:
    """Whether the caller gets the session that was found."""
    parent = view.module.parent(fetch.node)
    if isinstance(parent, ast.Await):
        parent = view.module.parent(parent)
    if isinstance(parent, ast.Return):
        return True
    if not isinstance(parent, ast.Assign | ast.NamedExpr):
        return False
    target = parent.targets[0] if isinstance(parent, ast.Assign) else parent.target
    return isinstance(target, ast.Name) and any(
        isinstance(part, ast.Name) and part.id == target.id
        for statement in function.nodes(ast.Return)
        for part in ([statement.value, *getattr(statement.value, "elts", [])] if statement.value else [])
    )
