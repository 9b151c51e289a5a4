"""`carrel serve`: start the server."""

from __future__ import annotations

import os
import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carrel.cli.options import config_option, data_dir_option, settings_from
from carrel.cli.output import say

if TYPE_CHECKING:
    from carrel.server.first_start import Started

__all__ = ["announce", "serve"]


@click.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on, 127.0.0.1 if not given.")
@click.option("--port", type=int, metavar="PORT", help="Port to listen on, 8000 if not given; 0 takes any free one.")
@data_dir_option
@click.option(
    "--agents", multiple=True, metavar="MODULE:NAME", help="Serve the agents of this tuple instead of the shipped ones."
)
@click.option(
    "--tools", multiple=True, metavar="MODULE:NAME", help="Offer the tools of this tuple instead of the shipped ones."
)
@config_option
@click.option("--reload", is_flag=True, help="Start again whenever a Python file changes.")
def serve(
    host: str | None,
    port: int | None,
    data_dir: Path | None,
    agents: tuple[str, ...],
    tools: tuple[str, ...],
    config: Path | None,
    reload: bool,
) -> None:
    """Start the server and say where it is.

    The first start on this machine makes a user named demo and shows its password once. Every setting can also be an
    environment variable (CARREL_PORT=8080), a line of .env or of carrel.toml.

    \b
    carrel serve
    carrel serve --port 8080 --data-dir ./data
    carrel serve --agents my_package.agents:AGENTS --reload
    CARREL_SECRET=$(openssl rand -hex 32) carrel serve --host 0.0.0.0
    """
    given: dict[str, object] = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "agents": agents or None,
        "tools": tools or None,
    }
    settings = settings_from(config, **given)
    from carrel.server.process import bind, run_reloading, run_server
    from carrel.server.settings_sources import export_env_file

    export_env_file()
    listener = bind(settings)
    if reload:
        # The processes that are started again read their settings anew, so what was given here goes with them.
        os.environ.update(_as_variables(given, config))
        run_reloading(settings, listener, partial(announce, data_dir=data_dir))
    else:
        run_server(settings, listener, partial(announce, data_dir=data_dir))


def announce(started: Started, *, data_dir: Path | None = None) -> None:
    """Say where the server is and how to get in. The only place where the demo user's password is ever written.

    `data_dir` is the option as it was given: without it, `carrel user` would look into another database.
    """
    place = f" --data-dir {shlex.quote(str(data_dir))}" if data_dir is not None else ""
    say(f"carrel is at {started.url}", style="bold")
    if started.demo is not None:
        say(f"Log in as {started.demo.name} with the password {started.demo.password}")
        say(f"It is not shown again; carrel user passwd demo{place} sets another.")
    elif not started.users:
        say(f"There are no users yet: carrel user add NAME{place}")
    say("Ctrl-C stops it.")


def _as_variables(given: dict[str, object], config: Path | None) -> dict[str, str]:
    named = {f"CARREL_{name.upper()}": value for name, value in given.items() if value is not None}
    if config is not None:
        named["CARREL_CONFIG"] = config.absolute()
    return {name: ",".join(value) if isinstance(value, tuple) else str(value) for name, value in named.items()}
