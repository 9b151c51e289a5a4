"""Tests of carrel.cli.migrate.verify."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from carrel.audit.program import Program
from carrel.audit.rule import Candidate
from carrel.cli.migrate.verify import single_source
from carrel.errors import MigrationError
from carrel.findings import Location, RuleInfo
from carrel.migrate.recipe import parse_recipe
from tests.cli.conftest import Run
from tests.cli.migrate.finished import RECIPE, finished


class TwoDefinitions:
    """Objects to one name, whatever the code is."""

    info = RuleInfo(rule="two-definitions", code="CAR199", severity="error", title="t", why="w", fix="f")

    def __init__(self, name: str) -> None:
        self._name = name

    def check_program(self, program: Program) -> Iterator[Candidate]:
        where = Location(path="pkg/new.py", line=1, column=0)
        yield Candidate(rule="two-definitions", location=where, message=f"`{self._name}` is defined twice")


def test_what_was_checked_is_printed(run: Run, tmp_path: Path) -> None:
    finished(tmp_path)
    (tmp_path / "pkg/old.py").unlink()
    result = run("migrate", "verify", "--against", "HEAD")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "compared with HEAD"
    assert "holds   no reference left: 2 Python files, 0 of them parsed" in lines
    assert "holds   every import finds its name: 0 imported names in 2 files" in lines


def test_what_is_broken_fails(run: Run, tmp_path: Path) -> None:
    finished(tmp_path, app="from pkg.old import Old\n")
    result = run("migrate", "verify", "--against", "HEAD", "--format", "json")
    assert result.exit_code == 1
    data = json.loads(result.output)
    assert not data["holds"]
    broken = {check["name"]: check["problems"] for check in data["checks"] if not check["holds"]}
    assert broken["no reference left"] == ["app.py:1: import Old"]


def test_it_needs_something_to_compare_with(run: Run, tmp_path: Path) -> None:
    finished(tmp_path)
    result = run("migrate", "verify")
    assert isinstance(result.exception, MigrationError)
    assert "--against" in str(result.exception)


def test_the_audits_rules_about_one_definition_count_for_the_names_that_moved(tmp_path: Path) -> None:
    finished(tmp_path)
    recipe = parse_recipe(RECIPE)
    (check,) = single_source(tmp_path, recipe, 1, [TwoDefinitions("New")])
    assert check.problems == ("pkg/new.py:1: `New` is defined twice",)
    (check,) = single_source(tmp_path, recipe, 1, [TwoDefinitions("Newer")])
    assert not check.problems
    assert check.notes[0].startswith("1 findings about other names")
    assert list(single_source(tmp_path, recipe, 1, [])) == []


def test_what_the_rules_said_before_is_a_note(tmp_path: Path) -> None:
    finished(tmp_path)
    recipe, rules = parse_recipe(RECIPE), [TwoDefinitions("New")]
    (check,) = single_source(tmp_path, recipe, 1, rules, against="HEAD")
    assert check.holds
    assert check.notes[0] == "pkg/new.py:1: `New` is defined twice, and was before"
    (tmp_path / "pkg/new.py").write_text("class New: x = 1\n")
    (check,) = single_source(tmp_path, recipe, 1, rules, against="HEAD")
    assert check.problems == ("pkg/new.py:1: `New` is defined twice",)
