"""Threads that do transactions one after the other, each on a connection of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine

__all__ = ["Lane"]

Result = TypeVar("Result")

_STOP: Final = None


@dataclass(slots=True, eq=False)
class _Work:
    """A transaction that somebody waits for."""

    function: Callable[[Connection], Any]
    future: asyncio.Future[Any]
    context: contextvars.Context = field(default_factory=contextvars.copy_context)


class Lane:
    """`threads` threads on the connections of `engine`, which begins transactions as the lane needs them.

    It does what `concurrent.futures` would do with less to hand over: a run over HTTP crosses it four times. Every
    statement already makes the thread and the event loop take the interpreter from each other.
    """

    def __init__(self, engine: Engine, threads: int, name: str) -> None:
        self._engine = engine
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}_{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def do(self, function: Callable[[Connection], Result]) -> Result:
        """What `function` returns when its transaction is committed; it runs with the caller's context variables.

        A caller that is cancelled takes it back when it has not begun; what has begun is done to its end.
        """
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.put(_Work(function, future))
        return await future

    def close(self) -> None:
        """Do what is in line, end the threads and close the connections."""
        for _ in self._threads:
            self._queue.put(_STOP)
        for thread in self._threads:
            thread.join()
        self._engine.dispose()

    def _run(self) -> None:
        connection: Connection | None = None
        while (work := self._queue.get()) is not _STOP:
            if work.future.cancelled():
                continue
            result, error = None, None
            try:
                if connection is None:
                    connection = self._engine.connect()
                with connection.begin():
                    result = work.context.run(work.function, connection)
            except BaseException as raised:  # noqa: BLE001 - whatever it is, the caller hears of it and the thread lives on
                error = raised
                connection = self._given_back(connection)
            with suppress(RuntimeError):  # the loop is closed, and nobody is left to hear it
                work.future.get_loop().call_soon_threadsafe(_answer, work.future, result, error)
            # Not until the next one comes: what the caller is done with could be large, or hold the caller.
            del work, result, error
        self._given_back(connection)

    @staticmethod
    def _given_back(connection: Connection | None) -> None:
        """To the pool, which rolls back what a commit that failed has left open."""
        if connection is not None:
            with suppress(Exception):  # there is nothing else to be done with it
                connection.close()


def _answer(future: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if future.done():
        return  # its caller was cancelled; what was done stays done
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
