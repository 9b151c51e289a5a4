"""Brings a database file to the schema of this version, or says why that cannot be."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, event, pool

from carrel.errors import StorageError
from carrel.storage.failures import BUSY_SECONDS, is_busy, storage_failures

__all__ = ["migrate", "migration_config"]

_SCRIPTS: Final = "carrel.storage.schema:migrations"


def migration_config() -> Config:
    """Alembic's configuration, read from the installed package and not from a file in the working directory."""
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.set_main_option("path_separator", "os")
    return config


def migrate(path: Path) -> None:
    """Create the file at `path` if there is none, and bring it to the newest revision, all or nothing.

    Blocks. Raises `StorageError` saying what to do; the file is then as it was.
    """
    with storage_failures(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Password hashes and conversations: nobody but this user reads them.
        # Only a missing file is opened: closing one that is there would drop SQLite's locks on it in this process.
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        found = _revision(path)
        scripts = ScriptDirectory.from_config(migration_config())
        head = scripts.get_current_head()
        if found == head:
            return
        if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
            raise StorageError(
                f"the database {path} was written by a newer carrel (its schema is {found!r}, this version knows "
                f"{head!r}); upgrade carrel or choose another data directory"
            )
        _upgrade(path)


def _revision(path: Path) -> str | None:
    """The revision that the file is at, or None for an empty one; switches it to write-ahead logging."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and "alembic_version" not in tables:
            raise StorageError(
                f"the database {path} belongs to another program (it holds the table {min(tables)!r}); "
                "move that file away or choose another data directory"
            )
        _log_ahead(connection)
        if not tables:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None


def _log_ahead(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for its time-out here: it refuses at once while another connection writes.
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
        else:
            return


def _upgrade(path: Path) -> None:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None},
        poolclass=pool.NullPool,
    )
    event.listen(engine, "begin", _begin_immediate)
    config = migration_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _begin_immediate(connection: Connection) -> None:
    # Two processes that start at once migrate one after the other; the second finds nothing to do.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
