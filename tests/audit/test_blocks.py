"""Which nodes belong to which block."""

from __future__ import annotations

import ast

from tests.audit.checking import view


def test_an_inner_functions_nodes_are_its_own() -> None:
    one = view("""
        first()
        class A:
            second()
            def m(self, x=third()):
                fourth()
                return lambda: fifth()
        """)
    calls = {block.symbol: [ast.unparse(call) for call in block.nodes(ast.Call)] for block in one.blocks}
    assert calls == {"app": ["first()"], "app.A": ["second()", "third()"], "app.A.m": ["fourth()", "fifth()"]}


def test_decorators_are_named_as_far_as_the_file_tells() -> None:
    one = view("""
        import functools as ft
        @ft.lru_cache(maxsize=1)
        @app.get("/x")
        @build().tool
        def f(): ...
        """)
    (function,) = one.functions
    assert [decorator.dotted for decorator in function.decorators] == ["functools.lru_cache", "app.get", "build().tool"]
    assert [decorator.call is not None for decorator in function.decorators] == [True, True, False]
    assert function.has_decorator("lru_cache")
    assert function.has_decorator("functools.lru_cache")
    assert not function.has_decorator("cache")


def test_parameters_of_every_kind() -> None:
    (function,) = view("def f(a, /, b=1, *c, d, e=2, **g): ...").functions
    assert [(one.name, one.kind, one.default is not None) for one in function.parameters] == [
        ("a", "positional", False),
        ("b", "positional", True),
        ("c", "*", False),
        ("d", "keyword", False),
        ("e", "keyword", True),
        ("g", "**", False),
    ]


def test_receivers() -> None:
    one = view("""
        class A:
            def m(self): ...
            @classmethod
            def c(cls): ...
            @staticmethod
            def s(x): ...
            def none(): ...
            def __init__(me): ...
        def f(self): ...
        """)
    assert [(function.name, function.receiver) for function in one.functions] == [
        ("m", "self"), ("c", "cls"), ("s", ""), ("none", ""), ("__init__", "me"), ("f", ""),
    ]  # fmt: skip
    assert [function.name for function in one.functions if function.is_initializer] == ["__init__"]


def test_nothing_is_lost_in_a_deep_expression() -> None:
    deep = view("x = " + "+".join(["1"] * 900) + "\n")
    assert sum(1 for _ in deep.top.nodes(ast.BinOp)) == 899
