"""Tests of carrel.source.scope_builder."""

from __future__ import annotations

import ast
import builtins
import symtable
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from carrel.source.scope_builder import build_scopes
from carrel.source.scopes import Scope, ScopeTree
from carrel.source.text import SourceText


def read(source: str) -> ScopeTree:
    text = SourceText(dedent(source).encode())
    return build_scopes(text.parse(), text)


def found(tree: ScopeTree, name: str) -> list[tuple[str, str] | None]:
    """For each use of a name: the scope it reads from and the kinds of its bindings there."""
    answers: list[tuple[str, str] | None] = []
    for use in tree.uses:
        if use.name == name:
            where = use.scope.lookup(name)
            kinds = "" if where is None else ",".join(binding.kind for binding in where[1])
            answers.append(None if where is None else (where[0].qualified_name, kinds))
    return answers


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 1\nx", [("", "assignment")]),
        ("x", [None]),
        ("def f(x):\n    return x", [("f", "parameter")]),
        ("def f(*x, **y):\n    return x", [("f", "parameter")]),
        ("x = 1\ndef f():\n    return x", [("", "assignment")]),
        ("x = 1\nclass C:\n    x = 2\n    def f(self):\n        return x", [("", "assignment")]),
        ("x = 1\nclass C:\n    x = 2\n    y = x", [("C", "assignment")]),
        ("class C:\n    x = 2\n    y = [x for _ in (1,)]", [None]),
        ("class C:\n    x = (1,)\n    y = [1 for _ in x]", [("C", "assignment")]),
        ("x = 1\ndef f(y=x):\n    x = 2", [("", "assignment")]),
        ("x = 1\ndef f():\n    global x\n    x = 2\nx", [("", "assignment,assignment")]),
        ("def f():\n    global x\n    x = 2\n    return x", [("", "assignment")]),
        (
            "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = 2\n    return x",
            [("f", "assignment,assignment")],
        ),
        ("[(x := y) for y in (1,)]\nx", [("", "walrus")]),
        ("def f():\n    [(x := y) for y in (1,)]\n    return x", [("f", "walrus")]),
        ("[x for x in (1,)]\nx", [("<listcomp>", "loop"), None]),
        ("lambda x: x", [("<lambda>", "parameter")]),
        ("x = 1\nlambda x=x: x", [("", "assignment"), ("<lambda>", "parameter")]),
        ("import x.y\nx", [("", "import")]),
        ("from a import b as x\nx", [("", "from_import")]),
        ("try:\n    pass\nexcept E as x:\n    x", [("", "except")]),
        ("match 1:\n    case {'a': 1, **x}:\n        x\n    case [*x]:\n        x", [("", "match,match")] * 2),
        ("match 1:\n    case int() as x:\n        x\n    case x:\n        x", [("", "match,match")] * 2),
        ("with open('f') as (x, y):\n    x", [("", "with")]),
        ("for x, y in ():\n    x", [("", "loop")]),
        ("x: int\nx", [("", "annotation")]),
        ("x: int = 1\nx", [("", "assignment")]),
        ("x += 1\nx", [("", "augmented")]),
        ("class x: ...\nx", [("", "class")]),
        ("async def x(): ...\nx", [("", "function")]),
        ("@x\ndef f(x): ...", [None]),
        ("def f(a: x): ...\nx = 1", [("", "assignment")]),
    ],
)
def test_a_use_reads_from_the_scope_that_python_reads_from(source, expected):
    assert found(read(source), "x") == expected


@pytest.mark.parametrize(
    ("source", "uses"),
    [
        ("a: 'X'", ["X"]),
        ("def f(a: 'list[X]') -> 'Y | None': ...", ["list", "X", "Y"]),
        ("def f(a: list['X']): ...", ["X"]),
        ("a: Literal['X']", []),
        ("a: Annotated['X', 'Y']", ["X"]),
        ("cast('X', a)", ["X"]),
        ("T = TypeVar('T', bound='X')", ["X"]),
        ("a: f('X')", []),
        ("a = 'X'", []),
        ("a: 'not a type'", []),
        ("a: ''", []),
        ("a: 'X'.y", ["X"]),
    ],
)
def test_names_in_string_annotations_are_uses(source, uses):
    assert [use.name for use in read(source).uses if use.in_string] == uses


