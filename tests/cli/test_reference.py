"""The reference page of the command line names what there is, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from carrel.cli.application import application

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")


# Typer carries a copy of Click, whose classes are not Click's.
def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{path} {name}")


def test_every_command_and_option_is_on_the_page() -> None:
    options = set()
    for path, command in commands(typer.main.get_command(application), "carrel"):
        assert path in PAGE
        options |= {
            option
            for parameter in command.params
            if parameter.param_type_name == "option" and "completion" not in parameter.name
            for option in parameter.opts
        }
    named = set(re.findall(r"--[a-z][a-z-]+", PAGE))
    assert options - named == set()
    assert named - options == {"--help"}
