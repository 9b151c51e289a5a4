"""`carrel migrate verify`: what must hold when a migration is done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from carrel.cli.migrate.options import format_option, jobs_option, output_option, recipe_option, root_option
from carrel.cli.migrate.showing import as_json
from carrel.cli.output import deliver, reading

if TYPE_CHECKING:
    from carrel.audit.rule import Rule
    from carrel.findings import Finding
    from carrel.migrate.recipe import Recipe
    from carrel.migrate.verify import Check

__all__ = ["single_source", "verify"]

_BROKEN: Final = 1
_SHOWN: Final = 20
_SINGLE_SOURCE: Final = "CAR1"
"""What the codes of the audit's rules about one definition per role begin with."""


@click.command(short_help="Check that no reference is left and nothing is broken.")
@click.option(
    "--against",
    default="",
    show_default=False,
    metavar="REVISION",
    help="Compare with this; where the first phase began if not given.",
)
@recipe_option
@root_option
@format_option("text", "json")
@output_option
@jobs_option
def verify(against: str, recipe: Path, root: Path, format_name: str, output: Path | None, jobs: int) -> None:
    """Check that no reference is left, and that nothing is broken that was not broken before.

    No file that cannot be compiled, no unbound name, no import of a name that does not exist, no import cycle, and one
    definition of what moved. Says what was looked at.

    \b
    carrel migrate verify --root ../app.engine     in the worktree, after the last phase
    carrel migrate verify --against v1.4

    Exits with 0 when everything holds, 1 when something does not, 2 when it could not run.
    """
    from carrel.migrate.recipe import read_recipe
    from carrel.migrate.verify import verify_migration

    read = read_recipe(recipe)
    with reading() as progress:
        found = verify_migration(root, read, against=against, jobs=jobs, progress=progress)
    checks = (*found.checks, *single_source(root, read, jobs, against=found.against))
    holds = all(check.holds for check in checks)
    if format_name == "json":
        data = [{"holds": check.holds, **asdict(check)} for check in checks]
        deliver(as_json({"schema_version": 1, "holds": holds, "against": found.against, "checks": data}), output)
    else:
        lines = [f"compared with {found.against}", *(line for check in checks for line in _lines(check))]
        deliver("".join(f"{line}\n" for line in lines), output)
    if not holds:
        raise click.exceptions.Exit(_BROKEN)


def single_source(
    root: Path, recipe: Recipe, jobs: int, rules: Sequence[Rule] | None = None, *, against: str = ""
) -> Iterator[Check]:
    """What the audit's rules about one definition per role say about the names that moved, where it has such rules.

    What they said at the revision `against` is a note.
    """
    from carrel.audit.rules import RULES
    from carrel.audit.runner import audit
    from carrel.audit.settings import AuditSettings
    from carrel.migrate.burn_down import checked_out
    from carrel.migrate.outlines import CACHE, take_along
    from carrel.migrate.verify import Check

    rules = RULES if rules is None else rules
    if not any(rule.info.code.startswith(_SINGLE_SOURCE) for rule in rules):
        return
    settings = AuditSettings(select=(_SINGLE_SOURCE,), exclude=recipe.tree.exclude, roots=recipe.tree.roots)
    report = audit(root, settings, rules=rules, cache=root / CACHE, jobs=jobs)
    names = {name for symbol in recipe.symbols for name in (symbol.old_name, symbol.new_name)}
    about = [one for one in report.findings if any(_names(name, one.message) for name in names)]
    before: frozenset[str] = frozenset()
    if about and against:
        with checked_out(root) as (check_out, directory):
            check_out(against)
            take_along(root / CACHE, directory / CACHE)
            then = audit(directory, settings, rules=rules, cache=directory / CACHE, jobs=jobs)
        before = frozenset(one.fingerprint for one in then.findings)
    yield Check(
        name="one definition per role",
        checked=f"{len(report.rules)} rules of the audit in {report.summary.files} files",
        problems=tuple(_told(one) for one in about if one.fingerprint not in before),
        notes=(
            *(f"{_told(one)}, and was before" for one in about if one.fingerprint in before),
            f"{len(report.findings) - len(about)} findings about other names; see carrel audit --select CAR1",
        ),
    )


def _told(finding: Finding) -> str:
    return f"{finding.location.path}:{finding.location.line}: {finding.message}"


def _names(name: str, message: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", message) is not None


def _lines(check: Check) -> Iterator[str]:
    yield f"{'holds ' if check.holds else 'BROKEN'}  {check.name}: {check.checked}"
    for problem in check.problems[:_SHOWN]:
        yield f"          {problem}"
    if len(check.problems) > _SHOWN:
        yield f"          ... and {len(check.problems) - _SHOWN} more; --format json lists them all"
    for note in check.notes[:_SHOWN]:
        yield f"          note: {note}"
    if len(check.notes) > _SHOWN:
        yield f"          note: and {len(check.notes) - _SHOWN} more; --format json lists them all"
