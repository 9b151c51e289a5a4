"""Paths that are the same at every call."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.fixed_paths import fixed_path, gives_fixed_path, is_unique
from tests.audit.checking import view

HEAD = """
import os, tempfile, uuid
from pathlib import Path
from django.conf import settings
from .places import place
WORK = Path(os.environ.get("WORK", "/var/lib/work"))
"""


@pytest.mark.parametrize(
    ("path", "is_fixed"),
    [
        ("WORK / 'in.pdf'", True),
        ("WORK.joinpath('in.pdf')", True),
        ("os.path.join(settings.MEDIA_ROOT, f'report-{year}.xlsx')", True),
        ("Path('/srv/out') / f'{year}.csv'", True),
        ("place('salaries')", True),
        ("WORK / f'{uuid.uuid4()}.pdf'", False),
        ("WORK / f'{user_id}.pdf'", False),
        ("Path(name) / 'in.pdf'", False),
        ("self.folder / 'in.pdf'", False),
        ("'in.pdf'", True),
    ],
)
def test_a_path(path: str, *, is_fixed: bool) -> None:
    seen = view(
        f"{HEAD}def f(self, year, user_id):\n    with tempfile.TemporaryDirectory() as name:\n        return {path}\n"
    )
    returned = next(seen.functions[0].nodes(ast.Return)).value
    assert returned is not None
    receiver = f"{HEAD}class A:\n    def f(self):\n        return {path}\n"
    if path.startswith("self"):
        seen = view(receiver)
        returned = next(seen.functions[0].nodes(ast.Return)).value
        assert returned is not None
    assert (fixed_path(seen, returned, seen.functions[0]) is not None) is is_fixed


@pytest.mark.parametrize(
    ("path", "gives"),
    [("WORK / f'{kind}.xlsx'", True), ("str(WORK / kind)", True), ("place(kind)", False), ("f'/x/{kind}'", False)],
)
def test_a_helper_that_gives_one(path: str, *, gives: bool) -> None:
    seen = view(f"{HEAD}def f(kind):\n    return {path}\n")
    assert gives_fixed_path(seen, seen.functions[0]) is gives


@pytest.mark.parametrize(
    ("part", "unique"), [("employee", True), ("user_id", True), ("uuid4()", True), ("year", False)]
)
def test_what_makes_a_path_another_one_for_each(part: str, *, unique: bool) -> None:
    assert is_unique(ast.parse(part, mode="eval").body) is unique
