"""The one thread that writes the event log: it gathers what is waiting into a group and commits it at once."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple

from carrel.context import new_id
from carrel.delivery.log import LoggedEvent, LogState
from carrel.errors import CarrelError
from carrel.events import EventDraft, encode_event, timestamp
from carrel.storage.failures import BUSY_SECONDS, storage_error
from carrel.storage.many_rows import ROWS, execute_rows
from carrel.storage.projection import Projection

__all__ = ["Append", "Change", "Heads", "LogWriter", "Task"]

GROUP_EVENTS: Final = ROWS
_CACHED_HEADS: Final = 10_000
_CACHED_STATEMENTS: Final = 8 * ROWS
"""Room for every length of every statement of a group."""
_HEAD: Final = "SELECT epoch, oldest, top, delivered FROM log_state WHERE user_id = ?"
_SAVE_HEADS: Final = "INSERT INTO log_state (user_id, epoch, oldest, top, delivered) VALUES"
_OR_CHANGE_HEADS: Final = (
    "ON CONFLICT (user_id) DO UPDATE SET oldest = excluded.oldest, top = excluded.top, delivered = excluded.delivered"
)
_INSERT: Final = "INSERT INTO event_log (user_id, offset, run_id, ends_run, appended_at, body) VALUES"


class _Signal(Enum):
    IDLE = auto()
    STOP = auto()


class _Result(NamedTuple):
    future: asyncio.Future[Any]
    value: Any
    error: Exception | None


class Change(NamedTuple):
    """What a committed group did to one user's log; `state` is None when the log was erased."""

    user_id: str
    state: LogState | None
    events: list[LoggedEvent]


@dataclass(slots=True, eq=False)
class Append:
    """Drafts to append, all or none."""

    user_id: str
    drafts: Sequence[EventDraft]
    future: asyncio.Future[Any]


@dataclass(slots=True, eq=False)
class Task:
    """Anything else that writes the log, in a transaction of its own; `future` gets what `function` returns."""

    function: Callable[[sqlite3.Connection, Heads], Any]
    future: asyncio.Future[Any]


class Heads:
    """The state of logs as a transaction sees and changes it; belongs to the writer's thread.

    What is changed here is kept only when the transaction is committed, so that no offset is ever handed out twice
    or skipped because a disk was full.
    """

    def __init__(self) -> None:
        self._committed: OrderedDict[str, LogState] = OrderedDict()
        self._staged: dict[str, LogState | None] = {}

    def get(self, connection: sqlite3.Connection, user_id: str) -> LogState:
        """The user's state; a user without a log gets one, with a new epoch."""
        state = self._staged[user_id] if user_id in self._staged else self._committed.get(user_id)
        if state is None:
            row = connection.execute(_HEAD, (user_id,)).fetchone()
            # Staged also when it was only read: it must not outlive a transaction that is rolled back.
            self._staged[user_id] = state = LogState(*row) if row is not None else LogState(new_id(), 1, 0, 0)
        return state

    def set(self, user_id: str, state: LogState | None) -> None:
        """Change the user's state; None when the rows of the log are gone."""
        self._staged[user_id] = state

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what was changed, inside the caller's transaction."""
        rows = [(user_id, *state) for user_id, state in self._staged.items() if state is not None]
        execute_rows(connection, rows, _SAVE_HEADS, _OR_CHANGE_HEADS)

    def commit(self) -> dict[str, LogState | None]:
        """Keep what was changed; returns it."""
        changed, self._staged = self._staged, {}
        for user_id, state in changed.items():
            self._committed.pop(user_id, None)
            if state is not None:
                self._committed[user_id] = state
        while len(self._committed) > _CACHED_HEADS:
            self._committed.popitem(last=False)
        return changed

    def roll_back(self) -> None:
        """Forget what was changed."""
        self._staged = {}


