"""The one process that may write a database's event log."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final, Self

from carrel.errors import StorageError
from carrel.storage.failures import storage_failures

__all__ = ["LogOwner"]

_HANDOVER_SECONDS: Final = 5.0


class LogOwner:
    """Held while a process writes the log of the database at `path`: the writer counts offsets in memory.

    An exclusive lock on a file beside the database. SQLite takes it, so that it works on every system, and the
    operating system drops it when the process ends, however it ends.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def take(cls, path: Path) -> Self:
        """Take the log, waiting a little for a predecessor to end. Blocks; raises `StorageError` when it is taken."""
        lock = path.with_name(f"{path.name}.lock")
        with storage_failures(lock):
            connection = sqlite3.connect(lock, timeout=_HANDOVER_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                connection.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                connection.close()
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                raise StorageError(
                    f"another carrel process is serving the database {path}; stop it or choose another data directory"
                ) from error
        return cls(connection)

    def release(self) -> None:
        """Let another process take it."""
        self._connection.close()
