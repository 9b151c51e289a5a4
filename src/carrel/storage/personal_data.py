"""Everything that is kept about one user: counted, and read out for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table, func, select, tuple_

from carrel.context import UserContext, check_ambient
from carrel.storage.database import Database
from carrel.storage.schema import metadata
from carrel.storage.schema.tables import messages, runs, threads
from carrel.storage.schema.usage import usage_imports, usage_records

__all__ = ["PersonalCounts", "count_personal_data", "personal_rows", "personal_tables"]

# Of no use to the user, and of much to whoever finds the file.
_SECRET: Final = frozenset({"password_hash"})
_PAGE: Final = 1_000


class PersonalCounts(NamedTuple):
    """How much there is of a user."""

    threads: int
    messages: int
    runs: Mapping[str, int]
    """By state; a state that no run is in is not there."""
    usage_imports: int
    usage_records: int


def personal_tables() -> Sequence[Table]:
    """Every table whose rows belong to users; a new one is among them without being named here."""
    return tuple(table for table in metadata.sorted_tables if "user_id" in table.c)


async def count_personal_data(database: Database, context: UserContext) -> PersonalCounts:
    """Count what is kept about the user of `context`, at one moment."""
    check_ambient(context, "the database")

    def count(connection: Connection) -> PersonalCounts:
        def rows_of(table: Table) -> int:
            query = select(func.count()).select_from(table).where(table.c.user_id == context.user_id)
            return int(connection.execute(query).scalar_one())

        states = select(runs.c.state, func.count()).where(runs.c.user_id == context.user_id).group_by(runs.c.state)
        return PersonalCounts(
            threads=rows_of(threads),
            messages=rows_of(messages),
            runs={row[0]: row[1] for row in connection.execute(states)},
            usage_imports=rows_of(usage_imports),
            usage_records=rows_of(usage_records),
        )

    return await database.read(count)


async def personal_rows(
    database: Database, context: UserContext, table: Table
) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    """The user's rows of one of `personal_tables`, a thousand at a time, by primary key; password hashes left out.

    Every page is as of the moment when it is read: what comes or goes meanwhile may be in it or not, nothing is
    repeated, and nothing else is left out.
    """
    check_ambient(context, "the database")
    key = tuple(table.primary_key.columns)
    columns = [column for column in table.c if column.name not in _SECRET]
    query = select(*columns).where(table.c.user_id == context.user_id).order_by(*key).limit(_PAGE)

    def page(after: Mapping[str, Any] | None) -> Callable[[Connection], Sequence[Mapping[str, Any]]]:
        rest = query if after is None else query.where(tuple_(*key) > tuple(after[column.name] for column in key))
        return lambda connection: [dict(row) for row in connection.execute(rest).mappings()]

    rows = await database.read(page(None))
    while rows:
        yield rows
        rows = await database.read(page(rows[-1])) if len(rows) == _PAGE else ()
