"""Threads, runs and values in memory: for tests, and for trying carrel out without a file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, get_args

from carrel.context import RunId, ThreadId, UserContext, UserExecutionContext, check_ambient, new_id
from carrel.errors import ConflictError, InputError, NotFoundError
from carrel.events import EventDraft, RunStatus, timestamp
from carrel.runtime.store import Message, RunRecord, Thread

__all__ = ["MemoryRunStore", "MemoryThreadStore", "MemoryUserStore"]

KEY_SECONDS: Final = 24 * 3600
MAX_VALUE_BYTES: Final = 64 * 1024
END_STATES: Final = frozenset(get_args(RunStatus))


@dataclass(slots=True)
class _Conversations:
    """What one user has."""

    threads: dict[str, Thread] = field(default_factory=dict)
    messages: dict[str, list[Message]] = field(default_factory=dict)
    runs: dict[str, RunRecord] = field(default_factory=dict)
    keys: dict[str, tuple[float, str]] = field(default_factory=dict)

    def thread(self, thread_id: str) -> Thread:
        if thread_id not in self.threads:
            raise NotFoundError("thread")
        return self.threads[thread_id]

    def open_runs(self, thread_id: str) -> list[RunRecord]:
        return [run for run in self.runs.values() if run.thread_id == thread_id and run.state not in END_STATES]


class MemoryThreadStore:
    """A `ThreadStore` that lives as long as the object. `clock` gives POSIX seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._users: dict[str, _Conversations] = {}

    def of(self, user_id: str) -> _Conversations:
        """What a user has: for `MemoryRunStore`, which writes to the same conversations."""
        return self._users.setdefault(user_id, _Conversations())

    async def create_thread(self, context: UserContext, title: str) -> Thread:
        check_ambient(context, "the thread store")
        now = timestamp(self.clock())
        thread = Thread(ThreadId(new_id()), title, now, now)
        self.of(context.user_id).threads[thread.thread_id] = thread
        return thread

    async def list_threads(
        self, context: UserContext, *, limit: int = 100, before: str | None = None
    ) -> Sequence[Thread]:
        check_ambient(context, "the thread store")
        mine = self.of(context.user_id)
        newest = sorted(mine.threads.values(), key=lambda thread: (thread.updated_at, thread.thread_id), reverse=True)
        if before is not None:
            newest = newest[newest.index(mine.thread(before)) + 1 :]
        return newest[:limit]

    async def get_thread(self, context: UserContext, thread_id: ThreadId) -> Thread:
        check_ambient(context, "the thread store")
        return self.of(context.user_id).thread(thread_id)

    async def rename_thread(self, context: UserContext, thread_id: ThreadId, title: str) -> Thread:
        check_ambient(context, "the thread store")
        mine = self.of(context.user_id)
        mine.threads[thread_id] = mine.thread(thread_id)._replace(title=title)
        return mine.threads[thread_id]

    async def delete_thread(self, context: UserContext, thread_id: ThreadId) -> None:
        check_ambient(context, "the thread store")
        mine = self.of(context.user_id)
        mine.thread(thread_id)
        if mine.open_runs(thread_id):
            raise ConflictError("thread_busy", "a run of this thread is not over; wait for it or cancel it")
        del mine.threads[thread_id]
        mine.messages.pop(thread_id, None)
        mine.runs = {run_id: run for run_id, run in mine.runs.items() if run.thread_id != thread_id}

    async def list_messages(self, context: UserContext, thread_id: ThreadId, *, limit: int = 200) -> Sequence[Message]:
        check_ambient(context, "the thread store")
        mine = self.of(context.user_id)
        mine.thread(thread_id)
        return mine.messages.get(thread_id, [])[-limit:]


