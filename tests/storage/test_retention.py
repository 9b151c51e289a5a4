"""Old events are dropped by count and by age, never a hole, never an open run."""

from __future__ import annotations

import pytest

from carrel.errors import UnrecoverablePositionError
from carrel.storage import retention
from carrel.storage.event_log import SqliteEventLog
from tests.contracts.event_log import everything, offsets, texts
from tests.contracts.subjects import Clock, Stores, completed, run_context, started, thought, user


@pytest.fixture
def log(stores: Stores) -> SqliteEventLog:
    assert isinstance(stores.log, SqliteEventLog)
    return stores.log


@pytest.fixture
def clock(stores: Stores) -> Clock:
    return stores.clock


async def test_the_newest_are_kept_for_every_user(log: SqliteEventLog) -> None:
    for name, count in (("ada", 7), ("bob", 3), ("cleo", 4)):
        context = run_context(name)
        await log.append(context, [thought(context, str(number)) for number in range(count)])
    assert await log.retain(3, None) == 5
    assert [(await log.state(user(name))).oldest for name in ("ada", "bob", "cleo")] == [5, 1, 2]
    assert texts(await everything(log, user("ada"))) == ["4", "5", "6"]
    assert await log.retain(3, None) == 0


async def test_what_is_older_than_the_limit_is_dropped(log: SqliteEventLog, clock: Clock) -> None:
    ada = run_context("ada")
    for _ in range(4):
        await log.append(ada, [thought(ada)])
        clock.now += 10
    assert await log.retain(None, 25) == 2
    assert offsets(await everything(log, ada)) == [3, 4]
    clock.now += 3600
    assert await log.retain(None, 25) == 2
    assert offsets(await log.append(ada, [thought(ada)])) == [5]


async def test_either_limit_is_enough_and_none_keeps_all(log: SqliteEventLog, clock: Clock) -> None:
    ada = run_context("ada")
    await log.append(ada, [thought(ada) for _ in range(4)])
    clock.now += 100
    await log.append(ada, [thought(ada) for _ in range(4)])
    assert await log.retain(None, None) == 0
    assert await log.retain(6, 50) == 4
    assert await log.retain(2, 50) == 2


async def test_an_open_run_is_kept_with_all_that_came_after_its_start(log: SqliteEventLog, clock: Clock) -> None:
    ada, busy = run_context("ada"), run_context("ada")
    await log.append(ada, [thought(ada) for _ in range(3)])
    await log.append(busy, [started(busy)])
    await log.append(ada, [thought(ada) for _ in range(3)])
    clock.now += 1000
    assert await log.retain(1, 10) == 3
    assert offsets(await everything(log, ada)) == [4, 5, 6, 7]
    await log.append(busy, [completed(busy)])
    assert await log.retain(1, 10) == 4
    assert offsets(await everything(log, ada)) == [8]


async def test_a_clock_that_went_back_leaves_no_hole(log: SqliteEventLog, clock: Clock) -> None:
    ada = run_context("ada")
    for step in (0, +100, -90, +200):
        clock.now += step
        await log.append(ada, [thought(ada)])
    # Ages now: 210, 110, 200, 0. The third is too old, but the second is not and stands before it.
    assert await log.retain(None, 150) == 1
    assert offsets(await everything(log, ada)) == [2, 3, 4]


async def test_a_client_from_before_the_oldest_is_told_to_reload(log: SqliteEventLog) -> None:
    ada = run_context("ada")
    await log.append(ada, [thought(ada) for _ in range(5)])
    epoch = (await log.state(ada)).epoch
    await log.retain(2, None)
    with pytest.raises(UnrecoverablePositionError):
        await log.read(ada, 2, 64)
    assert (await log.state(ada)).reaches(epoch, 2) == "trimmed"
    assert (await log.state(ada)).reaches(epoch, 3) is True


async def test_much_is_dropped_in_small_steps(log: SqliteEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_EVENTS_AT_ONCE", 10)
    steps: list[int] = []
    real = retention.trim

    def trim(*arguments: object) -> int:
        steps.append(real(*arguments))  # type: ignore[arg-type]
        return steps[-1]

    monkeypatch.setattr(retention, "trim", trim)
    ada = run_context("ada")
    await log.append(ada, [thought(ada) for _ in range(35)])
    assert await log.retain(4, None) == 31
    assert steps == [10, 10, 10, 1, 0]
