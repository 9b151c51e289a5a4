"""Users, runs and events that the suites write with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carrel.context import RequestId, RunId, ThreadId, UserContext, UserExecutionContext, UserId, new_id
from carrel.delivery.log import EventLog
from carrel.events import EventDraft, draft_event
from carrel.runtime.store import RunStore, ThreadStore, UserStore


class Clock:
    """POSIX seconds that stand still until a test moves them."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Stores:
    """An implementation of every store and of the log that they follow, over one set of data."""

    threads: ThreadStore
    runs: RunStore
    values: UserStore
    log: EventLog
    clock: Clock


def user(name: str) -> UserContext:
    return UserContext(user_id=UserId(name), request_id=RequestId(new_id()))


def run_context(name: str, thread_id: str | None = None) -> UserExecutionContext:
    """A new run of that user, in a new thread unless one is given."""
    return UserExecutionContext(
        user_id=UserId(name),
        thread_id=ThreadId(thread_id or new_id()),
        run_id=RunId(new_id()),
        request_id=RequestId(new_id()),
    )


def thought(context: UserExecutionContext, text: str = "hm") -> EventDraft:
    return draft_event(context, "agent_thinking", "agent", {"text": text})


def started(context: UserExecutionContext) -> EventDraft:
    return draft_event(context, "agent_started", "agent", {"input": "why?"})


def completed(context: UserExecutionContext, output: str = "because") -> EventDraft:
    return draft_event(
        context,
        "agent_completed",
        "agent",
        {"status": "succeeded", "output": output, "duration_ms": 1.5, "usage": {"input_tokens": 3}},
    )


def whole_run(context: UserExecutionContext) -> Sequence[EventDraft]:
    """The five lifecycle events."""
    call = {"tool_call_id": new_id(), "tool": "look"}
    return [
        started(context),
        thought(context),
        draft_event(context, "tool_executing", "agent", {**call, "arguments": {"at": "it"}}),
        draft_event(context, "tool_completed", "agent", {**call, "status": "succeeded", "result": 1, "duration_ms": 1}),
        completed(context),
    ]
