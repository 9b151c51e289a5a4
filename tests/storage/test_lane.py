"""Tests of carrel.storage.lane; what `Database` promises of it is in test_database."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from carrel.storage.lane import Lane

ADD = text("INSERT INTO words VALUES ('one')")
COUNT = text("SELECT count(*) FROM words")


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[Lane]:
    engine = create_engine(f"sqlite:///{tmp_path / 'words.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE words (word TEXT)"))
    lane = Lane(engine, 1, "words")
    yield lane
    lane.close()


def count(connection: Connection) -> int:
    return int(connection.execute(COUNT).scalar_one())


async def test_a_failure_of_any_kind_is_rolled_back_and_the_thread_lives_on(lane: Lane) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(ADD)
        raise SystemExit

    with pytest.raises(SystemExit):
        await lane.do(fail)
    assert await lane.do(count) == 0
    await lane.do(lambda connection: connection.execute(ADD).rowcount)
    assert await lane.do(count) == 1


async def test_an_answer_that_nobody_waits_for_any_more_is_passed_over(lane: Lane) -> None:
    inside, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def wait(connection: Connection) -> None:
        connection.execute(ADD)
        loop.call_soon_threadsafe(inside.set)
        assert go.wait(10)

    task = asyncio.create_task(lane.do(wait))
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    assert await lane.do(count) == 1


async def test_nothing_is_kept_of_what_was_done(lane: Lane) -> None:
    class Large:
        pass

    def make(_: Connection) -> Large:
        return Large()

    gone = weakref.ref(await lane.do(make))
    # The loop lets go of the answer when it is idle; the thread when it waits for the next work.
    await lane.do(count)
    gc.collect()
    assert gone() is None


async def test_a_loop_that_was_closed_meanwhile_hears_nothing(lane: Lane) -> None:
    inside, go = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        inside.set()
        assert go.wait(10)

    def other_loop() -> None:
        loop = asyncio.new_event_loop()
        task = loop.create_task(lane.do(wait))
        loop.run_until_complete(asyncio.sleep(0))
        assert inside.wait(10)
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()

    await asyncio.to_thread(other_loop)
    go.set()
    assert await lane.do(count) == 0
