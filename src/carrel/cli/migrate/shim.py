"""`carrel migrate shim`: put redirects in the place of the old implementations."""

from __future__ import annotations

from pathlib import Path

import click

from carrel.cli.migrate.files import deliver_file
from carrel.cli.migrate.options import jobs_option, recipe_option, root_option
from carrel.cli.output import say
from carrel.errors import InputError

__all__ = ["shim"]

_REFUSED = 1


@click.command(short_help="Put redirects in the place of the old implementations.")
@click.option("--write", is_flag=True, help="Write the files; without it the diff is shown.")
@recipe_option
@root_option
@jobs_option
def shim(write: bool, recipe: Path, root: Path, jobs: int) -> None:
    """Replace each old implementation in `[[shims]]` of the recipe by a redirect that warns.

    Callers that have not moved go on working: their constructor calls are mapped as the recipe says, `isinstance`,
    subclasses, class attributes and old pickles too, each with a DeprecationWarning at the caller's line. The rest of
    the module stays. What is written needs nothing of carrel. Phases are applied in a worktree of their own; give it
    with --root.

    \b
    carrel migrate shim                        see what would be written
    carrel migrate shim --write --root ../app.engine

    Exits with 0 when all are written or shown, 1 when one is refused, 2 when it could not run.
    """
    from carrel.migrate.outcome import Edited, Refused
    from carrel.migrate.recipe import read_recipe
    from carrel.migrate.shim import make_shims

    read = read_recipe(recipe)
    if not read.shims:
        raise InputError("--recipe", f"{recipe} has no [[shims]]; name there what is to be redirected")
    refused = False
    for outcome in make_shims(root, read, jobs=jobs):
        match outcome:
            case Edited():
                deliver_file(root, outcome.path, outcome.before, outcome.after, write=write)
            case Refused():
                refused = True
                say(f"{outcome.path or recipe}: {outcome.reason}")
            case _:
                say(f"{outcome.path}: has its shim already")
    if refused:
        raise click.exceptions.Exit(_REFUSED)
