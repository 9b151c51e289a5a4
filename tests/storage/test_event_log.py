"""The event log on SQLite: the contract, and what only a log on a disk can get wrong."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from carrel.context import UserContext
from carrel.delivery.log import EventLog
from carrel.errors import ConflictError, StorageError, UnrecoverablePositionError
from carrel.storage import event_log as module
from carrel.storage import log_writer
from carrel.storage.database import Database
from carrel.storage.event_log import SqliteEventLog
from carrel.storage.projection import Projection
from tests.contracts.event_log import EventLogContract, everything, offsets, texts
from tests.contracts.subjects import Clock, Stores, completed, run_context, started, thought, user


@pytest.fixture
async def log(database: Database) -> AsyncIterator[SqliteEventLog]:
    log = await SqliteEventLog.open(database)
    yield log
    await log.close()


@pytest.fixture
def trim(log: SqliteEventLog) -> Callable[[UserContext, int], Awaitable[None]]:
    async def trim(context: UserContext, keep: int) -> None:
        await log.retain(keep, None)

    return trim


class TestSqliteEventLog(EventLogContract):
    pass


class TestSqliteEventLogWithoutMemory(EventLogContract):
    """Everything is read from the disk."""

    @pytest.fixture
    async def log(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EventLog]:
        monkeypatch.setattr(module, "_MEMORY_SIZE", 0)
        monkeypatch.setattr(module, "_MEMORY_USERS", 1)
        log = await SqliteEventLog.open(database)
        yield log
        await log.close()


def on_disk(database: Database, query: str, *values: Any) -> Awaitable[list[Any]]:
    def read() -> list[Any]:
        with closing(sqlite3.connect(database.path)) as connection:
            return connection.execute(query, values).fetchall()

    return asyncio.to_thread(read)


async def reopen(database: Database, log: SqliteEventLog) -> SqliteEventLog:
    await log.close()
    return await SqliteEventLog.open(database)


async def test_a_reopened_log_goes_on_where_it_was(database: Database, log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await log.append(ada, [thought(ada, "1"), thought(ada, "2")])
    log.acknowledge(ada, 1)
    before = await log.state(ada)
    again = await reopen(database, log)
    assert await again.state(ada) == before
    assert offsets(await again.append(ada, [thought(ada, "3")])) == [3]
    assert texts(await everything(again, ada)) == ["1", "2", "3"]
    await again.close()


async def test_an_epoch_survives_even_without_events(database: Database, log: SqliteEventLog) -> None:
    before = await log.state(user("ada"))
    again = await reopen(database, log)
    assert await again.state(user("ada")) == before
    await again.close()


async def test_what_append_returned_is_on_the_disk(database: Database, log: SqliteEventLog) -> None:
    ada = run_context("ada")
    logged = await log.append(ada, [thought(ada), completed(ada)])
    rows = await on_disk(database, "SELECT offset, run_id, ends_run, body FROM event_log WHERE user_id = 'ada'")
    assert rows == [(event.offset, event.run_id, event.ends_run, event.body) for event in logged]
    assert await on_disk(database, "SELECT top FROM log_state WHERE user_id = 'ada'") == [(2,)]


async def test_a_closed_log_says_so(log: SqliteEventLog) -> None:
    await log.close()
    await log.close()
    with pytest.raises(StorageError, match="closed"):
        await log.append(user("ada"), [thought(run_context("ada"))])
    with pytest.raises(StorageError, match="closed"):
        await log.state(user("ada"))


async def test_appends_in_line_are_written_before_the_log_is_closed(database: Database, log: SqliteEventLog) -> None:
    ada = run_context("ada")
    tasks = [asyncio.ensure_future(log.append(ada, [thought(ada)])) for _ in range(100)]
    await asyncio.sleep(0)
    await log.close()
    assert sorted(event.offset for part in await asyncio.gather(*tasks) for event in part) == list(range(1, 101))
    assert await on_disk(database, "SELECT count(*), max(offset) FROM event_log") == [(100, 100)]


async def test_a_second_process_is_refused_while_the_first_has_the_log(
    database: Database, log: SqliteEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carrel.storage.log_owner._HANDOVER_SECONDS", 0.0)
    with pytest.raises(StorageError, match="another carrel process is serving"):
        await SqliteEventLog.open(database)


async def test_a_log_that_could_not_be_opened_is_not_held(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("no")

    with monkeypatch.context() as patch:
        patch.setattr(log_writer, "_connect", refuse)
        with pytest.raises(StorageError, match=r"carrel\.db"):
            await SqliteEventLog.open(database)
    log = await SqliteEventLog.open(database)
    await log.close()


async def test_reading_needs_a_limit(log: SqliteEventLog) -> None:
    with pytest.raises(ValueError, match="limit"):
        await log.read(user("ada"), 0, 0)


async def limit_pages(log: SqliteEventLog, more: int) -> None:
    """Let the file grow by `more` pages and no further, as on a disk that is full."""

    def limit(connection: sqlite3.Connection, _heads: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + more}")

    await log._write(limit)


async def test_a_full_disk_fails_the_append_and_memory_stays_with_the_disk(
    database: Database, log: SqliteEventLog
) -> None:
    ada, bob = run_context("ada"), run_context("bob")
    await log.append(ada, [thought(ada, "kept")])
    await log.state(bob)
    await limit_pages(log, 0)
    results = await asyncio.gather(
        log.append(ada, [thought(ada, "x" * 50_000)]),
        log.append(bob, [thought(bob, "small")]),
        return_exceptions=True,
    )
    assert all(isinstance(result, StorageError) and "disk is full" in str(result) for result in results)
    assert (await log.state(ada)).top == 1
    assert texts(await everything(log, ada)) == ["kept"]
    assert (await log.state(bob)).top == 0
    await limit_pages(log, 1000)
    assert offsets(await log.append(ada, [thought(ada, "next")])) == [2]
    assert offsets(await log.append(bob, [thought(bob, "first")])) == [1]
    assert await on_disk(database, "SELECT user_id, offset FROM event_log ORDER BY 1, 2") == [
        *(("ada", 1), ("ada", 2), ("bob", 1)),
    ]


async def test_a_full_disk_does_not_change_the_epoch_of_a_new_log(log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await limit_pages(log, 0)
    with pytest.raises(StorageError, match="disk is full; free some space"):
        await log.append(ada, [thought(ada, "x" * 50_000)])
    epoch = (await log.state(ada)).epoch
    await limit_pages(log, 1000)
    await log.append(ada, [thought(ada)])
    assert (await log.state(ada)).epoch == epoch


async def test_a_file_that_another_process_locks_fails_the_append(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "BUSY_SECONDS", 0.05)
    log = await SqliteEventLog.open(database)
    ada = run_context("ada")
    await log.append(ada, [thought(ada, "kept")])

    def lock() -> sqlite3.Connection:
        other = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        return other

    with closing(await asyncio.to_thread(lock)):
        with pytest.raises(StorageError, match="is locked.*try again"):
            await log.append(ada, [thought(ada, "lost")])
        assert texts(await log.read(ada, 0, 64)) == ["kept"]
    assert offsets(await log.append(ada, [thought(ada, "next")])) == [2]
    await log.close()


async def test_a_cancelled_append_says_whether_it_was_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "BUSY_SECONDS", 0.1)
    log = await SqliteEventLog.open(database)
    ada = run_context("ada")

    async def cancelled(text: str, times: int) -> BaseException:
        task = asyncio.create_task(log.append(ada, [thought(ada, text)]))
        for _ in range(times):
            await asyncio.sleep(0)
            task.cancel()
        return (await asyncio.gather(task, return_exceptions=True))[0]  # type: ignore[return-value]

    def lock() -> sqlite3.Connection:
        other = sqlite3.connect(database.path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        return other

    for times in (1, 3):
        with closing(await asyncio.to_thread(lock)):
            assert isinstance(await cancelled("refused", times), StorageError)
        assert isinstance(await cancelled("written", times), asyncio.CancelledError)
    assert texts(await everything(log, ada)) == ["written", "written"]
    await log.close()


async def test_the_writer_survives_whatever_goes_wrong_in_a_group(
    log: SqliteEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = run_context("ada")

    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Projection, "write", fail)
        with pytest.raises(StorageError, match="nothing was changed"):
            await log.append(ada, [thought(ada)])
        with pytest.raises(StorageError, match="nothing was changed"):
            await log._write(fail)
    assert offsets(await log.append(ada, [thought(ada)])) == [1]


async def test_an_append_is_one_group_of_any_size(log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await log.append(ada, [thought(ada) for _ in range(1000)])
    assert offsets(await everything(log, ada)) == list(range(1, 1001))


async def test_a_user_who_was_forgotten_by_memory_reads_everything(log: SqliteEventLog) -> None:
    ada = run_context("ada")
    for _ in range(30):
        await log.append(ada, [thought(ada) for _ in range(60)])
    assert log.statistics().events < 1800
    assert offsets(await everything(log, ada)) == list(range(1, 1801))


async def test_the_watermark_reaches_the_disk_and_is_never_ahead(
    database: Database, log: SqliteEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WATERMARK_SECONDS", 0.0)
    ada = run_context("ada")
    await log.append(ada, [thought(ada) for _ in range(3)])
    log.acknowledge(ada, 2)
    log.acknowledge(ada, 1)
    query = "SELECT delivered FROM log_state WHERE user_id = 'ada'"
    while await on_disk(database, query) != [(2,)]:
        await asyncio.sleep(0)
    log.acknowledge(ada, 99)
    while await on_disk(database, query) != [(3,)]:
        await asyncio.sleep(0)


async def test_what_lands_after_an_acknowledgement_is_not_acknowledged(log: SqliteEventLog) -> None:
    ada = run_context("ada")
    log.acknowledge(ada, 5)
    await log.append(ada, [thought(ada) for _ in range(3)])
    assert (await log.state(ada)).delivered == 0
    log.acknowledge(ada, 99)
    await log.append(ada, [thought(ada)])
    assert (await log.state(ada)).delivered == 3


@pytest.mark.parametrize(("offset", "delivered"), [(99, 3), (1, 2)])
async def test_a_log_that_is_not_in_memory_is_acknowledged_neither_beyond_its_top_nor_backwards(
    database: Database, offset: int, delivered: int
) -> None:
    ada = run_context("ada")
    before = await SqliteEventLog.open(database)
    await before.append(ada, [thought(ada) for _ in range(3)])
    before.acknowledge(ada, 2)
    await before.close()
    after = await SqliteEventLog.open(database)
    after.acknowledge(ada, offset)
    await after.close()
    assert await on_disk(database, "SELECT delivered FROM log_state WHERE user_id = 'ada'") == [(delivered,)]


async def test_a_watermark_is_not_lost_when_memory_forgets_its_user(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MEMORY_USERS", 1)
    log = await SqliteEventLog.open(database)
    ada, bob = run_context("ada"), run_context("bob")
    await log.append(ada, [thought(ada), thought(ada)])
    log.acknowledge(ada, 2)
    await log.state(bob)
    assert (await log.state(ada)).delivered == 2
    await log.append(ada, [thought(ada)])
    assert (await log.state(ada)).delivered == 2
    await log.close()
    assert await on_disk(database, "SELECT delivered FROM log_state WHERE user_id = 'ada'") == [(2,)]


async def test_a_watermark_that_could_not_be_saved_is_saved_with_the_next(
    database: Database, log: SqliteEventLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_WATERMARK_SECONDS", 0.0)
    ada = run_context("ada")
    await log.append(ada, [thought(ada), thought(ada)])
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(module, "_save", lambda *_: 1 / 0)
        log.acknowledge(ada, 1)
        while not caplog.records:
            await asyncio.sleep(0)
    assert "not saved yet" in caplog.text
    assert (await log.state(ada)).delivered == 1
    await log.close()
    assert await on_disk(database, "SELECT delivered FROM log_state WHERE user_id = 'ada'") == [(1,)]


async def test_an_append_and_the_run_it_ends_are_one_transaction(stores: Stores, database: Database) -> None:
    assert isinstance(stores.log, SqliteEventLog)
    context = run_context("ada")
    await stores.runs.create_run(context, agent="a", input="why?", idempotency_key=None, new_thread_title="Bills")
    await stores.log.append(context, [started(context)])
    await limit_pages(stores.log, 0)
    with pytest.raises(StorageError, match="disk is full"):
        await stores.log.append(context, [completed(context, "x" * 50_000)])
    assert (await stores.runs.get_run(context, context.run_id)).state == "running"
    assert len(await stores.threads.list_messages(context, context.thread_id)) == 1
    assert (await stores.log.state(context)).top == 1
    await limit_pages(stores.log, 1000)
    await stores.log.append(context, [completed(context)])
    assert (await stores.runs.get_run(context, context.run_id)).state == "succeeded"


async def test_log_and_stores_write_the_same_file_side_by_side(stores: Stores) -> None:
    async def one(number: int) -> None:
        context = run_context(f"user-{number % 5}")
        await stores.runs.create_run(context, agent="a", input="q", idempotency_key=None, new_thread_title="t")
        await stores.log.append(context, [started(context)])
        await stores.values.put_value(context, "last", number)
        await stores.log.append(context, [completed(context)])
        assert (await stores.runs.get_run(context, context.run_id)).state == "succeeded"

    await asyncio.gather(*(one(number) for number in range(40)))


async def test_erasing_leaves_nothing_and_the_next_log_is_another(database: Database, log: SqliteEventLog) -> None:
    ada, bob = run_context("ada"), run_context("bob")
    for context in (ada, bob):
        await log.append(context, [started(context), completed(context)])
        log.acknowledge(context, 2)
    epoch = (await log.state(ada)).epoch
    await log.erase(ada)
    assert await on_disk(database, "SELECT DISTINCT user_id FROM event_log") == [("bob",)]
    assert await on_disk(database, "SELECT user_id FROM log_state") == [("bob",)]
    state = await log.state(ada)
    assert (state.oldest, state.top, state.delivered) == (1, 0, 0)
    assert state.epoch != epoch
    with pytest.raises(UnrecoverablePositionError):
        await log.read(ada, 1, 64)
    assert len(await log.read(bob, 0, 64)) == 2


async def test_an_erased_user_does_not_come_back_by_a_watermark_that_was_not_saved_yet(
    database: Database, log: SqliteEventLog
) -> None:
    ada = run_context("ada")
    await log.append(ada, [started(ada), completed(ada)])
    log.acknowledge(ada, 2)
    await log.erase(ada)
    await log.close()
    assert await on_disk(database, "SELECT user_id FROM log_state") == []


async def test_a_user_with_an_open_run_is_not_erased(log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await log.append(ada, [started(ada)])
    with pytest.raises(ConflictError) as caught:
        await log.erase(ada)
    assert caught.value.code == "user_busy"
    assert (await log.state(ada)).top == 1


async def test_a_reader_whom_retention_overtakes_is_told(log: SqliteEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log._memory, "events", lambda *_: None)
    ada = run_context("ada")
    await log.append(ada, [thought(ada) for _ in range(5)])
    real = log._reader.events

    async def after_retention(user_id: str, after: int, limit: int) -> Any:
        await log.retain(2, None)
        return await real(user_id, after, limit)

    monkeypatch.setattr(log._reader, "events", after_retention)
    with pytest.raises(UnrecoverablePositionError) as caught:
        await log.read(ada, 0, 64)
    assert caught.value.oldest == 4


async def test_times_come_from_the_clock(database: Database) -> None:
    clock = Clock()
    log = await SqliteEventLog.open(database, clock=clock)
    ada = run_context("ada")
    (event,) = await log.append(ada, [thought(ada)])
    assert b'"created_at":"2027-01-15T08:00:00.000000Z"' in event.body
    await log.close()
