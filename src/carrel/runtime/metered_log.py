"""The event log as runs write it: what they write is counted, and held back where a user has too much of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from carrel.context import UserContext
from carrel.delivery.log import EventLog, LoggedEvent, LogState
from carrel.events import EventDraft
from carrel.runtime.meters import UserMeter, UserMeters

__all__ = ["MeteredLog"]

_BEGINNINGS: Final = frozenset({"agent_started", "agent_thinking", "tool_executing"})
_COUNTED: Final = frozenset({"agent_started", "agent_completed", "tool_executing"})


class MeteredLog:
    """An `EventLog` over another one; appending counts on the user's meter.

    Raises `LimitExceededError` when a user's runs write too many events a second, or too much altogether. Only what
    begins something is refused (a thought, a tool call, a sub-agent): whatever has begun can end, so that every run
    ends in the grammar. What an answer says is paced elsewhere and counted here.
    """

    __slots__ = ("_log", "_meters")

    def __init__(self, log: EventLog, meters: UserMeters) -> None:
        self._log = log
        self._meters = meters

    async def append(self, context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        meter = self._meters.of(context.user_id)
        if meter.may_refuse and any(map(_begins_something, drafts)):
            meter.check_events()
        try:
            logged = await self._log.append(context, drafts)
        except asyncio.CancelledError:
            _count(meter, drafts)  # an append that is cancelled is carried out all the same
            raise
        _count(meter, drafts)
        return logged

    async def read(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent]:
        return await self._log.read(context, after, limit)

    def held(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent] | None:
        return self._log.held(context, after, limit)

    async def state(self, context: UserContext) -> LogState:
        return await self._log.state(context)

    def acknowledge(self, context: UserContext, offset: int) -> None:
        self._log.acknowledge(context, offset)


def _begins_something(draft: EventDraft) -> bool:
    # Of an `agent_started`, only a sub-agent's: a run that was accepted begins.
    return draft.type in _BEGINNINGS and (draft.type != "agent_started" or draft.parent_request_id is not None)


def _count(meter: UserMeter, drafts: Sequence[EventDraft]) -> None:
    meter.events_written(len(drafts))
    for draft in drafts:
        kind = draft.type
        if kind not in _COUNTED:
            continue
        if kind == "tool_executing":
            meter.tool_called()
        elif kind == "agent_started":
            if draft.parent_request_id is None:
                meter.open_runs += 1
            else:
                meter.sub_agent_started()
        elif draft.parent_request_id is None:
            meter.open_runs -= 1
            meter.run_ended(str(draft.data.get("status")), float(draft.data.get("duration_ms", 0.0)) / 1000)
