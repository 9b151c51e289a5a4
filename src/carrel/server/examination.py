"""What `carrel doctor` looks at: everything that a start needs, without changing any of it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, Literal, NamedTuple

from carrel.errors import CarrelError, SettingsError
from carrel.server.first_start import secret_file
from carrel.server.settings import MIN_SECRET_LENGTH, Settings
from carrel.storage.accounts import Account, AccountStore
from carrel.storage.database import Database

__all__ = ["Diagnosis", "State", "examine"]

State = Literal["good", "note", "problem"]

LITTLE_SPACE_BYTES: Final = 200 * 1024 * 1024
ANSWER_SECONDS: Final = 2.0


class Diagnosis(NamedTuple):
    """What one look found."""

    subject: str
    state: State
    text: str
    """One line: what is, and for anything not good what to do."""


def examine(settings: Settings) -> Sequence[Diagnosis]:
    """Look at everything, also after something was wrong. Blocks; changes nothing."""
    found: list[Diagnosis] = []
    for subject, look in _LOOKS:
        try:
            state, text = look(settings)
        except (CarrelError, OSError) as error:
            state, text = "problem", str(error)
        found.append(Diagnosis(subject, state, text))
    return tuple(found)


def _environment(settings: Settings) -> tuple[State, str]:
    reach = "this machine only" if settings.on_loopback else "everybody who can reach it"
    text = f"{settings.environment}, on {settings.host}:{settings.port} for {reach}"
    if not settings.on_loopback and not settings.allowed_hosts:
        return "note", f"{text}; set CARREL_ALLOWED_HOSTS to the names that it is reached by"
    return "good", text


def _directory(settings: Settings) -> tuple[State, str]:
    path = settings.data_dir
    there = next(parent for parent in (path, *path.parents) if parent.exists())
    if not there.is_dir():
        return "problem", f"{there} is no directory; choose another with --data-dir"
    if not os.access(there, os.W_OK | os.X_OK):
        return "problem", f"{there} may not be written by this user; give it the right or choose another --data-dir"
    free = shutil.disk_usage(there).free
    if free < LITTLE_SPACE_BYTES:
        return "problem", f"only {free // 2**20} MiB are free on the disk of {path}; free some space"
    return ("good", f"{path}") if path.exists() else ("good", f"{path} (the first start makes it)")


def _database(settings: Settings) -> tuple[State, str]:
    path = settings.database_file
    if not path.exists():
        return "good", "none yet; the first start makes it"
    from alembic.script import ScriptDirectory

    from carrel.storage.migration import migration_config

    found = _revision(path)
    scripts = ScriptDirectory.from_config(migration_config())
    if found == scripts.get_current_head():
        return "good", f"{path}, at the schema of this version ({found})"
    if found in {script.revision for script in scripts.walk_revisions()}:
        return "note", f"{path} is at the older schema {found}; the next start brings it up to date"
    return "problem", f"{path} was written by a newer carrel (schema {found}); upgrade carrel"


def _revision(path: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            (health,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise SettingsError(
            "CARREL_DATA_DIR", f"{path} cannot be read as a database of carrel ({error}); move it away or restore it"
        ) from None
    if health != "ok":
        raise SettingsError("CARREL_DATA_DIR", f"{path} is damaged ({health}); restore it from a backup")
    return str(row[0]) if row else ""


def _port(settings: Settings) -> tuple[State, str]:
    from carrel.server.process import bind

    try:
        bind(settings).close()
    except SettingsError as error:
        if error.setting == "CARREL_PORT" and _answers(settings):
            return "good", f"carrel is running on port {settings.port}"
        return "problem", str(error)
    return "good", f"{settings.port} is free on {settings.host}"


def _answers(settings: Settings) -> bool:
    """Whether a carrel answers there."""
    host = settings.host if settings.on_loopback else "127.0.0.1"
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            return bool(json.loads(answer.read(1000)) == {"status": "ok"})
    except urllib.error.HTTPError as error:
        # It holds the connection open.
        error.close()
        return False
    except (OSError, ValueError):
        return False


def _secret(settings: Settings) -> tuple[State, str]:
    if settings.secret is not None:
        return "good", "CARREL_SECRET is set"
    if settings.guarded:
        return "problem", (
            "CARREL_SECRET is missing, and needed in production and on anything but a loopback address; "
            "set it to the output of: openssl rand -hex 32"
        )
    path = secret_file(settings)
    if not path.exists():
        return "good", "none yet; the first start makes one"
    if len(path.read_text(encoding="ascii", errors="replace").strip()) < MIN_SECRET_LENGTH:
        return "problem", f"{path} is too short; delete it, and the next start makes another"
    if path.stat().st_mode & 0o077:
        return "problem", f"{path} can be read by others; chmod 600 {path}"
    return "good", f"kept in {path}"


def _users(settings: Settings) -> tuple[State, str]:
    if not settings.database_file.exists() or _database(settings)[0] != "good":
        return "note", "none to be seen before the database is made and up to date"
    accounts = asyncio.run(_accounts(settings))
    active = [account for account in accounts if not account.disabled]
    demo = [account.name for account in active if account.demo]
    if demo and settings.guarded:
        return "problem", (
            f"the demo user {demo[0]} is refused in production and on anything but a loopback address: "
            f"carrel user disable {demo[0]}"
        )
    if not active and settings.oidc_issuer is None:
        return "problem", "nobody can log in: carrel user add NAME"
    return "good", f"{len(active)} can log in, {len(accounts) - len(active)} disabled"


async def _accounts(settings: Settings) -> Sequence[Account]:
    database = await Database.open(settings.database_file)
    try:
        return await AccountStore(database).list_accounts()
    finally:
        await database.close()


def _agents(settings: Settings) -> tuple[State, str]:
    from carrel.server.loading import load_agents

    return "good", ", ".join(load_agents(settings))


def _model(settings: Settings) -> tuple[State, str]:
    if settings.model is None:
        return "note", "none set (CARREL_MODEL); the shipped agents work without one"
    from carrel.server.loading import load_model

    load_model(settings)
    return "good", f"{settings.model}, and its key is set"


_LOOKS: Final[tuple[tuple[str, Callable[[Settings], tuple[State, str]]], ...]] = (
    ("settings", _environment),
    ("data directory", _directory),
    ("database", _database),
    ("port", _port),
    ("secret", _secret),
    ("users", _users),
    ("agents", _agents),
    ("model", _model),
)
