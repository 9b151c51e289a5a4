"""What SQLite refused, said as a `StorageError` that tells what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from carrel.errors import StorageError

__all__ = ["BUSY_SECONDS", "is_busy", "storage_error", "storage_failures"]

BUSY_SECONDS: Final = 10.0
"""How long a connection waits for another one's write lock before it gives up."""

# By the primary result code (https://www.sqlite.org/rescode.html): the low byte of the extended one.
_ADVICE: Final = MappingProxyType(
    {
        sqlite3.SQLITE_BUSY: "is locked: another process has been writing to it for more than "
        f"{BUSY_SECONDS:g} s; close whatever else has the file open (a backup, a database browser, a second server) "
        "and try again",
        sqlite3.SQLITE_LOCKED: "is locked by another connection of this process; try again",
        sqlite3.SQLITE_FULL: "cannot grow: the disk is full; free some space on it and try again",
        sqlite3.SQLITE_READONLY: "cannot be written; give this user write permission on the file and on its directory",
        sqlite3.SQLITE_PERM: "may not be opened; give this user read and write permission on the file",
        sqlite3.SQLITE_CANTOPEN: "cannot be opened; give this user read and write permission on the file and on its "
        "directory, or choose another data directory",
        sqlite3.SQLITE_NOTADB: "is not a database of carrel; move that file away or choose another data directory",
        sqlite3.SQLITE_CORRUPT: "is damaged; stop the server and restore the file from a backup",
        sqlite3.SQLITE_IOERR: "could not be read or written by the operating system; check the disk and its space, "
        "then try again",
    }
)


def is_busy(error: BaseException) -> bool:
    """Whether SQLite refused because another connection has locked the file."""
    return _code(error) == sqlite3.SQLITE_BUSY


def storage_error(path: Path, error: BaseException) -> StorageError:
    """The `StorageError` for what went wrong with the database at `path`."""
    original = _original(error)
    if isinstance(original, OSError):
        return StorageError(f"the database {path} {_operating_system_advice(original)}")
    advice = _ADVICE.get(_code(error))
    if advice is None:
        advice = f"refused ({original}); nothing was changed: run `carrel doctor` and try again"
    return StorageError(f"the database {path} {advice}")


def _original(error: BaseException) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def _code(error: BaseException) -> int:
    code = getattr(_original(error), "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else sqlite3.SQLITE_OK


def _operating_system_advice(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return _ADVICE[sqlite3.SQLITE_FULL]
    return f"({error.strerror}) {_ADVICE[sqlite3.SQLITE_CANTOPEN]}"


@contextmanager
def storage_failures(path: Path) -> Iterator[None]:
    """Everything that the database drivers raise inside becomes a `StorageError` about `path`."""
    try:
        yield
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:
        raise storage_error(path, error) from error
