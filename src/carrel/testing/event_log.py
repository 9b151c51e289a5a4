"""An event log in memory: for tests, and for trying carrel out without a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from carrel.context import UserContext, check_ambient, new_id
from carrel.delivery.log import LoggedEvent, LogState
from carrel.errors import IsolationError, UnrecoverablePositionError
from carrel.events import EventDraft, encode_event, timestamp

__all__ = ["MemoryEventLog"]


@dataclass(slots=True)
class _UserLog:
    epoch: str = field(default_factory=new_id)
    oldest: int = 1
    delivered: int = 0
    events: list[LoggedEvent] = field(default_factory=list)

    @property
    def top(self) -> int:
        return self.oldest + len(self.events) - 1


class MemoryEventLog:
    """An `EventLog` that lives as long as the object.

    `on_append` is called with the drafts after they are in the log and before `append` returns; what it raises, the
    caller of `append` gets. `clock` gives POSIX seconds for `created_at`.
    """

    def __init__(
        self,
        *,
        on_append: Callable[[Sequence[EventDraft]], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._logs: dict[str, _UserLog] = {}
        self._failures: list[Exception] = []
        self._on_append = on_append
        self._clock = clock

    async def append(self, context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        log = self._log(context)
        if any(draft.user_id != context.user_id for draft in drafts):
            raise IsolationError("an event draft")
        created_at = timestamp(self._clock())
        logged = [
            LoggedEvent(
                offset,
                draft.run_id,
                draft.type == "agent_completed" and draft.parent_request_id is None,
                encode_event(draft, offset=offset, epoch=log.epoch, created_at=created_at),
            )
            for offset, draft in enumerate(drafts, log.top + 1)
        ]
        log.events.extend(logged)
        if self._on_append is not None:
            self._on_append(drafts)
        return logged

    async def read(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent]:
        log = self._log(context)
        if not log.oldest - 1 <= after <= log.top:
            raise UnrecoverablePositionError(after, log.oldest, log.top)
        start = after + 1 - log.oldest
        return log.events[start : start + limit]

    def held(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent] | None:
        log = self._log(context)
        start = after + 1 - log.oldest
        return log.events[start : start + limit] or None if start >= 0 else None

    async def state(self, context: UserContext) -> LogState:
        log = self._log(context)
        return LogState(log.epoch, log.oldest, log.top, log.delivered)

    def acknowledge(self, context: UserContext, offset: int) -> None:
        log = self._log(context)
        log.delivered = max(log.delivered, min(offset, log.top))

    def events(self, context: UserContext) -> Sequence[LoggedEvent]:
        """Everything that is kept for the user, without waiting: what tests look at."""
        return tuple(self._logs[context.user_id].events) if context.user_id in self._logs else ()

    def trim(self, context: UserContext, keep: int) -> None:
        """Forget all but the newest `keep` events, as retention does."""
        log = self._log(context)
        dropped = max(0, len(log.events) - keep)
        del log.events[:dropped]
        log.oldest += dropped

    def recreate(self, context: UserContext) -> None:
        """Start the user's log again from nothing under a new epoch, as a lost database would."""
        self._logs[context.user_id] = _UserLog()

    def fail(self, *errors: Exception) -> None:
        """Let the next calls of any method raise `errors`, one each, and do nothing."""
        self._failures.extend(errors)

    def _log(self, context: UserContext) -> _UserLog:
        check_ambient(context, "the event log")
        if self._failures:
            raise self._failures.pop(0)
        log = self._logs.get(context.user_id)
        if log is None:
            log = self._logs[context.user_id] = _UserLog()
        return log
