"""`carrel migrate scan`: every reference to what moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from carrel.cli.migrate.options import format_option, jobs_option, output_option, recipe_option, root_option
from carrel.cli.migrate.showing import as_json, as_table, counted
from carrel.cli.output import deliver, reading

if TYPE_CHECKING:
    from carrel.migrate.references import Reference, Scan

__all__ = ["scan", "scan_text"]

_FOUND: Final = 1
_MOST: Final = 20


@click.command(short_help="Find every reference to what the recipe moves.")
@recipe_option
@root_option
@format_option("text", "json", "markdown", "html", "sarif")
@output_option
@jobs_option
@click.option("--documentation", is_flag=True, help="Also what only a phase with documentation takes.")
@click.option("--no-cache", is_flag=True, help="Read everything anew, and keep nothing.")
def scan(
    recipe: Path, root: Path, format_name: str, output: Path | None, jobs: int, documentation: bool, no_cache: bool
) -> None:
    """Find every reference to what the recipe moves, by what names are bound to.

    \b
    carrel migrate scan                                  tables
    carrel migrate scan --format json --output scan.json

    Exits with 0 when there is none, 1 when there are references, 2 when it could not run.
    """
    from carrel.migrate.recipe import read_recipe
    from carrel.migrate.references import find_references

    read = read_recipe(recipe)
    with reading() as progress:
        found = find_references(root, read, jobs=jobs, cache=not no_cache, progress=progress)
    if documentation:
        from carrel.migrate.mentions import with_mentions

        found = with_mentions(root, read, found)
    deliver(_rendered(found, root, format_name), output)
    if found.references:
        raise click.exceptions.Exit(_FOUND)


def _rendered(found: Scan, root: Path, format_name: str) -> str:
    from carrel.migrate.scan_report import scan_data, scan_report

    if format_name == "text":
        return scan_text(found)
    if format_name == "json":
        return as_json(scan_data(found))
    from carrel.reporting import format_named

    return format_named(format_name).render(scan_report(found, root.resolve()))


def scan_text(found: Scan) -> str:
    """The tables: by kind, certainty, package and phase, and the files that have most."""
    from carrel.migrate.scan_report import counts

    references = found.references
    paths = Counter(one.path for one in references)
    mentions = f"{counted(found.mentions, 'mention')} in {counted(found.mention_files, 'file')}"
    looked = f"{counted(found.files, 'file')} looked at, {found.parsed} of {found.python_files} Python files parsed"
    head = f"{counted(len(references), 'reference')} in {counted(len(paths), 'file')}; {mentions}"
    parts = [f"{head}\n{looked}, {found.seconds:.2f} s\n"]
    parts += [f"{name} is not defined here; is its name right?\n" for name in found.missing]
    parts += [f"{one.path}:{one.line}: {one.message}\n" for one in found.unparsable]
    if references:
        for title, field in (("By kind", "kind"), ("By certainty", "certainty"), ("By phase", "phase")):
            parts.append(as_table(title, (field, "references"), list(counts(references, field).items())))
        packages = Counter("/".join(one.path.split("/")[:-1][:2]) or "." for one in references)
        parts.append(as_table("By package", ("package", "references"), packages.most_common(_MOST)))
        phases = {one.path: one.phase for one in references}
        rows = [(path, phases[path], count) for path, count in paths.most_common(_MOST)]
        parts.append(as_table(f"The files with most (of {len(paths)})", ("file", "phase", "references"), rows))
        parts += _beside_code([one for one in references if one.kind in ("data", "pickle")])
    return "\n".join(parts)


def _beside_code(names: Sequence[Reference]) -> Iterator[str]:
    """What no edit takes: names in data files and pickles, each with its place and the reason."""
    if names:
        rows = [(f"{one.path}:{one.line}", one.text, one.reason) for one in names[:_MOST]]
        more = f", the first {_MOST}" if len(names) > _MOST else ""
        yield as_table(f"Data files and pickles, for a person ({len(names)}{more})", ("where", "names", "why"), rows)
