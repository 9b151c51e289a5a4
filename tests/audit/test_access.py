"""What expressions lead to."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.access import Access
from tests.audit.checking import view


def accessed(body: str, before: str = "") -> Access:
    """What `found(…)` is handed in the method `m` of the class `A` of `app.py`."""
    indented = "\n".join(f"            {line}" for line in body.splitlines())
    one = view(f"{before}\nclass A:\n    shared = []\n    def m(self, p, items=()):\n        if True:\n{indented}\n")
    for block in one.blocks:
        for call in block.nodes(ast.Call):
            if isinstance(call.func, ast.Name) and call.func.id == "found":
                return one.access(call.args[0], block)
    raise AssertionError("nothing is found")


@pytest.mark.parametrize(
    ("body", "kind", "path"),
    [
        ("found(self)", "self", "app.A()"),
        ("found(self.x.y)", "self", "app.A().x.y"),
        ("found(self.application.y.z)", "self", "app.A().application.state.y.z"),
        ("found(self.application.state.y)", "self", "app.A().application.state.y"),
        ("found(self.application)", "self", "app.A().application"),
        ("h = self.x\nfound(h)", "self", "app.A().x"),
        ("found(self.x.setdefault(p, [])) ", "self", "app.A().x[]"),
        ("found(A.shared)", "class", "app.A.shared"),
        ("found(type(self).shared)", "class", "app.A.shared"),
        ("found(self.__class__.shared)", "class", "app.A.shared"),
        ("found(p)", "parameter", "app.A.m:p"),
        ("for item in items:\n    found(item)", "parameter", "app.A.m:items[]"),
        ("found(store.turns)", "global", "chat.store.turns"),
        ("t = store.turns\nfound(t)", "global", "chat.store.turns"),
        ("t = get()\nfound(t.memory)", "global", "chat.deps.get().memory"),
        ("t = await get()\nfound(t)", "global", "chat.deps.get()"),
        ("with get() as t:\n    found(t)", "global", "chat.deps.get()"),
        ("t = p or store.turns\nfound(t)", "global", "chat.store.turns"),
        ("found(len)", "global", "builtins.len"),
        ("found([])", "new", ""),
        ("t = []\nfound(t)", "local", ""),
        ("p = []\nfound(p)", "local", ""),
        ("if items:\n    p = []\nfound(p)", "parameter", "app.A.m:p"),
        ("if items:\n    p = []\nelse:\n    p = {}\nfound(p)", "local", ""),
        ("if items:\n    raise\nelse:\n    p = {}\nfound(p)", "local", ""),
        ("if items:\n    print()\nelse:\n    p = {}\nfound(p)", "parameter", "app.A.m:p"),
        ("with get():\n    p = []\nfound(p)", "local", ""),
        ("def inner():\n    found(p)", "cell", ""),
        ("found(nowhere)", "unknown", ""),
    ],
)
def test_where_it_comes_from(body: str, kind: str, path: str) -> None:
    access = accessed(body, "from chat import store\nfrom chat.deps import get")
    assert (access.kind, access.path) == (kind, path)


def test_a_later_binding_is_not_seen_earlier_and_an_earlier_one_is_replaced() -> None:
    one = view("def f(h):\n    first(h)\n    h = list(h)\n    second(h)\n")
    (function,) = one.functions
    kinds = {ast.unparse(call.func): one.access(call.args[0], function).path for call in function.nodes(ast.Call)}
    assert kinds == {"first": "app.f:h", "list": "app.f:h", "second": "builtins.list()"}


def test_in_a_loop_a_later_binding_is_seen() -> None:
    one = view("def f(h, o):\n    while o:\n        found(h)\n        h = o\n")
    (function,) = one.functions
    (call,) = function.nodes(ast.Call)
    assert {access.name for access in one.accesses(call.args[0], function)} == {"h", "o"}


def test_in_a_loop_what_was_replaced_before_it_is_not_seen() -> None:
    one = view("def f(h, o):\n    h = list(h)\n    while o:\n        found(h)\n        h = o\n")
    (function,) = one.functions
    call = next(one for one in function.nodes(ast.Call) if ast.unparse(one.func) == "found")
    assert {access.name for access in one.accesses(call.args[0], function)} == {"builtins.list", "o"}


def test_keys_on_the_way_are_kept() -> None:
    access = accessed("found(store.turns[p].get(1))", "from chat import store")
    assert [ast.unparse(key) for key in access.keys] == ["p", "1"]


def test_a_name_that_leads_to_itself_ends() -> None:
    assert accessed("x = x.next\nfound(x)").kind in ("local", "unknown")


def test_a_classmethod_reaches_the_class() -> None:
    one = view("class A:\n    @classmethod\n    def m(cls):\n        found(cls.x)\n")
    (call,) = one.functions[0].nodes(ast.Call)
    assert one.path(call.args[0], one.functions[0]) == "app.A.x"


def test_an_inner_function_has_the_name_of_its_block() -> None:
    one = view("def f():\n    def g(): ...\n    found(g)\n")
    (call,) = one.functions[0].nodes(ast.Call)
    assert one.path(call.args[0], one.functions[0]) == "app.f.g" == one.functions[1].symbol


@pytest.mark.parametrize(
    ("assigned", "is_followed"),
    [
        ("x, y = store.turns, []", True),
        ("y, x = [], store.turns", True),
        ("x, y = store.turns", False),
        ("x, *y = store.turns, 1", False),
        ("x, y = *store.turns, 1", False),
    ],
)
def test_several_values_that_are_assigned_at_once(assigned: str, *, is_followed: bool) -> None:
    access = accessed(f"{assigned}\nfound(x)", "from chat import store")
    assert (access.path == "chat.store.turns") is is_followed
