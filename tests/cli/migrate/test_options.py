"""Options that several migration commands have."""

from __future__ import annotations

from tests.cli.migrate.conftest import Migrate


def test_status_and_report_have_one_option_for_the_history(migrate: Migrate) -> None:
    texts = [migrate(command, "--help").output for command in ("status", "report")]
    says = [text[text.index("--history N  ") :].split("[")[0] for text in texts]
    assert says[0] == says[1]


def test_recipe_and_root_are_options_of_each_command(migrate: Migrate) -> None:
    for command in ("apply", "rollback"):
        text = migrate(command, "--help").output
        assert "--recipe" in text
        assert "--root" in text
