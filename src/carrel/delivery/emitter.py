"""The write end of delivery: what one request tells its user."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

from carrel.context import UserExecutionContext, check_ambient
from carrel.delivery.bridge import WebSocketBridge
from carrel.delivery.log import EventLog
from carrel.delivery.old_bridge import write_ends
from carrel.delivery.old_context import context_of
from carrel.delivery.payload import event_data
from carrel.delivery.run_writer import RunWriter
from carrel.errors import CarrelError, EngineClosedError, GrammarError, IsolationError
from carrel.events import EventType, RunStatus, ToolStatus, draft_event

__all__ = ["WebSocketEmitter"]


class WebSocketEmitter:
    """Writes the events of one request to its user's log and wakes that user's connections; bound to it for life.

    Every method returns once the event is durable, and only then can a client see it. Calls may come from several
    tasks: they are put in one order, the order of the log. Once the request is completed every method raises
    `EngineClosedError`; an event that the grammar does not allow raises `GrammarError`; use while working for another
    user raises `IsolationError`; `StorageError` means that the event is not in the log.

    Values that JSON cannot carry are written as their `str()`. One event carries at most 256 KiB: longer strings and
    lists in `arguments`, `result`, `output` and the like are cut and end with `… [cut: N characters]`.
    """

    __slots__ = ("_agent", "_closed", "_completing", "_context", "_parent", "_writer")

    def __init__(self, context: UserExecutionContext, log: EventLog, bridge: WebSocketBridge) -> None:
        self._bind(context, None, RunWriter(context.user_id, log, bridge))

    @classmethod
    def from_bridge(cls, bridge: object, context: object) -> Self:
        """Deprecated: an emitter over a bridge of another code base, one with `notify_…` methods, for its context.

        See `write_ends` for the bridges and `context_of` for the contexts that are taken. Write
        `WebSocketEmitter(context, log, bridge)` instead.
        """
        warnings.warn(
            "WebSocketEmitter.from_bridge(bridge, context) is deprecated; call WebSocketEmitter(context, log, bridge)",
            DeprecationWarning,
            stacklevel=2,
        )
        own = context_of(context)
        return cls(own, *write_ends(bridge, own, context))

    @property
    def context(self) -> UserExecutionContext:
        """Whom and what the events are about."""
        return self._context

    @property
    def closed(self) -> bool:
        """Whether the request, or one that it is inside of, is completed or about to be."""
        return (
            self._closed
            or self._completing
            or self._writer.grammar.is_completed(self._context.request_id)
            or (self._parent is not None and self._parent.closed)
        )

    def child(self, context: UserExecutionContext) -> Self:
        """The emitter of a sub-agent's request; it shares the order and the grammar of this run.

        Raises `IsolationError` unless `context` is a child of this emitter's own.
        """
        own = self._context
        self._check_open()
        if (context.user_id, context.thread_id, context.run_id, context.parent_request_id) != (
            own.user_id,
            own.thread_id,
            own.run_id,
            own.request_id,
        ):
            raise IsolationError("a child emitter")
        made = type(self).__new__(type(self))
        made._bind(context, self, self._writer)  # noqa: SLF001 - its own class
        return made

    def _bind(self, context: UserExecutionContext, parent: WebSocketEmitter | None, writer: RunWriter) -> None:
        self._context = context
        self._parent = parent
        self._writer = writer
        self._agent = ""
        self._closed = False
        self._completing = False

    async def queued(self, position: int, *, agent: str = "") -> None:
        """The run waits: `position` others of its thread go first."""
        await self._write("run_queued", {"position": position}, agent=agent)

    async def started(self, agent: str, input: str) -> None:
        """The request begins, with the agent's name and what it was given."""
        self._agent = agent
        await self._write("agent_started", {"input": input})

    async def thinking(self, text: str, step: int | None = None) -> None:
        """One step of visible reasoning or progress."""
        await self._write("agent_thinking", {"text": text} if step is None else {"text": text, "step": step})

    async def message(self, text: str) -> None:
        """The next piece of the answer.

        Pieces are joined, so that all requests of a run together write at most 20 events a second, and are written
        before any other event of this request; until then this returns without waiting. Nothing is lost or cut: what
        is too long for one event takes several.
        """
        self._check_open()
        if not self._writer.grammar.is_open(self._context.request_id):
            raise GrammarError("agent_message", "its request has not started")
        if text:
            # Half a surrogate pair, as a careless decoder leaves it, has no form in UTF-8.
            readable = text if text.isascii() else text.encode("utf-8", "replace").decode()
            await self._writer.say(self._context, self._agent, readable)

    async def tool_executing(self, tool_call_id: str, tool: str, arguments: Mapping[str, Any]) -> None:
        """A tool call begins."""
        await self._write("tool_executing", {"tool_call_id": tool_call_id, "tool": tool, "arguments": arguments})

    async def tool_completed(
        self,
        tool_call_id: str,
        tool: str,
        status: ToolStatus,
        duration_ms: float,
        result: Any = None,
        error: Mapping[str, str] | None = None,
    ) -> None:
        """A tool call is over: `result` when it succeeded, else `error` with `code` and `message`."""
        outcome = {"result": result} if status == "succeeded" else {"error": error or {}}
        await self._write(
            "tool_completed",
            {"tool_call_id": tool_call_id, "tool": tool, "status": status, **outcome, "duration_ms": duration_ms},
        )

    async def completed(
        self,
        status: RunStatus,
        duration_ms: float,
        output: str | None = None,
        error: Mapping[str, str] | None = None,
        usage: Mapping[str, Any] | None = None,
    ) -> None:
        """The request is over: `output` when it succeeded, else `error` with `code` and `message`."""
        self._check_open()
        outcome = {"output": output or ""} if status == "succeeded" else {"error": error or {}}
        self._completing = True  # what another task says from here on would come too late
        try:
            await self._append(
                "agent_completed", {"status": status, **outcome, "duration_ms": duration_ms, "usage": usage or {}}
            )
        except CarrelError:
            self._completing = False
            self._check_open()
            raise

    async def close_open(self, status: RunStatus, code: str, message: str) -> None:
        """Complete this request and all inside it, whatever state they are in; from now on nothing else is taken.

        Calling it again, or after `completed`, does nothing. After a `StorageError` it may be called again.
        """
        check_ambient(self._context, "the emitter")
        self._closed = True
        await self._writer.close(self._context, status, code, message)

    async def _write(self, event_type: EventType, data: Mapping[str, Any], *, agent: str | None = None) -> None:
        self._check_open()
        try:
            await self._append(event_type, data, agent=agent)
        except GrammarError:
            # The request may have been completed from outside while this call waited for its turn.
            self._check_open()
            raise

    async def _append(self, event_type: EventType, data: Mapping[str, Any], *, agent: str | None = None) -> None:
        context = self._context
        draft = draft_event(context, event_type, self._agent if agent is None else agent, event_data(data))
        before = context.parent_request_id if event_type == "agent_started" else context.request_id
        await self._writer.write(context, draft, after=(before,) if before is not None else ())

    def _check_open(self) -> None:
        check_ambient(self._context, "the emitter")
        if self.closed:
            raise EngineClosedError("the emitter")
