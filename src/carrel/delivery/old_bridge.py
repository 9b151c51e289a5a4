"""Bridges of another code base, which are told of events by `notify_…` methods, seen as an event log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import isawaitable
from types import CoroutineType, MappingProxyType
from typing import Any, Final

import structlog

from carrel.context import UserContext, UserExecutionContext, check_ambient, new_id
from carrel.delivery.bridge import LocalBridge, WebSocketBridge
from carrel.delivery.log import EventLog, LoggedEvent, LogState
from carrel.delivery.old_calls import known_arguments
from carrel.errors import IsolationError, UnrecoverablePositionError
from carrel.events import EventDraft

__all__ = ["LoggedBridge", "NotifyingLog", "write_ends"]

_log = structlog.get_logger(__name__)

METHODS: Final = MappingProxyType(
    {
        "agent_started": "notify_agent_started",
        "agent_thinking": "notify_agent_thinking",
        "tool_executing": "notify_tool_executing",
        "tool_completed": "notify_tool_completed",
        "agent_completed": "notify_agent_completed",
    }
)
NEEDED: Final = ("notify_agent_started", "notify_agent_completed")


@dataclass(frozen=True, slots=True)
class LoggedBridge:
    """carrel's own log and bridge as the one argument that the old constructor has for both."""

    log: EventLog
    bridge: WebSocketBridge


class NotifyingLog:
    """The `EventLog` of one user over an old bridge: every event is handed to it, and nothing is kept.

    The bridge gets the values that its methods have parameters for, among them `user_context`, which is `given`, so
    that it need not remember whom it serves. Methods may be `async` or not; an event without a method, such as
    `agent_message`, is not sent (the whole answer comes with `notify_agent_completed`). What the bridge raises is
    logged and ends no run, as it was with the old engine; a method that requires what carrel does not know raises
    `TypeError`. What it is sending while the run is cancelled may be lost.
    """

    __slots__ = ("_bridge", "_epoch", "_given", "_run_id", "_top", "_user_id")

    def __init__(self, bridge: object, context: UserExecutionContext, given: object) -> None:
        self._bridge = bridge
        self._user_id = context.user_id
        # The id that whoever made the bridge knows the run by; the run itself may be a later one of the same engine.
        self._run_id: str = getattr(given, "run_id", context.run_id)
        self._given = given
        self._epoch = ""
        self._top = 0

    async def append(self, context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        """Tell the bridge, one event after the other. The events that are returned have no body."""
        self._check(context)
        for draft in drafts:
            if draft.user_id != self._user_id:
                raise IsolationError("an event draft")
        logged = []
        for draft in drafts:
            method = METHODS.get(draft.type)
            if method is not None and (notify := getattr(self._bridge, method, None)) is not None:
                values, keywords = known_arguments(notify, self._values(draft), method)
                try:
                    answer = notify(*values, **keywords)
                    if type(answer) is CoroutineType or isawaitable(answer):
                        await answer
                except Exception as error:  # noqa: BLE001 - the old engine went on without the event too
                    ids = {"user_id": self._user_id, "run_id": draft.run_id}
                    _log.warning("the old bridge did not take an event", type=draft.type, error=repr(error), **ids)
            self._top += 1
            ends = draft.type == "agent_completed" and draft.parent_request_id is None
            logged.append(LoggedEvent(self._top, draft.run_id, ends, b""))
        return logged

    async def read(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent]:
        self._check(context)
        if after != self._top:
            raise UnrecoverablePositionError(after, self._top + 1, self._top)
        return ()

    def held(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent] | None:
        self._check(context)
        return None

    async def state(self, context: UserContext) -> LogState:
        self._check(context)
        self._epoch = self._epoch or new_id()
        return LogState(self._epoch, self._top + 1, self._top, self._top)

    def acknowledge(self, context: UserContext, offset: int) -> None:
        """Nothing is kept that could be acknowledged."""
        self._check(context)

    def _check(self, context: UserContext) -> None:
        check_ambient(context, "the event log")
        if context.user_id != self._user_id:
            raise IsolationError("the event log")

    def _values(self, draft: EventDraft) -> dict[str, Any]:
        """What the old methods say of an event, by the names of their parameters and in the order of these."""
        data, kind = draft.data, draft.type
        known: dict[str, Any] = {"run_id": self._run_id, "agent_name": draft.agent}
        if kind == "agent_started":
            known["context"] = data
        elif kind == "agent_thinking":
            known["reasoning"] = data["text"]
            known["step_number"] = data.get("step")
        elif kind == "tool_executing":
            known["tool_name"] = data["tool"]
            known["parameters"] = data["arguments"]
        elif kind == "tool_completed":
            known["tool_name"] = data["tool"]
            known["result"] = data
            known["execution_time_ms"] = data["duration_ms"]
        else:
            known["result"] = {**data, "success": data["status"] == "succeeded"}
            known["execution_time_ms"] = data["duration_ms"]
        known["user_context"] = self._given
        return known


def write_ends(
    bridge: object, context: UserExecutionContext, given: object | None = None
) -> tuple[EventLog, WebSocketBridge]:
    """The log and the bridge that an emitter for `context` writes to; `given` is the context as old code knows it.

    Raises `TypeError` unless `bridge` is a `LoggedBridge` or has `notify_agent_started` and `notify_agent_completed`.
    """
    if isinstance(bridge, LoggedBridge):
        return bridge.log, bridge.bridge
    for name in NEEDED:
        if not hasattr(bridge, name):
            raise TypeError(
                f"websocket_bridge is a {type(bridge).__name__} without {name}; it needs {' and '.join(NEEDED)}; "
                "to write to carrel's own log, pass LoggedBridge(log, bridge)"
            )
    return NotifyingLog(bridge, context, context if given is None else given), LocalBridge()