@pytest.mark.parametrize(
    ("source", "exact"),
    [("a: 'X.Y'", True), ("größe: u'X'", True), ("a: ' X'", False), ("a: '''X'''", False), ("a: 'X' ''", False),
     ("a: '\\x58'", False), ("a: ('X'\n   '')", False)],
)  # fmt: skip
def test_a_plain_string_annotation_has_its_place_in_the_file(source, exact):
    text = SourceText(source.encode())
    (use,) = (use for use in build_scopes(text.parse(), text).uses if use.in_string)
    assert use.exact is exact
    if exact:
        assert text.segment(use.node) == "X"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with Python 3.12")
def test_type_parameters_are_bound():
    assert found(read("def f[x](a: x): ..."), "x") == [("f", "type_parameter")]
    assert found(read("class C[x](B[x]):\n    y: x"), "x") == [("C", "type_parameter")] * 2
    assert found(read("type A[x] = list[x]"), "x") == [("", "type_parameter")]


HIDDEN = ("__class__", "__classdict__")
STDLIB = Path(ast.__file__).parent
FILES = ("ast.py", "argparse.py", "asyncio/base_events.py", "dataclasses.py", "enum.py", "functools.py", "inspect.py",
         "logging/__init__.py", "typing.py", "unittest/mock.py", "test/test_scope.py", "test/test_named_expressions.py",
         "test/test_generators.py")  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_names_are_local_global_and_free_where_the_compiler_says_so(name):
    path = STDLIB / name
    if not path.exists():
        pytest.skip(f"this Python comes without {name}")
    source = path.read_text(encoding="utf-8")
    tree = build_scopes(ast.parse(source))
    mine = {key: sorted(value) for key, value in _described(tree).items()}
    declared = {name for scope in tree.scopes.values() for name in scope.globals}
    theirs: dict[tuple[str, int, str], list[str]] = {}
    for table in _tables(symtable.symtable(source, name, "exec")):
        key = (table.get_type(), table.get_lineno(), table.get_name())
        local = [symbol.get_name() for symbol in table.get_symbols() if symbol.is_local() and not _hidden(symbol)]
        theirs[key] = sorted({*theirs.get(key, ()), *local})
    for key, names in theirs.items():
        if key in mine:
            # A name that only functions bind, with `global`, is the module's, and not local to it for the compiler.
            extra = declared if key[0] == "module" else set()
            assert set(names) == set(mine[key]) - (extra - set(names)), key
    assert len([key for key in theirs if key in mine]) >= len(theirs) * 0.9


def _hidden(symbol: symtable.Symbol) -> bool:
    return symbol.get_name().startswith((".", "_[")) or symbol.get_name() in HIDDEN


def _tables(table: symtable.SymbolTable):
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _described(tree: ScopeTree) -> dict[tuple[str, int, str], set[str]]:
    """As symtable names scopes; those of one kind, name and line together."""
    found: dict[tuple[str, int, str], set[str]] = {}
    for node, scope in tree.scopes.items():
        kind, name = {"module": ("module", "top"), "lambda": ("function", "lambda")}.get(
            scope.kind, (scope.kind, scope.name)
        )
        if scope.kind == "comprehension":
            kind, name = "function", name.strip("<>").replace("generatorexp", "genexpr")
        line = 0 if kind == "module" else getattr(node, "lineno", 0)
        names = {mangled(one, scope) for one, bindings in scope.bindings.items() if bindings and one not in HIDDEN}
        found.setdefault((kind, line, name), set()).update(names)
    return found


def mangled(name: str, scope: Scope) -> str:
    if not name.startswith("__") or name.endswith("__") or "." in name:
        return name
    around: Scope | None = scope
    while around is not None and around.kind != "class":
        around = around.parent
    return name if around is None or not around.name.strip("_") else f"_{around.name.lstrip('_')}{name}"


def test_builtins_are_bound_nowhere():
    tree = read("print(len)")
    assert all(use.scope.lookup(use.name) is None and hasattr(builtins, use.name) for use in tree.uses)


def test_nesting_deeper_than_pythons_stack_is_walked():
    depth = sys.getrecursionlimit() * 3
    node: ast.expr = ast.Name("x", ast.Load())
    for _ in range(depth):
        node = ast.UnaryOp(ast.Not(), node)
    tree = build_scopes(ast.Module([ast.Expr(node)], []))
    assert [use.name for use in tree.uses] == ["x"]
