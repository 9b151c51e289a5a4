"""`carrel migrate`: its commands."""

from __future__ import annotations

import typer

from carrel.cli.migrate.apply import apply
from carrel.cli.migrate.check_claims import check_claims
from carrel.cli.migrate.cleanup import cleanup
from carrel.cli.migrate.init import init
from carrel.cli.migrate.plan import plan
from carrel.cli.migrate.report import report
from carrel.cli.migrate.rollback import rollback
from carrel.cli.migrate.scan import scan
from carrel.cli.migrate.shim import shim
from carrel.cli.migrate.status import status
from carrel.cli.migrate.verify import verify

__all__ = ["migrate"]

migrate = typer.Typer(
    help="""Take a code base off a class, function or module: in phases, with gates and rollback.

    \b
    carrel migrate init package.Old package.New    write migration.toml
    carrel migrate scan                            every reference, and who has them
    carrel migrate plan                            the phases, and what needs a person
    carrel migrate apply                           edit, test, commit or take back
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
)
migrate.command()(init)
migrate.command()(scan)
migrate.command()(plan)
migrate.command()(apply)
migrate.command()(rollback)
migrate.command()(verify)
migrate.command()(shim)
migrate.command()(cleanup)
migrate.command()(status)
migrate.command()(report)
migrate.command("check-claims")(check_claims)
