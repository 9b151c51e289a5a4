"""Tools: functions that agents may call, described to models by JSON Schema, and how they are called."""

from __future__ import annotations

import asyncio
import inspect
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Final, overload

import structlog
from pydantic_core import to_jsonable_python

from carrel.context import UserExecutionContext, check_ambient, new_id
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import (
    EngineClosedError,
    GrammarError,
    IsolationError,
    LimitExceededError,
    RunError,
    SettingsError,
    ToolFailedError,
    ToolNotFoundError,
)
from carrel.events import ToolStatus
from carrel.runtime.agent import ToolDescription
from carrel.runtime.arguments import ArgumentReader, parameters_of
from carrel.runtime.attempt import Attempt, OpenWork, uninterrupted
from carrel.runtime.failure import notice_text, traceback_text
from carrel.runtime.limits import Allowance, Refuse, RunLimits, default_limits
from carrel.runtime.threads import in_thread
from carrel.runtime.tracing import Origin, RunTracer

__all__ = ["Tool", "ToolDispatcher", "tool"]

_log = structlog.get_logger(__name__)

ToolCall = Callable[[UserExecutionContext, Mapping[str, Any]], Awaitable[Any]]

DEFAULT_TIMEOUT_SECONDS: Final = 30.0
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function that agents may call. Raises `SettingsError` naming the tool when it cannot be one.

    `from_function` and `tool` make one from a Python function; make it directly for a tool whose schema and call come
    from elsewhere.
    """

    name: str
    """Letters, digits, `_` and `-`; at most 64, as model providers ask."""
    description: str
    """What it does, when to call it: for models."""
    parameters: Mapping[str, Any]
    """JSON Schema (2020-12) of the arguments, an object."""
    call: ToolCall
    """Checks the arguments, does the work, returns a value that JSON can carry.

    Raises `ToolFailedError`, for example with the code `invalid_arguments`; what else it raises is a failure too.
    """
    permission: str | None = None
    """What the user needs in order to see and call it; None for nothing."""
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    """How long one call may take."""
    threaded: bool = False
    """Whether a call occupies a worker thread."""
    described: ToolDescription = field(init=False)
    """The part that people and models see."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise SettingsError("tools", f"{self.name!r} is no tool name; use letters, digits, _ and -, at most 64")
        if not self.timeout_seconds > 0:
            raise SettingsError("tools", f"tool {self.name!r}: timeout_seconds must be greater than 0")
        described = ToolDescription(name=self.name, description=self.description, parameters=self.parameters)
        object.__setattr__(self, "described", described)

    @classmethod
    def from_function(
        cls,
        fn: Callable[..., Any],
        *,
        permission: str | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        name: str | None = None,
    ) -> Tool:
        """A tool whose schema is the function's signature and whose description is its docstring.

        Parameters annotated `UserExecutionContext` are filled in and not part of the schema. A function that is not
        `async` runs in a worker thread, which cannot be stopped: after a time-out it runs on, unheard.
        """
        name = name or str(getattr(fn, "__name__", ""))
        injected, arguments = parameters_of(name, fn)
        reader = ArgumentReader(name, arguments)
        is_async = inspect.iscoroutinefunction(fn)

        async def call(context: UserExecutionContext, given: Mapping[str, Any]) -> Any:
            values = reader.read(given)
            values.update(dict.fromkeys(injected, context))
            return await (fn(**values) if is_async else in_thread(partial(fn, **values), name=f"carrel tool {name}"))

        return cls(
            name=name,
            description=inspect.getdoc(fn) or "",
            parameters=MappingProxyType(reader.schema()),
            call=call,
            permission=permission,
            timeout_seconds=timeout_seconds,
            threaded=not is_async,
        )


