"""The event log on SQLite: appended by one thread in groups, followed from memory, read back from the disk."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, Self, TypeVar

from carrel.context import UserContext, check_ambient
from carrel.delivery.log import LoggedEvent, LogState
from carrel.errors import IsolationError, StorageError, UnrecoverablePositionError
from carrel.events import EventDraft
from carrel.storage import recovery, retention
from carrel.storage.database import Database
from carrel.storage.log_memory import LogMemory, LogMemoryStatistics
from carrel.storage.log_owner import LogOwner
from carrel.storage.log_reader import LogReader
from carrel.storage.log_writer import Append, Change, Heads, LogWriter, Task

__all__ = ["SqliteEventLog"]

Result = TypeVar("Result")
_logger: Final = logging.getLogger(__name__)

# An acknowledgement every 250 ms per client is many; one write for all of them ten times a second is few.
_WATERMARK_SECONDS: Final = 0.1
_MEMORY_USERS: Final = 10_000
_MEMORY_SIZE: Final = 32 * 1024 * 1024


class SqliteEventLog:
    """An `EventLog` on the database. Made by `SqliteEventLog.open`, ended by `close`, used on one event loop.

    - An append is durable against the end of the process, however it ends, when it returns. Cancelling a caller
      takes nothing back: it waits for the outcome, and raises `CancelledError` when the events are written and
      `StorageError` when they are not.
    - Appends that wait together are one transaction, and each of them is all or none: one whose drafts JSON cannot
      carry raises `TypeError` or `ValueError` and takes no offset, and the others are written. When the database
      refuses, every append of the group raises `StorageError`, and nothing of it is written.
    - The same transaction brings `runs`, `messages` and `threads` up to date with the events.
    - The delivered watermark reaches the disk within a tenth of a second, so it may be older after a crash than it
      was, and is never newer.
    - Only one process at a time has the log of a database; a second one gets a `StorageError`.
    """

    def __init__(self, database: Database, owner: LogOwner, *, clock: Callable[[], float]) -> None:
        self._owner = owner
        self._clock = clock
        self._writer = LogWriter(database.path, self._landed, clock)
        self._reader = LogReader(database.path)
        self._memory = LogMemory(users=_MEMORY_USERS, size=_MEMORY_SIZE)
        self._watermarks: dict[str, int] = {}
        self._saving: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def open(cls, database: Database, *, clock: Callable[[], float] = time.time) -> Self:
        """Take the log of the database for this process. `clock` gives POSIX seconds.

        Call `recover` before anything else is done with it.
        """
        owner = await asyncio.to_thread(LogOwner.take, database.path)
        log = cls(database, owner, clock=clock)
        try:
            await log._writer.start()
        except BaseException:
            await asyncio.to_thread(owner.release)
            raise
        return log

    async def close(self) -> None:
        """Write what is in line and let go of the database. Anything called afterwards raises `StorageError`."""
        if self._closed:
            return
        self._closed = True
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.wait([self._saving])
        await self._save_watermarks()
        await self._writer.stop()
        await self._reader.close()
        await asyncio.to_thread(self._owner.release)

    async def append(self, context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        self._check(context)
        if any(draft.user_id != context.user_id for draft in drafts):
            raise IsolationError("an event draft")
        if not drafts:
            return ()
        future: asyncio.Future[Sequence[LoggedEvent]] = asyncio.get_running_loop().create_future()
        self._writer.submit(Append(context.user_id, tuple(drafts), future))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            # The caller has to know what became of it: the grammar of its run goes on from there.
            await _settled(future)
            raise

    async def read(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent]:
        if limit < 1:
            raise ValueError("limit must be at least 1")
        held = self.held(context, after, limit)
        if held is not None:
            return held
        state = await self.state(context)
        if not state.oldest - 1 <= after <= state.top:
            raise UnrecoverablePositionError(after, state.oldest, state.top)
        if after == state.top:
            return ()
        events = await self._reader.events(context.user_id, after, min(limit, state.top - after))
        if not events or events[0].offset != after + 1:
            # Retention was here between the check and the read.
            state = await self.state(context)
            raise UnrecoverablePositionError(after, state.oldest, state.top)
        return events

    def held(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent] | None:
        self._check(context)
        return self._memory.events(context.user_id, after, limit)

    async def state(self, context: UserContext) -> LogState:
        self._check(context)
        held = self._memory.state(context.user_id)
        if held is not None:
            return held
        loaded: LogState = await self._write(partial(_load, context.user_id))
        return loaded._replace(delivered=max(loaded.delivered, self._unsaved(context.user_id, loaded.top)))

    def acknowledge(self, context: UserContext, offset: int) -> None:
        self._check(context)
        user_id = context.user_id
        state = self._memory.state(user_id)
        if state is not None:
            offset = min(offset, state.top)
            if offset <= state.delivered:
                return
            self._memory.acknowledge(user_id, offset)
        self._watermarks[user_id] = max(offset, self._watermarks.get(user_id, 0))
        if self._saving is None:
            self._saving = asyncio.create_task(self._save_soon())

    async def recover(self) -> int:
        """Close every run that a crash left open as `interrupted`, by the grammar; how many there were.

        Call it at start-up before anything else. A run that never started gets its first and its last event. Doing it
        again closes nothing more.
        """
        closed = 0
        for context, drafts in await self._reader.call(recovery.interrupted_runs):
            await self.append(context, drafts)
            closed += 1
        return closed

    async def retain(self, max_events: int | None, max_age_seconds: float | None) -> int:
        """Drop each user's oldest events beyond `max_events`, and those older than `max_age_seconds`; how many.

        None keeps without limit. Never drops an event of a run that is still open, nor one after it, so offsets have
        no gap; clients that come back from before the oldest kept event reload. Works in small transactions.
        """
        oldest_kept = None if max_age_seconds is None else self._clock() - max_age_seconds
        bounds = retention.Bounds(max_events, oldest_kept)
        dropped = 0
        user_id = ""
        while (found := await self._reader.call(partial(retention.next_user_over, bounds, user_id))) is not None:
            user_id = found
            while part := await self._write(partial(retention.trim, bounds, user_id)):
                dropped += part
        return dropped

    async def erase(self, context: UserContext) -> None:
        """Delete the user's log for good. The next event makes a new one, with another epoch.

        Raises `ConflictError` (`user_busy`) while a run of the user is open.
        """
        self._check(context)
        await self._write(partial(retention.erase_log, context.user_id))
        self._watermarks.pop(context.user_id, None)

    def statistics(self) -> LogMemoryStatistics:
        """What is held in memory."""
        return self._memory.statistics()

    def _check(self, context: UserContext) -> None:
        check_ambient(context, "the event log")
        if self._closed:
            raise StorageError("the event log is closed; start the server again")

    async def _write(self, function: Callable[[sqlite3.Connection, Heads], Result]) -> Result:
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._writer.submit(Task(function, future))
        return await future

    def _landed(self, changes: Sequence[Change]) -> None:
        for user_id, state, events in changes:
            if state is None:
                self._memory.forget(user_id)
            else:
                # What has just landed cannot have been acknowledged before.
                unsaved = self._unsaved(user_id, state.top - len(events))
                if unsaved > state.delivered:
                    state = state._replace(delivered=unsaved)
                self._memory.update(user_id, state, events)

    def _unsaved(self, user_id: str, top: int) -> int:
        """The watermark that is not on the disk yet; of a log that was not in memory, its top is known only now."""
        offset = self._watermarks.get(user_id, 0)
        if offset > top:
            self._watermarks[user_id] = offset = top
        return offset

    async def _save_soon(self) -> None:
        try:
            saved = True
            while saved:
                await asyncio.sleep(_WATERMARK_SECONDS)
                saved = await self._save_watermarks()
        finally:
            self._saving = None

    async def _save_watermarks(self) -> bool:
        """Whether there were any, and they are on the disk now."""
        watermarks, self._watermarks = self._watermarks, {}
        if not watermarks:
            return False
        try:
            await self._write(partial(_save, watermarks))
        except StorageError as error:
            # Not lost: after a crash, clients would only hear again of events that they know by their offsets.
            _logger.warning("the delivered watermarks of %d users are not saved yet: %s", len(watermarks), error)
            for user_id, offset in watermarks.items():
                self._watermarks[user_id] = max(offset, self._watermarks.get(user_id, 0))
            return False
        return True


async def _settled(future: asyncio.Future[Sequence[LoggedEvent]]) -> None:
    """Wait for the outcome, however often the caller is cancelled; raises what the append raised."""
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait((future,))
    future.result()


def _load(user_id: str, connection: sqlite3.Connection, heads: Heads) -> LogState:
    return heads.get(connection, user_id)


def _save(watermarks: Mapping[str, int], connection: sqlite3.Connection, heads: Heads) -> None:
    for user_id, offset in watermarks.items():
        state = heads.get(connection, user_id)
        heads.set(user_id, state._replace(delivered=max(state.delivered, min(offset, state.top))))
