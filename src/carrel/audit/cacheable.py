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

__all__ = ["cacheable_headers"]

_KEPT: Final = re.compile(r"\bpublic\b|\bs-maxage=[1-9]|\bmax-age=[1-9]")
_NOT_KEPT: Final = re.compile(r"\bprivate\b|\bno-store\b|\bno-cache\b|max-age=0")
_SETS: Final = frozenset({"set_header", "add_header", "setdefault", "set", "add"})
_HEADER: Final = "cache-control"


def cacheable_headers(view: FileView) -> Iterator[tuple[Block, ast.AST]]:
    """The functions that send a `Cache-Control` by which anybody's cache may keep the response, with the place."""
    for function, node, value in _headers(view):
        text = _text(view, value)
        if _KEPT.search(text) is not None and not _NOT_KEPT.search(text) and not _varies(function):
            yield function, node


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
    """Flask's `response.cache_control.public = True`."""
    target = mutation.target
    named = isinstance(target, ast.Attribute) and target.attr == "cache_control" and mutation.name == "public"
    return named and any(isinstance(one, ast.Constant) and one.value is True for one in mutation.values)


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
    named = any(isinstance(one.value, str) and one.value.lower() == "vary" for one in function.nodes(ast.Constant))
    removed = (target for one in function.nodes(ast.Delete) for target in one.targets)
    return named and not any("vary" in ast.unparse(one).lower() for one in removed)
