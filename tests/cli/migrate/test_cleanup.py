"""Tests of carrel.cli.migrate.cleanup."""

from __future__ import annotations

from pathlib import Path

from carrel.errors import InputError
from tests.cli.conftest import Run
from tests.cli.migrate.finished import RECIPE, finished


def test_what_would_go_is_shown(run: Run, tmp_path: Path) -> None:
    finished(tmp_path)
    result = run("migrate", "cleanup")
    assert result.exit_code == 0
    assert "-class Old: ..." in result.output
    assert (tmp_path / "pkg/old.py").exists()


def test_what_nothing_refers_to_goes(run: Run, tmp_path: Path) -> None:
    finished(tmp_path)
    assert run("migrate", "cleanup", "--write").output == "pkg/old.py: removed\n"
    assert not (tmp_path / "pkg/old.py").exists()
    assert run("migrate", "cleanup", "--write").output == "pkg.old is not there\n"


def test_what_is_needed_stays_and_it_is_said_by_whom(run: Run, tmp_path: Path) -> None:
    finished(tmp_path, app="from pkg.old import Old\n")
    result = run("migrate", "cleanup", "--write")
    assert result.exit_code == 1
    assert result.output.startswith("pkg.old stays:\n  app.py:1: import ")
    assert (tmp_path / "pkg/old.py").exists()


def test_a_recipe_without_anything_to_remove_is_told_so(run: Run, tmp_path: Path) -> None:
    finished(tmp_path)
    (tmp_path / "migration.toml").write_text(RECIPE.partition("[cleanup]")[0])
    result = run("migrate", "cleanup")
    assert isinstance(result.exception, InputError)
    assert "[cleanup]" in str(result.exception)
