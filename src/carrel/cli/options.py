"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from carrel.server.settings import Settings

__all__ = ["config_option", "data_dir_option", "settings_from"]

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file with settings; carrel.toml if there is one.",
)
data_dir_option = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    metavar="DIRECTORY",
    help="Where the database is kept; $XDG_DATA_HOME/carrel or ~/.local/share/carrel if not given.",
)


def settings_from(config: Path | None, **overrides: object) -> Settings:
    """The settings of the environment, `.env` and the file, with the options that were given on top."""
    from carrel.server.settings_sources import load_settings

    return load_settings(config, **overrides)