class MemoryRunStore:
    """A `RunStore` over the conversations of `threads`; give `on_append` to the `MemoryEventLog` that it follows."""

    def __init__(self, threads: MemoryThreadStore) -> None:
        self._threads = threads

    def on_append(self, drafts: Sequence[EventDraft]) -> None:
        """Follow the log: the root's `agent_started` and `agent_completed` move the run's state."""
        for draft in drafts:
            mine = self._threads.of(draft.user_id)
            run = mine.runs.get(draft.run_id)
            if run is None or draft.parent_request_id is not None:
                continue
            if draft.type == "agent_started":
                mine.runs[run.run_id] = run._replace(state="running")
            elif draft.type == "agent_completed":
                self._end(mine, run, draft)

    def _end(self, mine: _Conversations, run: RunRecord, draft: EventDraft) -> None:
        now = timestamp(self._threads.clock())
        data = draft.data
        error = data.get("error", {})
        mine.runs[run.run_id] = run._replace(
            state=data["status"],
            output=data.get("output"),
            error_code=error.get("code"),
            error_message=error.get("message"),
            usage=dict(data.get("usage", {})),
            finished_at=now,
        )
        if data.get("output"):
            self._add_message(mine, run.thread_id, Message(new_id(), run.run_id, "assistant", data["output"], now))

    @staticmethod
    def _add_message(mine: _Conversations, thread_id: str, message: Message) -> None:
        mine.messages.setdefault(thread_id, []).append(message)
        mine.threads[thread_id] = mine.threads[thread_id]._replace(updated_at=message.created_at)

    async def create_run(
        self,
        context: UserExecutionContext,
        *,
        agent: str,
        input: str,
        idempotency_key: str | None,
        new_thread_title: str | None,
    ) -> tuple[RunRecord, bool]:
        earlier = await self.find_run(context, idempotency_key) if idempotency_key is not None else None
        if earlier is not None:
            return earlier, False
        check_ambient(context, "the run store")
        mine = self._threads.of(context.user_id)
        seconds = self._threads.clock()
        now = timestamp(seconds)
        if new_thread_title is None:
            mine.thread(context.thread_id)
        else:
            mine.threads[context.thread_id] = Thread(context.thread_id, new_thread_title, now, now)
        run = RunRecord.queued(context, agent=agent, input=input, created_at=now)
        mine.runs[run.run_id] = run
        if idempotency_key is not None:
            mine.keys[idempotency_key] = (seconds, run.run_id)
        self._add_message(mine, run.thread_id, Message(new_id(), run.run_id, "user", input, now))
        return run, True

    async def find_run(self, context: UserContext, idempotency_key: str) -> RunRecord | None:
        check_ambient(context, "the run store")
        mine = self._threads.of(context.user_id)
        used_at, run_id = mine.keys.get(idempotency_key, (0.0, ""))
        return mine.runs.get(run_id) if self._threads.clock() - used_at < KEY_SECONDS else None

    async def get_run(self, context: UserContext, run_id: RunId) -> RunRecord:
        check_ambient(context, "the run store")
        mine = self._threads.of(context.user_id)
        if run_id not in mine.runs:
            raise NotFoundError("run")
        return mine.runs[run_id]

    async def open_runs(self, context: UserContext, thread_id: ThreadId) -> Sequence[RunRecord]:
        check_ambient(context, "the run store")
        return self._threads.of(context.user_id).open_runs(thread_id)

    async def forget_run(self, context: UserContext, run_id: RunId) -> None:
        run = await self.get_run(context, run_id)
        messages = self._threads.of(context.user_id).messages.get(run.thread_id, [])
        messages[:] = [message for message in messages if message.run_id != run_id]


class MemoryUserStore:
    """A `UserStore` that lives as long as the object; holds values as JSON, so that none is shared with its giver."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], str] = {}

    async def get_value(self, context: UserContext, key: str) -> Any:
        check_ambient(context, "the store")
        return json.loads(self._values.get((context.user_id, key), "null"))

    async def put_value(self, context: UserContext, key: str, value: Any) -> None:
        check_ambient(context, "the store")
        try:
            text = json.dumps(value)
        except (TypeError, ValueError) as error:
            raise InputError("value", f"is not JSON: {error}") from error
        if len(text.encode()) > MAX_VALUE_BYTES:
            raise InputError("value", f"is longer than {MAX_VALUE_BYTES} bytes as JSON")
        self._values[context.user_id, key] = text

    async def delete_value(self, context: UserContext, key: str) -> None:
        check_ambient(context, "the store")
        self._values.pop((context.user_id, key), None)

    async def list_keys(self, context: UserContext, prefix: str = "") -> Sequence[str]:
        check_ambient(context, "the store")
        return sorted(key for user_id, key in self._values if user_id == context.user_id and key.startswith(prefix))
