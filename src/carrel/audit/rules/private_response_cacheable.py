"""A response for one user that a proxy or CDN may keep and give to the next."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.held import given_value
from carrel.audit.origins import identities
from carrel.audit.rule import Candidate, rule_page
from carrel.audit.taint import is_identity_like
from carrel.findings import RuleInfo

__all__ = ["PrivateResponseCacheable"]

_KEPT: Final = re.compile(r"\bpublic\b|\bs-maxage=[1-9]|\bmax-age=[1-9]")
_NOT_KEPT: Final = re.compile(r"\bprivate\b|\bno-store\b|\bno-cache\b|max-age=0")
_HEADER: Final = "cache-control"
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
        for function, node, value in _headers(view):
            text = _text(view, value)
            if _KEPT.search(text) is None or _NOT_KEPT.search(text) or _varies(function):
                continue
            entry = view.entry_point(function)
            if entry is not None and entry.kind == "middleware":
                if not _selects(view, node, _ASKS_WHO):
                    message = f"`{function.name}` lets caches keep every response, those for one user too"
                    yield view.candidate(self.info, node, message, block=function)
            elif (owner := _user(view, function)) and not _selects(view, node, owner):
                message = f"caches may keep what `{function.name}` answers to `{owner}`"
                yield view.candidate(self.info, node, message, block=function)


def _headers(view: FileView) -> Iterator[tuple[Block, ast.AST, ast.expr]]:
    """Every value that a `Cache-Control` header is given."""
    for mutation in view.mutations:
        if mutation.keys and mutation.values and _is_header(mutation.keys[-1]):
            yield mutation.block, mutation.node, mutation.values[0]
        elif mutation.name == "update" and mutation.values and "header" in ast.unparse(mutation.target).lower():
            yield from ((mutation.block, mutation.node, one) for one in _in_mapping(view, mutation.values[0]))
    for function in view.functions:
        for decorator in function.decorators:
            if decorator.name == "cache_control" and decorator.call is not None:
                yield function, decorator.node, decorator.call
        for call in function.nodes(ast.Call):
            if view.dotted(call.func) == "django.utils.cache.patch_cache_control":
                yield function, call, call
            for keyword in call.keywords:
                if keyword.arg == "headers":
                    yield from ((function, call, one) for one in _in_mapping(view, keyword.value))


def _in_mapping(view: FileView, node: ast.expr) -> Iterator[ast.expr]:
    mapping = given_value(view, node)
    if isinstance(mapping, ast.Dict):
        yield from (value for key, value in zip(mapping.keys, mapping.values, strict=True) if key and _is_header(key))


def _is_header(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lower() == _HEADER


def _text(view: FileView, value: ast.expr) -> str:
    if isinstance(value, ast.Call):
        # Django's `@cache_control(public=True, max_age=60)`.
        said = [f"{one.arg}={ast.unparse(one.value)}".replace("_", "-").lower() for one in value.keywords]
        return ", ".join(one for one in said if not one.endswith("=false"))
    # Of `f"max-age={seconds}"` the number is some number.
    parts = (one for one in ast.walk(given_value(view, value)) if isinstance(one, ast.Constant | ast.FormattedValue))
    return "".join(str(one.value) if isinstance(one, ast.Constant) else "1" for one in parts).lower()


def _varies(function: Block) -> bool:
    named = any(isinstance(one.value, str) and one.value.lower() == "vary" for one in function.nodes(ast.Constant))
    removed = (target for one in function.nodes(ast.Delete) for target in one.targets)
    return named and not any("vary" in ast.unparse(one).lower() for one in removed)


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
