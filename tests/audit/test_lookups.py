"""How a function looks into a cache."""

from __future__ import annotations

import ast

from carrel.audit.lookups import is_looked_up, is_only_counted, keys_of
from tests.audit.checking import view


def _stores(code: str) -> tuple[bool, bool]:
    file = view(code)
    (mutation,) = (one for one in file.mutations if one.kind == "item")
    return is_looked_up(mutation), is_only_counted(file, mutation)


def test_a_map_is_looked_into_before() -> None:
    assert _stores("KEPT = {}\ndef f(a):\n    if a not in KEPT:\n        KEPT[a] = load(a)\n") == (True, False)
    assert _stores("KEPT = {}\ndef f(a):\n    KEPT[a] = load(a)\n") == (False, False)


def test_what_is_only_counted_is_given_to_nobody() -> None:
    code = "KEPT = {}\ndef f(a):\n    if a not in KEPT:\n        KEPT[a] = {}\n    KEPT[a]['n'] = 1\n"
    file = view(code)
    first = next(one for one in file.mutations if ast.unparse(one.target) == "KEPT")
    assert is_only_counted(file, first)


def test_the_keys_are_what_the_same_function_looks_with() -> None:
    file = view("def f(region, name):\n    cache.get(region, name)\n    cache.set(region, name, load(name))\n")
    (function,) = file.functions
    (call,) = (one for one in function.nodes(ast.Call) if ast.unparse(one.func) == "cache.set")
    assert [ast.unparse(one) for one in keys_of(call, function)] == ["region", "name"]
