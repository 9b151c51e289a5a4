"""A user's runs in SQLite; from their first event on they follow the event log (see `projection`)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from carrel.context import RunId, ThreadId, UserContext, UserExecutionContext, check_ambient, new_id
from carrel.errors import NotFoundError
from carrel.events import timestamp
from carrel.runtime.meters import UserMeters
from carrel.runtime.store import RunRecord
from carrel.storage.database import Database
from carrel.storage.limits import Space
from carrel.storage.schema.tables import messages, runs, threads

__all__ = ["IDEMPOTENCY_SECONDS", "SqliteRunStore"]

IDEMPOTENCY_SECONDS: Final = 24 * 60 * 60
"""How long an idempotency key answers with the run that it first started."""

# Built once: they are executed for every run, and building one takes longer than executing it (docs/decisions/0026).
_RUN: Final = select(runs).where(runs.c.user_id == bindparam("user"), runs.c.run_id == bindparam("run"))
_TOUCH_THREAD: Final = (
    update(threads)
    .where(threads.c.user_id == bindparam("user"), threads.c.thread_id == bindparam("thread"))
    .values(updated_at=bindparam("now"))
)
_ADD_RUN: Final = insert(runs)
_ADD_MESSAGE: Final = insert(messages)


class SqliteRunStore:
    """A `RunStore` on the database. `clock` gives POSIX seconds; `meters` say how much a user may have."""

    def __init__(
        self, database: Database, *, clock: Callable[[], float] = time.time, meters: UserMeters | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._space = Space(meters)

    async def create_run(
        self,
        context: UserExecutionContext,
        *,
        agent: str,
        input: str,
        idempotency_key: str | None,
        new_thread_title: str | None,
    ) -> tuple[RunRecord, bool]:
        check_ambient(context, "the run store")
        now = timestamp(self._clock())
        record = RunRecord.queued(context, agent=agent, input=input, created_at=now)

        def create(connection: Connection) -> tuple[RunRecord, bool]:
            if idempotency_key is not None:
                earlier = self._earlier(connection, context, idempotency_key)
                if earlier is not None:
                    return earlier, False
                _free(connection, context, idempotency_key)
            self._space.check(connection, context)
            if new_thread_title is not None:
                _add_thread(connection, context, new_thread_title, now)
            else:
                _touch_thread(connection, context, now)
            _add_run(connection, context, record, idempotency_key)
            return record, True

        with self._space.counted(context):
            return await self._database.write(create)

    async def find_run(self, context: UserContext, idempotency_key: str) -> RunRecord | None:
        check_ambient(context, "the run store")
        return await self._database.read(lambda connection: self._earlier(connection, context, idempotency_key))

    async def get_run(self, context: UserContext, run_id: RunId) -> RunRecord:
        check_ambient(context, "the run store")
        names = {"user": context.user_id, "run": run_id}
        row = await self._database.read(lambda connection: connection.execute(_RUN, names).first())
        if row is None:
            raise NotFoundError("run")
        return _record(row)

    async def open_runs(self, context: UserContext, thread_id: ThreadId) -> Sequence[RunRecord]:
        check_ambient(context, "the run store")
        query = (
            select(runs)
            .where(runs.c.user_id == context.user_id, runs.c.thread_id == thread_id, runs.c.finished_at.is_(None))
            .order_by(runs.c.position)
        )
        return await self._database.read(lambda connection: [_record(row) for row in connection.execute(query)])

    async def forget_run(self, context: UserContext, run_id: RunId) -> None:
        check_ambient(context, "the run store")

        def forget(connection: Connection) -> None:
            mine = (runs.c.user_id == context.user_id) & (runs.c.run_id == run_id)
            if not connection.execute(update(runs).where(mine).values(forgotten=True)).rowcount:
                raise NotFoundError("run")
            connection.execute(
                delete(messages).where(messages.c.user_id == context.user_id, messages.c.run_id == run_id)
            )

        await self._database.write(forget)

    def _earlier(self, connection: Connection, context: UserContext, key: str) -> RunRecord | None:
        query = select(runs).where(
            runs.c.user_id == context.user_id,
            runs.c.idempotency_key == key,
            runs.c.created_at > timestamp(self._clock() - IDEMPOTENCY_SECONDS),
        )
        row = connection.execute(query).first()
        return None if row is None else _record(row)


def _free(connection: Connection, context: UserContext, key: str) -> None:
    """Take the key from a run that it started before its window; the index allows it once."""
    mine = (runs.c.user_id == context.user_id) & (runs.c.idempotency_key == key)
    connection.execute(update(runs).where(mine).values(idempotency_key=None))


def _add_thread(connection: Connection, context: UserExecutionContext, title: str, now: str) -> None:
    row = {"user_id": context.user_id, "thread_id": context.thread_id, "title": title}
    connection.execute(insert(threads), {**row, "created_at": now, "updated_at": now})


def _touch_thread(connection: Connection, context: UserExecutionContext, now: str) -> None:
    names = {"user": context.user_id, "thread": context.thread_id, "now": now}
    if not connection.execute(_TOUCH_THREAD, names).rowcount:
        raise NotFoundError("thread")


def _add_run(connection: Connection, context: UserExecutionContext, record: RunRecord, key: str | None) -> None:
    row = {"user_id": context.user_id, **record._asdict(), "idempotency_key": key, "forgotten": False}
    connection.execute(_ADD_RUN, row)
    message = {
        "user_id": context.user_id,
        "message_id": new_id(),
        "thread_id": context.thread_id,
        "run_id": context.run_id,
        "role": "user",
        "text": record.input,
        "created_at": record.created_at,
    }
    connection.execute(_ADD_MESSAGE, message)


def _record(row: Row[Any]) -> RunRecord:
    return RunRecord(
        run_id=RunId(row.run_id),
        thread_id=ThreadId(row.thread_id),
        request_id=row.request_id,
        agent=row.agent,
        input=row.input,
        state=row.state,
        output=row.output,
        error_code=row.error_code,
        error_message=row.error_message,
        usage=row.usage,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
