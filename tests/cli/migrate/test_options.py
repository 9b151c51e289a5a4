"""Options that several migration commands have."""

from __future__ import annotations

from tests.cli.migrate.conftest import Migrate


def test_recipe_and_root_are_options_of_each_command(migrate: Migrate) -> None:
    for command in ("apply", "rollback"):
        text = migrate(command, "--help").output
        assert "--recipe" in text
        assert "--root" in text
