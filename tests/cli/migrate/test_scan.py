"""Tests of carrel.cli.migrate.scan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.migrate.small import small


def test_references_are_shown_in_tables(run: Run, tmp_path: Path):
    small(tmp_path)
    result = run("migrate", "scan")
    assert result.exit_code == 1
    assert "2 references in 1 file; 9 mentions in 5 files" in result.output
    for title in ("By kind", "By certainty", "By phase", "By package", "The files with most (of 1)"):
        assert title in result.output
    assert [line.split() for line in result.output.splitlines() if line.startswith("tests/test_app.py")] == [
        ["tests/test_app.py", "unit", "2"]
    ]


def test_the_result_can_be_written_as_json(run: Run, tmp_path: Path):
    small(tmp_path)
    result = run("migrate", "scan", "--format", "json", "--output", "scan.json", "--no-cache")
    assert (result.exit_code, result.output) == (1, "")
    data = json.loads((tmp_path / "scan.json").read_text())
    assert data["summary"]["references"] == len(data["references"]) == 2
    assert not (tmp_path / ".carrel").exists()


@pytest.mark.parametrize("name", ["markdown", "html", "sarif"])
def test_other_formats_are_reports(run: Run, tmp_path: Path, name: str):
    small(tmp_path)
    result = run("migrate", "scan", "--format", name)
    assert result.exit_code == 1
    assert "tests/test_app.py" in result.output


def test_no_reference_is_success(run: Run, tmp_path: Path):
    (small(tmp_path) / "tests" / "test_app.py").unlink()
    result = run("migrate", "scan")
    assert result.exit_code == 0
    assert result.output.startswith("0 references in 0 files")


def test_what_is_not_there_is_told(run: Run, tmp_path: Path):
    root = small(tmp_path)
    (root / "pkg" / "engine.py").unlink()
    (root / "bad.py").write_text("from pkg.engine import Engine\ndef (\n")
    result = run("migrate", "scan")
    assert "pkg.engine.Engine is not defined here" in result.output
    assert "bad.py:2: cannot be parsed" in result.output


def test_documentation_is_added_on_request(run: Run, tmp_path: Path):
    root = small(tmp_path)
    with (root / "migration.toml").open("a") as file:
        file.write('[[phases]]\nname = "docs"\npaths = ["**/*.md"]\ndocumentation = true\n')
    (root / "a.md").write_text("pkg.engine.Engine\n")
    assert "2 references" in run("migrate", "scan").output
    assert "3 references" in run("migrate", "scan", "--documentation").output


def test_what_no_edit_takes_is_shown_with_its_place_and_the_reason(run: Run, tmp_path: Path):
    root = small(tmp_path)
    assert "Data files and pickles" not in run("migrate", "scan").output
    (root / "setup.cfg").write_text("[options.entry_points]\nplugins =\n    fast = pkg.engine:Engine\n")
    shown = run("migrate", "scan").output
    assert "Data files and pickles, for a person (1)" in shown
    (line,) = [line for line in shown.splitlines() if line.startswith("setup.cfg:3")]
    assert line.split()[1] == "pkg.engine:Engine"
    assert "what reads the file" in line
    data = json.loads(run("migrate", "scan", "--format", "json").output)
    assert "what reads the file" in data["references"][0]["reason"]


def test_what_is_wrong_is_an_error(run: Run, tmp_path: Path):
    small(tmp_path)
    assert "cannot be read" in str(run("migrate", "scan", "--recipe", "no.toml").exception)
    assert "is not a directory" in str(run("migrate", "scan", "--root", "no").exception)
    assert "cannot be written" in str(run("migrate", "scan", "--output", "no/where").exception)
