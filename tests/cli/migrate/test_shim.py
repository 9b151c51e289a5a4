"""Tests of carrel.cli.migrate.shim."""

from __future__ import annotations

from pathlib import Path

from carrel.errors import InputError
from tests.cli.conftest import Run
from tests.cli.migrate.finished import RECIPE, finished


def test_the_diff_is_shown_and_nothing_written(run: Run, tmp_path: Path) -> None:
    finished(tmp_path)
    result = run("migrate", "shim")
    assert result.exit_code == 0
    assert "-class Old: ..." in result.output
    assert "+def __getattr__(name):" in result.output
    assert (tmp_path / "pkg/old.py").read_text() == "class Old: ...\n"


def test_written_once_it_stays(run: Run, tmp_path: Path) -> None:
    finished(tmp_path)
    assert run("migrate", "shim", "--write").output == "pkg/old.py: written\n"
    assert "DeprecationWarning" in (tmp_path / "pkg/old.py").read_text()
    assert run("migrate", "shim", "--write").output == "pkg/old.py: has its shim already\n"


def test_a_refusal_says_why(run: Run, tmp_path: Path) -> None:
    finished(tmp_path, pkg__new="from pkg.old import Old\nclass New(Old): ...\n")
    result = run("migrate", "shim", "--write")
    assert result.exit_code == 1
    assert "pkg/new.py:1 is imported with `pkg.new.New` and imports the old name" in result.output


def test_a_recipe_without_shims_is_told_so(run: Run, tmp_path: Path) -> None:
    finished(tmp_path)
    (tmp_path / "migration.toml").write_text(RECIPE.partition("[[shims]]")[0])
    result = run("migrate", "shim")
    assert isinstance(result.exception, InputError)
    assert "[[shims]]" in str(result.exception)
