"""Tests of carrel.cli.migrate.showing."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from carrel.cli.migrate.showing import as_json, as_table, counted
from carrel.cli.output import deliver, reading
from carrel.errors import InputError


def test_a_table_is_plain_text_with_figures_at_the_right():
    text = as_table("Files", ("path", "count"), [("[a].py", 5), ("b.py", 12)])
    assert text == "Files\npath    count\n[a].py      5\nb.py       12\n"


def test_cells_that_are_too_wide_are_wrapped_and_never_cut():
    reason = " ".join(["because"] * 30)
    text = as_table("By hand", ("where", "why"), [("a.py:1", reason), ("x" * 150, "short")])
    assert max(len(line) for line in text.splitlines()) <= 120
    assert (text.count("because"), text.count("x")) == (30, 150)
    assert text.splitlines()[2].startswith("a.py:1")


def test_a_terminal_gets_colours_and_its_own_width(monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert as_table("A", ("b",), [(1,)]) == "\x1b[1mA\x1b[0m\n\x1b[2mb\x1b[0m\n1\n"
    assert max(len(line) for line in as_table("A", ("b", "c"), [("x", "word " * 20)]).splitlines()[2:]) <= 30
    monkeypatch.setenv("NO_COLOR", "1")
    assert as_table("A", ("b",), [(1,)]) == "A\nb\n1\n"


def test_a_table_may_have_no_rows():
    assert as_table("A", ("b", "c"), []) == "A\nb  c\n"


def test_json_ends_with_a_line_end():
    assert as_json({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}\n'


def test_a_result_goes_where_it_is_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    deliver("é\n", None)
    deliver("é\n", tmp_path / "x")
    assert capsys.readouterr().out == "é\n"
    assert (tmp_path / "x").read_text(encoding="utf-8") == "é\n"
    with pytest.raises(InputError, match="cannot be written: No such file"):
        deliver("x", tmp_path / "no" / "x")


def test_there_is_no_bar_without_a_terminal():
    with reading() as progress:
        assert progress is None


def test_one_is_singular():
    assert [counted(count, "file") for count in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
