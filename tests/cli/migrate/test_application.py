"""Tests of carrel.cli.migrate.application."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run

COMMANDS = (
    "init", "scan", "plan", "apply", "rollback", "verify", "shim", "cleanup", "status", "report", "check-claims",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(run: Run, command: str):
    assert command in run("migrate", "--help").output
    result = run("migrate", command, "--help")
    assert result.exit_code == 0
    assert "--recipe" in result.output
    assert "--root" in result.output
