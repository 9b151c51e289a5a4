"""Functions that keep what a callable gives under a key, whoever calls: `await memo.once(key, make)`."""

from __future__ import annotations

import ast
import re
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.held import given_value
from carrel.audit.origins import leaves, parameters_in

__all__ = ["CACHE_NAME", "is_cache", "memo_of", "stored_under"]

CACHE_NAME: Final = re.compile(r"(?i)(?:^|_)(?:cache[sd]?|redis|memcached?|valkey|memo|kept|cached_\w+)(?:$|_|client$)")
"""What caches are called."""
_CACHES: Final = frozenset({"redis", "valkey", "pymemcache", "aiocache", "diskcache", "cachetools", "dogpile",
                            "flask_caching", "cashews", "coredis"})  # fmt: skip
"""Packages whose objects keep what is put into them."""
_PUTS: Final = frozenset({"set", "setex", "psetex", "hset", "put", "aset", "add", "setdefault"})

_STORES: Final = frozenset({"setdefault", "__setitem__"})
"""Methods of a dictionary that are handed a key and what to keep under it."""


def memo_of(view: FileView, function: Block) -> tuple[str, str]:
    """The parameters that are the key and the callable, as in `if key not in kept: kept[key] = make()`; empty texts
    when the function is no such memo.

    Of a container that knows what to call, `kept[kind] = factories[kind](**context)`: what it hands on, `**context`.
    """
    for mutation in view.mutations_in(function):
        stores = mutation.kind == "item" or (mutation.name in _STORES and mutation.keys and mutation.values)
        if not stores or not any(one.kind in ("self", "global", "class") for one in mutation.accesses):
            continue
        key = view.access(mutation.keys[-1], function)
        if key.kind != "parameter" or key.steps:
            continue
        parts = leaves(view, mutation.values[0], function)
        made = [one for one, where in parts if isinstance(one, ast.Call) and where is function]
        for make in (view.access(one.func, function) for one in made):
            if make.kind == "parameter" and not make.steps and make.name != key.name:
                return key.name, make.name
        is_asked = any(function.nodes(ast.If, ast.Try))
        for handed in (each.value for one in made for each in one.keywords if each.arg is None and is_asked):
            if any(one.kind == "**" and ast.unparse(handed) == one.name for one in function.parameters):
                return key.name, f"**{ast.unparse(handed)}"
    return "", ""


def stored_under(view: FileView, function: Block) -> tuple[str, str]:
    """The parameters that are the key and, in whatever form, the value of what the function puts into a cache or a
    container that outlives it; empty texts when it puts nothing there."""
    for call in function.nodes(ast.Call):
        method = call.func
        puts = isinstance(method, ast.Attribute) and method.attr in _PUTS and len(call.args) > 1
        if puts and isinstance(method, ast.Attribute) and is_cache(view, method.value):
            return _named(view, call.args[0], call.args[-1], function)
    for mutation in view.mutations_in(function):
        outlives = any(one.kind in ("self", "global", "class") for one in mutation.accesses)
        if mutation.kind == "item" and outlives:
            return _named(view, mutation.keys[-1], mutation.values[0], function)
    return "", ""


def _named(view: FileView, key: ast.expr, value: ast.expr, function: Block) -> tuple[str, str]:
    keys, values = (
        [one for one in parameters_in(view, part, function) if one != function.receiver] for part in (key, value)
    )
    rest = [one for one in values if one not in keys]
    return (keys[0], rest[0]) if keys and rest else ("", "")


def is_cache(view: FileView, node: ast.expr) -> bool:
    """Whether it is a cache, by its name or by what makes it where the file has it."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    made = given_value(view, node)
    makers = (view.dotted(one.func) for one in ast.walk(made) if isinstance(one, ast.Call)) if made is not node else ()
    return CACHE_NAME.search(name) is not None or any(one.partition(".")[0] in _CACHES for one in makers)
