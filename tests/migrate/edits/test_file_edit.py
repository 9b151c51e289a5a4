"""Tests of carrel.migrate.edits.file_edit."""

from __future__ import annotations

import ast

import pytest

from carrel.migrate.edits.file_edit import FileEdit
from carrel.source import ModuleName, read_module
from tests.migrate.edits.changing import recipe


def edit(source: str) -> FileEdit:
    return FileEdit(read_module("a.py", ModuleName("a", is_package=False), source.encode()), recipe(), (), ())


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("import a\nx = 1\n", "import a\nimport b\nx = 1\n"),
        ("import a", "import a\nimport b"),
        ("import a  # why\nx\n", "import a  # why\nimport b\nx\n"),
        ("if x:\n    import a\n", "if x:\n    import a\n    import b\n"),
        ("if x: import a\n", "if x: import a; import b\n"),
        ("import a; x\n", "import a; import b; x\n"),
        ("import a\r\nx\r\n", "import a\r\nimport b\r\nx\r\n"),
        ("from a import (\n    b,\n)\nx\n", "from a import (\n    b,\n)\nimport b\nx\n"),
    ],
)
def test_a_statement_is_put_behind_another_one(source, after):
    file = edit(source)
    statement = next(node for node in ast.walk(file.module.tree) if isinstance(node, ast.Import | ast.ImportFrom))
    file.insert_after(statement, "import b")
    assert file.splices.apply().decode() == after
