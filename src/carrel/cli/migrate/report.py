"""`carrel migrate report`: the whole migration on one page."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carrel.cli.migrate.options import (
    format_option,
    history_option,
    jobs_option,
    output_option,
    recipe_option,
    root_option,
)
from carrel.cli.migrate.showing import as_json
from carrel.cli.output import deliver, reading

if TYPE_CHECKING:
    from carrel.migrate.burn_down import Sample

__all__ = ["report"]


@click.command(short_help="Write the whole migration on one page.")
@history_option(20)
@recipe_option
@root_option
@format_option("html", "markdown", "sarif", "json")
@output_option
@jobs_option
def report(history: int, recipe: Path, root: Path, format_name: str, output: Path | None, jobs: int) -> None:
    """Write every reference, what is manual and why, and the burn-down over the history.

    \b
    carrel migrate report --output migration.html

    Exits with 0 when it is written, 2 when it could not be.
    """
    from carrel.migrate.recipe import read_recipe
    from carrel.migrate.references import find_references
    from carrel.migrate.rewrite import Rewriter
    from carrel.migrate.scan_report import scan_data, scan_report, with_reasons
    from carrel.reporting import format_named

    read = read_recipe(recipe)
    with reading() as progress:
        found = find_references(root, read, jobs=jobs, progress=progress)
    samples = _history(root, history, recipe, jobs)
    if format_name == "json":
        deliver(as_json({**scan_data(found), "history": [asdict(one) for one in samples]}), output)
        return
    reasons = Rewriter(read, jobs)(root.resolve(), found.references)
    text = format_named(format_name).render(scan_report(with_reasons(found, reasons), root.resolve()))
    deliver(_with_history(text, samples, format_name), output)


def _history(root: Path, samples: int, recipe: Path, jobs: int) -> tuple[Sample, ...]:
    from carrel.migrate.burn_down import burn_down
    from carrel.migrate.checkout import Checkout
    from carrel.migrate.recipe import read_recipe

    if not samples or Checkout.of(root).git is None:
        return ()
    with reading("commits") as progress:
        return burn_down(root, read_recipe(recipe), samples=samples, jobs=jobs, progress=progress)


def _with_history(text: str, samples: tuple[Sample, ...], format_name: str) -> str:
    from carrel.migrate.burn_down import burn_down_svg

    if not samples or format_name == "sarif":
        return text
    if format_name == "markdown":
        rows = "".join(f"| `{one.commit[:9]}` | {one.references} |\n" for one in samples)
        return f"{text}\n## History\n\n| commit | references |\n|---|---:|\n{rows}"
    section = f"<section><h2>References left over the history</h2>{burn_down_svg(samples)}</section>"
    head, end, tail = text.rpartition("</main>" if "</main>" in text else "</body>")
    return f"{head}{section}{end}{tail}"
