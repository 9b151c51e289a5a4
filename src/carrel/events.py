"""The events of a run: their types, their grammar and their wire form (docs/reference/protocol.md, section 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from carrel.context import UserExecutionContext, new_id
from carrel.errors import GrammarError

__all__ = [
    "EVENT_TYPES",
    "LIFECYCLE_TYPES",
    "AgentEvent",
    "EventDraft",
    "EventType",
    "RunGrammar",
    "RunStatus",
    "ToolStatus",
    "decode_event",
    "draft_event",
    "encode_event",
    "encoded_epoch",
    "encoded_type",
    "timestamp",
]

EventType = Literal[
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
    "agent_message",
    "approval_requested",
    "approval_resolved",
    "run_queued",
]
ToolStatus = Literal["succeeded", "failed", "denied", "cancelled"]
RunStatus = Literal["succeeded", "failed", "cancelled", "timed_out", "interrupted"]

LIFECYCLE_TYPES: Final[tuple[EventType, ...]] = (
    "agent_started",
    "agent_thinking",
    "tool_executing",
    "tool_completed",
    "agent_completed",
)
EVENT_TYPES: Final[tuple[EventType, ...]] = (
    *LIFECYCLE_TYPES,
    "agent_message",
    "approval_requested",
    "approval_resolved",
    "run_queued",
)


class EventDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is not in a log yet: it has no offset, no epoch and no time."""

    type: EventType
    event_id: str
    user_id: str
    thread_id: str
    run_id: str
    request_id: str
    parent_request_id: str | None
    agent: str
    data: Mapping[str, Any]


class AgentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as clients receive it; `offset` counts 1, 2, 3 … in its user's log named by `epoch`."""

    type: EventType
    event_id: str
    offset: int
    epoch: str
    user_id: str
    thread_id: str
    run_id: str
    request_id: str
    parent_request_id: str | None
    agent: str
    created_at: str
    data: Mapping[str, Any]

    @property
    def ends_run(self) -> bool:
        """Whether this is the last event of its run."""
        return self.type == "agent_completed" and self.parent_request_id is None


def timestamp(seconds: float) -> str:
    """RFC 3339 UTC with microseconds, of a POSIX time in seconds."""
    # A quarter of what strftime takes; every event has one.
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def draft_event(
    context: UserExecutionContext, event_type: EventType, agent: str, data: Mapping[str, Any]
) -> EventDraft:
    """A draft with a new event id and the ids of `context`."""
    return EventDraft(
        type=event_type,
        event_id=new_id(),
        user_id=context.user_id,
        thread_id=context.thread_id,
        run_id=context.run_id,
        request_id=context.request_id,
        parent_request_id=context.parent_request_id,
        agent=agent,
        data=data,
    )


def encode_event(draft: EventDraft, *, offset: int, epoch: str, created_at: str) -> bytes:
    """The JSON object of section 1 of the protocol, UTF-8, without a newline.

    Raises `TypeError` or `ValueError` when `data` holds something that JSON cannot carry.
    """
    return msgspec.json.encode(
        AgentEvent(
            type=draft.type,
            event_id=draft.event_id,
            offset=offset,
            epoch=epoch,
            user_id=draft.user_id,
            thread_id=draft.thread_id,
            run_id=draft.run_id,
            request_id=draft.request_id,
            parent_request_id=draft.parent_request_id,
            agent=draft.agent,
            created_at=created_at,
            data=draft.data,
        )
    )


_decoder: Final = msgspec.json.Decoder(AgentEvent)


def decode_event(body: bytes) -> AgentEvent:
    """The event that `encode_event` wrote; raises `msgspec.ValidationError` for anything else."""
    return _decoder.decode(body)


def encoded_type(body: bytes) -> str:
    """The `type` of an encoded event, without decoding it: `encode_event` writes it first."""
    return body[9 : body.index(b'"', 9)].decode()


def encoded_epoch(body: bytes) -> str:
    """The `epoch` of an encoded event, without decoding it: nothing before it can hold a quotation mark."""
    start = body.index(b'"epoch":"') + 9
    return body[start : body.index(b'"', start)].decode()


class _OpenRequest(msgspec.Struct):
    agent: str
    parent: str | None
    tools: dict[str, str]


