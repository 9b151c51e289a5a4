"""The database file as transactions: whole ones in one visit, refusals that say what to do, nothing left behind."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from carrel.context import RequestId, UserContext, UserId, ambient_context, check_ambient
from carrel.errors import IsolationError, NotFoundError, StorageError
from carrel.storage import database as module
from carrel.storage.database import Database

INSERT = text("INSERT INTO user_values (user_id, key, value) VALUES ('ada', :key, '1')")
COUNT = text("SELECT count(*) FROM user_values")


async def count(database: Database) -> int:
    return int(await database.read(lambda connection: connection.execute(COUNT).scalar_one()))


def inserting(key: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(INSERT, {"key": key})


class Held:
    """A write that has begun and stays in its middle until it is let go."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.connection: Connection | None = None
        self._go = threading.Event()
        self._inside = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, connection: Connection) -> None:
        connection.execute(INSERT, {"key": self.key})
        self.connection = connection
        self._loop.call_soon_threadsafe(self._inside.set)
        assert self._go.wait(10)

    async def inside(self) -> None:
        await self._inside.wait()

    def let_go(self) -> None:
        self._go.set()


@asynccontextmanager
async def held(database: Database, key: str) -> AsyncIterator[tuple[Held, asyncio.Task[None]]]:
    work = Held(key)
    task = asyncio.create_task(database.write(work))
    try:
        await work.inside()
        yield work, task
    finally:
        work.let_go()
        await asyncio.wait([task])


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def threads_of(database: Database) -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("carrel-database")]


async def nothing_is_left_open(path: Path) -> bool:
    """Whether neither a write lock nor a reader's moment is held on the file."""

    def emptied() -> bool:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("COMMIT")
            busy, _, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    return await asyncio.to_thread(emptied)


async def test_opening_makes_the_directory_and_the_schema(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "deep" / "er" / "carrel.db")
    assert database.path == tmp_path / "deep" / "er" / "carrel.db"
    assert await count(database) == 0
    await database.close()


async def test_a_path_with_signs_of_an_address_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a?b=c#d %20.db"
    database = await Database.open(path)
    await database.write(inserting("kept"))
    await database.close()
    assert {one.name for one in tmp_path.iterdir()} == {path.name}


async def test_what_is_not_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "carrel.db"
    path.write_bytes(b"no database at all " * 500)
    with pytest.raises(StorageError, match="move that file away"):
        await Database.open(path)


async def test_a_write_is_kept_and_a_failed_one_is_not(database: Database) -> None:
    await database.write(inserting("kept"))

    def fail(connection: Connection) -> None:
        connection.execute(INSERT, {"key": "lost"})
        raise NotFoundError("thing")

    with pytest.raises(NotFoundError):
        await database.write(fail)
    assert await count(database) == 1


async def test_a_commit_that_fails_leaves_nothing_open(database: Database) -> None:
    parents = text("CREATE TABLE parents (name TEXT PRIMARY KEY)")
    children = text("CREATE TABLE children (name TEXT REFERENCES parents DEFERRABLE INITIALLY DEFERRED)")
    await database.write(lambda connection: [connection.execute(one) for one in (parents, children)] and None)
    # Found out by the commit, which SQLite then leaves undone and open.
    with pytest.raises(StorageError):
        await database.write(lambda connection: connection.execute(text("INSERT INTO children VALUES ('orphan')")))
    await database.write(inserting("kept"))
    assert await count(database) == 1
    assert await database.read(lambda connection: connection.execute(text("SELECT * FROM children")).all()) == []


async def test_a_read_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError):
        await database.read(inserting("sneaked in"))
    assert await count(database) == 0
    await database.write(inserting("kept"))
    assert await count(database) == 1


async def test_a_read_sees_one_moment(database: Database) -> None:
    looked, written = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def look_twice(connection: Connection) -> tuple[int, int]:
        before = connection.execute(COUNT).scalar_one()
        loop.call_soon_threadsafe(looked.set)
        assert written.wait(10)
        return before, connection.execute(COUNT).scalar_one()

    task = asyncio.create_task(database.read(look_twice))
    await looked.wait()
    await database.write(inserting("new"))
    written.set()
    assert await task == (0, 0)
    assert await count(database) == 1


LOOK_UP = "SELECT key FROM user_values WHERE key = ?"


async def test_what_is_looked_up_is_what_is_committed(database: Database) -> None:
    assert await database.look_up(LOOK_UP, "kept") is None
    await database.write(inserting("kept"))
    assert await database.look_up(LOOK_UP, "kept") == ("kept",)

    async with held(database, "not yet"):
        assert await database.look_up(LOOK_UP, "not yet") is None
    assert await database.look_up(LOOK_UP, "not yet") == ("not yet",)


async def test_looking_up_holds_no_moment_of_the_file(database: Database) -> None:
    await database.write(inserting("kept"))
    assert await database.look_up(LOOK_UP, "kept") is not None
    await database.write(inserting("later"))
    assert await nothing_is_left_open(database.path)


async def test_looking_up_waits_for_a_lock_without_stopping_the_loop(database: Database) -> None:
    with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("INSERT INTO user_values (user_id, key, value) VALUES ('ada', 'kept', '1')")
        looking = asyncio.create_task(database.look_up(LOOK_UP, "kept"))
        await asyncio.sleep(0.05)
        assert not looking.done()
    assert await looking == ("kept",)


