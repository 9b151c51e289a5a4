"""Tests of carrel.migrate.file_gate."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carrel.migrate.edits.file_edit import FileEdit
from carrel.migrate.file_gate import gate_problem
from carrel.source import ModuleName, read_module
from tests.migrate.edits.changing import recipe

BEFORE = "import os  # why\n\n\n@deco\ndef f(a):\n    return os.path, a\n\n\nx = f(1)\ndeco = 1\n"


def judged(after: str | bytes, *edits: tuple[int, int, str], before: str = BEFORE, known: str = "") -> str:
    """The verdict on new bytes, where `edits` are the ranges that were to be changed."""
    data = before.encode()
    edit = FileEdit(read_module("a.py", ModuleName("a", is_package=False), data), recipe(), (), ())
    for start, end, text in edits:
        edit.splices.put(start, end, text)
    return gate_problem(edit, after if isinstance(after, bytes) else after.encode(), lambda name: name != known)


def test_what_was_to_change_may_change():
    at = BEFORE.index("f(1)")
    assert judged(BEFORE.replace("f(1)", "f(deco)"), (at, at + 4, "f(deco)")) == ""


@pytest.mark.parametrize(
    ("after", "problem"),
    [
        (BEFORE.replace("f(1)", "f(1"), "would not compile"),
        (BEFORE.replace("x = f(1)", "return f(1)"), "would not compile"),
        (BEFORE.replace("os.path", "os.sep"), "would change the statement in line 5"),
        (BEFORE.replace("@deco\n", ""), "would change the statement in line 5"),
        (BEFORE.replace("@deco\n", "@dec0\n"), "would change the statement in line 5"),
        (BEFORE.replace("return os.path, a", "return os.path, \\\n a"), "would change the statement in line 5"),
        (BEFORE.replace("x = f(1)", "x = f(1) + 1"), "would change the statement in line 9"),
        (BEFORE.replace("x = f(1)", "x: f(1)\n"), "would change the statement in line 9"),
        (BEFORE.replace("deco = 1\n", ""), "would change the statement in line 10"),
        (BEFORE.replace("# why", "     "), "would lose the comment '# why'"),
        (b"\xef\xbb\xbf" + BEFORE.encode(), "would have another encoding"),
        (b"# coding: latin-1\n" + BEFORE.encode(), "would have another encoding"),
    ],
)
def test_what_was_not_to_change_must_not(after, problem):
    assert problem in judged(after)


def test_no_name_may_become_unbound():
    at = BEFORE.index("f(1)")
    assert "leave the name `g` unbound" in judged(BEFORE.replace("f(1)", "g(1)"), (at, at + 4, "g(1)"))


def test_a_new_import_must_find_what_it_names():
    at = BEFORE.index("x = f(1)")
    new = "from b import x"
    after = BEFORE.replace("x = f(1)", new)
    assert judged(after, (at, at + 8, new)) == ""
    assert "import `b.x`, which does not exist" in judged(after, (at, at + 8, new), known="b.x")


def test_names_that_were_unbound_before_are_nobodys_fault():
    before = "x = nowhere\ny = 1\n"
    assert judged("x = nowhere\ny = 2\n", (16, 17, "2"), before=before) == ""


def test_a_statement_may_move_with_the_text_before_it():
    before = "a = 1\nif a:\n    b = 2\n"
    assert judged("a = 1000\nif a:\n    b = 2\n", (4, 5, "1000"), before=before) == ""
    assert "would change the statement" in judged("a = 1000\nif a:\n    b = 3\n", (4, 5, "1000"), before=before)


PIECES = (
    "x = 1\n",
    "if x:\n    y = f(x)\n",
    "@deco\ndef f(a): return a\n",
    "s = 'a # b'; t = 2\n",
    "class C:\n    z = 3\n",
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=4),
    st.integers(0, 60), st.integers(0, 3), st.text("x1=() \n#\\@;'", max_size=3),
)  # fmt: skip
def test_what_passes_has_every_tree_that_was_there(pieces, at, length, put):
    before = "".join(pieces)
    after = before[:at] + put + before[at + length :]
    if judged(after, before=before) == "":
        trees = {offset: ast.dump(node) for offset, node in placed(after).items()}
        assert {offset: trees.get(offset) for offset in placed(before)} == {
            offset: ast.dump(node) for offset, node in placed(before).items()
        }


def placed(source: str) -> dict[int, ast.stmt]:
    """The statements at the top of a file, by their offset."""
    module = read_module("a.py", ModuleName("a", is_package=False), source.encode())
    return {module.text.offset(node.lineno, node.col_offset): node for node in module.tree.body}
