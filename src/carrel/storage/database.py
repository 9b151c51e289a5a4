"""The database file: opened, migrated to this version's schema, and worked on a transaction at a time."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event

from carrel.errors import StorageError
from carrel.storage.failures import BUSY_SECONDS, storage_failures
from carrel.storage.migration import migrate

__all__ = ["Database"]

Result = TypeVar("Result")

_READERS: Final = 8


class Database:
    """One SQLite file in WAL mode. Made by `Database.open`, ended by `close`.

    A transaction is a function of a connection. It is begun, done and committed in one visit to a thread of the
    database's own, or rolled back when the function raises; nothing of it is left to the event loop, so a caller that
    is cancelled leaves neither a transaction nor a connection behind. The function does database work and nothing
    else, briefly, and returns values, not cursors. It runs with the context variables of the caller.

    Cancelling a caller takes back what has not begun; what has begun is done to its end.
    What the database refuses becomes `StorageError`, and so does whatever is asked of it after `close`.
    """

    def __init__(self, path: Path, readers: _Lane, writer: _Lane) -> None:
        self._path = path
        self._readers = readers
        self._writer = writer
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

    async def _run(self, lane: _Lane, work: Callable[[Connection], Result]) -> Result:
        if self._closed:
            raise StorageError(f"the database {self._path} is closed; start the server again")
        with storage_failures(self._path):
            return await lane.run(work)


class _Lane:
    """Threads that do transactions, with a connection for each."""

    def __init__(self, engine: Engine, threads: int, name: str) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[[Connection], Result]) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, contextvars.copy_context().run, self._transact, work)

    def close(self) -> None:
        self._threads.shutdown()
        self._engine.dispose()

    def _transact(self, work: Callable[[Connection], Result]) -> Result:
        with self._engine.begin() as connection:
            return work(connection)


def _open(path: Path) -> tuple[Path, _Lane, _Lane]:
    path = path.absolute()
    migrate(path)
    readers = _Lane(_engine(path, "BEGIN", _READERS, "query_only = ON"), _READERS, "carrel-database-reader")
    return path, readers, _Lane(_engine(path, "BEGIN IMMEDIATE", 1), 1, "carrel-database-writer")


def _engine(path: Path, begin: Literal["BEGIN", "BEGIN IMMEDIATE"], connections: int, *settings: str) -> Engine:
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

    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin_transaction)
    return engine
