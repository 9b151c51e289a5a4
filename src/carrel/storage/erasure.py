"""Deletes everything that is kept about a user."""

from __future__ import annotations

from sqlalchemy import Connection, delete

from carrel.context import UserContext, check_ambient
from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog
from carrel.storage.retention import check_idle
from carrel.storage.schema import metadata

__all__ = ["erase_user", "refuse_busy"]


async def refuse_busy(database: Database, context: UserContext) -> None:
    """Raise `ConflictError` (`user_busy`) while a run of the user is open."""
    check_ambient(context, "the database")
    await database.read(lambda connection: check_idle(context.user_id, connection.exec_driver_sql))


async def erase_user(database: Database, log: SqliteEventLog, context: UserContext) -> None:
    """Delete the user's log, every row that names the user in any table, and the account with its sessions.

    Deleting a thread is less: the events of its runs stay in the user's log until retention drops them.
    Raises `ConflictError` (`user_busy`) while a run of the user is open, or begins meanwhile: cancel the runs first.
    When it fails half-way the account is still there, and it can be done again.
    """
    check_ambient(context, "the database")
    await log.erase(context)

    def erase(connection: Connection) -> None:
        # A run that began after the log was erased would go on, and leave rows, for somebody who is gone.
        check_idle(context.user_id, connection.exec_driver_sql)
        # Children before their parents; the account, which every attempt starts from, in the same transaction.
        for table in reversed(metadata.sorted_tables):
            if "user_id" in table.c:
                connection.execute(delete(table).where(table.c.user_id == context.user_id))

    await database.write(erase)
