"""Changes in place, in every form."""

from __future__ import annotations

import ast

import pytest

from tests.audit.checking import view


@pytest.mark.parametrize(
    ("statement", "kind", "target", "name", "keys", "values"),
    [
        ("x[k] = v", "item", "x", "", "k", "v"),
        ("x[k] += v", "item", "x", "", "k", "v"),
        ("x.a = v", "attribute", "x", "a", "", "v"),
        ("x.a: int = v", "attribute", "x", "a", "", "v"),
        ("x.a += v", "attribute", "x", "a", "", "v"),
        ("setattr(x, 'a', v)", "attribute", "x", "a", "", "v"),
        ("x.append(v)", "method", "x", "append", "", "v"),
        ("x.setdefault(k, v)", "method", "x", "setdefault", "k", "v"),
        ("x.update(a=v)", "method", "x", "update", "", "v"),
        ("x += v", "augmented", "x", "x", "", "v"),
        ("del x[k]", "delete", "x", "", "k", ""),
        ("del x.a", "delete", "x", "a", "", ""),
        ("(x.a, y) = (v, 1)", "attribute", "x", "a", "", "v"),
        ("*x.a, y = v", "attribute", "x", "a", "", "v"),
        ("x[j].append(v)", "method", "x[j]", "append", "j", "v"),
    ],
)
def test_each_form(statement: str, kind: str, target: str, name: str, keys: str, values: str) -> None:
    (mutation,) = view(f"def f(x, k, v, j):\n    {statement}\n").mutations
    said = (mutation.kind, ast.unparse(mutation.target), mutation.name, ast.unparse(mutation.keys and mutation.keys[0]
            or ast.Name("")), ast.unparse(mutation.values and mutation.values[0] or ast.Name("")))  # fmt: skip
    assert said == (kind, target, name, keys, values)


@pytest.mark.parametrize("word", ["global", "nonlocal"])
def test_a_name_of_an_outer_scope_bound_anew(word: str) -> None:
    source = f"x = 0\ndef outer():\n    x = 1\n    def f(v):\n        {word} x\n        x = v\n"
    (mutation,) = view(source).mutations
    assert (mutation.kind, mutation.name) == ("rebind", "x")
    assert mutation.accesses[0].kind == ("global" if word == "global" else "cell")


def test_a_function_of_a_module_changes_no_container() -> None:
    assert view("import gradio as x\n\ndef f(v):\n    return x.update(v)\n").mutations == ()
    assert view("from app import x\n\ndef f(v):\n    return x.update(v)\n").mutations != ()


@pytest.mark.parametrize(
    ("call", "is_other"),
    [
        ("append(v)", False),
        ("insert(0, v)", False),
        ("update(a=v)", False),
        ("add(1, v)", True),
        ("insert(owner=k, text=v)", True),
        ("append(text=v)", True),
        ("insert(v)", True),
    ],
)
def test_what_no_container_takes(call: str, *, is_other: bool) -> None:
    (mutation,) = view(f"def f(x, k, v):\n    x.{call}\n").mutations
    assert mutation.is_other is is_other


@pytest.mark.parametrize("statement", ["x = v", "y = x[k]", "x.get(k)", "f(x)"])
def test_what_changes_nothing(statement: str) -> None:
    assert view(f"def f(x, k, v):\n    {statement}\n").mutations == ()


def test_what_happens_while_a_module_is_imported_happens_once() -> None:
    assert view("x = []\nx.append(1)\nclass A:\n    x.append(2)\n").mutations == ()


def test_removing() -> None:
    found = view("def f(x, k):\n    x.pop(k)\n    del x[k]\n    x.add(k)\n").mutations
    assert sorted((one.name, one.removes) for one in found) == [("", True), ("add", False), ("pop", True)]


def test_an_attribute_is_deleted_by_its_name() -> None:
    file = view("import threading\nLOCAL = threading.local()\ndef clear(name):\n    delattr(LOCAL, name)\n")
    (mutation,) = file.mutations
    assert (mutation.kind, mutation.removes) == ("delete", True)


@pytest.mark.parametrize(
    "statement", ["await x.update(v)", "y = x.insert(0, v)", "keep(x.update(v))", "await wait(x.remove(v))"]
)
def test_what_gives_a_value_is_no_containers(statement: str) -> None:
    assert view(f"async def f(x, v):\n    {statement}\n").mutations == ()
    assert len(view("async def f(x, v):\n    v or x.append(v)\n    y = x.pop(v)\n").mutations) == 2
