"""What SQLite refuses becomes an error that says what to do."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from carrel.errors import NotFoundError, StorageError
from carrel.storage.failures import is_busy, storage_error, storage_failures

PATH = Path("/data/carrel.db")


def refused(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("refused")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (sqlite3.SQLITE_BUSY, "try again"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "close whatever else has the file open"),
        (sqlite3.SQLITE_LOCKED, "try again"),
        (sqlite3.SQLITE_FULL, "free some space"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "write permission"),
        (sqlite3.SQLITE_PERM, "permission"),
        (sqlite3.SQLITE_CANTOPEN, "another data directory"),
        (sqlite3.SQLITE_NOTADB, "move that file away"),
        (sqlite3.SQLITE_CORRUPT, "restore the file from a backup"),
        (sqlite3.SQLITE_IOERR_FSYNC, "check the disk"),
        (sqlite3.SQLITE_ERROR, "carrel doctor"),
    ],
)
def test_every_refusal_names_the_file_and_what_to_do(code: int, advice: str) -> None:
    for error in (refused(code), DBAPIError("SELECT 1", {}, refused(code))):
        message = str(storage_error(PATH, error))
        assert str(PATH) in message
        assert advice in message


def test_only_a_lock_of_another_is_busy() -> None:
    assert is_busy(refused(sqlite3.SQLITE_BUSY))
    assert is_busy(DBAPIError("SELECT", {}, refused(sqlite3.SQLITE_BUSY_RECOVERY)))
    assert not is_busy(refused(sqlite3.SQLITE_LOCKED))
    assert not is_busy(OSError(errno.EBUSY, "busy"))


def test_a_full_disk_is_told_from_a_missing_permission() -> None:
    assert "free some space" in str(storage_error(PATH, OSError(errno.ENOSPC, "No space left on device")))
    assert "permission" in str(storage_error(PATH, PermissionError(errno.EACCES, "Permission denied")))


def test_statement_and_parameters_do_not_reach_the_message() -> None:
    error = DBAPIError("SELECT secret FROM users", {"name": "ada"}, refused(sqlite3.SQLITE_ERROR))
    assert "secret" not in str(storage_error(PATH, error))
    assert "ada" not in str(storage_error(PATH, error))


@pytest.mark.parametrize("error", [refused(sqlite3.SQLITE_FULL), OSError(errno.EIO, "I/O"), InvalidRequestError("no")])
def test_the_context_manager_turns_driver_errors_and_keeps_the_cause(error: Exception) -> None:
    with pytest.raises(StorageError) as caught, storage_failures(PATH):
        raise error
    assert caught.value.__cause__ is error


def test_the_context_manager_lets_other_errors_pass() -> None:
    with pytest.raises(NotFoundError), storage_failures(PATH):
        raise NotFoundError("thread")
