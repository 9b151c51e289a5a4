"""`carrel migrate check-claims`: what commit messages say, beside what the commits changed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from carrel.cli.migrate.options import format_option, jobs_option, output_option, recipe_option, root_option
from carrel.cli.migrate.showing import as_json, as_table
from carrel.cli.output import deliver, reading

__all__ = ["check_claims"]

_FALSE: Final = 1


@click.command(short_help="Hold what commit messages say against the code.")
@click.option("--since", default="", show_default=False, metavar="COMMIT", help="Only commits after this one.")
@click.option("--most", type=click.IntRange(min=1), default=50, metavar="N", help="At most so many commits.")
@recipe_option
@root_option
@format_option("text", "json")
@output_option
@jobs_option
def check_claims(
    since: str, most: int, recipe: Path, root: Path, format_name: str, output: Path | None, jobs: int
) -> None:
    """Hold what commit messages say about the migration against the code.

    "154 files" against the files that changed, "complete" against the references left, "removed x.py" against the
    files deleted. The commits are checked out into a directory of their own.

    \b
    carrel migrate check-claims --since v1.4

    Exits with 0 when every claim holds, 1 when one does not, 2 when it could not run.
    """
    from carrel.migrate.claims import check_claims as check
    from carrel.migrate.recipe import read_recipe

    read = read_recipe(recipe)
    with reading("commits") as progress:
        claims = check(root, read, since=since, most=most, jobs=jobs, progress=progress)
    if format_name == "json":
        text = as_json({"schema_version": 1, "claims": [asdict(one) for one in claims]})
    elif claims:
        rows = [("holds" if one.holds else "WRONG", one.commit[:9], one.said, one.fact) for one in claims]
        text = as_table("Claims", ("", "commit", "it says", "what is so"), rows)
    else:
        text = "No commit message claims anything about this migration that can be checked.\n"
    deliver(text, output)
    if not all(one.holds for one in claims):
        raise click.exceptions.Exit(_FALSE)
