"""Tests of carrel.cli.migrate.init."""

from __future__ import annotations

from pathlib import Path

from carrel.migrate.recipe import read_recipe
from tests.cli.conftest import Run
from tests.migrate.tree import write


def test_a_recipe_is_written_and_can_be_read(run: Run, tmp_path: Path):
    write(tmp_path, {})
    result = run("migrate", "init", "pkg.engine.Engine", "pkg.user_engine.UserEngine")
    assert (result.exit_code, result.output) == (0, "migration.toml is written. Next: carrel migrate scan\n")
    assert read_recipe(tmp_path / "migration.toml").name == "Engine to UserEngine"


def test_a_recipe_that_is_there_is_kept(run: Run, tmp_path: Path):
    write(tmp_path, {"migration.toml": "mine"})
    result = run("migrate", "init", "pkg.engine.Engine", "pkg.user_engine.UserEngine")
    assert "exists; name another file" in str(result.exception)
    assert (tmp_path / "migration.toml").read_text() == "mine"
    assert run("migrate", "init", "pkg.engine.Engine", "pkg.user_engine.UserEngine", "--force").exit_code == 0


def test_a_name_that_is_not_there_is_told(run: Run, tmp_path: Path):
    write(tmp_path, {})
    result = run("migrate", "init", "pkg.engine.Gone", "pkg.user_engine.UserEngine")
    assert "is not defined below" in str(result.exception)
    assert not (tmp_path / "migration.toml").exists()
