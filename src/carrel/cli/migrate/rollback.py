"""`carrel migrate rollback`: take phases back, and prove that the code base is as it was."""

from __future__ import annotations

from pathlib import Path

import click

from carrel.cli.migrate.options import format_option, output_option, recipe_option, root_option
from carrel.cli.migrate.outcomes import narrate, rollback_lines
from carrel.cli.migrate.showing import as_json
from carrel.cli.output import deliver

__all__ = ["rollback"]


@click.command(short_help="Take back every phase, or those after one.")
@click.option(
    "--to",
    default="",
    show_default=False,
    metavar="PHASE",
    help="The last phase that stays; everything is taken back if not given.",
)
@click.option(
    "--force", is_flag=True, help="Put changes that are not the migration's aside, where they are in the way."
)
@recipe_option
@root_option
@format_option("text", "json")
@output_option
def rollback(to: str, force: bool, recipe: Path, root: Path, format_name: str, output: Path | None) -> None:
    """Take back every phase, or those after one, and read every file again to prove it.

    \b
    carrel migrate rollback --to tests        what came after the phase
    carrel migrate rollback                   everything: branch and worktree too

    Exits with 0 when the code base is as it was, 2 when it could not run.
    """
    from carrel.migrate.recipe import read_recipe
    from carrel.migrate.runner import Migration

    # Nothing is looked for and nothing edited: what was written is in the journal.
    read = read_recipe(recipe)
    migration = Migration(read, root, find=lambda _root: (), rewrite=lambda *_given: (), progress=narrate)
    done = migration.roll_back(to, force=force)
    text = "".join(f"{line}\n" for line in rollback_lines(done))
    deliver(as_json(done) if format_name == "json" else text, output)