async def test_looking_up_reads_only(database: Database) -> None:
    with pytest.raises(StorageError):
        await database.look_up("INSERT INTO user_values (user_id, key, value) VALUES ('ada', ?, '1')", "sneaked in")
    await database.close()
    with pytest.raises(StorageError, match="is closed"):
        await database.look_up(LOOK_UP, "kept")


async def test_fifty_writers_all_get_their_turn(database: Database) -> None:
    await asyncio.gather(*(database.write(inserting(str(number))) for number in range(50)))
    assert await count(database) == 50


async def test_writers_take_turns_in_the_order_in_which_they_came(database: Database) -> None:
    order: list[int] = []

    def noting(number: int) -> Callable[[Connection], None]:
        return lambda _: order.append(number)

    await asyncio.gather(*(database.write(noting(number)) for number in range(20)))
    assert order == list(range(20))


async def test_the_event_loop_goes_on_while_many_read_and_one_writes(database: Database) -> None:
    async with held(database, "held"):
        assert await asyncio.gather(*(count(database) for _ in range(50))) == [0] * 50
    assert await count(database) == 1


async def test_a_caller_cancelled_in_the_middle_leaves_a_whole_transaction_and_a_free_database(
    database: Database,
) -> None:
    async with held(database, "begun") as (work, task):
        waiting = asyncio.create_task(database.write(inserting("later")))
        await cancelled(task)
        assert not waiting.done()
    await waiting
    # Done to its end: not half of it, and not in the next one's transaction.
    assert await count(database) == 2
    assert work.connection is not None
    assert not work.connection.in_transaction()
    assert await nothing_is_left_open(database.path)


async def test_a_cancelled_write_that_then_fails_is_rolled_back(database: Database) -> None:
    work = Held("lost")

    def fail(connection: Connection) -> None:
        work(connection)
        raise NotFoundError("thing")

    task = asyncio.create_task(database.write(fail))
    await work.inside()
    await cancelled(task)
    work.let_go()
    await database.write(inserting("kept"))
    assert await count(database) == 1
    assert await nothing_is_left_open(database.path)


async def test_a_cancelled_write_that_has_not_begun_never_does(database: Database) -> None:
    async with held(database, "begun"):
        waiting: asyncio.Task[object] = asyncio.create_task(database.write(inserting("never")))
        await asyncio.sleep(0)
        await cancelled(waiting)  # type: ignore[arg-type]
    await database.write(inserting("later"))
    keys = text("SELECT key FROM user_values ORDER BY key")
    assert await database.read(lambda connection: connection.execute(keys).scalars().all()) == ["begun", "later"]


async def test_cancelled_readers_give_back_every_connection(database: Database) -> None:
    go, inside = threading.Event(), threading.Semaphore(0)

    def wait(connection: Connection) -> None:
        connection.execute(COUNT)
        inside.release()
        assert go.wait(10)

    tasks = [asyncio.create_task(database.read(wait)) for _ in range(4)]
    await asyncio.to_thread(lambda: [inside.acquire(timeout=10) for _ in tasks])
    for task in tasks:
        await cancelled(task)
    go.set()
    # More than there are connections, one after the other and all at once.
    assert await asyncio.gather(*(count(database) for _ in range(20))) == [0] * 20
    assert await nothing_is_left_open(database.path)


async def test_the_caller_is_still_known_inside(database: Database) -> None:
    bob = UserContext(user_id=UserId("bob"), request_id=RequestId("r"))
    ann = UserContext(user_id=UserId("ann"), request_id=RequestId("r"))
    with ambient_context(bob), pytest.raises(IsolationError):
        await database.read(lambda _: check_ambient(ann, "the test"))


async def test_closing_does_what_is_in_line_and_ends_every_thread(database_path: Path) -> None:
    database = await Database.open(database_path)
    await asyncio.gather(*(count(database) for _ in range(20)))
    async with held(database, "begun"):
        waiting = asyncio.create_task(database.write(inserting("in line")))
        await asyncio.sleep(0)
        assert threads_of(database)
        closing_ = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        with pytest.raises(StorageError, match="is closed"):
            await count(database)
    await waiting
    await closing_
    await database.close()
    assert threads_of(database) == []
    # The last connection to go takes the write-ahead log with it.
    assert not database_path.with_name("carrel.db-wal").exists()
    with pytest.raises(StorageError, match="is closed"):
        await database.write(inserting("too late"))
    again = await Database.open(database_path)
    assert await count(again) == 2
    await again.close()


async def test_a_file_that_another_process_locks_is_named(database_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    database = await Database.open(database_path)

    def lock() -> sqlite3.Connection:
        other = sqlite3.connect(database_path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        return other

    with closing(await asyncio.to_thread(lock)):
        assert await count(database) == 0
        with pytest.raises(StorageError, match=r"carrel\.db is locked.*close whatever else has the file open"):
            await database.write(lambda _: pytest.fail("nobody gets in while another process writes"))
    await database.write(inserting("later"))
    assert await count(database) == 1
    await database.close()


async def test_a_full_disk_is_named_and_nothing_is_half_written(database: Database) -> None:
    def overfill(connection: Connection) -> None:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count = {pages}"))
        connection.execute(INSERT, {"key": "small"})
        connection.execute(INSERT, {"key": "x" * 100_000})

    with pytest.raises(StorageError, match="disk is full; free some space"):
        await database.write(overfill)
    assert await count(database) == 0
    await database.write(lambda connection: connection.execute(text("PRAGMA max_page_count = 1000000")))
    await database.write(inserting("x" * 100_000))
    assert await count(database) == 1
