"""`carrel migrate apply`: edit the code base, phase by phase, each behind its gates."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from carrel.cli.migrate.options import FormatOption, JobsOption, OutputOption, RecipeOption, RootOption
from carrel.cli.migrate.outcomes import narrate, outcome_data, outcome_lines
from carrel.cli.migrate.showing import as_json, check_format
from carrel.cli.output import deliver
from carrel.errors import InputError

if TYPE_CHECKING:
    from carrel.migrate.runner import Migration

__all__ = ["apply"]

TAKEN_BACK = 1
ALL = "all"


def apply(
    phase: Annotated[
        str, typer.Option(metavar="NAME|all", help="One phase, or all that are not applied yet, in order.")
    ] = ALL,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change as a unified diff, and write nothing.")
    ] = False,
    no_gates: Annotated[
        bool, typer.Option("--no-gates", help="Measure and judge nothing; only for one phase at a time.")
    ] = False,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Edit the checkout itself, with a backup; works without git.")
    ] = False,
    worktree: Annotated[
        Path | None,
        typer.Option(metavar="DIRECTORY", help="Where the worktree is made; beside the checkout if not given."),
    ] = None,
    recipe: RecipeOption = Path("migration.toml"),
    root: RootOption = Path(),
    jobs: JobsOption = 0,
    format_name: FormatOption = "text",
    output: OutputOption = None,
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
    _check(format_name, all_phases=phase == ALL, no_gates=no_gates, in_place=in_place, placed=worktree is not None)
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
        raise typer.Exit(TAKEN_BACK)


def _check(format_name: str, *, all_phases: bool, no_gates: bool, in_place: bool, placed: bool) -> None:
    if no_gates and all_phases:
        raise InputError(
            "--no-gates", "cannot go with all phases; name one with --phase, and look at it before the next"
        )
    if placed and in_place:
        raise InputError("--worktree", "cannot go with --in-place; give one of the two")
    check_format(format_name, ("text", "json"))


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
