"""A user's imported AI usage: written in pieces, visible only when the whole import has succeeded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, insert, select, update

from carrel.context import UserContext, check_ambient
from carrel.errors import ConflictError, NotFoundError
from carrel.events import timestamp
from carrel.runtime.meters import UserMeters
from carrel.storage.database import Database
from carrel.storage.limits import Space
from carrel.storage.schema.usage import usage_imports, usage_records

__all__ = [
    "ImportFailure",
    "ImportRecord",
    "ImportState",
    "RejectedRow",
    "UsageRecord",
    "UsageStore",
    "visible_records",
]

ImportState = Literal["running", "succeeded", "failed", "interrupted", "removing"]

REMOVED_AT_ONCE: Final = 20_000
"""Records that one transaction removes: the event log waits for the same write lock."""
KEPT_REJECTIONS: Final = 100
"""Rejected rows that are described; all of them are counted."""


class UsageRecord(NamedTuple):
    """What one request to a model used, or several requests of one kind that were counted together."""

    time: int
    """When, in microseconds since 1970 UTC."""
    provider: str
    model: str
    input_tokens: int
    """Cached ones included."""
    output_tokens: int
    cached_input_tokens: int = 0
    """Those of the input tokens that the provider read from its cache."""
    tag: str = ""
    """What the user filed it under; empty for nothing."""
    requests: int = 1
    """How many requests the tokens were used by."""
    batch: bool = False
    """Whether it went through the provider's batch interface."""
    latency_ms: float | None = None
    cost: int | None = None
    """What it cost in nano-dollars, where the file says so."""


class RejectedRow(NamedTuple):
    """A row of the file that is no usage record."""

    row: int
    """Line of the file, counted from 1 as an editor does."""
    field: str
    reason: str


class ImportFailure(NamedTuple):
    """Why an import as a whole has not succeeded."""

    code: str
    """Stable for clients."""
    message: str
    """For people: what to do."""
    columns: tuple[str, ...] = ()
    """The columns that the file has, where that helps."""
    missing: tuple[str, ...] = ()
    """The fields that no column was found for."""


class ImportRecord(NamedTuple):
    """One import, as far as it has come."""

    import_id: str
    state: ImportState
    file_name: str
    rows_read: int
    rows_imported: int
    rows_rejected: int
    rejected: tuple[RejectedRow, ...]
    failure: ImportFailure | None
    created_at: str
    finished_at: str | None


def visible_records(context: UserContext) -> ColumnElement[bool]:
    """The condition under which a record counts: it is this user's, and its import has succeeded."""
    check_ambient(context, "the usage records")
    succeeded = select(usage_imports.c.number).where(
        usage_imports.c.user_id == context.user_id, usage_imports.c.state == "succeeded"
    )
    return and_(usage_records.c.user_id == context.user_id, usage_records.c.import_number.in_(succeeded))


