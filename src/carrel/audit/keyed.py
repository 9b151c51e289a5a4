"""Where a function reads or writes something that outlives it under a key."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carrel.audit.access import Access
from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView

__all__ = ["Keyed", "is_there", "keyed", "only_ends"]

_BY_FIRST: Final = frozenset({"get", "setdefault", "pop", "__getitem__", "__setitem__", "has_key"})
_STORE_CALLS: Final = frozenset(
    {"get", "set", "setex", "setnx", "psetex", "getset", "getdel", "getex", "hget", "hset", "hgetall", "hmset", "hdel",
     "rpush", "lpush", "lrange", "lpop", "rpop", "llen", "ltrim", "sadd", "smembers", "zadd", "zrange", "incr",
     "append", "delete", "expire", "publish", "subscribe", "xadd", "xread", "get_or_set", "json_set", "aget",
     "aset", "mget"}
)  # fmt: skip
"""Methods of key-value stores and caches: the first argument is the key."""
_ENDS: Final = frozenset({"delete", "adelete", "hdel", "expire", "exists", "remove", "unlink", "has_key"})
"""Methods that take out what is there, or look whether something is."""
_CLIENTS: Final = ("redis.", "valkey.", "aioredis.", "coredis.", "pymemcache.", "aiocache.", "diskcache.")
"""Libraries of such stores."""
_STORES: Final = ("redis", "rds", "cache", "store", "valkey", "kv", "memcache", "db", "storage", "memory")


@dataclass(frozen=True, slots=True)
class Keyed:
    """One use of a key."""

    node: ast.expr
    """The item or the call."""
    key: ast.expr
    container: ast.expr
    access: Access
    is_store: bool = False
    """The container is a key-value store's client, not a dictionary."""


def keyed(view: FileView, function: Block) -> Iterator[Keyed]:
    """Every item of a dictionary and every call of a key-value store, where these are not the function's own."""
    for item in function.nodes(ast.Subscript):
        found = _kept(view, item, item.slice, item.value, function)
        if found is not None:
            yield found
    for call in function.nodes(ast.Call):
        if not isinstance(call.func, ast.Attribute) or not call.args:
            continue
        name, container = call.func.attr, call.func.value
        if name in _STORE_CALLS and (_is_store(container) or _is_client(view, container)):
            access = view.access(container, function)
            if access.kind not in ("new", "local"):
                yield Keyed(call, call.args[0], container, access, is_store=True)
        elif name in _BY_FIRST:
            found = _kept(view, call, call.args[0], container, function)
            if found is not None:
                yield found


def _kept(view: FileView, node: ast.expr, key: ast.expr, container: ast.expr, function: Block) -> Keyed | None:
    if isinstance(key, ast.Constant | ast.Slice):
        return None
    access = view.access(container, function)
    if access.kind not in ("global", "class", "self", "cell") or access.name.startswith(("os.", "builtins.", "sys.")):
        return None
    if "()" in access.steps or (access.kind == "self" and not access.steps) or _is_module(container, function):
        return None
    return Keyed(node, key, container, access)


def _is_module(container: ast.expr, function: Block) -> bool:
    """Whether it is a module, `requests.get(url)`, and so no dictionary."""
    found = function.scope.lookup(container.id) if isinstance(container, ast.Name) else None
    return found is not None and bool(found[1]) and all(one.kind == "import" for one in found[1])


def _is_store(container: ast.expr) -> bool:
    text = ast.unparse(container).lower().rpartition(".")[2].strip("_()")
    return any(text == word or text.endswith(word) or text.startswith(f"{word}_") for word in _STORES)


def _is_client(view: FileView, container: ast.expr) -> bool:
    """Whether the module makes it with a library of stores: `_pool = redis.Redis()`."""
    bound = view.module.scope.bindings.get(container.id, ()) if isinstance(container, ast.Name) else ()
    made = (one.value.func for one in bound if isinstance(one.value, ast.Call))
    return any(view.dotted(one).startswith(_CLIENTS) for one in made)


def only_ends(view: FileView, use: Keyed) -> bool:
    """Whether the key is only used to take something out, or to compare it: nobody is given anything."""
    match use.node:
        case ast.Subscript(ctx=ast.Del()):
            return True
        case ast.Call(func=ast.Attribute(attr=name)) if name in _ENDS:
            return True
    return isinstance(view.module.parent(use.node), ast.Compare)


def is_there(view: FileView, use: Keyed) -> bool:
    """Whether the key is used only where there is something in it: `if chat_id: names[chat_id] = name`."""
    inner: ast.AST = use.node
    for around in view.ancestors(use.node):
        if isinstance(around, ast.If | ast.IfExp) and inner in (
            around.body if isinstance(around.body, list) else [around.body]
        ):
            tests = around.test.values if isinstance(around.test, ast.BoolOp) else [around.test]
            alternative = isinstance(around.test, ast.BoolOp) and isinstance(around.test.op, ast.Or)
            if not alternative and any(ast.dump(one) == ast.dump(use.key) for one in tests):
                return True
        inner = around
    return False
