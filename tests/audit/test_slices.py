"""Slices that end where the values do that are put there."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.slices import ends_with_values, is_beginning, is_zero
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("key", "ends", "begins"),
    [
        (":n", True, True),
        ("0:n", True, True),
        (":8", False, False),
        ("::2", False, False),
        ("2:2 + len(name)", True, False),
        ("2:8", False, False),
        ("at:at + size", True, False),
        ("n", False, False),
    ],
)
def test_where_a_slice_ends(key: str, *, ends: bool, begins: bool) -> None:
    seen = view(f"def put(buffer, n, name, size):\n    at = 0\n    buffer[{key}] = name\n")
    function = seen.functions[0]
    found = next(function.nodes(ast.Subscript)).slice
    assert (ends_with_values(seen, found, function), is_beginning(found)) == (ends, begins)


@pytest.mark.parametrize(("text", "expected"), [("0", True), ("1", False), ("n", False)])
def test_zero(text: str, *, expected: bool) -> None:
    assert is_zero(ast.parse(text, mode="eval").body) is expected
