"""`carrel migrate status`: how far the migration is."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from carrel.cli.migrate.options import (
    format_option,
    history_option,
    jobs_option,
    output_option,
    recipe_option,
    root_option,
)
from carrel.cli.migrate.showing import as_json, as_table, counted
from carrel.cli.output import deliver, reading

if TYPE_CHECKING:
    from carrel.migrate.burn_down import Sample
    from carrel.migrate.progress import MigrationStatus

__all__ = ["status"]

_LEFT: Final = 1


@click.command()
@history_option(0)
@recipe_option
@root_option
@format_option("text", "json")
@output_option
@jobs_option
def status(history: int, recipe: Path, root: Path, format_name: str, output: Path | None, jobs: int) -> None:
    """Show what is left in each phase, and who still imports what.

    \b
    carrel migrate status
    carrel migrate status --history 10      how it went so far

    Exits with 0 when no reference is left, 1 when there are, 2 when it could not run.
    """
    from carrel.migrate.burn_down import burn_down
    from carrel.migrate.checkout import Checkout
    from carrel.migrate.progress import migration_status
    from carrel.migrate.recipe import read_recipe
    from carrel.migrate.references import find_references

    read = read_recipe(recipe)
    with reading() as progress:
        found = find_references(root, read, jobs=jobs, progress=progress)
    applied = [one.name for one in Checkout.of(root).journal(read.name).history().applied]
    samples: tuple[Sample, ...] = ()
    if history:
        with reading("commits") as progress:
            samples = burn_down(root, read, samples=history, jobs=jobs, progress=progress)
    stand = migration_status(read, found, applied)
    if format_name == "json":
        data = {"schema_version": 1, "done": stand.done, **asdict(stand), "history": [asdict(one) for one in samples]}
        deliver(as_json(data), output)
    else:
        deliver(_text(stand, samples), output)
    if not stand.done:
        raise click.exceptions.Exit(_LEFT)


def _text(stand: MigrationStatus, samples: tuple[Sample, ...]) -> str:
    left = f"{counted(stand.references, 'reference')} left in {counted(stand.files, 'file')}"
    parts = [f"{left if stand.references else 'No reference is left'}; {counted(stand.mentions, 'mention')} in text.\n"]
    rows = [(one.name, "applied" if one.applied else "open", one.references, one.files) for one in stand.phases]
    parts.append(as_table("Phases", ("phase", "state", "references left", "files"), rows))
    if samples:
        past = [(one.commit[:9], one.references, one.subject) for one in samples]
        parts.append(as_table("History", ("commit", "references", "subject"), past))
    if stand.importers:
        imports = [(f"{one.path}:{one.line}", one.written) for one in stand.importers]
        parts.append(as_table("Who still imports what", ("where", "imports"), imports))
    return "\n".join(parts)
