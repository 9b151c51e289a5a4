"""Responses that tell caches between server and users to keep them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.held import given_value
from carrel.audit.mutations import Mutation

__all__ = ["cacheable_headers", "given_headers", "picked_addresses"]

_KEPT: Final = re.compile(r"\bpublic\b|\bs-maxage=[1-9]|\bmax-age=[1-9]")
_NOT_KEPT: Final = re.compile(r"\bprivate\b|\bno-store\b|\bno-cache\b|max-age=0")
_TELLS_APART: Final = frozenset({"private", "no_store", "no_cache", "vary", "user", "is_authenticated", "session",
                                 "cookies", "authorization", "auth"})  # fmt: skip
_SETS: Final = frozenset({"set_header", "add_header", "setdefault", "set", "add"})
_HEADER: Final = "cache-control"
_VARIES: Final = frozenset({"vary", "add_vary_header", "patch_vary_headers"})
_SUCCESS: Final = frozenset({"status_code", "status", "ok", "success", "method", "debug", "DEBUG", "error", "errors"})
_WHO_SENT: Final = frozenset({"cookie", "authorization", "*"})


def cacheable_headers(view: FileView) -> Iterator[tuple[Block, ast.AST]]:
    """The functions that send a `Cache-Control` by which anybody's cache may keep the response, with the place."""
    for function, node, value in _headers(view):
        text = _text(view, value)
        is_kept = _KEPT.search(text) is not None and not _NOT_KEPT.search(text) and not _varies(function)
        if is_kept and not _is_chosen(view, node):
            yield function, node


def _is_chosen(view: FileView, node: ast.AST) -> bool:
    """Whether the other side of a test tells caches not to keep it: `if photo.is_public: … else: patch(private=True)`.

    What the test lets through is then what everybody may have.
    """
    child = node
    for around in view.ancestors(node):
        if isinstance(around, ast.If) and child is not around.test and not _is_of_success(around.test):
            other = around.orelse if child in around.body else around.body
            said = (part for statement in other for part in ast.walk(statement))
            if any(map(_says_private, said)):
                return True
        child = around
    return False


def _is_of_success(test: ast.expr) -> bool:
    """Whether a test is about how the request went, and not about whose the answer is."""
    return any(getattr(one, "attr", getattr(one, "id", "")) in _SUCCESS for one in ast.walk(test))


def _says_private(node: ast.AST) -> bool:
    match node:
        case ast.keyword(arg=str(name), value=ast.Constant(value=True)):
            return _NOT_KEPT.search(name.replace("_", "-")) is not None
        case ast.Constant(value=str(text)):
            return _NOT_KEPT.search(text) is not None
    return False


def given_headers(view: FileView, function: Block) -> Iterator[ast.Call]:
    """The calls whose results the function sends as headers, `Response(data, headers=cached_for(60))`, where it says
    nothing about caches of its own."""
    told = any(_is_header(one) for one in function.nodes(ast.Constant)) or _varies(function)
    for call in () if told else function.nodes(ast.Call):
        handed = [one.value for one in call.keywords if one.arg == "headers"]
        if isinstance(call.func, ast.Attribute) and call.func.attr == "update":
            handed += call.args[:1] if "header" in ast.unparse(call.func.value).lower() else []
        for one in (given_value(view, each) for each in handed):
            within = zip(one.keys, one.values, strict=True) if isinstance(one, ast.Dict) else [(None, one)]
            yield from (value for key, value in within if key is None and isinstance(value, ast.Call))


def picked_addresses(view: FileView, function: Block, node: ast.AST) -> tuple[str, ...]:
    """How the addresses begin whose responses the place is about, as `if request.path.startswith("/account")` says.

    None when the function asks who it is for, or tells caches of some responses that they are for one user.
    """
    told = any(one.attr in _TELLS_APART for one in function.nodes(ast.Attribute))
    if told or any(_NOT_KEPT.search(str(one.value)) for one in function.nodes(ast.Constant)):
        return ()
    child, found = node, ""
    for around in view.ancestors(node):
        match around:
            case ast.If(test=ast.Call(func=ast.Attribute(value=ast.Attribute(attr="path"), attr="startswith"),
                                      args=[begun]), body=body) if child in body:  # fmt: skip
                if isinstance(begun, ast.Constant | ast.Tuple):
                    return _texts(begun)
                found = ast.unparse(begun)
            case ast.For(target=target, iter=many) if found in (ast.unparse(one) for one in ast.walk(target)):
                table = many.func.value if isinstance(many, ast.Call) and isinstance(many.func, ast.Attribute) else many
                return _texts(given_value(view, table))
        child = around
    return ()


