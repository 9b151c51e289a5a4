"""Tests of carrel.source.scopes."""

from __future__ import annotations

from textwrap import dedent

from carrel.source.scope_builder import build_scopes
from carrel.source.scopes import Scope, ScopeTree
from carrel.source.text import SourceText


def read(source: str) -> ScopeTree:
    text = SourceText(dedent(source).encode())
    return build_scopes(text.parse(), text)


def named(tree: ScopeTree, name: str) -> Scope:
    (scope,) = (scope for scope in tree.scopes.values() if scope.name == name)
    return scope


def test_names_say_where_they_are():
    tree = read("""
        class A:
            def f(self):
                class B:
                    g = lambda: [y for y in ()]
    """)
    assert {scope.qualified_name for scope in tree.scopes.values()} == {
        "", "A", "A.f", "A.f.<locals>.B", "A.f.<locals>.B.<lambda>",
        "A.f.<locals>.B.<lambda>.<locals>.<listcomp>",
    }  # fmt: skip


def test_every_node_knows_its_scope():
    tree = read("""
        @deco(x1)
        def f(a=x2, *, b: x3 = x4) -> x5:
            x6
            return [x7 for _ in x8 if x9 for _ in x10]
        class C(x11, metaclass=x12):
            x13
            z = lambda q=x14: x15
    """)
    assert len(tree.uses) == 16
    for use in tree.uses:
        assert tree.scope_of(use.node) is use.scope, use.name


def test_a_scope_knows_its_module_and_function():
    tree = read("def f():\n    class C:\n        [x for x in y]")
    inner = named(tree, "<listcomp>")
    assert inner.module is tree.module
    assert inner.function is named(tree, "f")
    assert tree.module.function is None


def test_a_class_is_seen_from_its_own_body_only():
    tree = read("class C:\n    x = 1\n    def f(self):\n        pass")
    assert named(tree, "C").lookup("x") is not None
    assert named(tree, "f").lookup("x") is None
