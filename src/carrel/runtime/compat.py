"""The old constructor, `ExecutionEngine(registry, websocket_bridge, user_context=None)`, over the new engine."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from carrel.context import RequestId, RunId, UserExecutionContext, new_id
from carrel.delivery.emitter import WebSocketEmitter
from carrel.delivery.old_bridge import write_ends
from carrel.delivery.old_context import context_of, context_of_nobody
from carrel.errors import ContextError, EngineClosedError, IsolationError
from carrel.runtime.engine import UserExecutionEngine
from carrel.runtime.factory import AgentFactory
from carrel.runtime.old_registry import registry_of
from carrel.runtime.old_request import AgentExecutionResult, read_request
from carrel.runtime.request import Ending

__all__ = ["ExecutionEngine", "MissingUserContextWarning", "engine_of"]

_log = structlog.get_logger(__name__)


class MissingUserContextWarning(UserWarning):
    """Shown when an engine is made without saying for whom: what it does reaches nobody, and nobody's data is there."""


class ExecutionEngine(UserExecutionEngine):
    """Deprecated: the old engine's constructor and calls; inside, every request has an engine of its own.

    `registry` and `websocket_bridge` are the old ones (see `OldRegistry` and `NotifyingLog`), an `AgentRegistry` or a
    `LoggedBridge`; `user_context` is any object with `user_id`, `thread_id` and `run_id`. Nothing of a request is kept
    for the next.

    Without `user_context` the engine works for a new user who is nobody else, and warns with
    `MissingUserContextWarning`; a call that names its user with a context is executed for that user. `strict` refuses
    both that and placeholder ids, with `ContextError`. Raises `TypeError` when the registry or the bridge is neither.
    """

    __slots__ = ("_again", "_answers", "_asked", "_given", "_registry", "_websocket_bridge")

    def __init__(
        self, registry: object, websocket_bridge: object, user_context: object | None = None, *, strict: bool = False
    ) -> None:
        warnings.warn(
            "ExecutionEngine(registry, websocket_bridge, user_context) is deprecated; call "
            "UserExecutionEngine(context=..., agent_factory=..., websocket_emitter=...)",
            DeprecationWarning,
            stacklevel=2,
        )
        self._set_up(registry, websocket_bridge, user_context, strict=strict, stacklevel=3)

    def _set_up(
        self, registry: object, websocket_bridge: object, given: object | None, *, strict: bool, stacklevel: int
    ) -> None:
        if given is None:
            context = _nobody(strict=strict, stacklevel=stacklevel + 1)
        else:
            context = context_of(given)
            if strict:
                context.refuse_placeholders()
        self._registry = registry
        self._websocket_bridge = websocket_bridge
        self._given = given
        self._asked = False
        self._again: tuple[UserExecutionEngine, ...] = ()
        self._answers: dict[RequestId | None, object] = {}
        factory, emitter = self._parts_for(context, given)
        UserExecutionEngine.__init__(self, context=context, agent_factory=factory, websocket_emitter=emitter)

    @property
    def user_context(self) -> object:
        """The context as it was given; the new user's when none was."""
        return self.context if self._given is None else self._given

    @property
    def registry(self) -> object:
        """The registry as it was given."""
        return self._registry

    @property
    def websocket_bridge(self) -> object:
        """The bridge as it was given."""
        return self._websocket_bridge

    async def execute_agent(
        self,
        agent: object = None,
        input: object = None,
        user_context: object = None,
        *,
        context: object = None,
        agent_name: str | None = None,
        state: object = None,
    ) -> AgentExecutionResult:
        """Run an agent for one request and return how it ended, as `UserExecutionEngine.execute_agent` does.

        Takes the new call, `(agent, input)`, and the old ones that `read_request` describes. May be called again: the
        first call has the ids of the engine's context, every other a run of its own, of which an old bridge hears under
        the run id in the context that was given. Raises `IsolationError` for a context of another user than the
        engine's, and what the new call raises.
        """
        if agent is None:
            agent = agent_name
        if agent is None:
            agent, context = context, None
        name, text, of = read_request(agent, context, input, state, user_context)
        mine = of is self._given or self._is_mine(of)
        request_id: RequestId | None = None
        try:
            if mine and not self._asked:
                self._asked = True
                request_id = self._context.request_id
                ended = await UserExecutionEngine.execute_agent(self, name, text)
            else:
                async with self._another(None if mine else of) as engine:
                    request_id = engine.context.request_id
                    ended = await engine.execute_agent(name, text)
            return AgentExecutionResult.of(ended, name, self._answers.get(request_id, ended.output))
        finally:
            if self._answers:
                self._answers.pop(request_id, None)

    def _is_mine(self, asked: object | None) -> bool:
        """Whether a call's context is of the engine's own user and thread."""
        if asked is None:
            return True
        own = self._context
        if getattr(asked, "user_id", None) == own.user_id:
            return getattr(asked, "thread_id", own.thread_id) == own.thread_id
        if self._given is not None:
            raise IsolationError("the context of execute_agent")
        return False

    def stop(self, ending: Ending) -> None:
        super().stop(ending)
        for engine in self._again:
            engine.stop(ending)

    def close(self) -> Coroutine[Any, Any, None]:
        self._closed = True  # at once: no call comes between this and the closing of those under way
        return self._close_all() if self._again else UserExecutionEngine.close(self)

    async def _close_all(self) -> None:
        await UserExecutionEngine.close(self)
        for engine in self._again:
            await engine.close()

    async def shutdown(self) -> None:
        """What `close` does."""
        await self.close()

    async def cleanup(self) -> None:
        """What `close` does."""
        await self.close()

    @asynccontextmanager
    async def _another(self, given: object | None) -> AsyncIterator[UserExecutionEngine]:
        """An engine for one more request: of the engine's own user, or of whom `given` names."""
        if self._closed:
            raise EngineClosedError("the engine")
        if given is None:
            known, given = self.context, self.user_context
        else:
            known = context_of(given)
            if known.user_id == self.context.user_id:
                known = replace(known, permissions=self.context.permissions)
        context = replace(known, run_id=RunId(new_id()), request_id=RequestId(new_id()))
        factory, emitter = self._parts_for(context, given)
        async with UserExecutionEngine(context=context, agent_factory=factory, websocket_emitter=emitter) as engine:
            self._again = (*self._again, engine)
            try:
                yield engine
            finally:
                self._again = tuple(one for one in self._again if one is not engine)

    def _parts_for(self, context: UserExecutionContext, given: object | None) -> tuple[AgentFactory, WebSocketEmitter]:
        agents = registry_of(self._registry, given=given, keep=self._answers.__setitem__)
        log, bridge = write_ends(self._websocket_bridge, context, given)
        return AgentFactory(agents, context=context), WebSocketEmitter(context, log, bridge)


def engine_of(
    registry: object, websocket_bridge: object, user_context: object | None, *, strict: bool, stacklevel: int
) -> ExecutionEngine:
    """An `ExecutionEngine` without its `DeprecationWarning`: for those who have given one of their own."""
    engine = ExecutionEngine.__new__(ExecutionEngine)
    engine._set_up(registry, websocket_bridge, user_context, strict=strict, stacklevel=stacklevel + 1)  # noqa: SLF001
    return engine


def _nobody(*, strict: bool, stacklevel: int) -> UserExecutionContext:
    if strict:
        raise ContextError("user_context", "is missing; pass the UserExecutionContext of the user whom this is for")
    context = context_of_nobody()
    # The text is the same every time: Python remembers texts to show a warning once, and would remember every user.
    warnings.warn(
        "an engine was made without user_context; it works for a new user who is nobody else, so no connection gets "
        "its events; pass user_context, or strict=True to be refused",
        MissingUserContextWarning,
        stacklevel=stacklevel,
    )
    _log.warning("engine made without user_context", **context.correlation())
    return context
