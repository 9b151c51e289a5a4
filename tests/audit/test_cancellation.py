"""What runs whatever happens, what notices a cancel, and what no cancel reaches."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.cancellation import finally_around, is_guarded, shielded
from carrel.audit.file_view import FileView
from tests.audit.checking import view


def call(seen: FileView, name: str) -> ast.Call:
    calls = (one for block in seen.blocks for one in block.nodes(ast.Call))
    return next(one for one in calls if ast.unparse(one.func) == name)


def test_a_statement_in_a_finally() -> None:
    seen = view("def f():\n    try:\n        one()\n    finally:\n        two()\n        if a:\n            three()\n")
    assert finally_around(seen, call(seen, "two")) is not None
    assert finally_around(seen, call(seen, "one")) is None
    assert finally_around(seen, call(seen, "three")) is None
    assert finally_around(seen, seen.module.tree) is None


@pytest.mark.parametrize(
    ("rest", "guarded"),
    [
        ("except BaseException:\n        pass", True),
        ("except asyncio.CancelledError:\n        raise", True),
        ("except:\n        raise", True),
        ("finally:\n        x.close()", True),
        ("except OSError:\n        raise", False),
        ("finally:\n        x.log()", False),
    ],
)
def test_what_notices_a_cancel(rest: str, guarded: bool) -> None:
    seen = view(f"async def f(x):\n    try:\n        with x:\n            await read()\n    {rest}\n")
    assert is_guarded(seen, call(seen, "read"), frozenset({"close"})) is guarded


def test_what_only_runs_under_a_shield() -> None:
    seen = view(
        "import asyncio\nasync def ask():\n    await asyncio.shield(inner())\n    await other()\n"
        "async def inner():\n    await deep()\n    await inner()\nasync def deep(): pass\nasync def other(): pass\n"
    )
    assert {block.name for block in shielded(seen)} == {"inner", "deep"}
