"""A coroutine in a task of its own, which can be told to stop and is abandoned when it will not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

__all__ = ["Attempt", "OpenWork", "uninterrupted"]

T = TypeVar("T")
R = TypeVar("R")


class Attempt(Generic[T, R]):
    """Runs a coroutine in its own task, for at most `seconds`, until it ends or is stopped.

    Why it ends is told by `timed_out()` and, when the caller of `wait` is cancelled, `interrupted()`.
    Stopping cancels the task. One that is still running `grace` seconds later is abandoned: nobody waits for it any
    more, and what it raises in the end is dropped. `reason` says why it was stopped, None when it was not; `stopping`
    is called with it before the task is cancelled.
    """

    __slots__ = ("_grace", "_interrupted", "_seconds", "_stopping", "_task", "_timed_out", "_wake", "reason")

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, T],
        *,
        name: str,
        seconds: float | None,
        grace: float,
        timed_out: Callable[[], R],
        interrupted: Callable[[], R],
        stopping: Callable[[R], None] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.reason: R | None = None
        self._timed_out = timed_out
        self._interrupted = interrupted
        self._stopping = stopping
        self._seconds = seconds
        self._grace = grace
        self._wake: asyncio.Future[None] = loop.create_future()
        self._task = loop.create_task(coroutine, name=name)
        self._task.add_done_callback(self._notice)

    @property
    def abandoned(self) -> bool:
        """Whether the task is still running; asked after `wait`."""
        return not self._task.done()

    def stop(self, reason: R) -> None:
        """Cancel the task and remember why; the first reason stays, and one that is done is left alone."""
        if self._task.done():
            return
        if self.reason is None:
            self.reason = reason
            if self._stopping is not None:
                self._stopping(reason)
            self._task.cancel()
        self._notice(self._task)

    async def wait(self) -> T | None:
        """What the coroutine returned; None when it was stopped (whatever it did then) or cancelled itself.

        Raises what the coroutine raised. When the caller is cancelled, the task is stopped first, for the reason that
        `interrupted()` gives, and then `CancelledError` is raised.
        """
        timer = None
        if self._seconds is not None:
            timer = self._task.get_loop().call_later(max(0.0, self._seconds), self._time_out)
        try:
            await self._wake
        except asyncio.CancelledError:
            self.stop(self._interrupted())
            await self._settle()
            raise
        finally:
            if timer is not None:
                timer.cancel()
        await self._settle()
        return None if self.reason is not None or self._task.cancelled() else self._task.result()

    def _time_out(self) -> None:
        self.stop(self._timed_out())

    async def _settle(self) -> None:
        if self._task.done():
            return
        await asyncio.wait((self._task,), timeout=self._grace)

    def _notice(self, task: asyncio.Task[T]) -> None:
        if not self._wake.done():
            self._wake.set_result(None)
        if self.reason is not None and task.done():
            _drop_result(task)


class OpenWork:
    """What a request has under way, each with the way to stop it."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: dict[asyncio.Future[None], Callable[[], None]] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def begin(self, stop: Callable[[], None]) -> asyncio.Future[None]:
        """Note that something begins; hand the future to `end` when it is over."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open[done] = stop
        return done

    def end(self, done: asyncio.Future[None]) -> None:
        """Note that it is over."""
        del self._open[done]
        done.set_result(None)

    async def stop(self, seconds: float) -> bool:
        """Stop all of it and wait; False when something was still under way after `seconds`."""
        if not self._open:
            return True
        pending = dict(self._open)
        for stop in pending.values():
            stop()
        _, late = await asyncio.wait(pending, timeout=seconds)
        return not late


async def uninterrupted(coroutine: Coroutine[Any, Any, T]) -> T:
    """Finish the coroutine even when the caller is cancelled meanwhile; then raise the `CancelledError`."""
    task = asyncio.get_running_loop().create_task(coroutine)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        _drop_result(task)
        raise cancelled
    return task.result()


def _drop_result(task: asyncio.Task[Any]) -> None:
    with suppress(asyncio.CancelledError):
        task.exception()  # marks it as retrieved: asyncio reports exceptions that nobody asked for
