"""What commands say: whole lines, taken literally."""

from __future__ import annotations

import pytest

from carrel.cli.output import complain, say, table


def test_a_line_is_neither_wrapped_nor_interpreted(capsys: pytest.CaptureFixture[str]) -> None:
    line = "[red]" + "x" * 500 + " :smile: http://127.0.0.1:8000 [/red]"
    say(line, style="bold")
    say()
    assert capsys.readouterr().out == f"{line}\n\n"


def test_a_complaint_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    complain("one\n  two")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "carrel: one two\n")


def test_a_table_is_tab_separated_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    table(("A", "B"), [("1", "[b]"), ("2", "y" * 300)])
    assert capsys.readouterr().out == f"1\t[b]\n2\t{'y' * 300}\n"


def test_a_table_is_drawn_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    table(("A", "B"), [("1", "[b]x[/b]")])
    shown = capsys.readouterr().out
    assert "A" in shown
    assert "[b]x[/b]" in shown
    assert "\t" not in shown
