from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from carrel.runtime.attempt import Attempt, OpenWork, uninterrupted


def attempt(
    work: Coroutine[Any, Any, str], *, seconds: float | None = None, noted: list[str] | None = None
) -> Attempt[str, str]:
    return Attempt(
        work,
        name="x",
        seconds=seconds,
        grace=0.02,
        timed_out=lambda: "time",
        interrupted=lambda: "outside",
        stopping=None if noted is None else noted.append,
    )


async def quick() -> str:
    return "done"


async def endless() -> str:
    await asyncio.Event().wait()
    return "never"


async def stubborn(times: int = 1) -> str:
    """Swallows that many cancellations."""
    for _ in range(times):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue
    return "in spite of it"


async def test_it_gives_what_the_coroutine_returns():
    made = attempt(quick(), seconds=5)
    assert (await made.wait(), made.reason, made.abandoned) == ("done", None, False)


async def test_it_raises_what_the_coroutine_raises():
    async def fails() -> str:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await attempt(fails()).wait()


async def test_it_is_stopped_for_the_first_reason():
    noted: list[str] = []
    made = attempt(endless(), noted=noted)
    made.stop("first")
    made.stop("second")
    assert (await made.wait(), made.reason, noted) == (None, "first", ["first"])


async def test_it_is_stopped_when_its_time_is_up():
    made = attempt(endless(), seconds=0.01)
    assert (await made.wait(), made.reason) == (None, "time")


async def test_one_that_is_done_cannot_be_stopped():
    made = attempt(quick())
    await asyncio.sleep(0)
    made.stop("late")
    assert (await made.wait(), made.reason) == ("done", None)


async def test_what_it_returns_in_spite_of_being_stopped_does_not_count():
    made = attempt(stubborn())
    await asyncio.sleep(0)
    made.stop("why")
    assert (await made.wait(), made.reason, made.abandoned) == (None, "why", False)


async def test_one_that_will_not_stop_is_abandoned_and_its_exception_dropped():
    go = asyncio.Event()

    async def deaf() -> str:
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                continue
        raise ValueError("too late to be heard")

    made = attempt(deaf())
    await asyncio.sleep(0)
    made.stop("why")
    assert await made.wait() is None
    assert made.abandoned
    go.set()
    await asyncio.sleep(0.01)


async def test_one_that_cancels_itself_has_no_reason():
    async def leaves() -> str:
        raise asyncio.CancelledError

    made = attempt(leaves())
    assert (await made.wait(), made.reason) == (None, None)


async def test_when_the_waiter_is_cancelled_the_task_is_stopped_first():
    made = attempt(endless())
    waiting = asyncio.create_task(made.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (made.reason, made.abandoned) == ("outside", False)


async def test_a_waiter_that_is_cancelled_twice_waits_no_longer():
    made = attempt(stubborn(2))
    waiting = asyncio.create_task(made.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert made.abandoned
    made._task.cancel()
    await asyncio.sleep(0.01)


async def test_open_work_is_stopped_and_awaited():
    work = OpenWork()
    assert not work
    assert await work.stop(1)

    def stop() -> None:
        asyncio.get_running_loop().call_soon(work.end, done)

    done = work.begin(stop)
    assert work
    assert await work.stop(1)
    assert not work


async def test_open_work_that_does_not_end_is_reported():
    work = OpenWork()
    done = work.begin(lambda: None)
    assert not await work.stop(0.01)
    work.end(done)


async def test_uninterrupted_work_is_finished_before_the_cancellation_is_raised():
    steps: list[str] = []

    async def important() -> str:
        for number in range(3):
            await asyncio.sleep(0)
            steps.append(str(number))
        return "x"

    task = asyncio.create_task(uninterrupted(important()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["0", "1", "2"]
    assert await uninterrupted(important()) == "x"
