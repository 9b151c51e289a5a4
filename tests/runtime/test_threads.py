from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from carrel.runtime.threads import in_thread

whose: ContextVar[str] = ContextVar("whose")


async def test_the_result_comes_back_from_another_thread():
    assert await in_thread(threading.get_ident, name="x") != threading.get_ident()


async def test_the_callers_context_variables_are_seen_and_not_changed():
    def change() -> str:
        seen = whose.get()
        whose.set("changed")
        return seen

    whose.set("ada")
    assert await in_thread(change, name="x") == "ada"
    assert whose.get() == "ada"


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(1)], ids=repr)
async def test_an_exception_comes_back(error: BaseException):
    def fails() -> None:
        raise error

    with pytest.raises(type(error)):
        await in_thread(fails, name="x")


async def test_stop_iteration_comes_back_as_an_error_that_a_coroutine_can_raise():
    with pytest.raises(RuntimeError, match="StopIteration"):
        await in_thread(lambda: next(iter(())), name="x")


async def test_a_call_that_nobody_waits_for_is_left_behind():
    go, done = threading.Event(), threading.Event()

    def slow() -> None:
        go.wait()
        done.set()

    waiting = asyncio.create_task(in_thread(slow, name="left behind"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "left behind")
    go.set()
    while not done.is_set():
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.001)


def test_a_thread_that_outlives_its_loop_ends_quietly():
    go, done = threading.Event(), threading.Event()

    def slow() -> None:
        go.wait()
        done.set()

    async def start() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(in_thread(slow, name="orphan"), 0.01)

    asyncio.run(start())
    go.set()
    assert done.wait(5)
    for thread in threading.enumerate():
        if thread.name == "orphan":
            thread.join(5)
