"""Definitions are taken out of a file, and nothing else."""

from __future__ import annotations

import pytest

from carrel.migrate.removal import remove_symbols
from carrel.source import ModuleName, read_module


def removed(text: str | bytes, *names: str) -> str:
    data = text.encode() if isinstance(text, str) else text
    return remove_symbols(read_module("m.py", ModuleName("m", is_package=False), data), names or ("Old",)).decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("class Old: ...\n", ""),
        ("a = 1\n\n\nclass Old: ...\n\n\nb = 2\n", "a = 1\n\n\nb = 2\n"),
        ("@ one\n@two\nclass Old: ...\n", ""),
        ("def Old(): ...\n", ""),
        ("async def Old(): ...\nx = 1\n", "x = 1\n"),
        ("Old = 1\nOlder = 2\n", "Older = 2\n"),
        ("Old: int = 1\n", ""),
        ("# why\nclass Old:\n    pass\r\n\r\nx = 1\r\n", "# why\nx = 1\r\n"),
        ("class Old:\n    me = None\n    def f(self): return Old\n", ""),
        ("class Old: ...\ndef f():\n    Old = 1\n    return Old\n", "def f():\n    Old = 1\n    return Old\n"),
    ],
)
def test_a_definition_goes_with_the_lines_behind_it(before: str, after: str) -> None:
    assert removed(before) == after


@pytest.mark.parametrize(
    ("listed", "left"),
    [
        ('["Old"]', "[]"),
        ('["Old",]', "[]"),
        ('["Old", "B"]', '["B"]'),
        ('["A", "Old"]', '["A"]'),
        ('["A", "Old",]', '["A",]'),
        ('["A", "Old", "B"]', '["A", "B"]'),
        ('("A", "Old")', '("A",)'),
        ('("A", "Old",)', '("A",)'),
        ('[\n    "A",\n    "Old",\n    "B",\n]', '[\n    "A",\n    "B",\n]'),
        ('["A"] + ["Old"]', '["A"] + []'),
        ('["Older", "Old"]', '["Older"]'),
    ],
)
def test_its_place_in_all_goes(listed: str, left: str) -> None:
    assert removed(f"__all__ = {listed}\nclass Old: ...\n") == f"__all__ = {left}\n"


def test_several_at_the_end_of_a_list_go() -> None:
    assert removed('__all__ = ["A", "Old", "B"]\nclass Old: ...\nclass B: ...\n', "Old", "B") == '__all__ = ["A"]\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1\n", "no single definition"),
        ("if x:\n    class Old: ...\n", "no single definition"),
        ("class Old: ...\nx = Old\n", "m.py:2: the rest of the file uses `Old`"),
        ("class Old: ...\ndef f(a: 'Old'): ...\n", "m.py:2: the rest of the file uses `Old`"),
        ("def f():\n    return Old\nclass Old: ...\n", "m.py:2: the rest of the file uses `Old`"),
    ],
)
def test_what_cannot_be_taken_out_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        removed(text)


def test_definitions_that_only_need_each_other_go_together() -> None:
    assert removed("class Old: ...\nclass B(Old): ...\nx = 1\n", "Old", "B") == "x = 1\n"
