"""What a module holds, and what the words of an expression say."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.held import (
    calls_method,
    held_calls,
    is_in_finally,
    is_under_test,
    names_identity,
    own_containers,
    text_of,
)
from tests.audit.checking import view


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def test_names_of_modules_and_classes_that_hold_what_a_call_gives() -> None:
    seen = view(
        "from a import make\nx = make()\ny = await make()\nz = 1\nclass C:\n    w = make()\ndef f():\n    v = make()\n"
    )
    assert [held.symbol for held in held_calls(seen, ("a.make",))] == ["app.x", "app.y", "app.C.w"]
    assert list(held_calls(seen, ("a.other",))) == []


@pytest.mark.parametrize("text", ["user_id", "job['tenant']", "Note.owner == x", "f(account=1)", "('session-id', 1)"])
def test_expressions_that_name_a_user(text: str) -> None:
    assert names_identity(expression(text))


@pytest.mark.parametrize("text", ["level", "job['text']", "max_tokens", "1", f"'{'user ' * 9}'"])
def test_expressions_that_do_not(text: str) -> None:
    assert not names_identity(expression(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("'SET a'", "SET a"),
        ("f'SET {a}'", "SET {}"),
        ("text('SET a')", "SET a"),
        ("'SET {}'.format(a)", "SET {}"),
        ("'SET %s' % a", "SET %s"),
        ("'SET ' + a", "SET {}"),
        ("a", ""),
    ],
)
def test_texts(text: str, said: str) -> None:
    assert text_of(expression(text)) == said


def test_calls_by_their_last_name() -> None:
    assert calls_method(expression("[x.close()]"), "close")
    assert calls_method(expression("close(x)"), "close")
    assert not calls_method(expression("x.close"), "close")


def test_places_in_a_function() -> None:
    seen = view(
        "def f(a):\n    try:\n        one()\n    finally:\n        two()\n"
        "    if a:\n        three()\ndef close():\n    four()\n"
    )
    calls = {ast.unparse(call): call for function in seen.functions for call in function.nodes(ast.Call)}
    assert [name for name, call in calls.items() if is_in_finally(seen, call)] == ["two()", "four()"]
    assert [name for name, call in calls.items() if is_under_test(seen, call)] == ["three()"]
    assert not is_in_finally(seen, seen.module.tree)
    assert not is_under_test(seen, seen.module.tree)


def test_the_containers_that_each_object_has_for_itself() -> None:
    seen = view("class A:\n    a = b = c = []\n    def __init__(self):\n        self.a = []\n        self.b = None\n"
                "    def f(self):\n        self.c = []\n")  # fmt: skip
    assert own_containers(seen, seen.classes[0]) == ("a",)
