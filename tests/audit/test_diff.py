"""Fixes as diffs."""

from __future__ import annotations

import ast

from carrel.audit.diff import insert_before, replace_node, unified_diff
from carrel.source import SourceText


def test_two_edits_in_one_diff() -> None:
    text = SourceText(b"def f(\xc3\xa4=[]):\r\n    return 1")
    function = text.parse().body[0]
    assert isinstance(function, ast.FunctionDef)
    edits = [replace_node(text, function.args.defaults[0], "None"), insert_before(text, function.body[0], "a\nb")]
    assert unified_diff("x.py", text, edits) == (
        "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,4 @@\n-def f(ä=[]):\r\n+def f(ä=None):\r\n+    a\r\n+    b\r\n"
        "     return 1\n\\ No newline at end of file\n"
    )


def test_an_edit_that_breaks_the_file_is_none() -> None:
    text = SourceText(b"x = 1\n")
    statement = text.parse().body[0]
    assert isinstance(statement, ast.Assign)
    assert unified_diff("x.py", text, [replace_node(text, statement.value, "(")]) == ""
