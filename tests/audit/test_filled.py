"""Containers that have something in them."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.filled import has_something, is_empty
from tests.audit.checking import view


def filled(body: str) -> bool:
    """Whether the last use of `rows` finds something in it."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    seen = view(f"def ask(key, rows=[]):\n{lines}")
    (function,) = seen.functions
    last = max(
        (one for one in function.nodes(ast.Name) if one.id == "rows"), key=lambda one: (one.lineno, one.col_offset)
    )
    return has_something(seen, last, "rows", function)


@pytest.mark.parametrize(
    "body",
    [
        "if rows:\n    rows.append(key)",
        "if key and rows:\n    rows.append(key)",
        "if key in rows:\n    rows[key] = 1",
        "if rows.get(key, []):\n    rows[key] = 1",
        "if len(rows) > 1:\n    rows.append(key)",
        "while rows:\n    rows.append(key)",
        "for row in list(rows.items()):\n    rows.append(row)",
        "rows = rows or []\nrows.append(key)",
        "rows = rows if rows else []\nrows.append(key)",
        "rows = [] if not rows else rows\nrows.append(key)",
        "if not rows:\n    rows = []\nrows.append(key)",
        "if len(rows) == 0:\n    rows = []\nrows.append(key)",
        "if rows == []:\n    rows = []\nrows.append(key)",
        "if not rows:\n    return None\nrows.append(key)",
        "if not rows or key:\n    rows = []\nrows.append(key)",
        "if not rows:\n    rows = []\n    print(key)\nrows.append(key)",
        "if rows and key or rows and more:\n    rows.append(key)",
        "if not len(rows) == 0:\n    rows.append(key)",
        "if len(rows) >= 1:\n    rows.append(key)",
        "if len(rows) != 0:\n    rows.append(key)",
        "if rows.get(key):\n    rows[key] = 1",
        "if rows.get(key, 0):\n    rows[key] = 1",
        "kept = rows = rows or []\nrows.append(key)",
        "async for row in rows:\n    rows.append(row)",
        *(f"for row in {name}(rows):\n    rows.append(row)" for name in ("tuple", "set", "sorted", "enumerate")),
        "return rows or []",
    ],
)
def test_what_an_empty_one_never_gets_to(body: str) -> None:
    assert filled(body)


@pytest.mark.parametrize(
    "body",
    [
        "rows.append(key)",
        "if key:\n    rows.append(key)",
        "if key or rows:\n    rows.append(key)",
        "if not rows:\n    rows.append(key)",
        "if rows:\n    pass\nelse:\n    rows.append(key)",
        "if key:\n    if not rows:\n        rows = []\nrows.append(key)",
        "if not rows:\n    print(key)\nrows.append(key)",
        "rows = key or rows\nrows.append(key)",
        "rows.append(key)\nif key not in rows:\n    rows.append(key)",
        "return key or rows",
        "return 1 if rows else rows.append(key)",
        "if key:\n    return None\nrows.append(key)",
        "if key:\n    rows = []\nrows.append(key)",
        "if key in more:\n    rows.append(key)",
        "if len(more) > 1:\n    rows.append(key)",
        "if rows.get(key, 1):\n    rows[key] = 1",
        "for row in key:\n    rows.append(row)",
        "for row in [key]:\n    rows.append(row)",
        "other = rows if rows else []\nrows.append(key)",
    ],
)
def test_what_it_does_get_to(body: str) -> None:
    assert not filled(body)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", True),
        ("{}", True),
        ("()", True),
        ("dict()", True),
        ("[1]", False),
        ("dict(a=1)", False),
        ("Desk()", False),
    ],
)
def test_containers_with_nothing_in_them(text: str, expected: bool) -> None:
    assert is_empty(ast.parse(text, mode="eval").body) is expected
    assert not is_empty(None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [("return rows.append(key) if rows else 1", True), ("rows.append(key)\n        rows = rows or []", False)],
)
def test_the_first_use_in_a_function_that_is_itself_under_a_condition(body: str, *, expected: bool) -> None:
    seen = view(f"if rows:\n    def ask(key, rows=[]):\n        {body}\n")
    (function,) = seen.functions
    used = min(
        (one for one in function.nodes(ast.Name) if one.id == "rows"), key=lambda one: (one.lineno, one.col_offset)
    )
    assert has_something(seen, used, "rows", function) is expected