class UsageStore:
    """Imports and records of usage. Every method takes the context and reaches only that user's.

    An import that is not this user's raises the same `NotFoundError` as one that never was. `meters` say how much a
    user may have: beyond it `create_import` and `add_records` raise `LimitExceededError`.
    """

    def __init__(self, database: Database, *, meters: UserMeters | None = None) -> None:
        self.database: Final = database
        self._space = Space(meters)

    async def create_import(self, context: UserContext, import_id: str, file_name: str) -> ImportRecord:
        """Begin an import: state `running`, no records."""
        check_ambient(context, "the usage imports")
        now = timestamp(time.time())
        last = select(func.coalesce(func.max(usage_imports.c.number), 0)).where(
            usage_imports.c.user_id == context.user_id
        )

        def create(connection: Connection) -> None:
            self._space.check(connection, context)
            connection.execute(
                insert(usage_imports).values(
                    user_id=context.user_id,
                    import_id=import_id,
                    number=connection.execute(last).scalar_one() + 1,
                    state="running",
                    file_name=file_name,
                    rows_read=0,
                    rows_imported=0,
                    rows_rejected=0,
                    rejected=[],
                    columns=[],
                    missing=[],
                    created_at=now,
                )
            )

        with self._space.counted(context):
            await self.database.write(create)
        return ImportRecord(import_id, "running", file_name, 0, 0, 0, (), None, now, None)

    async def add_records(
        self,
        context: UserContext,
        import_id: str,
        records: Sequence[UsageRecord],
        *,
        rows_read: int,
        rejected: Sequence[RejectedRow] = (),
        rows_rejected: int = 0,
    ) -> None:
        """Write the next records of a running import, and how far it has come, in one transaction.

        `rows_read`, `rejected` and `rows_rejected` are totals. The records are not visible yet. Raises `ConflictError`
        (`import_over`) when the import is not running any more.
        """
        own = _is(context, import_id)

        def add(connection: Connection) -> None:
            row = _running(connection, own)
            done: int = row.rows_imported
            if records:
                self._space.check(connection, context)
                keys = {"user_id": context.user_id, "import_number": row.number}
                values = [
                    {**keys, "number": number, **record._asdict()} for number, record in enumerate(records, done + 1)
                ]
                connection.execute(insert(usage_records), values)
            connection.execute(
                update(usage_imports)
                .where(own)
                .values(
                    rows_read=rows_read,
                    rows_imported=done + len(records),
                    rows_rejected=rows_rejected,
                    rejected=_rejections(rejected),
                )
            )

        with self._space.counted(context):
            await self.database.write(add)

    async def finish_import(self, context: UserContext, import_id: str) -> ImportRecord:
        """Make every record of the import visible, all at once. Raises `ConflictError` when it is over already."""
        own = _is(context, import_id)
        done = {"state": "succeeded", "finished_at": timestamp(time.time())}

        def finish(connection: Connection) -> ImportRecord:
            _running(connection, own)
            finished = update(usage_imports).where(own).values(done).returning(usage_imports)
            return _record(connection.execute(finished).one())

        return await self.database.write(finish)

    async def reject_import(
        self,
        context: UserContext,
        import_id: str,
        failure: ImportFailure,
        *,
        state: Literal["failed", "interrupted"] = "failed",
        rows_read: int | None = None,
        rejected: Sequence[RejectedRow] | None = None,
        rows_rejected: int | None = None,
    ) -> ImportRecord:
        """End a running import without any record of it; what was written so far is removed."""
        own = _is(context, import_id)
        values: dict[str, Any] = {
            "state": state,
            "code": failure.code,
            "message": failure.message,
            "columns": list(failure.columns),
            "missing": list(failure.missing),
            "rows_imported": 0,
            "finished_at": timestamp(time.time()),
        }
        if rows_read is not None:
            values["rows_read"] = rows_read
        if rows_rejected is not None:
            values["rows_rejected"] = rows_rejected
        if rejected is not None:
            values["rejected"] = _rejections(rejected)

        def reject(connection: Connection) -> Row[Any]:
            _running(connection, own)
            rejection = update(usage_imports).where(own).values(values).returning(usage_imports)
            return connection.execute(rejection).one()

        row = await self.database.write(reject)
        await self._remove_records(context.user_id, row.number)
        return _record(row)

    async def get_import(self, context: UserContext, import_id: str) -> ImportRecord:
        """How far the import has come."""
        query = _select(_is(context, import_id))
        row = await self.database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None or row.state == "removing":
            raise NotFoundError("import")
        return _record(row)

    async def list_imports(self, context: UserContext, *, limit: int = 100) -> Sequence[ImportRecord]:
        """The newest imports, newest first."""
        check_ambient(context, "the usage imports")
        query = (
            select(usage_imports)
            .where(usage_imports.c.user_id == context.user_id, usage_imports.c.state != "removing")
            .order_by(usage_imports.c.number.desc())
            .limit(limit)
        )
        return await self.database.read(lambda connection: [_record(row) for row in connection.execute(query)])

    async def remove_import(self, context: UserContext, import_id: str) -> None:
        """Forget an import with all its records. Raises `ConflictError` (`import_running`) while it runs."""
        own = _is(context, import_id)

        def hide(connection: Connection) -> int:
            row = connection.execute(_select(own)).one_or_none()
            if row is None or row.state == "removing":
                raise NotFoundError("import")
            if row.state == "running":
                raise ConflictError("import_running", "this import is still running; wait until it is over")
            # Not visible from here on; the records follow in pieces, also after a crash.
            connection.execute(update(usage_imports).where(own).values(state="removing"))
            return int(row.number)

        await self._remove_records(context.user_id, await self.database.write(hide))
        await self.database.write(lambda connection: connection.execute(delete(usage_imports).where(own)))

    async def erase(self, context: UserContext) -> None:
        """Forget everything about this user's usage, whatever runs."""
        check_ambient(context, "the usage imports")

        def forget(connection: Connection) -> None:
            connection.execute(delete(usage_records).where(usage_records.c.user_id == context.user_id))
            connection.execute(delete(usage_imports).where(usage_imports.c.user_id == context.user_id))

        await self.database.write(forget)

    async def recover(self) -> int:
        """End what a crash left open: running imports become `interrupted` without records; returns how many.

        To be called once, before anything imports. Concerns every user, and tells nothing about any of them.
        """
        left = await self.database.write(_interrupt)
        for user_id, number in left.remains:
            await self._remove_records(user_id, number)
        gone = delete(usage_imports).where(usage_imports.c.state == "removing")
        await self.database.write(lambda connection: connection.execute(gone))
        return left.interrupted

    async def _remove_records(self, user_id: str, number: int) -> None:
        records = usage_records.c
        owned = and_(records.user_id == user_id, records.import_number == number)
        last = select(records.number).where(owned).order_by(records.number).offset(REMOVED_AT_ONCE - 1).limit(1)

        def remove_piece(connection: Connection) -> bool:
            """Whether there may be more."""
            bound = connection.execute(last).scalar_one_or_none()
            piece = owned if bound is None else and_(owned, records.number <= bound)
            connection.execute(delete(usage_records).where(piece))
            return bound is not None

        while await self.database.write(remove_piece):
            pass


