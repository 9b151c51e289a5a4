"""A database of its own for every test that asks for one."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog
from carrel.storage.migration import migrate
from carrel.storage.runs import SqliteRunStore
from carrel.storage.threads import SqliteThreadStore
from carrel.storage.values import SqliteUserStore
from tests.contracts.subjects import Clock, Stores


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest schema, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "carrel.db"
    migrate(path)
    return path


@pytest.fixture
def database_path(tmp_path: Path, migrated_file: Path) -> Path:
    return Path(shutil.copy(migrated_file, tmp_path / "carrel.db"))


@pytest.fixture
async def database(database_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(database_path)
    yield database
    await database.close()


@pytest.fixture
async def stores(database: Database) -> AsyncIterator[Stores]:
    clock = Clock()
    log = await SqliteEventLog.open(database, clock=clock)
    yield Stores(
        SqliteThreadStore(database, clock=clock),
        SqliteRunStore(database, clock=clock),
        SqliteUserStore(database),
        log,
        clock,
    )
    await log.close()
