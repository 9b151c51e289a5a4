"""Options that several migration commands have."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["format_option", "jobs_option", "output_option", "recipe_option", "root_option"]

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
format_option = click.option(
    "--format", "format_name", default="text", metavar="FORMAT", help="How the result is written."
)
output_option = click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the result here, not to the terminal.",
)
