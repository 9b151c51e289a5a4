"""Reading the log from the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carrel.errors import StorageError
from carrel.storage.database import Database
from carrel.storage.log_reader import LogReader
from tests.contracts.subjects import Stores, run_context, thought


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[LogReader]:
    reader = LogReader(database.path)
    yield reader
    await reader.close()


async def test_only_the_users_events_are_read_in_order(reader: LogReader, stores: Stores) -> None:
    ada, bob = run_context("ada"), run_context("bob")
    for _ in range(3):
        await stores.log.append(bob, [thought(bob)])
        await stores.log.append(ada, [thought(ada)])
    assert list(await reader.events("ada", 0, 64)) == list(await stores.log.read(ada, 0, 64))
    assert [event.offset for event in await reader.events("ada", 1, 1)] == [2]
    assert list(await reader.events("nobody", 0, 64)) == []


async def test_many_read_at_once(reader: LogReader, stores: Stores) -> None:
    ada = run_context("ada")
    await stores.log.append(ada, [thought(ada) for _ in range(10)])
    found = await asyncio.gather(*(reader.events("ada", after, 64) for after in range(10)))
    assert [len(events) for events in found] == list(range(10, 0, -1))


async def test_a_reader_cannot_write(reader: LogReader) -> None:
    with pytest.raises(StorageError, match="readonly|written"):
        await reader.call(lambda connection: connection.execute("DELETE FROM event_log"))


async def test_what_the_database_refuses_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"
    path.write_bytes(b"no database at all " * 500)
    reader = LogReader(path)
    with pytest.raises(StorageError, match="move that file away"):
        await reader.events("ada", 0, 64)
    await reader.close()