class LogWriter:
    """Owns the thread and its connection. `start` it once, `submit` from the event loop's thread, `stop` it once.

    A group is what was waiting when the last commit ended, at most 64 events: nobody waits for a timer, and the busier
    the log, the larger its groups. Each group is one transaction and one wake-up of the loop, in which `landed` gets
    the changes before the callers get their results.
    """

    def __init__(
        self, path: Path, landed: Callable[[Sequence[Change]], None], clock: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._landed = landed
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Append | Task | _Signal] = SimpleQueue()
        self._heads = Heads()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="carrel-log-writer", daemon=True)

    async def start(self) -> None:
        """Open the connection; raises `StorageError` when the database refuses."""
        self._thread.start()
        await self._ready

    def submit(self, work: Append | Task) -> None:
        """Put work in line. Its future is always answered."""
        self._queue.put(work)

    async def stop(self) -> None:
        """Finish what is in line and end the thread."""
        self._queue.put(_Signal.STOP)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        try:
            self._connection = _connect(self._path)
        except sqlite3.Error as error:
            self._wake(partial(self._ready.set_exception, storage_error(self._path, error)))
            return
        with closing(self._connection):
            self._wake(partial(self._ready.set_result, None))
            for work in self._batches():
                if isinstance(work, Task):
                    self._do(work)
                else:
                    self._append(work)

    def _batches(self) -> Iterator[list[Append] | Task]:
        work: Append | Task | _Signal = _Signal.IDLE
        while work is not _Signal.STOP:
            work = self._queue.get()
            group: list[Append] = []
            events = 0
            while isinstance(work, Append):
                group.append(work)
                events += len(work.drafts)
                work = self._waiting() if events < GROUP_EVENTS else _Signal.IDLE
            if group:
                yield group
            if isinstance(work, Task):
                yield work

    def _waiting(self) -> Append | Task | _Signal:
        try:
            return self._queue.get_nowait()
        except Empty:
            return _Signal.IDLE

    def _append(self, group: list[Append]) -> None:
        results: list[_Result] = []
        changes: list[Change] = []
        try:
            with self._transaction():
                events = self._write_group(group, results)
            changes = self._commit_heads(events)
        except Exception as error:  # noqa: BLE001 - whatever it is, the callers hear of it and the thread lives on
            results = [_Result(append.future, None, storage_error(self._path, error)) for append in group]
        self._wake(partial(self._deliver, changes, results))

    def _write_group(self, group: list[Append], results: list[_Result]) -> dict[str, list[LoggedEvent]]:
        """Write the group, and note the result of each append; returns the events by user."""
        now = self._clock()
        created_at = timestamp(now)
        projection = Projection()
        events: dict[str, list[LoggedEvent]] = {}
        rows: list[tuple[object, ...]] = []
        for append in group:
            try:
                logged = self._encode(append, created_at)
            except Exception as error:  # noqa: BLE001 - one caller's data must not fail its neighbours' appends
                results.append(_Result(append.future, None, error))
                continue
            for draft, event in zip(append.drafts, logged, strict=True):
                rows.append((append.user_id, event.offset, event.run_id, event.ends_run, now, event.body))
                projection.add(draft, event.offset, created_at)
            events.setdefault(append.user_id, []).extend(logged)
            results.append(_Result(append.future, logged, None))
        execute_rows(self._connection, rows, _INSERT)
        projection.write(self._connection)
        return events

    def _encode(self, append: Append, created_at: str) -> list[LoggedEvent]:
        head = self._heads.get(self._connection, append.user_id)
        logged = [
            LoggedEvent(
                offset,
                draft.run_id,
                draft.type == "agent_completed" and draft.parent_request_id is None,
                encode_event(draft, offset=offset, epoch=head.epoch, created_at=created_at),
            )
            for offset, draft in enumerate(append.drafts, head.top + 1)
        ]
        # Only now: an append that cannot be encoded takes no offset.
        self._heads.set(append.user_id, head._replace(top=head.top + len(logged)))
        return logged

    def _do(self, task: Task) -> None:
        changes: list[Change] = []
        try:
            with self._transaction():
                result = _Result(task.future, task.function(self._connection, self._heads), None)
            changes = self._commit_heads({})
        except CarrelError as error:
            result = _Result(task.future, None, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller hears of it and the thread lives on
            result = _Result(task.future, None, storage_error(self._path, error))
        self._wake(partial(self._deliver, changes, [result]))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._heads.write(self._connection)
            self._connection.execute("COMMIT")
        except BaseException:
            self._heads.roll_back()
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _commit_heads(self, events: dict[str, list[LoggedEvent]]) -> list[Change]:
        return [Change(user_id, state, events.get(user_id, [])) for user_id, state in self._heads.commit().items()]

    def _deliver(self, changes: Sequence[Change], results: Sequence[_Result]) -> None:
        """On the loop: first what is now true, then those who waited for it."""
        self._landed(changes)
        for future, value, error in results:
            if future.done():
                continue  # its caller was cancelled; what it wrote stays written
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

    def _wake(self, callback: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody is left to hear it
            self._loop.call_soon_threadsafe(callback)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, cached_statements=_CACHED_STATEMENTS)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection
