"""`carrel user`: who may log in."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carrel.cli.limit import limit_user
from carrel.cli.options import config_option, data_dir_option, settings_from
from carrel.cli.output import say, table
from carrel.errors import InputError

if TYPE_CHECKING:
    from carrel.server.settings import Settings
    from carrel.storage.accounts import Account, AccountStore

__all__ = ["user"]

name_argument = click.argument("name", metavar="NAME")
stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from the first line of standard input."
)
generate_option = click.option("--generate", is_flag=True, help="Make a password and show it.")


@click.group(short_help="Add, list, disable and enable users, and limit them.")
def user() -> None:
    """Add, list, disable and enable users, set their passwords and their limits. NAME is what they log in with.

    \b
    carrel user add ann
    carrel user add bob --generate --permission usage:read
    carrel user list
    """


user.add_command(limit_user)


@user.command("add", short_help="Add a user.")
@name_argument
@click.option(
    "--permission",
    multiple=True,
    metavar="PERMISSION",
    help="What they may do, for example usage:read; repeat it for more. * is everything. "
    "usage:read and usage:write if not given.",
)
@stdin_option
@generate_option
@data_dir_option
@config_option
def add_user(
    name: str,
    permission: tuple[str, ...],
    password_stdin: bool,
    generate: bool,
    data_dir: Path | None,
    config: Path | None,
) -> None:
    """Add a user; asks for the password, or reads it from standard input where nobody can be asked.

    \b
    carrel user add ann
    carrel user add bob --generate
    pass show bob | carrel user add bob --password-stdin
    """
    settings = settings_from(config, data_dir=data_dir)
    permissions = frozenset(permission or settings.default_permissions)
    password = _new_password(password_stdin=password_stdin, generate=generate)

    async def add(accounts: AccountStore) -> None:
        from carrel.server.passwords import Passwords

        await accounts.create(name, await Passwords().hash(password), permissions)

    _with_accounts(settings, add)
    say(f"{name} can log in now.")
    _show_generated(password, generate=generate)


@user.command("list")
@data_dir_option
@config_option
def list_users(data_dir: Path | None, config: Path | None) -> None:
    """List the users: name, state, permissions, when they were added.

    Tab-separated when the output is not a terminal.
    """
    settings = settings_from(config, data_dir=data_dir)

    async def show(accounts: AccountStore) -> None:
        found = await accounts.list_accounts()
        rows: list[tuple[str, ...]] = [
            (one.name, _state(one), " ".join(sorted(one.permissions)), one.created_at[:10]) for one in found
        ]
        if rows:
            table(("NAME", "STATE", "PERMISSIONS", "ADDED"), rows)
        elif sys.stdout.isatty():
            say("There are no users yet: carrel user add NAME")

    _with_accounts(settings, show)


@user.command("disable")
@name_argument
@data_dir_option
@config_option
def disable_user(name: str, data_dir: Path | None, config: Path | None) -> None:
    """Keep a user from logging in, and end their sessions. Their data stays.

    A running server closes their connections within seconds.
    """
    _set_disabled(name, True, settings_from(config, data_dir=data_dir))
    say(f"{name} cannot log in any more.")


@user.command("enable")
@name_argument
@data_dir_option
@config_option
def enable_user(name: str, data_dir: Path | None, config: Path | None) -> None:
    """Let a disabled user log in again."""
    _set_disabled(name, False, settings_from(config, data_dir=data_dir))
    say(f"{name} can log in again.")


@user.command("passwd")
@name_argument
@stdin_option
@generate_option
@data_dir_option
@config_option
def set_password(name: str, password_stdin: bool, generate: bool, data_dir: Path | None, config: Path | None) -> None:
    """Set a user's password, and end their sessions.

    \b
    carrel user passwd ann
    carrel user passwd demo --generate
    """
    settings = settings_from(config, data_dir=data_dir)
    password = _new_password(password_stdin=password_stdin, generate=generate)

    async def change(accounts: AccountStore) -> None:
        from carrel.server.passwords import Passwords

        account = await _account(accounts, name)
        await accounts.set_password(account.user_id, await Passwords().hash(password))

    _with_accounts(settings, change)
    say(f"{name} has a new password, and is logged out everywhere.")
    _show_generated(password, generate=generate)


def _set_disabled(name: str, disabled: bool, settings: Settings) -> None:
    async def change(accounts: AccountStore) -> None:
        account = await _account(accounts, name)
        await accounts.set_disabled(account.user_id, disabled)

    _with_accounts(settings, change)


def _with_accounts(settings: Settings, work: Callable[[AccountStore], Awaitable[None]]) -> None:
    import asyncio

    from carrel.storage.accounts import AccountStore
    from carrel.storage.database import Database

    async def run() -> None:
        database = await Database.open(settings.database_file)
        try:
            await work(AccountStore(database))
        finally:
            await database.close()

    asyncio.run(run())


async def _account(accounts: AccountStore, name: str) -> Account:
    account = await accounts.by_name(name)
    if account is None:
        raise InputError("NAME", f"there is no user {name!r}; carrel user list shows them")
    return account


def _state(account: Account) -> str:
    kind = "demo" if account.demo else "external" if account.password_hash is None else "active"
    return "disabled" if account.disabled else kind


def _new_password(*, password_stdin: bool, generate: bool) -> str:
    from carrel.server.passwords import check_new_password

    if password_stdin and generate:
        raise InputError("--generate", "cannot go with --password-stdin; use one of them")
    if generate:
        return secrets.token_urlsafe(15)
    if password_stdin or not sys.stdin.isatty():
        return check_new_password(sys.stdin.readline().rstrip("\r\n"))
    return check_new_password(click.prompt("Password", hide_input=True, confirmation_prompt="Once more"))


def _show_generated(password: str, *, generate: bool) -> None:
    if generate:
        say(f"Password: {password}")