class _Left(NamedTuple):
    """What a crash left of imports."""

    interrupted: int
    remains: Sequence[tuple[str, int]]
    """User and number of the imports whose records are to be removed."""


def _interrupt(connection: Connection) -> _Left:
    """End the running imports; what is left of them and of those whose removal did not come to its end."""
    imports = usage_imports.c
    unfinished = connection.execute(
        select(imports.user_id, imports.number, imports.state).where(imports.state.in_(("running", "removing")))
    ).all()
    has_records = (
        select(usage_records.c.number)
        .where(usage_records.c.user_id == imports.user_id, usage_records.c.import_number == imports.number)
        .exists()
    )
    remains = connection.execute(
        select(imports.user_id, imports.number).where(imports.state.in_(("failed", "interrupted")), has_records)
    ).all()
    connection.execute(
        update(usage_imports)
        .where(imports.state == "running")
        .values(
            state="interrupted",
            rows_imported=0,
            code="interrupted",
            message="the server stopped while this file was imported; nothing of it was kept: upload it again",
            finished_at=timestamp(time.time()),
        )
    )
    return _Left(
        sum(row.state == "running" for row in unfinished),
        [(row.user_id, row.number) for row in (*unfinished, *remains)],
    )


def _is(context: UserContext, import_id: str) -> ColumnElement[bool]:
    check_ambient(context, "the usage imports")
    return and_(usage_imports.c.user_id == context.user_id, usage_imports.c.import_id == import_id)


def _select(condition: ColumnElement[bool]) -> Select[Any]:
    return select(usage_imports).where(condition)


def _running(connection: Connection, condition: ColumnElement[bool]) -> Row[Any]:
    row = connection.execute(_select(condition)).one_or_none()
    if row is None:
        raise NotFoundError("import")
    if row.state != "running":
        raise ConflictError("import_over", "this import is over; start a new one")
    return row


def _rejections(rejected: Sequence[RejectedRow]) -> list[list[Any]]:
    return [list(one) for one in rejected[:KEPT_REJECTIONS]]


def _record(row: Row[Any]) -> ImportRecord:
    failure = None
    if row.code is not None:
        failure = ImportFailure(row.code, row.message, tuple(row.columns), tuple(row.missing))
    return ImportRecord(
        row.import_id,
        row.state,
        row.file_name,
        row.rows_read,
        row.rows_imported,
        row.rows_rejected,
        tuple(RejectedRow(*one) for one in row.rejected),
        failure,
        row.created_at,
        row.finished_at,
    )