class RunGrammar:
    """The grammar of one run, used to refuse a wrong event before it is written and to close what a crash left open.

    Order: `run_queued` may come before the root's `agent_started` and nothing else may; every request has one
    `agent_started` first and one `agent_completed` last; tool calls are pairs; a sub-agent lies inside its parent;
    nothing follows the root's `agent_completed`. All events are of one run of one user.
    """

    __slots__ = ("_completed", "_open", "_over", "_run")

    def __init__(self) -> None:
        self._run: tuple[str, str, str] | None = None
        self._open: dict[str, _OpenRequest] = {}
        self._completed: set[str] = set()
        self._over = False

    @property
    def over(self) -> bool:
        """Whether the root's `agent_completed` has been accepted."""
        return self._over

    def is_open(self, request_id: str) -> bool:
        """Whether the request has started and is not completed."""
        return request_id in self._open

    def is_completed(self, request_id: str) -> bool:
        """Whether the request's `agent_completed` has been accepted."""
        return request_id in self._completed

    def check(self, event: EventDraft | AgentEvent) -> None:
        """Raise `GrammarError` when the event is not allowed next; changes nothing."""
        kind, request = event.type, event.request_id
        if self._over:
            raise GrammarError(kind, "the run is over")
        if self._run not in (None, (event.user_id, event.thread_id, event.run_id)):
            raise GrammarError(kind, "it belongs to another run")
        if kind == "run_queued":
            if self._open:
                raise GrammarError(kind, "the run has started")
            return
        if kind == "agent_started":
            self._check_started(event)
            return
        state = self._open.get(request)
        if state is None:
            raise GrammarError(kind, "its request has not started or is completed")
        if event.parent_request_id != state.parent:
            raise GrammarError(kind, "its parent is another than when it started")
        if kind in ("tool_executing", "tool_completed"):
            self._check_tool(event, state)
        elif kind == "agent_completed":
            if state.tools:
                raise GrammarError(kind, f"tool calls are still open: {', '.join(state.tools)}")
            if any(other.parent == request for other in self._open.values()):
                raise GrammarError(kind, "a sub-agent is still running")

    def accept(self, event: EventDraft | AgentEvent) -> None:
        """Take the next event; raises `GrammarError`, and changes nothing, when it is not allowed here."""
        self.check(event)
        self.take(event)

    def take(self, event: EventDraft | AgentEvent) -> None:
        """Take an event that `check` has let pass, when none but messages has been taken since, or one of `closing`."""
        self._run = self._run or (event.user_id, event.thread_id, event.run_id)
        kind, request = event.type, event.request_id
        if kind == "agent_started":
            self._open[request] = _OpenRequest(event.agent, event.parent_request_id, {})
        elif kind == "tool_executing":
            self._open[request].tools[event.data["tool_call_id"]] = str(event.data.get("tool", ""))
        elif kind == "tool_completed":
            del self._open[request].tools[event.data["tool_call_id"]]
        elif kind == "agent_completed":
            del self._open[request]
            self._completed.add(request)
            self._over = event.parent_request_id is None

    def _check_started(self, event: EventDraft | AgentEvent) -> None:
        if event.request_id in self._open or event.request_id in self._completed:
            raise GrammarError(event.type, "its request has started before")
        if event.parent_request_id is None:
            if self._open:
                raise GrammarError(event.type, "the run has a root already")
        elif event.parent_request_id not in self._open:
            raise GrammarError(event.type, "its parent is not running")

    @staticmethod
    def _check_tool(event: EventDraft | AgentEvent, state: _OpenRequest) -> None:
        call = event.data.get("tool_call_id")
        if not isinstance(call, str):
            raise GrammarError(event.type, "tool_call_id is missing")
        is_open = call in state.tools
        if event.type == "tool_executing" and is_open:
            raise GrammarError(event.type, f"tool call {call} is already open")
        if event.type == "tool_completed" and not is_open:
            raise GrammarError(event.type, f"tool call {call} is not open")

    def closing(self, status: RunStatus, code: str, message: str, *, below: str | None = None) -> Sequence[EventDraft]:
        """Drafts that complete the grammar, innermost first, for everything open or for request `below` and inside it.

        The drafts are not accepted yet: pass each to `accept`, in order, when it is written.
        """
        error = {"code": code, "message": message}
        drafts: list[EventDraft] = []
        # A request is opened after its parent, so the reverse of that order is innermost first.
        for request, state in reversed(self._open.items()):
            if below is not None and not self._inside(request, below):
                continue
            drafts.extend(
                self._draft(
                    "tool_completed",
                    request,
                    {"tool_call_id": call, "tool": tool, "status": "cancelled", "error": error, "duration_ms": 0},
                )
                for call, tool in state.tools.items()
            )
            drafts.append(
                self._draft(
                    "agent_completed", request, {"status": status, "error": error, "duration_ms": 0, "usage": {}}
                )
            )
        return drafts

    def _draft(self, event_type: EventType, request: str, data: Mapping[str, Any]) -> EventDraft:
        assert self._run is not None
        user_id, thread_id, run_id = self._run
        state = self._open[request]
        return EventDraft(
            type=event_type,
            event_id=new_id(),
            user_id=user_id,
            thread_id=thread_id,
            run_id=run_id,
            request_id=request,
            parent_request_id=state.parent,
            agent=state.agent,
            data=data,
        )

    def _inside(self, request: str, ancestor: str) -> bool:
        current: str | None = request
        while current is not None:
            if current == ancestor:
                return True
            current = self._open[current].parent  # open too: no request is completed before its sub-agents are
        return False
