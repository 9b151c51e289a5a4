"""Event logs to measure with, opened for one measurement and removed after it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog

__all__ = ["sqlite_log"]


@asynccontextmanager
async def sqlite_log() -> AsyncIterator[SqliteEventLog]:
    """The log of a server on a database of its own."""
    with tempfile.TemporaryDirectory() as directory:
        database = await Database.open(Path(directory) / "bench.db")
        try:
            log = await SqliteEventLog.open(database)
            try:
                yield log
            finally:
                await log.close()
        finally:
            await database.close()
