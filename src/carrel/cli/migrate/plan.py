"""`carrel migrate plan`: the phases, what each does by itself, and what needs a person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carrel.cli.migrate.options import format_option, jobs_option, output_option, recipe_option, root_option
from carrel.cli.migrate.showing import as_json, as_table, counted
from carrel.cli.output import deliver, reading

if TYPE_CHECKING:
    from carrel.migrate.plan import MigrationPlan

__all__ = ["plan", "plan_data", "plan_text"]


@click.command(short_help="Show the phases, what each edits, and what needs a person.")
@recipe_option
@root_option
@format_option("text", "json")
@output_option
@jobs_option
def plan(recipe: Path, root: Path, format_name: str, output: Path | None, jobs: int) -> None:
    """Show the phases in order: files, what is edited by itself, what needs a person and why, and how long it takes.

    \b
    carrel migrate plan
    carrel migrate plan --format json

    Exits with 0 when there is a plan, 2 when it could not run.
    """
    from carrel.migrate.checkout import Checkout
    from carrel.migrate.mentions import with_mentions
    from carrel.migrate.plan import phase_seconds, plan_migration
    from carrel.migrate.recipe import read_recipe
    from carrel.migrate.references import find_references, read_import_graph
    from carrel.migrate.rewrite import Rewriter

    read = read_recipe(recipe)
    with reading() as progress:
        found = find_references(root, read, jobs=jobs, progress=progress)
        graph = read_import_graph(root, read, jobs=jobs, progress=progress)
    found = with_mentions(root, read, found)
    outcomes = Rewriter(read, jobs)(root.resolve(), found.references)
    durations = phase_seconds(Checkout.of(root).journal(read.name).records())
    made = plan_migration(read, found, outcomes, importers=graph.importers(), durations=durations)
    deliver(plan_text(made) if format_name == "text" else as_json(plan_data(made)), output)


def plan_data(made: MigrationPlan) -> dict[str, Any]:
    """The plan for `--format json`."""
    return {
        "schema_version": 1,
        "automatic": made.automatic,
        "manual": made.manual,
        "seconds": made.seconds,
        "requires": list(made.requires),
        "missing": list(made.missing),
        "phases": [
            {
                "name": one.name,
                "files": list(one.files),
                "references": one.references,
                "automatic": one.automatic,
                "dependents": one.dependents,
                "seconds": one.seconds,
                "seconds_from": one.seconds_from,
                "manual": [
                    {
                        "path": left.reference.path,
                        "line": left.reference.line,
                        "kind": left.reference.kind,
                        "text": left.reference.text,
                        "reason": left.reason,
                    }
                    for left in one.manual
                ],
            }
            for one in made.phases
        ],
    }


def plan_text(made: MigrationPlan) -> str:
    """The plan as tables."""
    rows = [
        (one.name, len(one.files), one.automatic, len(one.manual), one.dependents, _seconds(one.seconds))
        for one in made.phases
    ]
    parts = [f"{name} is not defined here; is its name right?\n" for name in made.missing]
    if made.requires:
        parts.append(f"The new code comes from: {', '.join(made.requires)}\n")
    parts.append(as_table("Phases", ("phase", "files", "automatic", "by hand", "dependents", "takes"), rows))
    parts.append(f"{counted(made.automatic, 'reference')} by itself, {made.manual} by hand.\n")
    sources = dict.fromkeys(one.seconds_from for one in made.phases)
    if made.seconds is None:
        parts.append("How long it takes is known when a phase has run.\n")
    else:
        parts.append(f"In all {_seconds(made.seconds)}, by {'; '.join(sources)}.\n")
    for one in made.phases:
        if one.manual:
            found = [(f"{left.reference.path}:{left.reference.line}", left.reason) for left in one.manual]
            parts.append(as_table(f"By hand in {one.name}", ("where", "why"), found))
    return "\n".join(parts)


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