@overload
def tool(fn: Callable[..., Any], /) -> Tool: ...
@overload
def tool(
    *, permission: str | None = None, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS, name: str | None = None
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    fn: Callable[..., Any] | None = None,
    /,
    *,
    permission: str | None = None,
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
    name: str | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a function a `Tool`, as `@tool` or `@tool(permission="usage:read")`."""
    make = partial(Tool.from_function, permission=permission, timeout_seconds=timeout_seconds, name=name)
    return make if fn is None else make(fn)


@dataclass(frozen=True, slots=True)
class _Returned:
    """What a tool returned, which may be None."""

    value: Any


class ToolDispatcher:
    """Calls tools for one request of one user: permission, arguments, time-out and the two events of every call.

    Raises `IsolationError` when `emitter` writes for another request. Calls may run concurrently. `refuse` makes the
    error of whoever crosses a limit of the run; `origin` is what the run was started by, for its trace.
    """

    __slots__ = (
        "_calls",
        "_closed",
        "_context",
        "_emitter",
        "_limits",
        "_open",
        "_refuse",
        "_threads",
        "_tools",
        "_tracer",
        "_visible",
    )

    def __init__(
        self,
        context: UserExecutionContext,
        tools: Sequence[Tool],
        emitter: WebSocketEmitter,
        *,
        limits: RunLimits | None = None,
        refuse: Refuse = LimitExceededError,
        origin: Origin | None = None,
    ) -> None:
        self._visible: Mapping[str, ToolDescription] | None
        self._bind(context, emitter)
        self._limits = limits or default_limits()
        self._refuse = refuse
        self._calls = Allowance("tool_calls_per_run", self._limits.tool_calls_per_run, refuse)
        self._tracer = RunTracer(origin)
        self._threads = asyncio.Semaphore(self._limits.tool_threads_per_run)
        self._tools: Mapping[str, Tool] = {tool.name: tool for tool in tools}
        if len(self._tools) != len(tools):
            raise SettingsError("tools", "two tools have the same name; rename one")

    @property
    def context(self) -> UserExecutionContext:
        """Whom the calls are for."""
        return self._context

    @property
    def limits(self) -> RunLimits:
        """What the calls may use."""
        return self._limits

    @property
    def refuse(self) -> Refuse:
        """Makes the error of whoever crosses a limit of the run."""
        return self._refuse

    @property
    def tracer(self) -> RunTracer:
        """Where the spans of the run come from."""
        return self._tracer

    @property
    def emitter(self) -> WebSocketEmitter:
        """Where the events of the calls go."""
        return self._emitter

    @property
    def tools(self) -> Mapping[str, ToolDescription]:
        """Tools that this user may call, in the order given."""
        if self._visible is None:
            may = self._context.may
            self._visible = MappingProxyType(
                {name: one.described for name, one in self._tools.items() if may(one.permission)}
            )
        return self._visible

    def child(self, context: UserExecutionContext, emitter: WebSocketEmitter) -> ToolDispatcher:
        """The same tools for a sub-agent's request; calls and threads count towards the same limits."""
        if (context.user_id, context.run_id) != (self._context.user_id, self._context.run_id):
            raise IsolationError("the tool dispatcher")
        made = copy(self)
        made._bind(context, emitter)  # noqa: SLF001 - its own copy
        return made

    def _bind(self, context: UserExecutionContext, emitter: WebSocketEmitter) -> None:
        own = emitter.context
        if (own.user_id, own.run_id, own.request_id) != (context.user_id, context.run_id, context.request_id):
            raise IsolationError("the emitter")
        self._context = context
        self._emitter = emitter
        self._visible = None
        self._open = OpenWork()
        self._closed = False

    async def dispatch(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """Call a tool by name and return what it returned.

        Raises `ToolNotFoundError`; `ToolFailedError` with `invalid_arguments`, `permission_denied`, `timed_out` or
        `tool_failed`; each of these is a `tool_completed` event first. Also `LimitExceededError`, `IsolationError`
        while working for another user and `EngineClosedError` after `close`, without an event.
        """
        return await self._call(name, self._tools.get(name), arguments)

    async def use(self, tool: Tool, arguments: Mapping[str, Any]) -> Any:
        """Call a tool that need not be among `tools`, under the same rules."""
        return await self._call(tool.name, tool, arguments)

    async def close(self) -> bool:
        """Refuse further calls and cancel open ones; False when one was still under way after the grace time."""
        self._closed = True
        # Twice the time: a tool that will not stop is abandoned after the first.
        return await self._open.stop(2 * self._limits.grace_seconds)

    async def _call(self, name: str, tool: Tool | None, arguments: Mapping[str, Any]) -> Any:
        check_ambient(self._context, "the tool dispatcher")
        if self._closed:
            raise EngineClosedError("the tool dispatcher")
        self._calls.take()
        tool_call_id = new_id()
        began = time.perf_counter()
        attempt: Attempt[_Returned | ToolFailedError, str] | None = None

        def stop() -> None:
            if attempt is not None:
                attempt.stop("stopped")

        done = self._open.begin(stop)
        outcome: _Returned | RunError | None = None
        try:
            await self._emitter.tool_executing(tool_call_id, name, _shown(arguments))
            refusal = self._refusal(name, tool)
            if tool is None or refusal is not None or self._closed:
                outcome = refusal
            else:
                attempt = self._attempt(tool, arguments, tool_call_id)
                outcome = await attempt.wait()
                if outcome is None:
                    outcome = self._stopped(tool, attempt)
        except asyncio.CancelledError:
            with suppress(EngineClosedError, GrammarError):  # whoever cancelled it may have completed the request
                await self._completed(tool_call_id, name, None, began)
            raise
        else:
            await self._completed(tool_call_id, name, outcome, began)
        finally:
            self._open.end(done)
        if outcome is None:
            raise EngineClosedError("the tool dispatcher")
        if isinstance(outcome, RunError):
            raise outcome
        return outcome.value

    def _refusal(self, name: str, tool: Tool | None) -> RunError | None:
        if tool is None:
            return ToolNotFoundError(name, tuple(self.tools))
        if not self._context.may(tool.permission):
            return ToolFailedError(name, "permission_denied", f"needs the permission {tool.permission!r}")
        return None

    def _attempt(
        self, tool: Tool, arguments: Mapping[str, Any], tool_call_id: str
    ) -> Attempt[_Returned | ToolFailedError, str]:
        return Attempt(
            self._invoke(tool, arguments, tool_call_id),
            name=f"carrel tool {tool.name}",
            seconds=tool.timeout_seconds,
            grace=self._limits.grace_seconds,
            timed_out=lambda: "timed_out",
            interrupted=lambda: "stopped",
        )

    async def _invoke(self, tool: Tool, arguments: Mapping[str, Any], tool_call_id: str) -> _Returned | ToolFailedError:
        try:
            with self._tracer.tool(self._context, tool.name, tool_call_id):
                if not tool.threaded:
                    return _Returned(await tool.call(self._context, arguments))
                async with self._threads:
                    return _Returned(await tool.call(self._context, arguments))
        except asyncio.CancelledError:
            raise
        except ToolFailedError as error:
            return error
        except BaseException as error:  # noqa: BLE001 - SystemExit in a tool must not end the server
            ids = {**self._context.correlation(), "tool": tool.name, "tool_call_id": tool_call_id}
            _log.warning("tool failed", exception=traceback_text(error), **ids)
            failure = ToolFailedError(tool.name, "tool_failed", notice_text(error))
            failure.__cause__ = error
            return failure

    def _stopped(self, tool: Tool, attempt: Attempt[Any, str]) -> ToolFailedError | None:
        if attempt.abandoned:
            _log.error("tool would not stop and was abandoned", tool=tool.name, **self._context.correlation())
        if attempt.reason == "timed_out":
            return ToolFailedError(tool.name, "timed_out", f"took longer than {tool.timeout_seconds:g} s")
        if attempt.reason is None:
            return ToolFailedError(tool.name, "tool_failed", "cancelled itself")
        return None

    async def _completed(
        self, tool_call_id: str, name: str, outcome: _Returned | RunError | None, began: float
    ) -> None:
        status: ToolStatus = "succeeded"
        result, error = None, None
        if outcome is None:
            status, error = "cancelled", {"code": "cancelled", "message": "the call was cancelled"}
        elif isinstance(outcome, RunError):
            status = "denied" if outcome.code == "permission_denied" else "failed"
            error = {"code": outcome.code, "message": str(outcome)}
        else:
            result = _shown(outcome.value)
        duration_ms = round((time.perf_counter() - began) * 1000, 3)
        say = partial(self._emitter.tool_completed, tool_call_id, name, status, duration_ms, result=result, error=error)
        try:
            await say()
        except asyncio.CancelledError:
            # Written or not: an agent that catches its cancellation goes on, and must not go on with an open call.
            with suppress(EngineClosedError, GrammarError):
                await uninterrupted(say())
            raise


def _shown(value: Any) -> Any:
    """The value as JSON has it: models, dates and data classes as people would write them."""
    try:
        return to_jsonable_python(value, fallback=str)
    except Exception:  # noqa: BLE001 - the emitter has a form for everything; a value must not break its run
        return value
