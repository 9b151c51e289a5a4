"""Options that several migration commands have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

__all__ = ["format_option", "history_option", "jobs_option", "output_option", "recipe_option", "root_option"]

Command = TypeVar("Command", bound=Callable[..., object])

recipe_option = click.option(
    "--recipe",
    type=click.Path(path_type=Path),
    default=Path("migration.toml"),
    metavar="FILE",
    help="The migration, written as data.",
)
root_option = click.option(
    "--root", type=click.Path(path_type=Path), default=Path(), metavar="DIRECTORY", help="The code base."
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=0), default=0, metavar="N", help="Processes; 0 is one per processor."
)
output_option = click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the result here, not to the terminal.",
)


def history_option(default: int) -> Callable[[Command], Command]:
    """At how many commits a command counts beside the present state."""
    return click.option(
        "--history",
        type=click.IntRange(min=0),
        default=default,
        metavar="N",
        help="Count at N commits of the history too, the first and the last among them.",
    )


def format_option(*formats: str) -> Callable[[Command], Command]:
    """How the result is written; the first if not given."""
    return click.option(
        "--format", "format_name", type=click.Choice(formats), default=formats[0], help="How the result is written."
    )
