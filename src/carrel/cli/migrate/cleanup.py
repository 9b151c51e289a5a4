"""`carrel migrate cleanup`: remove shims and old definitions that nothing refers to."""

from __future__ import annotations

from pathlib import Path

import click

from carrel.cli.migrate.files import deliver_file
from carrel.cli.migrate.options import jobs_option, recipe_option, root_option
from carrel.cli.output import say
from carrel.errors import InputError

__all__ = ["cleanup"]

_NEEDED = 1


@click.command(short_help="Remove what nothing refers to any more.")
@click.option("--write", is_flag=True, help="Remove them; without it the diff is shown.")
@recipe_option
@root_option
@jobs_option
def cleanup(write: bool, recipe: Path, root: Path, jobs: int) -> None:
    """Remove the modules and symbols of `[cleanup]` in the recipe, and their shims.

    What anything still refers to stays, and it is said by whom: imports, uses, strings in code, and files beside the
    code that programs read, such as pyproject.toml.

    \b
    carrel migrate cleanup                                see what would go
    carrel migrate cleanup --write --root ../app.engine   have it go, in the worktree

    Exits with 0 when nothing of it has to stay, 1 when something is still referred to, 2 when it could not run.
    """
    from carrel.migrate.cleanup import Needed, Removal, clean_up
    from carrel.migrate.recipe import read_recipe

    read = read_recipe(recipe)
    if not read.cleanup.remove:
        raise InputError("--recipe", f"{recipe} has no [cleanup] with `remove`; name there what is to go")
    outcomes = clean_up(root, read, jobs=jobs)
    for outcome in outcomes:
        match outcome:
            case Removal():
                deliver_file(root, outcome.path, outcome.before, outcome.after, write=write)
            case Needed():
                say(f"{outcome.name} stays:")
                for user in outcome.users:
                    say(f"  {user}")
            case _:
                say(f"{outcome.name} is not there")
    if any(isinstance(outcome, Needed) for outcome in outcomes):
        raise click.exceptions.Exit(_NEEDED)
