"""Tests of carrel.cli.migrate.showing."""

from __future__ import annotations

from pathlib import Path

import pytest

from carrel.cli.migrate.showing import as_json, as_table, check_format, counted
from carrel.cli.output import deliver, reading
from carrel.errors import InputError


def test_a_table_is_plain_text_with_figures_at_the_right():
    text = as_table("Files", ("path", "count"), [("[a].py", 5), ("b.py", 12)])
    assert text == "Files\npath    count\n[a].py      5\nb.py       12\n"


def test_json_ends_with_a_line_end():
    assert as_json({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}\n'


def test_a_format_that_is_not_there_is_told():
    check_format("json", ("text", "json"))
    with pytest.raises(InputError, match="is 'xml'; it must be one of text, json"):
        check_format("xml", ("text", "json"))


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
