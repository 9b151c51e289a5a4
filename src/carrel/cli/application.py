"""The command `carrel`: its subcommands, its version, and how it says what went wrong."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from carrel.cli.audit import audit
from carrel.cli.doctor import doctor
from carrel.cli.migrate.application import migrate
from carrel.cli.output import complain
from carrel.cli.serve import serve
from carrel.cli.user import user
from carrel.errors import CarrelError

__all__ = ["application", "run"]

application = typer.Typer(
    name="carrel",
    help="""Many users' AI agents, run side by side, never touching.

    \b
    carrel serve                        start, and open http://127.0.0.1:8000
    carrel user add ann                 let somebody in
    carrel doctor                       find out what is wrong, and what to do
    carrel audit                        where in a code base can one user's state reach another?
    carrel migrate                      take a code base off a class, function or module
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
application.command()(serve)
application.command()(doctor)
application.command()(audit)
application.add_typer(migrate, name="migrate")
application.add_typer(user, name="user")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"carrel {version('carrel')}")  # noqa: T201 - this is the command's output
        raise typer.Exit


@application.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None: ...


def run() -> None:
    """Run the command line; an error is one line on standard error, with what to do, and exit code 2."""
    try:
        application()
    except CarrelError as error:
        complain(str(error))
        sys.exit(2)
