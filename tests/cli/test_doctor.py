"""`carrel doctor`: what it shows, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

PASSWORD = "correct horse"


def lines(output: str) -> dict[str, str]:
    """By subject, the mark."""
    return {line.split()[1].rstrip(":"): line.split()[0] for line in output.splitlines()}


def test_before_the_first_start_all_is_well(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_PORT", "0")
    ended = run("doctor")
    assert ended.exit_code == 0, ended.output
    assert "PROBLEM" not in ended.output
    assert len(ended.output.splitlines()) == 8


def test_problems_are_exit_code_one_and_say_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_HOST", "0.0.0.0")
    monkeypatch.setenv("CARREL_AGENTS", "missing_module:AGENTS")
    monkeypatch.setenv("CARREL_PORT", "0")
    ended = run("doctor")
    assert ended.exit_code == 1
    assert {subject for subject, mark in lines(ended.output).items() if mark == "PROBLEM"} == {"secret", "agents"}
    assert "openssl rand -hex 32" in ended.output


def test_wrong_settings_are_the_one_thing_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_PROT", "1")
    ended = run("doctor")
    assert (ended.exit_code, len(ended.output.splitlines())) == (1, 1)
    assert "did you mean CARREL_PORT" in ended.output


def test_it_changes_nothing(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARREL_PORT", "0")
    run("doctor", "--data-dir", "new")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_a_problem(run: Run) -> None:
    ended = run("doctor", "--config", "missing.toml")
    assert ended.exit_code == 1
    assert "there is no file missing.toml" in ended.output
