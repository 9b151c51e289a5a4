"""The reference page of the command line names what there is, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from carrel.cli.application import application

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, f"{path} {name}")


def test_every_command_and_option_is_on_the_page() -> None:
    options = set()
    for path, command in commands(application, "carrel"):
        assert path in PAGE
        options |= {
            option for parameter in command.params if parameter.param_type_name == "option" for option in parameter.opts
        }
    named = set(re.findall(r"--[a-z][a-z-]+", PAGE))
    assert options - named == set()
    assert named - options == {"--help"}
