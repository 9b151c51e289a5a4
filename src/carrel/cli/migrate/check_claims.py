"""`carrel migrate check-claims`: what commit messages say, beside what the commits changed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer

from carrel.cli.migrate.options import FormatOption, JobsOption, OutputOption, RecipeOption, RootOption
from carrel.cli.migrate.showing import as_json, as_table, check_format
from carrel.cli.output import deliver, reading

__all__ = ["check_claims"]

_FORMATS: Final = ("text", "json")
_FALSE: Final = 1


def check_claims(
    since: Annotated[str, typer.Option(metavar="COMMIT", help="Only commits after this one.")] = "",
    most: Annotated[int, typer.Option(metavar="N", min=1, help="At most so many commits.")] = 50,
    recipe: RecipeOption = Path("migration.toml"),
    root: RootOption = Path(),
    format_name: FormatOption = "text",
    output: OutputOption = None,
    jobs: JobsOption = 0,
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

    check_format(format_name, _FORMATS)
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
        raise typer.Exit(_FALSE)
