"""An object that a handler gets by an id from the request, and nobody asks whose it is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.admission import is_refusal, is_restricted, sign_in
from carrel.audit.blocks import Block
from carrel.audit.callers import kept_names, names_user, prover
from carrel.audit.conditions import AnyOf, Condition, Not
from carrel.audit.data_conditions import FetchesOwned, Gives, OwnerAsked
from carrel.audit.fetches import IDS, Fetch, fetches
from carrel.audit.file_view import FileView
from carrel.audit.owner_checks import asks_whose, unless_asked
from carrel.audit.owners import OWNERS, is_handlers_own, kinds, names_owner
from carrel.audit.persons import person_in
from carrel.audit.rows import listed, tables
from carrel.audit.rule import Candidate, Grade, rule_page
from carrel.audit.sent import is_handler
from carrel.findings import RuleInfo

__all__ = ["ObjectWithoutOwnerCheck"]

_PERSONAL: Final = re.compile(r"(?:^|_)(?:thread|conversation|chat|message|memory|memories|note|document|order|invoice|"
                              r"upload|history|ticket|draft|transcript)s?(?:_|$)")  # fmt: skip

_OF_MANY: Final = re.compile(r"(?i)(?:^|_)(?:group|team|org|organi[sz]ation|community|channel)_?(?:name|slug)$")
"""What several people have in common, by the name that all of them know."""
_IS_SHOWN: Final = re.compile(r"(?i)shar(?:e|ed|ing)|public|invit|embed|webhook|callback|token|slug|login|sign|health")
"""Places that are for whoever has the link, and names of what is meant to be given away."""
_ENDS: Final = re.compile(r"^_?(?:log|sign)_?(?:out|off)(?:_|$)")
_SESSION: Final = re.compile(r"(?:^|_)session_?(?:id|key)$")
"""What whoever signs out has been given to prove who they are."""
_LETS_ANYBODY_IN: Final = re.compile(
    r"(?i)^(?:is_|get_|show_|read_)?public(?:_|$)|^(?:allow|validate|permit|accept|support)s?_(?:any|anonymous)|^(?:login|auth)_(?:exempt|optional)$"
)
_PROGRESS: Final = re.compile(r"^(?:in_)?(?:progress|percent(?:age)?|status|ready|done|finished|completed|running)$")


class ObjectWithoutOwnerCheck:
    """`session.get(Thread, thread_id)` in a handler that knows who is calling and never looks.

    Four things must be shown. Who is let in has signed in, and needs no permission (`carrel.audit.admission`). One
    object is fetched by an id that the client sent (`fetches`), from what outlives the request. Nothing asks whose it
    is (`owner_checks`). And such objects have owners: the store is told one, or `_owned`.
    """

    info = RuleInfo(
        rule="object-without-owner-check",
        code="CAR023",
        severity="error",
        title="An object is fetched by id and nobody asks whose it is",
        why="The id comes from the client. Whoever sends another user's id, guessed, leaked or seen in a link, gets "
        "that user's object.",
        fix="Fetch by id and owner together, or compare the owner with the caller and answer 404.",
        page=rule_page("object-without-owner-check"),
        leak_classes=(23,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function in view.functions:
            if not is_handler(view, function) or is_restricted(view, function) or _only_tells_progress(function):
                continue
            caller = prover(view, function)
            for fetch in fetches(view, function, IDS):
                if names_user(fetch.name) or _is_asked_by_all(function, fetch) or not _is_stored(view, fetch, function):
                    continue
                if not asks_whose(view, function, fetch):
                    yield from self._candidates(view, function, fetch, caller)
                    break

    def _candidates(self, view: FileView, function: Block, fetch: Fetch, caller: str) -> Iterator[Candidate]:
        called = fetch.node.value if isinstance(fetch.node, ast.Await) else fetch.node
        path = view.path(called.func, function) if isinstance(called, ast.Call) else ""
        selected = tables(fetch.node)
        hidden = Not(OwnerAsked(tuple(map(listed, kinds(view, fetch.node, function)))))
        if _serves_anybody(view, function):
            grades = [Grade("info")]
        elif (caller or not _is_for_all(view, fetch, function)) and names_owner(view, fetch, function):
            grades = [Grade("error")]
        elif caller:
            owned = OwnerAsked(selected) if selected else AnyOf(_owned(view, function, fetch, path, caller))
            grades = [Grade("error", (owned, hidden))]
            # Where only a decorator asks for a sign-in, what is fetched from may know the user by itself.
            is_held = caller != sign_in(view, function)
            personal = _PERSONAL.search(fetch.name.lower()) or _PERSONAL.search(fetch.method.lower())
            grades += [Grade("warning", (hidden,))] if personal and is_held else []
            grades.append(Grade("info"))
        else:
            return
        message = f"`{function.name}` fetches by `{fetch.name}` from the request and never asks whose it is"
        yield view.candidate(self.info, fetch.node, message, block=function, grades=tuple(grades),
                             given=unless_asked(view, function, fetch))  # fmt: skip


def _is_for_all(view: FileView, fetch: Fetch, function: Block) -> bool:
    """Whether nobody has to say who they are: the handler's own object was perhaps made for them, or whoever has the
    link is meant.
    """
    entry = view.entry_point(function)
    shown = f"{function.name} {fetch.name} {entry.label if entry is not None else ''}"
    return is_handlers_own(view, fetch, function) or _IS_SHOWN.search(shown) is not None


def _owned(view: FileView, function: Block, fetch: Fetch, path: str, caller: str) -> tuple[Condition, ...]:
    """What shows that such objects have owners, one of which must hold: somewhere the owner of one is asked for; the
    class has an attribute that says whose it is; the statement that fetches it selects one and does not ask for it.
    """
    members = (*sorted(OWNERS), *_members(view, function, caller))
    model = view.dotted(fetch.model) if fetch.model is not None else ""
    fetched = tuple(FetchesOwned(one, members) for one in (model, path) if one)
    return (OwnerAsked(kinds(view, fetch.node, function)), *fetched, Gives(path, "anybodys-row"))


def _only_tells_progress(function: Block) -> bool:
    """Whether the function does nothing but tell how far something is: `{"progress": done, "status": job.status}`."""
    given = [one.value for one in function.nodes(ast.Return) if one.value is not None]
    if not given or any(isinstance(one.value, ast.Call | ast.Await | ast.Yield) for one in function.nodes(ast.Expr)):
        return False
    told = [[part for part in ast.walk(one) if isinstance(part, ast.Dict)] for one in given]
    keys = [key for dicts in told for one in dicts for key in one.keys]
    named = all(isinstance(key, ast.Constant) and _PROGRESS.match(str(key.value)) for key in keys)
    return named and all(len(dicts) == 1 and len(dicts[0].keys) > 1 for dicts in told)


def _is_asked_by_all(function: Block, fetch: Fetch) -> bool:
    """Whether whoever knows the id may use it: the name of a group, the client of a page of OAuth, and the session that
    somebody ends who has it.
    """
    if fetch.name == "client_id":
        return _asks_for_consent(function)
    ends = _ENDS.match(function.name) is not None and _SESSION.search(fetch.name) is not None
    return ends or _OF_MANY.search(fetch.name) is not None


def _asks_for_consent(function: Block) -> bool:
    """Whether it is a page of OAuth: everybody may know the applications that ask for a user's consent."""
    return any(one.value in ("response_type", "redirect_uri") for one in function.nodes(ast.Constant))