def _texts(node: ast.expr) -> tuple[str, ...]:
    """The texts in a literal; of a dictionary the keys, but for those under which nothing stands."""
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            parts = [key for key, value in pairs if key and getattr(value, "value", value)]
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            parts = elements
        case _:
            parts = [node]
    return tuple(one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str))


def _headers(view: FileView) -> Iterator[tuple[Block, ast.AST, ast.expr]]:
    """Every value that a `Cache-Control` header is given."""
    for mutation in view.mutations:
        if mutation.keys and mutation.values and _is_header(mutation.keys[-1]):
            yield mutation.block, mutation.node, mutation.values[0]
        elif _is_werkzeug(mutation):
            yield mutation.block, mutation.node, ast.Constant("public")
        elif mutation.name == "update" and mutation.values and "header" in ast.unparse(mutation.target).lower():
            yield from ((mutation.block, mutation.node, one) for one in _in_mapping(view, mutation.values[0]))
    for function in view.functions:
        for decorator in function.decorators:
            if decorator.name == "cache_control" and decorator.call is not None:
                yield function, decorator.node, decorator.call
        for call in function.nodes(ast.Call):
            yield from ((function, call, one) for one in _in_call(view, call))
        # `return {"Cache-Control": "public"}` of a function that gives headers.
        returned = [(one, one.value) for one in function.nodes(ast.Return) if one.value is not None]
        given = [(one, value) for one, mapping in returned for value in _in_mapping(view, mapping)]
        if not any(_NOT_KEPT.search(_text(view, value)) for _, value in given):
            yield from ((function, one, value) for one, value in given)


def _in_call(view: FileView, call: ast.Call) -> Iterator[ast.expr]:
    """The values that a call gives the header: `self.set_header("Cache-Control", "public")`."""
    if view.dotted(call.func) == "django.utils.cache.patch_cache_control":
        yield call
    match call:
        case ast.Call(func=ast.Attribute(attr=name), args=[key, value, *_]) if name in _SETS and _is_header(key):
            yield value
        case ast.Call(func=ast.Attribute(attr="append"), args=[ast.Tuple(elts=[key, value])]) if _is_header(key):
            yield value
    for keyword in call.keywords:
        if keyword.arg == "headers":
            yield from _in_mapping(view, keyword.value)


def _is_werkzeug(mutation: Mutation) -> bool:
    """Flask's `response.cache_control.public = True`, and `s_maxage`, which is for the caches of all."""
    target = mutation.target
    if not isinstance(target, ast.Attribute) or target.attr != "cache_control":
        return False
    if mutation.name == "s_maxage":
        return all(getattr(one, "value", one) for one in mutation.values)
    return mutation.name == "public" and any(
        isinstance(one, ast.Constant) and one.value is True for one in mutation.values
    )


def _in_mapping(view: FileView, node: ast.expr) -> Iterator[ast.expr]:
    mapping = given_value(view, node)
    if isinstance(mapping, ast.Dict):
        yield from (value for key, value in zip(mapping.keys, mapping.values, strict=True) if key and _is_header(key))


def _is_header(node: ast.expr) -> bool:
    said = node.value if isinstance(node, ast.Constant) else None
    text = said.decode("latin-1") if isinstance(said, bytes) else said
    return isinstance(text, str) and text.lower() == _HEADER


def _text(view: FileView, value: ast.expr) -> str:
    if isinstance(value, ast.Call):
        # Django's `@cache_control(public=True, max_age=60)`.
        said = [f"{one.arg}={ast.unparse(one.value)}".replace("_", "-").lower() for one in value.keywords]
        return ", ".join(one for one in said if not one.endswith("=false"))
    # Of `f"max-age={seconds}"` the number is some number.
    parts = (one for one in ast.walk(given_value(view, value)) if isinstance(one, ast.Constant | ast.FormattedValue))
    return "".join(_said(one) if isinstance(one, ast.Constant) else "1" for one in parts).lower()


def _said(part: ast.Constant) -> str:
    return part.value.decode("latin-1") if isinstance(part.value, bytes) else str(part.value)


def _varies(function: Block) -> bool:
    """Whether it sends a `Vary`: a header of that name, or werkzeug's `response.vary.add("Cookie")`."""
    said = [one.value.lower() for one in function.nodes(ast.Constant) if isinstance(one.value, str)]
    told = not _WHO_SENT.isdisjoint(said) and any(one.attr in _VARIES for one in function.nodes(ast.Attribute))
    called = any(getattr(one.func, "id", "") in _VARIES for one in function.nodes(ast.Call))
    removed = (target for one in function.nodes(ast.Delete) for target in one.targets)
    named = "vary" in said or told or (called and not _WHO_SENT.isdisjoint(said))
    return named and not any("vary" in ast.unparse(one).lower() for one in removed)
