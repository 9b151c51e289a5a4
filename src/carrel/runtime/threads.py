"""Runs a blocking function in a thread that may be left behind."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

__all__ = ["in_thread"]

T = TypeVar("T")


async def in_thread(function: Callable[[], T], *, name: str) -> T:
    """Call `function` in a new daemon thread, with the context variables of the caller, and return its result.

    Not a thread pool: a call that hangs must neither keep another user's call waiting nor keep the process from
    ending. When the caller is cancelled the thread runs on and its result is dropped.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def deliver(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]  # there is one where nothing was raised
        elif isinstance(error, StopIteration):
            # A future refuses this one: it would end the generator that awaits it.
            done.set_exception(RuntimeError("the function raised StopIteration"))
        else:
            done.set_exception(error)

    def work() -> None:
        result, error = None, None
        try:
            result = context.run(function)
        except BaseException as raised:  # noqa: BLE001 - carried to the caller, whatever it is
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, result, error)

    threading.Thread(target=work, name=name, daemon=True).start()
    return await done
