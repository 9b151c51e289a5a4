"""What an expression is, through functions of its file."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.through import through
from tests.audit.checking import view

HELPERS = """
def same(x): return x
def named(kind, x): return f"{kind}:{x}"
def fixed(x): return "all"
def job(ticket):
    made = {"reply_to": f"reply:{ticket}"}
    return made["reply_to"]
def loop(x): return loop(x)
"""


@pytest.mark.parametrize(
    ("key", "found"),
    [
        ("body['id']", {"body['id']"}),
        ("same(body['id'])", {"body['id']"}),
        ("named(x=body['id'], kind='a')", {"'a'", "body['id']"}),
        ("same(named('a', same(body['id'])))", {"'a'", "body['id']"}),
        ("fixed(body['id'])", {"'all'"}),
        ("job(body['id'])", {"body['id']"}),
        ("loop(body)", set()),
        ("other(body)", {"other(body)"}),
    ],
)
def test_what_it_is(key: str, found: set[str]) -> None:
    seen = view(f"{HELPERS}\ndef f(body):\n    kept = {key}\n    return kept\n")
    function = next(one for one in seen.functions if one.name == "f")
    returned = next(function.nodes(ast.Return)).value
    assert returned is not None
    assert {ast.unparse(one) for one, _ in through(seen, returned, function)} == found


def test_a_local_that_many_branches_add_to_is_gone_into_once() -> None:
    """Its ways are twenty to the power of eight, and each of them calls a function that does the same."""
    branches = "".join(f"    if x > {number}: text = text + other(x, text)\n" for number in range(20))
    seen = view(f"def other(x, text):\n{branches}    return text\ndef f(x, text):\n{branches}    return text\n")
    function = next(one for one in seen.functions if one.name == "f")
    returned = next(function.nodes(ast.Return)).value
    assert returned is not None
    assert {ast.unparse(one) for one, _ in through(seen, returned, function)} == {"text"}
