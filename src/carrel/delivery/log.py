"""The event log: what happened to one user, in order, durable before anybody sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from carrel.context import UserContext
from carrel.events import EventDraft

__all__ = ["EventLog", "LogState", "LoggedEvent"]


class LoggedEvent(msgspec.Struct, frozen=True, gc=False):
    """One event in the log, in its wire form."""

    # Not for the garbage collector: tens of thousands are held, it would look at each, and none can be in a cycle.

    offset: int
    """1, 2, 3 … without gap or repeat."""
    run_id: str
    ends_run: bool
    """Whether it is the `agent_completed` of a root request."""
    body: bytes
    """The JSON object of section 1 of the protocol."""


class LogState(NamedTuple):
    """What a user's log holds now."""

    epoch: str
    """Identity of the log; another epoch is another log."""
    oldest: int
    """The oldest offset still kept; `top + 1` when nothing is kept."""
    top: int
    """The newest offset; 0 when nothing was ever written."""
    delivered: int
    """The delivered watermark: every event up to here has been acknowledged by a client of the user."""

    def reaches(self, epoch: str, offset: int) -> Literal[True] | str:
        """True when everything after `(epoch, offset)` can be read without a hole, else the reason."""
        if epoch != self.epoch:
            return "epoch"
        if offset > self.top:
            return "ahead"
        if offset < self.oldest - 1:
            return "trimmed"
        return True


class EventLog(Protocol):
    """One log per user. Every method takes the context and can touch only that user's log.

    Every method raises `IsolationError` when called while working for another user (`check_ambient`) and
    `StorageError` when the database refuses; then nothing was written.
    """

    async def append(self, context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        """Append drafts in order, all or none; returns once they are durable.

        Offsets are assigned in the same transaction. Raises `IsolationError` when a draft names another user.
        A caller that is cancelled while it waits takes nothing back: the append is carried out all the same, before
        any that is called later, and then `CancelledError` is raised; `StorageError` is when it was refused.
        """
        ...

    async def read(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent]:
        """Up to `limit` (at least 1) events with offsets `after + 1`, `after + 2`, … ; empty at the top.

        Raises `UnrecoverablePositionError` when `after + 1` is no longer kept or `after` is beyond the top.
        """
        ...

    def held(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent] | None:
        """What `read` would answer, if that is known without waiting and is not empty; None when it has to be read."""
        ...

    async def state(self, context: UserContext) -> LogState:
        """What the log holds now; a user without events has a log, with an epoch, whose top is 0."""
        ...

    def acknowledge(self, context: UserContext, offset: int) -> None:
        """Move the delivered watermark up to `offset`, or to the top when that is lower; it never goes down.

        Does not wait: `state` tells it at once, and it is durable soon.
        """
        ...
