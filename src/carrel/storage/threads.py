"""A user's conversations in SQLite."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, tuple_, update

from carrel.context import RunId, ThreadId, UserContext, check_ambient, new_id
from carrel.errors import ConflictError, NotFoundError
from carrel.events import timestamp
from carrel.runtime.meters import UserMeters
from carrel.runtime.store import Message, Thread
from carrel.storage.database import Database
from carrel.storage.limits import Space
from carrel.storage.schema.tables import messages, runs, threads

__all__ = ["SqliteThreadStore"]

# Built once: they are executed for every run, and building one takes longer than executing it (docs/decisions/0026).
_ADD: Final = insert(threads)
_THREAD: Final = select(threads).where(
    threads.c.user_id == bindparam("user"), threads.c.thread_id == bindparam("thread")
)
_NEWEST_MESSAGES: Final = (
    select(messages)
    .where(messages.c.user_id == bindparam("user"), messages.c.thread_id == bindparam("thread"))
    .order_by(messages.c.position.desc())
    .limit(bindparam("limit"))
)


class SqliteThreadStore:
    """A `ThreadStore` on the database. `clock` gives POSIX seconds; `meters` say how much a user may have.

    Deleting a thread deletes its messages and run records at once; the events of its runs stay in the user's log,
    whose offsets have no gaps, until retention drops them or the user is erased.
    """

    def __init__(
        self, database: Database, *, clock: Callable[[], float] = time.time, meters: UserMeters | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._space = Space(meters)

    async def create_thread(self, context: UserContext, title: str) -> Thread:
        check_ambient(context, "the thread store")
        now = timestamp(self._clock())
        thread = Thread(ThreadId(new_id()), title, now, now)
        row = {"user_id": context.user_id, **thread._asdict()}

        def create(connection: Connection) -> Thread:
            self._space.check(connection, context)
            connection.execute(_ADD, row)
            return thread

        with self._space.counted(context):
            return await self._database.write(create)

    async def list_threads(
        self, context: UserContext, *, limit: int = 100, before: str | None = None
    ) -> Sequence[Thread]:
        check_ambient(context, "the thread store")

        def page(connection: Connection) -> Sequence[Thread]:
            query = select(threads).where(threads.c.user_id == context.user_id)
            if before is not None:
                last = _require(connection, context, ThreadId(before))
                place = tuple_(threads.c.updated_at, threads.c.thread_id)
                query = query.where(place < (last.updated_at, last.thread_id))
            newest_first = query.order_by(threads.c.updated_at.desc(), threads.c.thread_id.desc()).limit(limit)
            return [_thread(row) for row in connection.execute(newest_first)]

        return await self._database.read(page)

    async def get_thread(self, context: UserContext, thread_id: ThreadId) -> Thread:
        check_ambient(context, "the thread store")
        return await self._database.read(lambda connection: _require(connection, context, thread_id))

    async def rename_thread(self, context: UserContext, thread_id: ThreadId, title: str) -> Thread:
        check_ambient(context, "the thread store")
        statement = (
            update(threads)
            .where(threads.c.user_id == context.user_id, threads.c.thread_id == thread_id)
            .values(title=title)
            .returning(threads)
        )
        row = await self._database.write(lambda connection: connection.execute(statement).first())
        if row is None:
            raise NotFoundError("thread")
        return _thread(row)

    async def delete_thread(self, context: UserContext, thread_id: ThreadId) -> None:
        check_ambient(context, "the thread store")
        open_run = select(runs.c.run_id).where(
            runs.c.user_id == context.user_id, runs.c.thread_id == thread_id, runs.c.finished_at.is_(None)
        )

        def remove(connection: Connection) -> None:
            _require(connection, context, thread_id)
            if connection.execute(open_run).first() is not None:
                raise ConflictError("thread_busy", "a run of this thread is still going; cancel it or wait for its end")
            # Messages and run records go with it: their foreign keys cascade.
            connection.execute(
                delete(threads).where(threads.c.user_id == context.user_id, threads.c.thread_id == thread_id)
            )

        await self._database.write(remove)

    async def list_messages(self, context: UserContext, thread_id: ThreadId, *, limit: int = 200) -> Sequence[Message]:
        check_ambient(context, "the thread store")
        names = {"user": context.user_id, "thread": thread_id, "limit": limit}

        def newest(connection: Connection) -> Sequence[Message]:
            rows = connection.execute(_NEWEST_MESSAGES, names).all()
            if not rows:
                _require(connection, context, thread_id)
            return [_message(row) for row in reversed(rows)]

        return await self._database.read(newest)


def _require(connection: Connection, context: UserContext, thread_id: ThreadId) -> Thread:
    row = connection.execute(_THREAD, {"user": context.user_id, "thread": thread_id}).first()
    if row is None:
        raise NotFoundError("thread")
    return _thread(row)


def _thread(row: Row[Any]) -> Thread:
    return Thread(ThreadId(row.thread_id), row.title, row.created_at, row.updated_at)


def _message(row: Row[Any]) -> Message:
    return Message(row.message_id, RunId(row.run_id), row.role, row.text, row.created_at)
