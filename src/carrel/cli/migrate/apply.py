"""`carrel migrate apply`: edit the code base, phase by phase, each behind its gates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carrel.cli.migrate.options import format_option, jobs_option, output_option, recipe_option, root_option
from carrel.cli.migrate.outcomes import narrate, outcome_data, outcome_lines
from carrel.cli.migrate.showing import as_json
from carrel.cli.output import deliver
from carrel.errors import InputError

if TYPE_CHECKING:
    from carrel.migrate.runner import Migration

__all__ = ["apply"]

TAKEN_BACK = 1
ALL = "all"


@click.command(short_help="Apply phases: edit, test, and keep or take back.")
@click.option("--phase", default=ALL, metavar="NAME|all", help="One phase, or all that are not applied yet, in order.")
@click.option("--dry-run", is_flag=True, help="Show what would change as a unified diff, and write nothing.")
@click.option("--no-gates", is_flag=True, help="Measure and judge nothing; only for one phase at a time.")
@click.option("--in-place", is_flag=True, help="Edit the checkout itself, with a backup; works without git.")
@click.option(
    "--worktree",
    type=click.Path(path_type=Path),
    metavar="DIRECTORY",
    help="Where the worktree is made; beside the checkout if not given.",
)
@recipe_option
@root_option
@jobs_option
@format_option("text", "json")
@output_option
def apply(
    phase: str,
    dry_run: bool,
    no_gates: bool,
    in_place: bool,
    worktree: Path | None,
    recipe: Path,
    root: Path,
    jobs: int,
    format_name: str,
    output: Path | None,
) -> None:
    """Apply phases: edit, run the gate commands, and keep each phase or take it back.

    The edits are made on a branch `carrel/<recipe>` in a git worktree of its own, one commit a phase; the checkout
    stays as it is. Interrupted, even by kill -9, the same command goes on.

    \b
    carrel migrate apply --dry-run            see the edits
    carrel migrate apply --phase tests        one phase
    carrel migrate apply                      all phases, until one is taken back

    Exits with 0 when everything asked for is applied, 1 when a phase was taken back, 2 when it could not run.
    """
    _check(all_phases=phase == ALL, no_gates=no_gates, in_place=in_place, placed=worktree is not None)
    migration = _migration(recipe, root, jobs, in_place=in_place, worktree=worktree)
    phases = () if phase == ALL else (phase,)
    if dry_run:
        for diff in migration.preview(phases):
            sys.stdout.buffer.write(diff)
        return
    outcomes = []
    text = ""
    for outcome in migration.apply(phases, gated=not no_gates):
        outcomes.append(outcome_data(outcome))
        told = "".join(f"{line}\n" for line in outcome_lines(outcome))
        text += told
        if format_name == "text" and output is None:
            deliver(told, None)  # at once: the next phase may take an hour
    end = _where(migration, nothing=not outcomes)
    if format_name == "json":
        deliver(as_json({"schema_version": 1, "phases": outcomes}), output)
    else:
        deliver(end if output is None else text + end, output)
    # One that an earlier command left unfinished may have been taken back before the others were applied.
    if outcomes and outcomes[-1]["outcome"] != "applied":
        raise click.exceptions.Exit(TAKEN_BACK)


def _check(*, all_phases: bool, no_gates: bool, in_place: bool, placed: bool) -> None:
    if no_gates and all_phases:
        raise InputError(
            "--no-gates", "cannot go with all phases; name one with --phase, and look at it before the next"
        )
    if placed and in_place:
        raise InputError("--worktree", "cannot go with --in-place; give one of the two")


def _where(migration: Migration, *, nothing: bool) -> str:
    told = "every phase is applied already\n" if nothing else ""
    if migration.branch:
        told += f"in {migration.place}; take it over with: git merge {migration.branch}\n"
    return told


def _migration(recipe: Path, root: Path, jobs: int, *, in_place: bool, worktree: Path | None) -> Migration:
    from carrel.migrate.mentions import with_mentions
    from carrel.migrate.recipe import read_recipe
    from carrel.migrate.references import Reference, find_references
    from carrel.migrate.rewrite import Rewriter
    from carrel.migrate.runner import Migration

    read = read_recipe(recipe)

    def find(directory: Path) -> tuple[Reference, ...]:
        return with_mentions(directory, read, find_references(directory, read, jobs=jobs), jobs=jobs).references

    return Migration(
        read, root, find=find, rewrite=Rewriter(read, jobs), in_place=in_place, place=worktree, progress=narrate
    )
