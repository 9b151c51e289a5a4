"""How much is stored for each user is true, whatever is written and deleted, and by whom."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, pool, select

from carrel.context import ThreadId, UserContext
from carrel.storage.database import Database
from carrel.storage.erasure import erase_user
from carrel.storage.event_log import SqliteEventLog
from carrel.storage.migration import migration_config
from carrel.storage.schema.limits import ROW_BYTES, TRIGGERS, stored_bytes
from carrel.storage.usage import ImportFailure, UsageRecord, UsageStore
from tests.contracts.subjects import Stores, run_context, thought, user, whole_run

COUNTED = """
SELECT count(*) * 100 + coalesce(sum(length(body)), 0) FROM event_log WHERE user_id = :user UNION ALL
SELECT count(*) * 100 + coalesce(sum(length(CAST(title AS BLOB))), 0) FROM threads WHERE user_id = :user UNION ALL
SELECT count(*) * 100 + coalesce(sum(length(CAST(input || coalesce(output, '') AS BLOB))), 0)
FROM runs WHERE user_id = :user UNION ALL
SELECT count(*) * 100 + coalesce(sum(length(CAST(text AS BLOB))), 0) FROM messages WHERE user_id = :user UNION ALL
SELECT count(*) * 100 + coalesce(sum(length(CAST(key || value AS BLOB))), 0)
FROM user_values WHERE user_id = :user UNION ALL
SELECT count(*) * 100 + coalesce(sum(rows_imported), 0) * 100 FROM usage_imports WHERE user_id = :user
"""
RECORD = UsageRecord(time=1, provider="p", model="m", input_tokens=1, output_tokens=1)


async def kept(database: Database, context: UserContext) -> int:
    """What is noted for the user, after comparing it with what is there."""

    def look(connection: Connection) -> int:
        noted = connection.execute(
            select(stored_bytes.c.bytes).where(stored_bytes.c.user_id == context.user_id)
        ).scalar_one_or_none()
        raw = connection.connection.execute(COUNTED, {"user": context.user_id})
        assert (noted or 0) == sum(size for (size,) in raw.fetchall())
        return noted or 0

    return await database.read(look)


async def test_every_kind_of_row_counts_when_it_comes_changes_and_goes(database: Database, stores: Stores) -> None:
    ada, usage = user("ada"), UsageStore(database)
    sizes = [await kept(database, ada)]

    async def grown() -> bool:
        sizes.append(await kept(database, ada))
        return sizes[-1] > sizes[-2]

    async def shrunk() -> bool:
        return not await grown() and sizes[-1] < sizes[-2]

    thread = await stores.threads.create_thread(ada, "größer")
    assert await grown()
    await stores.threads.rename_thread(ada, thread.thread_id, "größer als vorher")
    assert await grown()
    context = run_context("ada", thread_id=thread.thread_id)
    await stores.runs.create_run(context, agent="a", input="frage?", idempotency_key=None, new_thread_title=None)
    assert await grown()
    await stores.log.append(context, whole_run(context))
    assert await grown()
    await stores.values.put_value(ada, "k", "short")
    assert await grown()
    await stores.values.put_value(ada, "k", "a longer one")
    assert await grown()
    await stores.values.delete_value(ada, "k")
    assert await shrunk()
    await usage.create_import(ada, "one", "file.csv")
    await usage.add_records(ada, "one", [RECORD] * 50, rows_read=50)
    assert await grown()
    assert sizes[-1] - sizes[-2] == 51 * ROW_BYTES
    await usage.reject_import(ada, "one", ImportFailure("x", "y"))
    assert await shrunk()
    await usage.remove_import(ada, "one")
    assert await shrunk()
    await stores.threads.delete_thread(ada, thread.thread_id)
    assert await shrunk()
    assert await kept(database, user("bob")) == 0


async def test_retention_and_erasure_give_the_space_back(database: Database, stores: Stores) -> None:
    ada, bob = run_context("ada"), run_context("bob")
    assert isinstance(stores.log, SqliteEventLog)
    for context in (ada, bob):
        await stores.log.append(context, [thought(context) for _ in range(30)])
    before = await kept(database, ada)
    await stores.log.retain(10, None)
    after = await kept(database, ada)
    assert after == pytest.approx(before / 3, rel=0.1)
    await stores.threads.create_thread(ada, "x")
    await erase_user(database, stores.log, ada)
    assert await kept(database, ada) == 0
    assert await kept(database, bob) == pytest.approx(after, rel=0.01)


def test_a_file_that_is_migrated_knows_what_was_in_it_before(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{path}", poolclass=pool.NullPool)
    config = migration_config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql("INSERT INTO threads VALUES ('ada', 't', 'title', 'now', 'now')")
        connection.exec_driver_sql("INSERT INTO event_log VALUES ('ada', 1, 'r', 0, 1.0, x'616263')")
        connection.exec_driver_sql("INSERT INTO user_values VALUES ('bob', 'k', '12345')")
        command.upgrade(config, "0003")
    with closing(sqlite3.connect(path)) as connection:
        assert dict(connection.execute("SELECT user_id, bytes FROM stored_bytes")) == {"ada": 208, "bob": 106}
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert found == {trigger.split()[2] for trigger in TRIGGERS}


async def test_one_user_never_counts_for_another(database: Database, stores: Stores) -> None:
    for name in ("ada", "bob"):
        await stores.threads.create_thread(user(name), name * 10)
    before = await kept(database, user("bob"))
    await stores.threads.create_thread(user("ada"), "more")
    threads = await stores.threads.list_threads(user("ada"))
    await stores.threads.delete_thread(user("ada"), ThreadId(threads[-1].thread_id))
    assert await kept(database, user("bob")) == before
