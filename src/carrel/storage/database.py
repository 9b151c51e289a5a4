"""The database file: opened, migrated to this version's schema, and worked on a transaction at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event

from carrel.errors import StorageError
from carrel.storage.failures import BUSY_SECONDS, is_busy, storage_failures
from carrel.storage.lane import Lane
from carrel.storage.migration import migrate

__all__ = ["Database"]

Result = TypeVar("Result")

_READERS: Final = 4
"""Threads that read: few, because each one that is awake competes with the event loop for the interpreter."""


class Database:
    """One SQLite file in WAL mode. Made by `Database.open`, ended by `close`.

    A transaction is a function of a connection. It is begun, done and committed in one visit to a thread of the
    database's own, or rolled back when the function raises; nothing of it is left to the event loop, so a caller that
    is cancelled leaves neither a transaction nor a connection behind. The function does database work and nothing
    else, briefly, and returns values, not cursors. It runs with the context variables of the caller.

    Cancelling a caller takes back what has not begun; what has begun is done to its end.
    What the database refuses becomes `StorageError`, and so does whatever is asked of it after `close`.
    """

    def __init__(self, path: Path, readers: Lane, writer: Lane, desk: _Desk) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer
        self._desk = desk
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Create or migrate the file at `path` (its directory too) and open it.

        Raises `StorageError`, saying what to do, when it is not a database, is another program's or a newer carrel's,
        is locked, may not be written, or when the disk is full; the file is then as it was.
        """
        return cls(*await asyncio.to_thread(_open, path))

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns; it sees one moment of the database, and SQLite refuses whatever it tries to write."""
        return await self._run(self._readers, work)

    async def look_up(self, query: str, *values: object) -> tuple[Any, ...] | None:
        """The first row of a query that finds it by an index, as the driver gives it; for what every request asks.

        It is asked on the event loop's thread, because handing it to another costs several times as much as the
        answer (docs/decisions/0088). It waits for nobody: a file that is locked is read like everything else.
        """
        self._check_open()
        with storage_failures(self._path):
            try:
                return self._desk.first(query, values)
            except sqlite3.OperationalError as error:
                if not is_busy(error):
                    raise
        return await self.read(lambda connection: _first_row(connection, query, values))

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, committed.

        It holds the write lock from its beginning (`BEGIN IMMEDIATE`), so that it never fails half-way because
        somebody else wrote. Writers of this process wait for each other in the order in which they came, instead of
        polling SQLite's lock and losing to each other.
        """
        return await self._run(self._writer, work)

    async def close(self) -> None:
        """Do what is in line, end the threads and close every connection."""
        self._closed = True
        await asyncio.to_thread(self._writer.close)
        await asyncio.to_thread(self._readers.close)
        await asyncio.to_thread(self._desk.close)

    async def _run(self, lane: Lane, work: Callable[[Connection], Result]) -> Result:
        self._check_open()
        with storage_failures(self._path):
            return await lane.do(work)

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(f"the database {self._path} is closed; start the server again")


class _Desk:
    """A connection for single queries, each of which sees what is committed; opened when it is first asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def first(self, query: str, values: Sequence[object]) -> tuple[Any, ...] | None:
        if self._connection is None:
            # Closed in another thread, when this one has nothing more to ask.
            self._connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA query_only = ON")
        cursor = self._connection.execute(query, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
        # A cursor that is not read to its end holds the moment of the file that it reads.
        cursor.close()
        return row

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def _open(path: Path) -> tuple[Path, Lane, Lane, _Desk]:
    path = path.absolute()
    migrate(path)
    readers = Lane(_engine(path, "BEGIN", _READERS, "query_only = ON"), _READERS, "carrel-database-reader")
    writer = Lane(_engine(path, "BEGIN IMMEDIATE", 1), 1, "carrel-database-writer")
    return path, readers, writer, _Desk(path)


def _first_row(connection: Connection, query: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
    row = connection.exec_driver_sql(query, values).first()
    return None if row is None else tuple(row)


def _engine(
    path: Path,
    begin: Literal["BEGIN", "BEGIN IMMEDIATE"],
    connections: int,
    *settings: str,
) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        pool_size=connections,
        max_overflow=0,
    )

    def prepare(connection: Any, _record: object) -> None:
        # The driver must not begin transactions by itself: it would do so late, and never for a SELECT.
        connection.isolation_level = None
        for setting in ("synchronous = NORMAL", "foreign_keys = ON", *settings):
            connection.execute(f"PRAGMA {setting}")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine
