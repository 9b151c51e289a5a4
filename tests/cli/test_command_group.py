"""Tests of carrel.cli.command_group."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from carrel.cli.command_group import CommandGroup

COMMAND = 'import click\n\n@click.command()\ndef {0}():\n    """Says {0}."""\n    click.echo(\'{0}\')\n'


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandGroup:
    for name in ("first", "second"):
        (tmp_path / f"command_{name}.py").write_text(COMMAND.format(name))
        monkeypatch.delitem(sys.modules, f"command_{name}", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    return CommandGroup(name="group", homes={"second": "command_second:second", "first": "command_first:first"})


def test_a_command_is_imported_when_it_is_asked_for_and_no_other(group: CommandGroup) -> None:
    assert CliRunner().invoke(group, ["first"]).output == "first\n"
    assert "command_first" in sys.modules
    assert "command_second" not in sys.modules


def test_all_are_listed_in_their_order(group: CommandGroup) -> None:
    shown = CliRunner().invoke(group, ["--help"]).output
    assert [line.split() for line in shown.splitlines() if "Says" in line] == [
        ["second", "Says", "second."],
        ["first", "Says", "first."],
    ]


def test_what_is_no_command_imports_nothing(group: CommandGroup) -> None:
    ended = CliRunner().invoke(group, ["third"])
    assert ended.exit_code == 2
    assert "No such command" in ended.output
    assert group.get_command(click.Context(group), "third") is None
    assert not {"command_first", "command_second"} & set(sys.modules)
