"""The engine: one request of one user, executed, with everything it uses bound to that user for life."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from carrel.context import UserExecutionContext, check_ambient
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import AgentNotFoundError, ContextError, EngineClosedError, InputError, IsolationError
from carrel.runtime.agent import AgentResult
from carrel.runtime.attempt import uninterrupted
from carrel.runtime.factory import AgentFactory
from carrel.runtime.limits import RunLimits, default_limits
from carrel.runtime.request import Ending, Request, RunParts
from carrel.runtime.store import Message, UserStore
from carrel.runtime.tools import ToolDispatcher

if TYPE_CHECKING:
    from carrel.runtime.compat import ExecutionEngine

__all__ = ["UserExecutionEngine"]


class UserExecutionEngine:
    """Executes one request of one user, then is closed; use it as `async with`.

    Raises `IsolationError` when a part is bound to another user or request, or when it is made or used while working
    for another user. An agent runs in a task of its own; one that ignores its cancellation is abandoned after
    `limits.grace_seconds` and can do nothing more in the user's name. Without `limits`, the dispatcher's count.
    """

    __slots__ = ("_closed", "_context", "_emitter", "_finished", "_parts", "_request", "_stopped", "_tools")

    def __init__(
        self,
        *,
        context: UserExecutionContext,
        agent_factory: AgentFactory,
        websocket_emitter: WebSocketEmitter,
        tool_dispatcher: ToolDispatcher | None = None,
        store: UserStore | None = None,
        history: Sequence[Message] = (),
        limits: RunLimits | None = None,
    ) -> None:
        if not isinstance(context, UserExecutionContext):
            raise ContextError("context", f"must be a UserExecutionContext, not {type(context).__name__}")
        check_ambient(context, "the engine")
        if not _same(websocket_emitter.context, context):
            raise IsolationError("the emitter")
        limits = limits or (default_limits() if tool_dispatcher is None else tool_dispatcher.limits)
        if tool_dispatcher is None:
            tool_dispatcher = ToolDispatcher(context, (), websocket_emitter, limits=limits)
        elif not _same(tool_dispatcher.context, context) or tool_dispatcher.emitter is not websocket_emitter:
            raise IsolationError("the tool dispatcher")
        self._context = context
        self._emitter = websocket_emitter
        self._tools = tool_dispatcher
        self._parts = RunParts(agent_factory.bind(context), store, history, limits, tool_dispatcher.refuse)
        self._request: Request | None = None
        self._stopped: Ending | None = None
        self._finished: asyncio.Future[None] | None = None
        self._closed = False

    @classmethod
    def create_from_legacy(
        cls, registry: object, websocket_bridge: object, user_context: object | None = None, *, strict: bool = False
    ) -> Coroutine[Any, Any, ExecutionEngine]:
        """Deprecated: `await` it for an `ExecutionEngine` made with the old constructor's arguments."""
        from carrel.runtime.compat import engine_of

        # Here and not in the coroutine: the line that runs that one may be the event loop's.
        warnings.warn(_deprecated("create_from_legacy"), DeprecationWarning, stacklevel=2)
        return _ready(engine_of(registry, websocket_bridge, user_context, strict=strict, stacklevel=3))

    @classmethod
    def from_legacy_params(
        cls, registry: object, websocket_bridge: object, user_context: object | None = None, *, strict: bool = False
    ) -> ExecutionEngine:
        """Deprecated: what `create_from_legacy` gives, for code that cannot `await`."""
        from carrel.runtime.compat import engine_of

        warnings.warn(_deprecated("from_legacy_params"), DeprecationWarning, stacklevel=2)
        return engine_of(registry, websocket_bridge, user_context, strict=strict, stacklevel=3)

    @property
    def context(self) -> UserExecutionContext:
        """Whom it works for; the same for life."""
        return self._context

    async def execute_agent(self, agent: str, input: str) -> AgentResult:
        """Run the agent and return how it ended: succeeded, failed, timed out or cancelled by `cancel`.

        One call in an engine's life. When the caller's task is cancelled, the events are completed as `cancelled` and
        `CancelledError` is raised. Raises `AgentNotFoundError` (then no event is written), `EngineClosedError` and,
        when the log refuses an event, `StorageError`.
        """
        check_ambient(self._context, "the engine")
        if self._closed or self._request is not None:
            raise EngineClosedError("the engine")
        if not isinstance(input, str):
            raise InputError("input", f"must be text, not {type(input).__name__}")
        registry = self._parts.factory.registry
        if agent not in registry:
            raise AgentNotFoundError(agent, tuple(registry))
        request = Request(self._parts, self._context, agent, input, self._emitter, self._tools)
        self._request = request
        if self._stopped is not None:
            request.stop(self._stopped)
        self._finished = asyncio.get_running_loop().create_future()
        try:
            with self._tools.tracer.run(self._context):
                return await request.execute()
        finally:
            self._finished.set_result(None)

    def cancel(self) -> None:
        """End the request as `cancelled`: now, or as soon as it starts; nothing happens when it is over."""
        self.stop(Ending.user_cancelled())

    def stop(self, ending: Ending) -> None:
        """End the request for this reason, as `cancel` does; the first reason stays."""
        if self._request is not None:
            self._request.stop(ending)
        elif self._stopped is None:
            self._stopped = ending

    async def record_end(self, ending: Ending) -> None:
        """Complete the events of a request whose end the log refused; nothing happens when they are complete.

        Raises `StorageError` while the log refuses it still.
        """
        await self._emitter.close_open(ending.status, ending.code, ending.message)

    async def close(self) -> None:
        """Stop what still runs, as `interrupted`, wait for it and refuse further use. May be called again."""
        self._closed = True
        if not self._emitter.closed:
            await uninterrupted(self._close())

    async def _close(self) -> None:
        ending = Ending.interrupted()
        self.stop(ending)
        if self._finished is not None and not self._finished.done():
            await asyncio.wait((self._finished,))
        await self._emitter.close_open(ending.status, ending.code, ending.message)

    async def __aenter__(self) -> Self:
        if self._closed:
            raise EngineClosedError("the engine")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def _deprecated(function: str) -> str:
    return (
        f"UserExecutionEngine.{function}(registry, websocket_bridge, user_context) is deprecated; call "
        "UserExecutionEngine(context=..., agent_factory=..., websocket_emitter=...)"
    )


async def _ready(engine: ExecutionEngine) -> ExecutionEngine:
    return engine


def _same(one: UserExecutionContext, other: UserExecutionContext) -> bool:
    return (one.user_id, one.thread_id, one.run_id, one.request_id) == (
        other.user_id,
        other.thread_id,
        other.run_id,
        other.request_id,
    )
