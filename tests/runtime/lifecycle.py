"""What the runtime's tests look at: the events of a run, and whether they keep the grammar."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from carrel.context import UserContext
from carrel.delivery.log import LoggedEvent
from carrel.events import AgentEvent, EventDraft, RunGrammar
from carrel.testing import MemoryRuntime


def grammatical(events: Sequence[AgentEvent]) -> Sequence[AgentEvent]:
    """The events, after checking that every run among them is complete and in order."""
    runs: dict[str, RunGrammar] = defaultdict(RunGrammar)
    for event in events:
        runs[event.run_id].accept(event)
    assert all(grammar.over for grammar in runs.values())
    assert [event.offset for event in events] == list(range(1, len(events) + 1))
    return events


def events_of(runtime: MemoryRuntime, user_id: str = "ada") -> Sequence[AgentEvent]:
    """A user's whole log, grammatical."""
    return grammatical(runtime.events(runtime.user(user_id)))


def outline(events: Sequence[AgentEvent]) -> list[str]:
    """`agent_started`, `agent_completed succeeded` … : the events in short."""
    return [f"{event.type} {event.data['status']}" if "status" in event.data else event.type for event in events]


def slow_down(runtime: MemoryRuntime) -> None:
    """Let the log take a few turns of the loop for an append, and carry out those that nobody waits for any more."""
    append = runtime.log.append

    async def later(context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        for _ in range(3):
            await asyncio.sleep(0)
        return await append(context, drafts)

    async def slowly(context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        return await asyncio.shield(asyncio.ensure_future(later(context, drafts)))

    runtime.log.append = slowly  # type: ignore[method-assign]
