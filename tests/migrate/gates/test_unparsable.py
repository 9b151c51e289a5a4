"""The trigger `unparsable`."""

from __future__ import annotations

import pytest

from carrel.migrate.gates.evidence import ChangedFile, PhaseEvidence
from carrel.migrate.gates.unparsable import UnparsableGate, compile_problem
from carrel.migrate.recipe import Gates


def details(*files: ChangedFile) -> list[str]:
    evidence = PhaseEvidence(settings=Gates(), files=files)
    return [line for fired in UnparsableGate().judge(evidence) for line in fired.details]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"x = (\n", "a.py:1: '(' was never closed"),
        (b"\n\nreturn 1\n", "a.py:3: 'return' outside function"),
        (b"x = '\xff'\n", "a.py:1: "),
        (b"x = '\0'\n", "a.py:1: "),
    ],
)
def test_a_file_that_compiled_before_is_named_with_the_line(data: bytes, problem: str):
    (line,) = details(ChangedFile(path="a.py", data=data, compiled=True))
    assert line.startswith(problem)


def test_a_file_that_did_not_compile_before_is_no_reason():
    assert details(ChangedFile(path="a.py", data=b"x = (", compiled=False)) == []


def test_files_that_compile_and_files_that_are_not_python_are_no_reason():
    files = (
        ChangedFile(path="a.py", data=b"# coding: latin-1\nx = '\xff\\d'\n", compiled=True),
        ChangedFile(path="a.md", data=b"x = (", compiled=True),
    )
    assert details(*files) == []


def test_what_cannot_be_compiled_is_told_for_each_file():
    assert compile_problem("a.pyi", b"x =") == "a.pyi:1: invalid syntax"
    assert compile_problem("a.py", b"x = 1") == ""