def _serves_anybody(view: FileView, function: Block) -> bool:
    """Whether those who have not signed in are served as well: `if current_user.is_anonymous: …` without a refusal, or
    `@public_endpoint`, `def get_public_branding`.
    """
    if sign_in(view, function):
        return False
    if any(map(_LETS_ANYBODY_IN.search, (function.name, *(one.name for one in function.decorators)))):
        return True
    tests = [one for one in function.nodes(ast.If) if any(map(_asks_for_sign_in, ast.walk(one.test)))]
    stand_ins = (one for one in function.nodes(ast.IfExp) if any(map(_asks_for_sign_in, ast.walk(one.test))))
    if any(not isinstance(one.body, ast.Constant) and not isinstance(one.orelse, ast.Constant) for one in stand_ins):
        return True
    return bool(tests) and not any(is_refusal(one) for test in tests for one in (*test.body[-1:], *test.orelse[-1:]))


def _asks_for_sign_in(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in ("is_anonymous", "is_authenticated")


def _members(view: FileView, function: Block, caller: str) -> list[str]:
    """The attributes that say whose an object is, by the word that the application has for who is calling."""
    parameter = function.parameter(caller)
    if parameter is None:
        return sorted(kept_names(view))
    dependency = (view.dependency(parameter) or "").rpartition(".")[2]
    named = {person_in(one) for one in (parameter.name, view.annotation_name(parameter.annotation), dependency)}
    return [f"{one}{ending}" for one in sorted(named) if one for ending in ("", "_id")]


def _is_stored(view: FileView, fetch: Fetch, function: Block) -> bool:
    """Whether it is fetched from something that outlives the request: not from a local or the request itself."""
    if fetch.receiver is None:
        return True
    access = view.access(fetch.receiver, function)
    if access.kind in ("new", "cell", "unknown"):
        return access.kind == "unknown" and fetch.method == "where"
    if access.kind == "local":
        return fetch.method != "" and not isinstance(fetch.node, ast.Subscript) and fetch.method != "get"
    if access.kind == "parameter":
        if access.name in ("request", "req") and access.steps[:1] != ("app",):
            return False
        return not isinstance(fetch.node, ast.Subscript)
    return not access.name.startswith(("os.", "flask.", "builtins."))
