"""Erasing a user leaves no row that names them."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import cast

import pytest

from carrel.context import UserContext, UserId, ambient_context
from carrel.errors import ConflictError, IsolationError
from carrel.storage.accounts import AccountStore
from carrel.storage.database import Database
from carrel.storage.erasure import erase_user
from carrel.storage.event_log import SqliteEventLog
from carrel.storage.schema import metadata
from tests.contracts.subjects import Stores, completed, run_context, started, user


async def live(stores: Stores, accounts: AccountStore, name: str) -> UserId:
    """Leave something of that user in every store."""
    account = await accounts.create(name, "hash", ())
    await accounts.open_session(account.user_id, f"token of {name}", 2e9)
    context = run_context(account.user_id)
    await stores.runs.create_run(context, agent="a", input="why?", idempotency_key="k", new_thread_title="Bills")
    await stores.log.append(context, [started(context), completed(context)])
    stores.log.acknowledge(context, 1)
    await stores.values.put_value(context, "key", 1)
    return account.user_id


def mentions(database: Database, text: str) -> list[str]:
    with closing(sqlite3.connect(database.path)) as connection:
        found = []
        for table in metadata.sorted_tables:
            for row in connection.execute(f"SELECT * FROM {table.name}"):
                if text in str(row):
                    found.append(table.name)
        return found


async def test_nothing_that_names_the_user_is_left_and_others_keep_theirs(stores: Stores, database: Database) -> None:
    assert isinstance(stores.log, SqliteEventLog)
    accounts = AccountStore(database)
    ada, bob = [await live(stores, accounts, name) for name in ("ada", "bob")]
    before = await asyncio.to_thread(mentions, database, bob)
    assert len(await asyncio.to_thread(mentions, database, ada)) == len(before)
    await erase_user(database, stores.log, user(ada))
    assert await asyncio.to_thread(mentions, database, ada) == []
    assert await asyncio.to_thread(mentions, database, "token of ada") == []
    assert await asyncio.to_thread(mentions, database, bob) == before
    assert await accounts.by_name("ada") is None
    assert (await accounts.create("ada", "hash", ())).user_id != ada


async def test_a_user_with_an_open_run_stays_whole(stores: Stores, database: Database) -> None:
    assert isinstance(stores.log, SqliteEventLog)
    ada = await live(stores, AccountStore(database), "ada")
    context = run_context(ada)
    await stores.log.append(context, [started(context)])
    before = await asyncio.to_thread(mentions, database, ada)
    with pytest.raises(ConflictError, match="still going"):
        await erase_user(database, stores.log, user(ada))
    assert await asyncio.to_thread(mentions, database, ada) == before


async def test_a_user_with_a_run_in_the_queue_stays_whole(stores: Stores, database: Database) -> None:
    assert isinstance(stores.log, SqliteEventLog)
    context = run_context("ada")
    await stores.runs.create_run(context, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
    with pytest.raises(ConflictError, match="still going"):
        await erase_user(database, stores.log, context)
    assert (await stores.runs.get_run(context, context.run_id)).state == "queued"


async def test_a_run_that_begins_meanwhile_keeps_the_account(stores: Stores, database: Database) -> None:
    assert isinstance(stores.log, SqliteEventLog)
    erase = stores.log.erase

    class ThenARun:
        async def erase(self, context: UserContext) -> None:
            await erase(context)
            begun = run_context(ada)
            await stores.runs.create_run(begun, agent="a", input="?", idempotency_key=None, new_thread_title="Bills")

    accounts = AccountStore(database)
    ada = await live(stores, accounts, "ada")
    with pytest.raises(ConflictError, match="still going"):
        await erase_user(database, cast("SqliteEventLog", ThenARun()), user(ada))
    assert await accounts.by_name("ada") is not None


async def test_nobody_is_erased_while_working_for_another(stores: Stores, database: Database) -> None:
    assert isinstance(stores.log, SqliteEventLog)
    with ambient_context(user("bob")), pytest.raises(IsolationError):
        await erase_user(database, stores.log, user("ada"))
