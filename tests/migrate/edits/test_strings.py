"""Tests of carrel.migrate.edits.strings."""

from __future__ import annotations

import pytest

from tests.migrate.edits.changing import changed, unchanged

PATCH = "from unittest.mock import patch\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("with patch('pkg.old.Old'): ...\n", "with patch('pkg.new.New'): ...\n"),
        ('@patch("pkg.old.Old.shut")\ndef f(m): ...\n', '@patch("pkg.new.New.shut")\ndef f(m): ...\n'),
        ("def test(monkeypatch):\n    monkeypatch.setattr('pkg.old.Old', 1)\n",
         "def test(monkeypatch):\n    monkeypatch.setattr('pkg.new.New', 1)\n"),
    ],
)  # fmt: skip
def test_the_target_of_a_patch_is_the_new_one(before, after):
    assert changed(PATCH + before, PATCH + after) == ()


@pytest.mark.parametrize("line", ["patch('pkg.old.Other')", "patch('pkg.same.Old')", "patch('Old')", "patch(name)"])
def test_other_targets_stay(line):
    assert unchanged(f"{PATCH}{line}\n") == ()


def test_a_name_that_is_patched_where_it_is_used_needs_no_edit():
    assert unchanged(f"{PATCH}with patch('use.Old'): ...\n", use="from pkg.old import Old\n") == ()


def test_a_string_that_only_spells_the_name_is_left_with_a_reason():
    (reason,) = unchanged("NAME = 'pkg.old.Old'\n")
    assert reason
