"""Options that several migration commands have."""

from __future__ import annotations

import pytest

from tests.cli.migrate.conftest import Migrate


def test_status_and_report_have_one_option_for_the_history(migrate: Migrate) -> None:
    texts = [" ".join(migrate(command, "--help").output.split()) for command in ("status", "report")]
    says = [text[text.index("--history N Count") :].split("[")[0] for text in texts]
    assert says[0] == says[1]


@pytest.mark.parametrize(
    ("command", "formats"),
    [
        *((command, "text|json") for command in ("apply", "check-claims", "plan", "rollback", "status", "verify")),
        ("report", "html|markdown|sarif|json"),
        ("scan", "text|json|markdown|html|sarif"),
    ],
)
def test_the_formats_are_listed_and_no_other_is_taken(migrate: Migrate, command: str, formats: str) -> None:
    assert f"--format [{formats}]" in migrate(command, "--help").output
    refused = migrate(command, "--format", "xml")
    assert (refused.exit_code, "'xml' is not one of" in refused.output) == (2, True)


def test_recipe_and_root_are_options_of_each_command(migrate: Migrate) -> None:
    for command in ("apply", "rollback"):
        text = migrate(command, "--help").output
        assert "--recipe" in text
        assert "--root" in text
