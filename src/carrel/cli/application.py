"""The command `carrel`: its subcommands, its version, and how it says what went wrong."""

from __future__ import annotations

import sys
import traceback

import click

from carrel.cli.command_group import CommandGroup
from carrel.cli.output import complain
from carrel.errors import CarrelError

__all__ = ["application", "run"]


@click.group(
    "carrel",
    cls=CommandGroup,
    homes={
        "serve": "carrel.cli.serve:serve",
        "doctor": "carrel.cli.doctor:doctor",
        "audit": "carrel.cli.audit:audit",
        "migrate": "carrel.cli.migrate.application:migrate",
        "user": "carrel.cli.user:user",
    },
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 110},
)
@click.version_option(package_name="carrel", message="%(package)s %(version)s", help="Show the version and exit.")
def application() -> None:
    """Many users' AI agents, run side by side, never touching.

    \b
    carrel serve                        start, and open http://127.0.0.1:8000
    carrel user add ann                 let somebody in
    carrel doctor                       find out what is wrong, and what to do
    carrel audit                        where in a code base can one user's state reach another?
    carrel migrate                      take a code base off a class, function or module
    """


def run() -> None:
    """Run the command line; an error is one line on standard error, with what to do, and exit code 2.

    A mistake of carrel's own ends so too, after its traceback: 1 would say that problems were found.
    """
    try:
        application()
    except CarrelError as error:
        complain(str(error))
        sys.exit(2)
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing was checked to its end
        traceback.print_exc()
        complain(f"a mistake of carrel's own, and no result: {type(error).__name__}: {error}. Please report it.")
        sys.exit(2)
