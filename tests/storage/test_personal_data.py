"""What is kept about one user, and nothing about another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carrel.context import RequestId, UserContext, UserId, ambient_context
from carrel.errors import IsolationError
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database
from carrel.storage.personal_data import count_personal_data, personal_rows, personal_tables
from carrel.storage.schema import metadata
from carrel.storage.schema.tables import threads, users
from carrel.storage.threads import SqliteThreadStore


def context(user_id: str) -> UserContext:
    return UserContext(user_id=UserId(user_id), request_id=RequestId("r"))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(tmp_path / "carrel.db")
    yield opened
    await opened.close()


def test_every_table_with_a_user_is_personal() -> None:
    named = {table.name for table in personal_tables()}
    assert named == {name for name, table in metadata.tables.items() if "user_id" in table.c}
    assert {"users", "threads", "messages", "runs", "event_log", "usage_records"} <= named
    # The one table without a user belongs to a session, which does.
    assert set(metadata.tables) - named == {"refresh_tokens"}


async def test_rows_are_those_of_the_user_in_pages(database: Database) -> None:
    store = SqliteThreadStore(database)
    made = [(await store.create_thread(context("ann"), f"t{number}")).thread_id for number in range(1005)]
    await store.create_thread(context("bob"), "of bob")
    pages = [page async for page in personal_rows(database, context("ann"), threads)]
    assert [len(page) for page in pages] == [1000, 5]
    assert [row["thread_id"] for page in pages for row in page] == sorted(made)
    assert {row["user_id"] for page in pages for row in page} == {"ann"}


async def test_password_hashes_are_left_out(database: Database) -> None:
    account = await AccountStore(database).create("ann", "a hash", [])
    (rows,) = [page async for page in personal_rows(database, context(account.user_id), users)]
    assert "a hash" not in str(rows)
    assert rows[0]["name"] == "ann"


async def test_counts_are_those_of_the_user(database: Database) -> None:
    store = SqliteThreadStore(database)
    await store.create_thread(context("ann"), "one")
    counts = await count_personal_data(database, context("ann"))
    assert (counts.threads, counts.messages, counts.runs, counts.usage_records) == (1, 0, {}, 0)
    assert (await count_personal_data(database, context("bob"))).threads == 0


async def test_nobody_reads_while_working_for_another(database: Database) -> None:
    with ambient_context(context("bob")):
        with pytest.raises(IsolationError):
            await count_personal_data(database, context("ann"))
        with pytest.raises(IsolationError):
            await anext(personal_rows(database, context("ann"), threads))
