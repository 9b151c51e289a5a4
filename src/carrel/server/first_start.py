"""What the first start makes: the secret of a private server, and the demo user."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import anyio.to_thread
from pydantic import SecretStr

from carrel.errors import SettingsError
from carrel.server.passwords import Passwords
from carrel.server.settings import MIN_SECRET_LENGTH, Settings

if TYPE_CHECKING:
    from carrel.storage.accounts import AccountStore

__all__ = ["DEMO_NAME", "DemoLogin", "Started", "demo_login", "secret_file", "signing_secret"]

DEMO_NAME: Final = "demo"


class DemoLogin(NamedTuple):
    """The demo user's name and password, known only at the moment it is made."""

    name: str
    password: str


class Started(NamedTuple):
    """What is said once when the server answers."""

    url: str
    demo: DemoLogin | None
    """The demo user, if this start made it."""
    users: bool
    """Whether there is anybody who could log in."""


def secret_file(settings: Settings) -> Path:
    """Where a generated secret is kept."""
    return settings.data_dir / "secret"


async def signing_secret(settings: Settings) -> SecretStr:
    """The secret that signs tokens: the setting, or on a private server one that was generated and kept.

    Raises `SettingsError` when there is none and the server is in production or can be reached by others.
    """
    if settings.secret is not None:
        return settings.secret
    if settings.guarded:
        raise SettingsError(
            "CARREL_SECRET",
            "is missing, and needed in production and on anything but a loopback address; "
            "set it to the output of: openssl rand -hex 32",
        )
    return await anyio.to_thread.run_sync(_kept_secret, secret_file(settings))


def _kept_secret(path: Path) -> SecretStr:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written under another name first: a crash in between must not leave half a secret behind.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        if not path.exists():
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(48))
            draft.rename(path)
        kept = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            "CARREL_DATA_DIR", f"{path} cannot be used ({type(error).__name__}); choose a directory that may be written"
        ) from None
    if len(kept) < MIN_SECRET_LENGTH:
        raise SettingsError("CARREL_SECRET", f"in {path} is too short; delete that file, and a new one is made")
    return SecretStr(kept)


async def demo_login(settings: Settings, accounts: AccountStore, passwords: Passwords) -> DemoLogin | None:
    """The demo user, if this start is to make one: the first on a private server that wants one.

    Raises `SettingsError` when the server is not private and a demo user can still sign in.
    """
    known = await accounts.list_accounts()
    if settings.guarded:
        _refuse_demo([account.name for account in known if account.demo and not account.disabled])
        return None
    if known or not settings.demo_user:
        return None
    password = secrets.token_urlsafe(12)
    hashed = await passwords.hash(password)
    await accounts.create(DEMO_NAME, hashed, settings.default_permissions, demo=True)
    return DemoLogin(DEMO_NAME, password)


def _refuse_demo(names: list[str]) -> None:
    if names:
        raise SettingsError(
            "CARREL_HOST",
            f"the user {names[0]!r} is a demo user, refused in production and on anything but a loopback address: "
            f"carrel user disable {names[0]}, then carrel user add NAME",
        )
