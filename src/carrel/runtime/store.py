"""What is kept for a user: threads, messages, runs, values. Every method takes the context; none works without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol

from carrel.context import RunId, ThreadId, UserContext, UserExecutionContext, check_ambient
from carrel.errors import EngineClosedError
from carrel.events import RunStatus

__all__ = [
    "BoundStore",
    "Message",
    "RunRecord",
    "RunState",
    "RunStore",
    "Thread",
    "ThreadStore",
    "UserStore",
]

RunState = Literal["queued", "running", "waiting"] | RunStatus


class Thread(NamedTuple):
    """A conversation."""

    thread_id: ThreadId
    title: str
    created_at: str
    updated_at: str


class Message(NamedTuple):
    """One message of a thread."""

    message_id: str
    run_id: RunId
    role: Literal["user", "assistant"]
    text: str
    created_at: str


class RunRecord(NamedTuple):
    """One run, as far as it has come."""

    run_id: RunId
    thread_id: ThreadId
    request_id: str
    agent: str
    input: str
    state: RunState
    output: str | None
    error_code: str | None
    error_message: str | None
    usage: dict[str, Any]
    created_at: str
    finished_at: str | None

    @classmethod
    def queued(cls, context: UserExecutionContext, *, agent: str, input: str, created_at: str) -> RunRecord:
        """The run of a context that has not started."""
        return cls(
            run_id=context.run_id,
            thread_id=context.thread_id,
            request_id=context.request_id,
            agent=agent,
            input=input,
            state="queued",
            output=None,
            error_code=None,
            error_message=None,
            usage={},
            created_at=created_at,
            finished_at=None,
        )


class ThreadStore(Protocol):
    """A user's conversations. An id of somebody else's raises the same `NotFoundError` as one that never was."""

    async def create_thread(self, context: UserContext, title: str) -> Thread: ...

    async def list_threads(
        self, context: UserContext, *, limit: int = 100, before: str | None = None
    ) -> Sequence[Thread]:
        """Newest `updated_at` first; `before` is the thread_id that the previous page ended with."""
        ...

    async def get_thread(self, context: UserContext, thread_id: ThreadId) -> Thread: ...

    async def rename_thread(self, context: UserContext, thread_id: ThreadId, title: str) -> Thread: ...

    async def delete_thread(self, context: UserContext, thread_id: ThreadId) -> None:
        """Delete it with its messages and run records. Raises `ConflictError` (`thread_busy`) while a run is open."""
        ...

    async def list_messages(self, context: UserContext, thread_id: ThreadId, *, limit: int = 200) -> Sequence[Message]:
        """The newest `limit` messages, oldest first."""
        ...


class RunStore(Protocol):
    """A user's runs. `state`, output and the assistant's message follow the event log in its own transaction."""

    async def create_run(
        self,
        context: UserExecutionContext,
        *,
        agent: str,
        input: str,
        idempotency_key: str | None,
        new_thread_title: str | None,
    ) -> tuple[RunRecord, bool]:
        """Record a run as `queued` together with the user's message; True when it was created now.

        With a key that this user used in the last 24 hours: the run of then, and False; nothing is written.
        With `new_thread_title` the thread `context.thread_id` is created in the same transaction; without it, raises
        `NotFoundError` when the thread is not this user's.
        """
        ...

    async def find_run(self, context: UserContext, idempotency_key: str) -> RunRecord | None:
        """The run that this user's key started in the last 24 hours, or None."""
        ...

    async def get_run(self, context: UserContext, run_id: RunId) -> RunRecord: ...

    async def open_runs(self, context: UserContext, thread_id: ThreadId) -> Sequence[RunRecord]:
        """Runs of the thread that are not over, oldest first."""
        ...

    async def forget_run(self, context: UserContext, run_id: RunId) -> None:
        """Remove the messages of a run from its thread (`if_busy: rollback`); the record and the events stay."""
        ...


class UserStore(Protocol):
    """Small JSON values that agents keep for a user between runs."""

    async def get_value(self, context: UserContext, key: str) -> Any:
        """The value, or None."""
        ...

    async def put_value(self, context: UserContext, key: str, value: Any) -> None:
        """Set it; at most 64 KiB as JSON, else `InputError`."""
        ...

    async def delete_value(self, context: UserContext, key: str) -> None: ...

    async def list_keys(self, context: UserContext, prefix: str = "") -> Sequence[str]: ...


class BoundStore:
    """A `UserStore` that can only be asked about one user: what agents get, for as long as their request."""

    __slots__ = ("_closed", "_context", "_store")

    def __init__(self, context: UserContext, store: UserStore) -> None:
        self._context = context
        self._store = store
        self._closed = False

    def close(self) -> None:
        """Refuse everything from now on with `EngineClosedError`: the request is over."""
        self._closed = True

    async def get(self, key: str) -> Any:
        """The value, or None."""
        self._check()
        return await self._store.get_value(self._context, key)

    async def put(self, key: str, value: Any) -> None:
        """Set a JSON value of at most 64 KiB."""
        self._check()
        await self._store.put_value(self._context, key, value)

    async def delete(self, key: str) -> None:
        """Remove the value; nothing happens when there is none."""
        self._check()
        await self._store.delete_value(self._context, key)

    async def keys(self, prefix: str = "") -> Sequence[str]:
        """Names of the values, sorted."""
        self._check()
        return await self._store.list_keys(self._context, prefix)

    def _check(self) -> None:
        check_ambient(self._context, "the store")
        if self._closed:
            raise EngineClosedError("the store")
