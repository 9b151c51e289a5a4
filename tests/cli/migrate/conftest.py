"""The commands `apply` and `rollback` on a small code base, with the real scan and the real edits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from carrel.cli.migrate.application import migrate as application
from tests.migrate.project import repository

Migrate = Callable[..., Result]
RECIPE = """
schema_version = 1
name = "old to new"
[[symbols]]
old = "pkg.old.Old"
new = "pkg.new.New"
[[phases]]
name = "first"
paths = ["pkg/a.py"]
[[phases]]
name = "second"
paths = ["pkg/b.py"]
[gates]
runs = 1
triggers = ["failed_command"]
[[gates.commands]]
name = "ok"
run = "test ! -f ../strict || grep -q pkg.old pkg/b.py"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return repository(tmp_path / "code")


@pytest.fixture
def migrate(root: Path, tmp_path: Path) -> Migrate:
    recipe = tmp_path / "migration.toml"
    recipe.write_text(RECIPE, encoding="utf-8")

    def invoke(*arguments: str) -> Result:
        command, *options = arguments
        return CliRunner().invoke(application, [command, "--recipe", str(recipe), "--root", str(root), *options])

    return invoke
