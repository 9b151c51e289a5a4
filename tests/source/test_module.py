"""Tests of carrel.source.module."""

from __future__ import annotations

import ast
import gc
import weakref
from textwrap import dedent

import pytest

from carrel.errors import SourceError
from carrel.source.module import Module, read_module
from carrel.source.module_names import ModuleName


def module(source: str, name: str = "app.web.views", *, is_package: bool = False) -> Module:
    return read_module("app/web/views.py", ModuleName(name, is_package), dedent(source).encode())


def last(source: str) -> tuple[str, ...]:
    """What the last expression of a file stands for."""
    found = module(source)
    statement = found.tree.body[-1]
    while isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If):
        statement = statement.body[-1]
    assert isinstance(statement, ast.Expr)
    return found.targets(statement.value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b.c\na.b.c.D", ["a.b.c.D"]),
        ("import a.b.c as x\nx.D", ["a.b.c.D"]),
        ("from a.b import c\nc.D.e", ["a.b.c.D.e"]),
        ("from a.b import C as D\nD", ["a.b.C"]),
        ("from . import models\nmodels.User", ["app.web.models.User"]),
        ("from .models import User\nUser", ["app.web.models.User"]),
        ("from ..core import db\ndb", ["app.core.db"]),
        ("from ....core import db\ndb", []),
        ("class C: ...\nC", ["app.web.views.C"]),
        ("class C:\n    def f(self): ...\nC.f", ["app.web.views.C.f"]),
        ("def f():\n    class C: ...\n    C", ["app.web.views.f.<locals>.C"]),
        ("from a import B\nC = B\nD = C\nD.e", ["a.B.e"]),
        ("import a\nC = a.B\nC", ["a.B"]),
        ("x = y\ny = x\nx", ["app.web.views.y"]),
        ("x = f()\nx", ["app.web.views.x"]),
        ("try:\n    from a import B\nexcept ImportError:\n    B = None\nB", ["a.B", "app.web.views.B"]),
        ("if x:\n    from a import B\nelse:\n    from b import B\nB", ["a.B", "b.B"]),
        ("from a import *\nB", ["a.B"]),
        ("from a import *\nfrom .b import *\nB", ["a.B", "app.web.b.B"]),
        ("len", ["builtins.len"]),
        ("nowhere", []),
        ("f().x", []),
        ("x[0].y", []),
        ("def f(a):\n    a.b", ["app.web.views.f.<locals>.a.b"]),
        ("from a import B\ndef f(B):\n    B", ["app.web.views.f.<locals>.B"]),
        ("from a import B\ndef f():\n    from c import B\n    B", ["c.B"]),
        ("def f():\n    global B\n    from c import B\nB", ["c.B"]),
        ("from a import B\nfor B in (): pass\nB", ["a.B", "app.web.views.B"]),
        ("from a import B\nx, y = B\nx", ["app.web.views.x"]),
        ("from a import B\nx: type = B\nx", ["a.B"]),
    ],
)  # fmt: skip
def test_an_expression_stands_for_what_it_was_bound_to(source, expected):
    assert sorted(last(source)) == sorted(expected)


def test_relative_imports_of_a_package_start_in_it():
    found = read_module("app/web/__init__.py", ModuleName("app.web", is_package=True), b"from .a import B\nB")
    (use,) = found.uses
    assert found.target(use.node, use.scope) == "app.web.a.B"


@pytest.mark.parametrize(
    ("source", "guard"),
    [
        ("import x", ""),
        ("if TYPE_CHECKING:\n    import x", "type_checking"),
        ("if typing.TYPE_CHECKING:\n    import x", "type_checking"),
        ("if TYPE_CHECKING:\n    pass\nelse:\n    import x", "if"),
        ("try:\n    import x\nexcept ImportError:\n    pass", "try"),
        ("try:\n    pass\nexcept ImportError:\n    import x", "except"),
        ("try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import x", ""),
        ("if TYPE_CHECKING:\n    def f():\n        import x", ""),
        ("while 1:\n    import x", ""),
    ],
)
def test_a_statement_knows_what_it_stands_under(source, guard):
    found = module(source)
    (node,) = (node for node in ast.walk(found.tree) if isinstance(node, ast.Import))
    assert found.guard(node) == guard


def test_symbols_are_dotted():
    found = module("class A:\n    def f(self): ...")
    (function,) = (node for node in ast.walk(found.tree) if isinstance(node, ast.FunctionDef))
    assert found.symbol(found.opened_by(function)) == "app.web.views.A.f"
    assert found.symbol(found.scope) == "app.web.views"
    assert found.symbol(found.scope_of(function)) == "app.web.views.A"


def test_a_file_that_does_not_parse_is_refused():
    with pytest.raises(SourceError) as caught:
        module("def f(:\n")
    assert caught.value.line == 1


def test_a_released_module_needs_no_collector():
    found = module("class A:\n    def f(self): ...\n")
    tree = weakref.ref(found.tree)
    gc.disable()
    try:
        found.release()
        del found
        assert tree() is None
    finally:
        gc.enable()
