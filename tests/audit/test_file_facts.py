"""Files that can be read, and files that cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from carrel.audit.file_facts import LARGEST, read_facts
from carrel.audit.file_view import FileView
from carrel.audit.rule import Candidate
from carrel.findings import RuleInfo


class Broken:
    """A rule with a mistake in it."""

    info = RuleInfo(rule="broken", code="CAR999", severity="error", title="t", why="w", fix="f")

    def check(self, view: FileView) -> Iterator[Candidate]:
        yield view.candidate(self.info, view.module.tree, "before")
        raise KeyError("oh")


def test_the_module_is_named_from_its_root() -> None:
    assert read_facts("src/pkg/__init__.py", b"", roots=("src", "."), rules=()).module == "pkg"
    assert read_facts("a-b/c.py", b"", roots=(".",), rules=()).module == "a-b.c"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"def f(:\n", "cannot be parsed"),
        (b"# coding: no-such\n", "cannot be decoded"),
        (b"\xff\xfe", "cannot be decoded"),
        (b"x = " + b"(" * 500 + b")" * 500, "nested"),
        (b"x = " + b"-" * 100_000 + b"1", "nested"),
        (b"#" * (LARGEST + 1), "MB"),
        (b"x\0y", "cannot be parsed"),
        (b"__all__ = ['\\ud800']\n", "Unicode"),
    ],
)
def test_what_cannot_be_read_is_said(data: bytes, problem: str) -> None:
    facts = read_facts("a.py", data, roots=(".",), rules=())
    assert problem in facts.outline.error
    assert facts.outline.error_line >= 1
    assert facts.outline.lines >= 1


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfx = 1\r\n",
        b"# coding: latin-1\nx = '\xe4'\n",
        b"if x:\n\ty = 1\n\x0c\nz = 2\n",
        b"",
        b"x = " + b"+".join([b"1"] * 900),
        b"x" + b".y" * 900 + b"\n",
        b"x = {" + b"'k': [1, 2, 3],\n" * 5000 + b"}\n",
    ],
)
def test_odd_files_are_read(data: bytes) -> None:
    assert not read_facts("a.py", data, roots=(".",), rules=()).outline.error


def test_a_rules_mistake_is_reported_and_costs_nothing_else() -> None:
    facts = read_facts("a.py", b"def f(): ...\n", roots=(".",), rules=(Broken(),))
    assert facts.outline.error == "the rule broken failed: KeyError: 'oh'"
    assert [one.message for one in facts.candidates] == ["before"]
    assert [one.name for one in facts.functions] == ["a.f"]
