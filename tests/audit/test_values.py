"""What values are."""

from __future__ import annotations

import ast

import pytest

from tests.audit.checking import view


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("[]", "container"),
        ("{'a': 1}", "container"),
        ("{n for n in ()}", "container"),
        ("defaultdict(list)", "container"),
        ("[1] * 3", "container"),
        ("()", "immutable"),
        ("'x'", "immutable"),
        ("-1", "immutable"),
        ("frozenset({1})", "immutable"),
        ("'a' + 'b'", "immutable"),
        ("Thing()", "call"),
        ("name", "unknown"),
    ],
)
def test_what_it_is(value: str, kind: str) -> None:
    one = view(f"from collections import defaultdict\nx = {value}\n")
    (assign,) = one.top.nodes(ast.Assign)
    assert one.value_kind(assign.value) == kind
