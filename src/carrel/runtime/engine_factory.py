"""The one way to an engine in the server: everything fresh, everything bound to the context, everything closed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from carrel.context import RunId, UserExecutionContext
from carrel.delivery.bridge import WebSocketBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.delivery.log import EventLog
from carrel.errors import NotFoundError, SettingsError
from carrel.runtime.engine import UserExecutionEngine
from carrel.runtime.factory import AgentFactory
from carrel.runtime.limits import RunLimits, default_limits
from carrel.runtime.metered_log import MeteredLog
from carrel.runtime.meters import UserMeters
from carrel.runtime.registry import AgentRegistry
from carrel.runtime.store import Message, ThreadStore, UserStore
from carrel.runtime.tools import Tool, ToolDispatcher
from carrel.runtime.tracing import Origin

__all__ = ["ExecutionEngineFactory"]

HISTORY_MESSAGES: Final = 50
OWN_MESSAGES: Final = 2
"""A run has put at most these into its thread: what the user asked and, at its end, the answer."""


class ExecutionEngineFactory:
    """Makes engines; holds what all users share and nothing of any of them.

    With `production`, contexts with placeholder ids such as `test_user` are refused. `limits` are every user's, or
    meters that say what each may use. Raises `SettingsError` when two tools share a name.
    """

    __slots__ = ("_bridge", "_factory", "_log", "_meters", "_production", "_store", "_threads", "_tools")

    def __init__(
        self,
        *,
        registry: AgentRegistry,
        tools: Sequence[Tool] = (),
        log: EventLog,
        bridge: WebSocketBridge,
        store: UserStore,
        threads: ThreadStore,
        limits: RunLimits | UserMeters | None = None,
        production: bool = False,
    ) -> None:
        names = [tool.name for tool in tools]
        if len(set(names)) != len(names):
            raise SettingsError("tools", f"two tools have the same name: {', '.join(sorted(names))}; rename one")
        self._factory = AgentFactory(registry)
        self._tools = tuple(tools)
        self._bridge = bridge
        self._store = store
        self._threads = threads
        self._meters = limits if isinstance(limits, UserMeters) else UserMeters(limits or default_limits())
        self._log = MeteredLog(log, self._meters)
        self._production = production

    @property
    def registry(self) -> AgentRegistry:
        """The agents that engines can execute."""
        return self._factory.registry

    @property
    def tools(self) -> Sequence[Tool]:
        """The tools that agents may be allowed to call."""
        return self._tools

    @property
    def limits(self) -> RunLimits:
        """What runs may use, where nothing else was set for their user."""
        return self._meters.limits

    @property
    def meters(self) -> UserMeters:
        """What each user may use and has used."""
        return self._meters

    def emitter(self, context: UserExecutionContext) -> WebSocketEmitter:
        """An emitter whose events count towards what the user may write."""
        return WebSocketEmitter(context, self._log, self._bridge)

    @asynccontextmanager
    async def engine(
        self, context: UserExecutionContext, *, begins_thread: bool = False, origin: Origin | None = None
    ) -> AsyncIterator[UserExecutionEngine]:
        """An engine for one request, closed on the way out, whichever that is.

        It keeps to the limits that the user has now; a context without a deadline gets one, `run_seconds` from now.
        The engine knows the newest 50 messages of the thread that came before this run; when the run `begins_thread`
        there are none, and nothing is looked up. The span of the run is linked to its `origin`.
        """
        if self._production:
            context.refuse_placeholders()
        meter = self._meters.of(context.user_id)
        limits = meter.limits
        if context.deadline is None:
            context = replace(context, deadline=time.monotonic() + limits.run_seconds)
        emitter = self.emitter(context)
        async with UserExecutionEngine(
            context=context,
            agent_factory=self._factory.bind(context),
            websocket_emitter=emitter,
            tool_dispatcher=ToolDispatcher(
                context, self._tools, emitter, limits=limits, refuse=meter.refuse, origin=origin
            ),
            store=self._store,
            history=() if begins_thread else await self._history(context),
            limits=limits,
        ) as engine:
            yield engine

    async def _history(self, context: UserExecutionContext) -> Sequence[Message]:
        try:
            messages = await self._threads.list_messages(
                context, context.thread_id, limit=HISTORY_MESSAGES + OWN_MESSAGES
            )
        except NotFoundError:
            return ()  # a run outside any stored conversation, such as an embedded engine's
        # A run that waited is answered later than others were asked: what counts is which question came first.
        earlier: dict[RunId, list[Message]] = {}
        asked = False
        for message in messages:
            asked = asked or message.run_id == context.run_id
            if message.run_id in earlier:
                earlier[message.run_id].append(message)
            elif not asked:
                earlier[message.run_id] = [message]
        return tuple(message for run in earlier.values() for message in run)[-HISTORY_MESSAGES:]
