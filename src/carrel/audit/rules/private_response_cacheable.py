"""A response for one user that a proxy or CDN may keep and give to the next."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.asking import asks_who
from carrel.audit.blocks import Block
from carrel.audit.cacheable import cacheable_headers, given_headers, picked_addresses
from carrel.audit.callers import proves
from carrel.audit.conditions import AnyOf, Condition
from carrel.audit.data_conditions import AnswersUsers, SendsCacheable
from carrel.audit.file_view import FileView
from carrel.audit.frameworks import REQUEST_OBJECTS
from carrel.audit.held import given_value
from carrel.audit.origins import identities
from carrel.audit.rule import Candidate, rule_page
from carrel.audit.run_conditions import CalledForEvery, ReadsIdentity, ReadsRequest, RequestsAreAsked
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["PrivateResponseCacheable"]

_SELECTS: Final = ("path", "startswith", "endswith", "url", "content_type", "suffix", "blueprint", "endpoint",
                   "view_name")  # fmt: skip
_EVERY: Final = frozenset({"dispatch", "set_default_headers", "prepare", "finalize_response", "render_to_response",
                           "dispatch_request"})  # fmt: skip
"""Methods of a base class that are run for every request that a class below it handles."""
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
            if (entry is not None and entry.kind == "middleware") or _is_asgi(function):
                if not _selects(view, node, _ASKS_WHO) and not _leaves_users_out(function, node):
                    message = f"`{function.name}` lets caches keep every response, those for one user too"
                    someone = RequestsAreAsked(by_flask=view.imports("flask", "quart"))
                    yield view.candidate(self.info, node, message, block=function, given=(someone,))
                elif addresses := picked_addresses(view, function, node):
                    message = f"`{function.name}` lets caches keep what is answered to one user"
                    yield view.candidate(self.info, node, message, block=function,
                                         given=(RequestsAreAsked(addresses),))  # fmt: skip
                continue
            if function.class_ is not None and function.name in _EVERY and not _selects(view, node, _ASKS_WHO):
                message = f"`{function.name}` lets caches keep all that handlers of `{function.class_.name}` answer"
                given = (AnswersUsers(function.class_.symbol),)
                yield view.candidate(self.info, node, message, block=function, given=given)
                continue
            if entry is None and not _selects(view, node, _ASKS_WHO) and not _leaves_users_out(function, node):
                message = f"`{function.name}` lets caches keep every response, those for one user too"
                someone = RequestsAreAsked(by_flask=view.imports("flask", "quart"))
                yield view.candidate(self.info, node, message, block=function,
                                     given=(CalledForEvery(function.symbol), someone))  # fmt: skip
                continue
            for owner, asked in _users(view, function):
                if not _selects(view, node, owner):
                    message = f"caches may keep what `{function.name}` answers to `{owner}`"
                    yield view.candidate(self.info, node, message, block=function, given=asked)
                    break
        for function in view.functions:
            yield from self._answered(view, function)

    def _answered(self, view: FileView, function: Block) -> Iterator[Candidate]:
        """`return cached_json(load(user.id))`, where `cached_json` sends the header."""
        owner, asked = next(_users(view, function), ("", ()))
        for decorator in function.decorators if owner else ():
            message = f"`{decorator.name}` lets caches keep what `{function.name}` answers to `{owner}`"
            given = (SendsCacheable(decorator.dotted), *asked)
            yield view.candidate(self.info, decorator.node, message, block=function, given=given)
        for call in given_headers(view, function) if owner else ():
            path = view.symbol_path(view.access(call.func, function))
            if path and not _selects(view, call, owner):
                message = f"caches may keep what `{function.name}` answers to `{owner}`"
                yield view.candidate(self.info, call, message, block=function, given=(SendsCacheable(path), *asked))
        for statement in function.nodes(ast.Return) if owner else ():
            value = statement.value.value if isinstance(statement.value, ast.Await) else statement.value
            path = view.symbol_path(view.access(value.func, function)) if isinstance(value, ast.Call) else ""
            if path and not _selects(view, statement, owner):
                message = f"caches may keep what `{function.name}` answers to `{owner}`"
                given = (SendsCacheable(path), *asked)
                yield view.candidate(self.info, statement, message, block=function, given=given)


def _leaves_users_out(function: Block, node: ast.AST) -> bool:
    """Whether it has gone back before, where somebody has signed in: `if user.is_authenticated: return response`."""
    for test in function.nodes(ast.If):
        words = {getattr(one, "attr", getattr(one, "id", "")) for one in ast.walk(test.test)}
        goes = any(isinstance(one, ast.Return) for one in test.body)
        is_before = test.end_lineno is not None and test.end_lineno < getattr(node, "lineno", 0)
        if is_before and goes and not isinstance(test.test, ast.UnaryOp) and not words.isdisjoint(_ASKS_WHO.split(".")):
            return True
    return False


def _is_asgi(function: Block) -> bool:
    """Whether it is, or is inside, `async def __call__(self, scope, receive, send)`: it gets every response."""
    around: Block | None = function
    while around is not None:
        if {"scope", "receive", "send"} <= {one.name for one in around.parameters}:
            return True
        around = around.parent
    return False


def _selects(view: FileView, node: ast.AST, owner: str = "") -> bool:
    """Whether a test before it picks the responses: those of some addresses, or those for nobody."""
    for around in view.ancestors(node):
        if isinstance(around, ast.If | ast.IfExp):
            # `self_photo = user.id == g.user.id`, and then `if not self_photo`.
            named = [given_value(view, one) for one in ast.walk(around.test) if isinstance(one, ast.Name)]
            tests = [around.test, *(one for one in named if isinstance(one, ast.Compare | ast.BoolOp | ast.UnaryOp))]
            told = (one for part in tests for one in ast.walk(part))
            words = {getattr(one, "attr", getattr(one, "id", "")) for one in told}
            if not words.isdisjoint(_SELECTS) or (owner and not words.isdisjoint(owner.split("."))):
                return True
            if any("public" in word.lower() for word in words):
                return True
    return False


def _users(view: FileView, function: Block) -> Iterator[tuple[str, tuple[Condition, ...]]]:
    """What the handler uses of its user, as text, with what must hold elsewhere for it to be one user's."""
    if view.entry_point(function) is None:
        return
    used = {name.id for name in function.nodes(ast.Name)}
    filled = [one for one in function.parameters if one.name in used and view.dependency(one)]
    for parameter in filled:
        if is_identity_like(parameter.name) and "session" not in parameter.name:
            yield parameter.name, ()
            return
    for attribute in function.nodes(ast.Attribute):
        text = ast.unparse(attribute)
        if _OWN_DATA.search(text) and identities(view, attribute, function):
            yield text, ()
            return
    for node in function.nodes(ast.Subscript):
        text = ast.unparse(node)
        if _is_session(view, node.value, function) and identities(view, node, function):
            yield text, ()
            return
    told: list[tuple[str, Condition]] = []
    for parameter in filled:
        taint = view.parameter_taint(function, parameter.name)
        told += [(parameter.name, one) for one in taint.given] if taint is not None else []
    told += _asked(view, function)
    finds = (one for one in function.nodes(ast.Call) if proves(view, one, function))
    if asks_who(view, function) or any(not _is_only_compared(view, one) for one in finds):
        yield "who is asking", ()
        return
    if told:
        yield told[0][0], (AnyOf(tuple(one for _, one in told)),)


def _asked(view: FileView, function: Block) -> Iterator[tuple[str, Condition]]:
    """The calls whose results tell the handler who is asking: `query(sql, customer_of(request))`."""
    for call in function.nodes(ast.Call):
        path = view.symbol_path(view.access(call.func, function))
        if path and not _is_only_compared(view, call):
            asks = AnyOf((ReadsIdentity(path, itself=True, within=2), ReadsRequest(path, shown=True)))
            yield f"{ast.unparse(call.func)}()", asks


def _is_only_compared(view: FileView, call: ast.Call) -> bool:
    """Whether nothing of what the call gives is in the answer: `await count_users() > 0`."""
    around = view.module.parent(call)
    around = view.module.parent(around) if isinstance(around, ast.Await) else around
    return isinstance(around, ast.Expr | ast.Compare)


def _is_session(view: FileView, node: ast.expr, function: Block) -> bool:
    """Whether the expression is the session of the request: Flask's `session`, `request.session`."""
    if isinstance(node, ast.Attribute):
        return node.attr in ("session", "cookies") and view.taint(node, function) is not None
    return view.dotted(node) in REQUEST_OBJECTS
