"""A response for one user that a proxy or CDN may keep and give to the next."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.cacheable import cacheable_headers
from carrel.audit.conditions import SendsCacheable
from carrel.audit.file_view import FileView
from carrel.audit.origins import identities
from carrel.audit.rule import Candidate, rule_page
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["PrivateResponseCacheable"]

_SELECTS: Final = ("path", "startswith", "endswith", "url", "content_type", "suffix")
_ASKS_WHO: Final = "user.is_authenticated.session.cookies.COOKIES.authorization.auth"
_OWN_DATA: Final = re.compile(r"(?:^|\.)(?:user|current_user|session|cookies|principal)(?:$|\.)")


class PrivateResponseCacheable:
    """`Cache-Control: public, max-age=60` in a handler that knows its user."""

    info = RuleInfo(
        rule="private-response-cacheable",
        code="CAR009",
        severity="error",
        title="HTTP caches may keep a response that is for one user",
        why="A cache between server and users stores the first user's response under the address alone, and gives it "
        "to everybody who asks for that address.",
        fix="Send `Cache-Control: private, no-store`; with cookies, at least `private` and `Vary: Cookie`.",
        page=rule_page("private-response-cacheable"),
        leak_classes=(9,),
    )

    def check(self, view: FileView) -> Iterator[Candidate]:
        for function, node in cacheable_headers(view):
            entry = view.entry_point(function)
            if entry is not None and entry.kind == "middleware":
                if not _selects(view, node, _ASKS_WHO):
                    message = f"`{function.name}` lets caches keep every response, those for one user too"
                    yield view.candidate(self.info, node, message, block=function)
            elif (owner := _user(view, function)) and not _selects(view, node, owner):
                message = f"caches may keep what `{function.name}` answers to `{owner}`"
                yield view.candidate(self.info, node, message, block=function)
        for function in view.functions:
            yield from self._answered(view, function)

    def _answered(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`return cached_json(load(user.id))`, where `cached_json` sends the header."""
        owner = _user(view, function)
        for statement in function.nodes(ast.Return) if owner else ():
            value = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
            path = view.symbol_path(view.access(value.func, function)) if isinstance(value, ast.Call) else ""
            if path and not _selects(view, statement, owner):
                message = f"caches may keep what `{function.name}` answers to `{owner}`"
                yield view.candidate(self.info, statement, message, block=function, given=(SendsCacheable(path),))


def _selects(view: FileView, node: ast.AST, owner: str = "") -> bool:
    """Whether a test before it picks the responses: those of some addresses, or those for nobody."""
    for around in view.ancestors(node):
        if isinstance(around, ast.If | ast.IfExp):
            words = {getattr(one, "attr", getattr(one, "id", "")) for one in ast.walk(around.test)}
            if not words.isdisjoint(_SELECTS) or (owner and not words.isdisjoint(owner.split("."))):
                return True
            if any("public" in word.lower() for word in words):
                return True
    return False


def _user(view: FileView, function: Block) -> str:
    """What the handler uses of its user; empty when it uses nothing."""
    if view.entry_point(function) is None:
        return ""
    used = {name.id for name in function.nodes(ast.Name)}
    for parameter in function.parameters:
        told = is_identity_like(parameter.name) and "session" not in parameter.name
        if told and parameter.name in used and view.dependency(parameter):
            return parameter.name
    for attribute in function.nodes(ast.Attribute):
        text = ast.unparse(attribute)
        if _OWN_DATA.search(text) and identities(view, attribute, function):
            return text
    return ""
