"""Mappings from the names of fields."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.records import field_source, is_listed, is_record
from tests.audit.checking import view


def _given(value: str, before: str = "pass") -> bool:
    text = f"from fastapi import FastAPI, Request\napp = FastAPI()\n@app.post('/a')\nasync def a(request: Request, model: Model, db: Database):\n    {before}\n    keep({value})\n"  # noqa: E501
    seen = view(text)
    function = seen.functions[0]
    call = next(one for one in function.nodes(ast.Call) if ast.unparse(one.func) == "keep")
    return is_record(seen, call.args[0], function)


@pytest.mark.parametrize(
    "value",
    [
        "await request.json()",
        "request.form",
        "{'name': 1, 'born': 2}",
        "model.model_dump()",
        "{one: rows[one] for one in ('name', 'born')}",
    ],
)
def test_what_has_the_same_keys_whoever_sends_it(value: str) -> None:
    assert _given(value)
    assert _given("fields", f"fields = {value}")


@pytest.mark.parametrize(
    "value",
    [
        "{}",
        "{name: 1}",
        "{one: rows[one] for one in rows}",
        "{'born': 2, name: 1}",
        "await load(1)",
        "await config.json()",
        "rows",
        "current_user.to_dict()",
        "request.headers",
    ],
)
def test_what_may_have_a_key_for_each_user(value: str) -> None:
    assert not _given(value)
    assert not _given("fields", f"fields = {value}")


@pytest.mark.parametrize("before", ["fields = model", "for fields in db: pass"])
def test_a_local_that_was_another_mapping_before(before: str) -> None:
    assert _given("fields", f"{before}\n    fields = {{'name': 1}}")


def test_a_local_that_may_be_something_else() -> None:
    assert not _given("fields", "fields = {'name': 1}\n    fields = load(1)")


def test_a_mapping_of_the_module() -> None:
    seen = view("fields = {'name': 1}\nkeep(fields)\n")
    (call,) = seen.top.nodes(ast.Call)
    assert is_record(seen, call.args[0], seen.top)


@pytest.mark.parametrize(
    ("stored", "source"),
    [
        ("fields", "fields"),
        ("{k: v for k, v in fields.items() if v}", "fields"),
        ("{v: k for k, v in fields.items()}", None),
        ("key", "fields"),
    ],
)
def test_where_keys_come_from(stored: str, source: str | None) -> None:
    seen = view(f"def merge(fields):\n    for key, value in fields.items():\n        keep({stored})\n")
    function = seen.functions[0]
    call = next(one for one in function.nodes(ast.Call) if ast.unparse(one.func) == "keep")
    found = field_source(call.args[0], function)
    assert source is None or (found is not None and ast.unparse(found) == source)
    assert source is not None or found is None or isinstance(found, ast.DictComp)


@pytest.mark.parametrize(
    ("code", "listed"),
    [
        ("def f(key):\n    if key not in FIELDS:\n        return\n    put(key)", True),
        ("def f():\n    for key in FIELDS:\n        put(key)", True),
        ("def f(form):\n    for key, name in NAMES.items():\n        put(key)", True),
        ("def f():\n    return {key: put(key) for key in FIELDS if key}", True),
        ("def f(keys):\n    return [put(key) for key in keys]", False),
        (
            "class C:\n  seen = {'a': 1}\n  def f(self):\n    for key in sorted(self.seen):\n      put(key)",
            True,
        ),
        ("def f(**given):\n    for key, value in given.items():\n        put(key)", True),
        ("def f(given):\n    for key, value in given.items():\n        put(key)", False),
        ("def f(key):\n    if key in GROWS:\n        put(key)\ndef g(key):\n    GROWS.add(key)", False),
        ("def f(key):\n    if key in other.FIELDS:\n        put(key)", False),
        ("def f(key):\n    put(key)", False),
        ("def f(key):\n    put(key.name)", False),
    ],
)
def test_a_key_that_the_program_lists(code: str, *, listed: bool) -> None:
    seen = view(f"import other\nFIELDS = ('a', 'b')\nNAMES = {{'a': 'b'}}\nGROWS = {{'a'}}\n{code}\n")
    function = seen.functions[0]
    call = next(one for one in function.nodes(ast.Call) if ast.unparse(one.func) == "put")
    assert is_listed(seen, call.args[0], function) is listed
