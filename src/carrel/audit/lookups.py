"""How a function looks into a cache for what it has stored there."""

from __future__ import annotations

import ast
from itertools import takewhile
from typing import Final

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.mutations import Mutation

__all__ = ["MAKES", "is_looked_up", "is_only_counted", "keys_of"]

MAKES: Final = frozenset({"get_or_set", "get_or_create", "aget_or_set"})
"""Methods of a cache that look, and store what there was not."""
_READS: Final = frozenset({"get", "aget", "get_or_set", "getex", "__contains__", "has_key", "exists"})


def keys_of(call: ast.Call, function: Block) -> tuple[ast.expr, ...]:
    """What the same function looks into the cache with: only then is something given back for what was stored.

    `cache.get(region, name)` looks with two keys: in `cache.set(region, name, value)` the third is the value.
    """
    assert isinstance(call.func, ast.Attribute)
    if call.func.attr in MAKES:
        return (call.args[0],)
    cache = ast.unparse(call.func.value)
    looks = [
        one.args for one in function.nodes(ast.Call)
        if isinstance(one.func, ast.Attribute) and one.func.attr in _READS and ast.unparse(one.func.value) == cache
    ]  # fmt: skip
    if not looks:
        return ()
    same = max(sum(1 for _ in takewhile(_is_same, zip(call.args, look, strict=False))) for look in looks)
    return tuple(call.args[: max(1, min(same, len(call.args) - 1))])


def _is_same(pair: tuple[ast.expr, ast.expr]) -> bool:
    return ast.unparse(pair[0]) == ast.unparse(pair[1])


def is_looked_up(mutation: Mutation) -> bool:
    """Whether the function that stores under the key first looks whether the key is there."""
    key, container = ast.unparse(mutation.keys[-1]), ast.unparse(mutation.target)
    for compare in mutation.block.nodes(ast.Compare):
        looks = isinstance(compare.ops[0], ast.In | ast.NotIn) and ast.unparse(compare.left) == key
        if looks and ast.unparse(compare.comparators[0]) == container:
            return True
    tried = any("KeyError" in ast.unparse(one.type) for one in mutation.block.nodes(ast.ExceptHandler) if one.type)
    return any(
        isinstance(call.func, ast.Attribute) and call.func.attr == "get" and call.args
        and ast.unparse(call.func.value) == container and ast.unparse(call.args[0]) == key
        for call in mutation.block.nodes(ast.Call)
    ) or any(
        tried and isinstance(one.ctx, ast.Load) and ast.unparse(one) == f"{container}[{key}]"
        for one in mutation.block.nodes(ast.Subscript)
    )  # fmt: skip


def is_only_counted(view: FileView, mutation: Mutation) -> bool:
    """Whether what is found under the key is given to nobody: `if key in seen: seen[key]["count"] += 1`."""
    place = f"{ast.unparse(mutation.target)}[{ast.unparse(mutation.keys[-1])}]"
    found = [
        one for one in mutation.block.nodes(ast.Subscript)
        if isinstance(one.ctx, ast.Load) and ast.unparse(one) == place
    ]  # fmt: skip
    changed = [view.module.parent(one) for one in found]
    return bool(found) and all(isinstance(getattr(one, "ctx", None), ast.Store) for one in changed)
