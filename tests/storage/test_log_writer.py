"""Groups: who is in one, what becomes of it, how often the loop is woken."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from itertools import groupby
from typing import Any

import pytest

from carrel.context import UserExecutionContext
from carrel.delivery.log import LoggedEvent, LogState
from carrel.errors import NotFoundError, StorageError
from carrel.events import EventDraft, draft_event
from carrel.storage import log_writer
from carrel.storage.database import Database
from carrel.storage.log_writer import Append, Change, Heads, LogWriter, Task
from carrel.storage.projection import Projection
from tests.contracts.subjects import run_context, thought


class Watched:
    """A writer, and the groups that landed."""

    def __init__(self, database: Database) -> None:
        self.groups: list[Sequence[Change]] = []
        self.writer = LogWriter(database.path, self.groups.append, lambda: 1_800_000_000.0)

    def append(self, context: UserExecutionContext, *drafts: EventDraft) -> asyncio.Future[Sequence[LoggedEvent]]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.writer.submit(Append(context.user_id, drafts, future))
        return future

    def task(self, function: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.writer.submit(Task(function, future))
        return future


@pytest.fixture
async def watched(database: Database) -> AsyncIterator[Watched]:
    watched = Watched(database)
    await watched.writer.start()
    yield watched
    await watched.writer.stop()


@pytest.fixture
async def held_up(watched: Watched) -> asyncio.Future[Any]:
    """The writer is busy until the next turn of the loop, so that what is submitted now waits together."""
    import threading

    turn = threading.Event()
    asyncio.get_running_loop().call_later(0.01, turn.set)
    return watched.task(lambda *_: turn.wait())


def sizes(watched: Watched) -> list[int]:
    return [size for group in watched.groups if (size := sum(len(change.events) for change in group))]


async def test_what_waits_together_is_one_group_and_one_wake_up(watched: Watched, held_up: asyncio.Future[Any]) -> None:
    contexts = [run_context(f"user-{number}") for number in range(10)]
    await asyncio.gather(*(watched.append(context, thought(context)) for context in contexts for _ in range(3)))
    assert sizes(watched) == [30]
    assert len(watched.groups[-1]) == 10


async def test_a_group_is_closed_at_64_events(watched: Watched, held_up: asyncio.Future[Any]) -> None:
    ada = run_context("ada")
    await asyncio.gather(*(watched.append(ada, thought(ada)) for _ in range(150)))
    assert sizes(watched) == [64, 64, 22]


async def test_a_group_is_one_transaction(watched: Watched, held_up: asyncio.Future[Any], database: Database) -> None:
    ada = run_context("ada")
    await watched.append(ada, thought(ada))
    statements: list[str] = []
    await watched.task(lambda connection, _: connection.set_trace_callback(statements.append))
    await asyncio.gather(*(watched.append(ada, thought(ada)) for _ in range(20)))
    await watched.task(lambda connection, _: connection.set_trace_callback(None))
    own = [statement for statement, _ in groupby(statements)]  # traced again for each trigger that it sets off
    groups = own[own.index("COMMIT") + 1 :]
    assert [statement.split()[0] for statement in groups[: groups.index("COMMIT") + 1]] == [
        *("BEGIN", "INSERT", "INSERT", "COMMIT"),
    ]


async def test_landed_comes_before_the_caller(watched: Watched) -> None:
    ada = run_context("ada")
    (event,) = await watched.append(ada, thought(ada))
    ((change,),) = watched.groups
    assert (change.user_id, change.events) == ("ada", [event])
    assert change.state is not None
    assert change.state.top == 1


async def test_appends_and_tasks_keep_their_order(watched: Watched, held_up: asyncio.Future[Any]) -> None:
    ada = run_context("ada")
    tops = []
    for _ in range(3):
        watched.append(ada, thought(ada))
        tops.append(watched.task(lambda connection, heads: heads.get(connection, "ada").top))
    assert await asyncio.gather(*tops) == [1, 2, 3]


async def test_one_that_cannot_be_encoded_fails_alone(watched: Watched, held_up: asyncio.Future[Any]) -> None:
    ada, bob = run_context("ada"), run_context("bob")
    bad = [
        draft_event(ada, "agent_thinking", "a", {"text": value}) for value in (object(), "\ud800", {1: {2, object()}})
    ]
    results = await asyncio.gather(
        watched.append(ada, thought(ada)),
        *(watched.append(ada, thought(ada), draft) for draft in bad),
        watched.append(bob, thought(bob)),
        watched.append(ada, thought(ada)),
        return_exceptions=True,
    )
    assert [isinstance(result, Exception) for result in results] == [False, True, True, True, False, False]
    assert [event.offset for index in (0, -1) for event in results[index]] == [1, 2]  # type: ignore[union-attr]
    assert sizes(watched) == [3]


async def test_a_task_that_fails_takes_back_what_it_wrote(watched: Watched, database: Database) -> None:
    def fail(connection: sqlite3.Connection, heads: Heads) -> None:
        heads.set("ada", LogState("epoch", 1, 7, 0))
        connection.execute("INSERT INTO log_state VALUES ('bob', 'e', 0, 1, 0)")
        raise NotFoundError("thing")

    with pytest.raises(NotFoundError):
        await watched.task(fail)
    assert (await watched.task(lambda connection, heads: heads.get(connection, "ada"))).top == 0

    def users() -> list[Any]:
        with closing(sqlite3.connect(database.path)) as connection:
            return connection.execute("SELECT user_id FROM log_state").fetchall()

    assert await asyncio.to_thread(users) == [("ada",)]


async def test_heads_that_were_dropped_are_read_again(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_writer, "_CACHED_HEADS", 1)
    contexts = [run_context(name) for name in ("ada", "bob", "cleo")]
    for expected in (1, 2, 3):
        for context in contexts:
            (event,) = await watched.append(context, thought(context))
            assert event.offset == expected


async def test_a_cancelled_caller_does_not_disturb_its_group(watched: Watched, held_up: asyncio.Future[Any]) -> None:
    ada = run_context("ada")
    first, second = watched.append(ada, thought(ada)), watched.append(ada, thought(ada))
    first.cancel()
    assert [event.offset for event in await second] == [2]


async def test_a_loop_that_is_gone_does_not_stop_the_thread(database: Database) -> None:
    watched = Watched(database)
    await watched.writer.start()
    ada = run_context("ada")

    class Closed:
        def call_soon_threadsafe(self, *_: object) -> None:
            raise RuntimeError("Event loop is closed")

    loop, watched.writer._loop = watched.writer._loop, Closed()  # type: ignore[assignment]
    watched.append(ada, thought(ada))
    await asyncio.to_thread(lambda: None)
    while not watched.writer._queue.empty():
        await asyncio.sleep(0)
    watched.writer._queue.put(log_writer._Signal.STOP)
    await asyncio.to_thread(watched.writer._thread.join)
    watched.writer._loop = loop

    def events() -> object:
        with closing(sqlite3.connect(database.path)) as connection:
            return connection.execute("SELECT count(*) FROM event_log").fetchone()

    assert await asyncio.to_thread(events) == (1,)


async def test_every_caller_of_a_failed_group_has_an_error_of_its_own(
    watched: Watched, held_up: asyncio.Future[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Projection, connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("no")

    monkeypatch.setattr(Projection, "write", fail)
    ada = run_context("ada")
    errors = await asyncio.gather(
        watched.append(ada, thought(ada)), watched.append(ada, thought(ada)), return_exceptions=True
    )
    assert all(isinstance(error, StorageError) for error in errors)
    assert errors[0] is not errors[1]
