"""Reads the event log from the disk, in threads of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeVar

from carrel.delivery.log import LoggedEvent
from carrel.storage.failures import BUSY_SECONDS, storage_failures

__all__ = ["LogReader"]

Result = TypeVar("Result")

_THREADS: Final = 2
_READ: Final = (
    "SELECT offset, run_id, ends_run, body FROM event_log WHERE user_id = ? AND offset > ? ORDER BY offset LIMIT ?"
)


class LogReader:
    """A few threads with a read-only connection each. Raises `StorageError` when the database refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="carrel-log-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []

    async def events(self, user_id: str, after: int, limit: int) -> Sequence[LoggedEvent]:
        """Up to `limit` events of the user with offsets above `after`, in order."""

        def read(connection: sqlite3.Connection) -> Sequence[LoggedEvent]:
            rows = connection.execute(_READ, (user_id, after, limit))
            return [LoggedEvent(offset, run_id, bool(ends_run), body) for offset, run_id, ends_run, body in rows]

        return await self.call(read)

    async def rows(self, query: str, *values: Any) -> Sequence[Any]:
        """All rows of a query."""
        return await self.call(lambda connection: connection.execute(query, values).fetchall())

    async def call(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        """What `function` makes of a connection, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, function)

    async def close(self) -> None:
        """Wait for the threads to end."""
        await asyncio.to_thread(self._close)

    def _call(self, function: Callable[[sqlite3.Connection], Result]) -> Result:
        with storage_failures(self._path):
            return function(self._connection())

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA query_only = ON")
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    def _close(self) -> None:
        self._threads.shutdown()
        for connection in self._connections:
            with closing(connection):
                pass
