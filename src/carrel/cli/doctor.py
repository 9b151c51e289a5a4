"""`carrel doctor`: look at everything that a start needs, and say what to do about what is wrong."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import click

from carrel.cli.options import config_option, data_dir_option, settings_from
from carrel.cli.output import say
from carrel.errors import SettingsError

if TYPE_CHECKING:
    from carrel.server.examination import Diagnosis

__all__ = ["doctor"]

PROBLEMS: Final = 1
_MARKS: Final = MappingProxyType({"good": ("ok", "green"), "note": ("note", "yellow"), "problem": ("PROBLEM", "red")})


@click.command(short_help="Find out what is wrong, and what to do.")
@data_dir_option
@config_option
def doctor(data_dir: Path | None, config: Path | None) -> None:
    """Check settings, data, port, users, agents and model key, and say what to do. Changes nothing.

    Exits 0 when all is well and 1 when there are problems.

    \b
    carrel doctor
    carrel doctor --config production.toml
    """
    from carrel.server.examination import Diagnosis, examine
    from carrel.server.settings_sources import export_env_file

    diagnoses: Sequence[Diagnosis]
    try:
        settings = settings_from(config, data_dir=data_dir)
    except SettingsError as error:
        diagnoses = (Diagnosis("settings", "problem", str(error)),)
    else:
        export_env_file()
        diagnoses = examine(settings)
    terminal = sys.stdout.isatty()
    for diagnosis in diagnoses:
        mark, style = _MARKS[diagnosis.state]
        say(f"{mark:<8} {diagnosis.subject}: {diagnosis.text}", style=style if terminal else "")
    if any(diagnosis.state == "problem" for diagnosis in diagnoses):
        raise click.exceptions.Exit(PROBLEMS)
