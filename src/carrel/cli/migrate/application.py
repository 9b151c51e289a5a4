"""`carrel migrate`: its commands."""

from __future__ import annotations

import click

from carrel.cli.command_group import CommandGroup

__all__ = ["migrate"]


@click.group(
    short_help="Take a code base off a class, function or module.",
    cls=CommandGroup,
    homes={
        "init": "carrel.cli.migrate.init:init",
        "scan": "carrel.cli.migrate.scan:scan",
        "plan": "carrel.cli.migrate.plan:plan",
        "apply": "carrel.cli.migrate.apply:apply",
        "rollback": "carrel.cli.migrate.rollback:rollback",
        "verify": "carrel.cli.migrate.verify:verify",
        "shim": "carrel.cli.migrate.shim:shim",
        "cleanup": "carrel.cli.migrate.cleanup:cleanup",
        "status": "carrel.cli.migrate.status:status",
        "report": "carrel.cli.migrate.report:report",
        "check-claims": "carrel.cli.migrate.check_claims:check_claims",
    },
)
def migrate() -> None:
    """Take a code base off a class, function or module: in phases, with gates and rollback.

    \b
    carrel migrate init package.Old package.New    write migration.toml
    carrel migrate scan                            every reference, and who has them
    carrel migrate plan                            the phases, and what needs a person
    carrel migrate apply                           edit, test, commit or take back
    """
