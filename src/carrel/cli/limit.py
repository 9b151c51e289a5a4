"""`carrel user limit`: what one user may use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carrel.cli.options import config_option, data_dir_option, settings_from
from carrel.cli.output import table
from carrel.errors import InputError

if TYPE_CHECKING:
    from carrel.server.settings import Settings

__all__ = ["limit_user"]

DEFAULT = "default"


@click.command("limit")
@click.argument("name", metavar="NAME")
@click.argument("changes", nargs=-1, metavar="[LIMIT=VALUE]...")
@data_dir_option
@config_option
def limit_user(name: str, changes: tuple[str, ...], data_dir: Path | None, config: Path | None) -> None:
    """Show what a user may use, and change it. A running server keeps to it within seconds.

    Tab-separated when the output is not a terminal.

    \b
    carrel user limit ann
    carrel user limit ann runs_per_minute=10 stored_bytes=100000000
    carrel user limit ann runs_per_minute=default
    """
    import asyncio

    settings = settings_from(config, data_dir=data_dir)
    asked = dict(_parse(change) for change in changes)
    overrides = asyncio.run(_change(settings, name, asked))
    table(("LIMIT", "VALUE", "SET FOR"), _rows(settings, overrides))


def _parse(change: str) -> tuple[str, float | None]:
    name, sign, value = change.partition("=")
    if not sign:
        raise InputError(name, f"says no value; write {name}=VALUE or {name}={DEFAULT}")
    if value == DEFAULT:
        return name, None
    for read in (int, float):
        try:
            return name, read(value)
        except ValueError:
            continue
    raise InputError(name, f"must be a number or {DEFAULT}")


async def _change(settings: Settings, name: str, asked: Mapping[str, float | None]) -> Mapping[str, float]:
    """The user's limits that are other than everybody's, after the change."""
    from carrel.storage.accounts import AccountStore
    from carrel.storage.database import Database
    from carrel.storage.limits import LimitStore

    database = await Database.open(settings.database_file)
    try:
        account = await AccountStore(database).by_name(name)
        if account is None:
            raise InputError("NAME", f"there is no user {name!r}; carrel user list shows them")
        limits = LimitStore(database)
        return await (limits.change(account.user_id, asked) if asked else limits.overrides_of(account.user_id))
    finally:
        await database.close()


def _rows(settings: Settings, overrides: Mapping[str, float]) -> list[tuple[str, ...]]:
    from carrel.runtime.limits import USER_LIMITS

    everybodys = settings.limits
    rows = [
        (name, overrides.get(name, getattr(everybodys, name)), "this user" if name in overrides else "everybody")
        for name in USER_LIMITS
    ]
    return [(name, f"{value:.15g}", source) for name, value, source in rows]
