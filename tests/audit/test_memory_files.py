"""Files in memory."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.memory_files import calls_on, is_cut, is_read_in_bounds, is_written_by, made_file, only_reads
from tests.audit.checking import view

PAPER = """
import io
class Press:
    def __init__(self):
        self.sheet = io.StringIO()
    def run(self, text):
        self.sheet.seek(0)
        {}
"""


@pytest.mark.parametrize(
    ("body", "cut", "bounded", "only"),
    [
        ("self.sheet.write(text); self.sheet.truncate()", True, False, False),
        ("self.sheet.write(text); return self.sheet.getvalue()[:len(text)]", False, True, False),
        ("self.sheet.write(text); return self.sheet.getvalue()", False, False, False),
        ("return self.sheet.read()", False, False, True),
    ],
)
def test_how_a_file_of_an_object_is_used(body: str, *, cut: bool, bounded: bool, only: bool) -> None:
    seen = view(PAPER.format(body))
    run = seen.functions[-1]
    call = next(one for one in run.nodes(ast.Call) if ast.unparse(one.func) == "self.sheet.seek")
    assert isinstance(call.func, ast.Attribute)
    access = seen.access(call.func.value, run)
    assert made_file(seen, access) is not None
    assert "seek" in dict(calls_on(seen, access))
    assert (is_cut(seen, access, run), is_read_in_bounds(seen, access), only_reads(seen, access)) == (
        cut,
        bounded,
        only,
    )


@pytest.mark.parametrize(("body", "written"), [("yield sheet", True), ("sheet.write(1)", True), ("return 1", False)])
def test_who_writes_to_a_file_that_is_lent(body: str, *, written: bool) -> None:
    seen = view(f"def f(sheet):\n    {body}\n")
    assert is_written_by("sheet", seen.functions[0]) is written
