"""One request executing: one agent at work, from its `agent_started` to its `agent_completed`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeGuard, get_args

import structlog
from structlog.contextvars import bind_contextvars

from carrel.context import UserExecutionContext, ambient_context
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import (
    AgentFailedError,
    AgentNotFoundError,
    EngineClosedError,
    GrammarError,
    RunCancelledError,
    RunTimeoutError,
    StorageError,
)
from carrel.events import RunStatus
from carrel.runtime.agent import AgentResult, Usage
from carrel.runtime.agent_run import RequestRun
from carrel.runtime.attempt import Attempt, OpenWork, uninterrupted
from carrel.runtime.factory import AgentFactory
from carrel.runtime.failure import ErrorNotice, agent_failure, traceback_text
from carrel.runtime.limits import Allowance, Refuse, RunLimits
from carrel.runtime.store import Message, UserStore
from carrel.runtime.tools import ToolDispatcher

__all__ = ["Ending", "Request", "RunParts"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a request is stopped from outside."""

    status: RunStatus
    code: str
    message: str

    @classmethod
    def user_cancelled(cls) -> Self:
        """Its user did not want it any more."""
        return cls("cancelled", RunCancelledError.code, str(RunCancelledError()))

    @classmethod
    def caller_gone(cls) -> Self:
        """The task that waited for it was cancelled."""
        return cls("cancelled", "cancelled", "what waited for the request was cancelled")

    @classmethod
    def left_running(cls) -> Self:
        """The agent that started it ended first."""
        return cls("cancelled", "left_running", "the agent that asked for it ended first")

    @classmethod
    def interrupted(cls) -> Self:
        """The process that runs it is stopping."""
        return cls("interrupted", "interrupted", "the server was stopped; ask again")

    @classmethod
    def timed_out(cls, seconds: float) -> Self:
        """It had `seconds` and needed more."""
        return cls("timed_out", RunTimeoutError.code, str(RunTimeoutError(round(max(0.0, seconds), 1))))

    @classmethod
    def not_recorded(cls) -> Self:
        """The log refused an event."""
        return cls("failed", "storage_failed", "the server could not record what happened; ask again")

    def result(self) -> AgentResult:
        """The request's result."""
        return AgentResult(status=self.status, error_code=self.code, error_message=self.message)


class RunParts:
    """What all requests of one run share."""

    __slots__ = ("ending", "factory", "history", "limits", "store", "sub_agents")

    def __init__(
        self,
        factory: AgentFactory,
        store: UserStore | None,
        history: Sequence[Message],
        limits: RunLimits,
        refuse: Refuse,
    ) -> None:
        self.factory = factory
        self.store = store
        self.history = tuple(history)
        self.limits = limits
        self.sub_agents = Allowance("sub_agents_per_run", limits.sub_agents_per_run, refuse)
        self.ending: Ending | None = None
        """Why the whole run is stopped, once it is: what is inside of it ends the same way."""


class Request:
    """Executes one request once. The agent sees it through a `RequestRun` and nothing else."""

    __slots__ = (
        "_agent",
        "_attempt",
        "_context",
        "_emitter",
        "_input",
        "_inside",
        "_parts",
        "_passed_on",
        "_run",
        "_started",
        "_stopped",
        "_tools",
        "_usage",
    )

    def __init__(
        self,
        parts: RunParts,
        context: UserExecutionContext,
        agent: str,
        input: str,
        emitter: WebSocketEmitter,
        tools: ToolDispatcher,
    ) -> None:
        self._parts = parts
        self._context = context
        self._agent = agent
        self._input = input
        self._emitter = emitter
        self._tools = tools
        self._inside = OpenWork()
        self._usage = Usage()
        self._passed_on: list[AgentResult] = []
        self._started = False
        self._stopped: Ending | None = None
        self._attempt: Attempt[AgentResult | ErrorNotice, Ending] | None = None
        self._run = RequestRun(
            context=context,
            input=input,
            history=parts.history,
            store=parts.store,
            registry=parts.factory.registry,
            agent=agent,
            emitter=emitter,
            tools=tools,
            delegate=self._delegate,
        )

    def stop(self, ending: Ending) -> None:
        """End it for this reason; nothing happens when its agent has ended."""
        if self._attempt is not None:
            self._attempt.stop(ending)
        elif self._stopped is None:
            self._stopped = ending

    async def execute(self) -> AgentResult:
        """Run the agent and return how it ended, with its events written.

        Raises `CancelledError` when the caller was cancelled and `StorageError` when the log refuses an event; either
        way the agent is stopped and, as far as the log allows, the grammar completed.
        """
        began = time.perf_counter()
        try:
            await self._emitter.started(self._agent, self._input)
            self._started = True
            result = await self._answered()
            return await self._complete(_lasting(result, time.perf_counter() - began))
        except BaseException as error:
            await uninterrupted(self._abort(error))
            raise
        finally:
            self._run.close()
            self._attempt = None

    async def _answered(self) -> AgentResult:
        """How the agent ended, with nothing left running inside."""
        if self._stopped is not None:
            return self._stopped.result()
        context = self._context
        # A sub-agent lies inside its root, whose timer ends them all.
        timed = context.deadline is not None and context.is_root
        seconds = (context.deadline or 0.0) - time.monotonic()
        self._attempt = attempt = Attempt(
            self._work(),
            name=f"carrel agent {self._agent}",
            seconds=seconds if timed else None,
            grace=self._parts.limits.grace_seconds,
            timed_out=lambda: Ending.timed_out(seconds),
            interrupted=self._why_interrupted,
            stopping=self._note,
        )
        try:
            outcome = await attempt.wait()
        finally:
            self._run.close()
            if attempt.abandoned:
                _log.error("agent would not stop and was abandoned", agent=self._agent, **context.correlation())
        await self._stop_inside()
        if attempt.reason is not None:
            return replace(attempt.reason.result(), usage=self._usage)
        if outcome is None:
            outcome = ErrorNotice("agent_failed", str(AgentFailedError(self._agent, "it cancelled itself")))
        if isinstance(outcome, ErrorNotice):
            return AgentResult(
                status="failed", error_code=outcome.code, error_message=outcome.message, usage=self._usage
            )
        return outcome

    async def _work(self) -> AgentResult | ErrorNotice:
        """The agent's own task: bound to its user, to its ids in logs and to its span."""
        context = self._context
        with ambient_context(context):
            # Never unbound: the task has its own context variables, which end with it.
            bind_contextvars(**context.correlation(), agent=self._agent)
            try:
                with self._tools.tracer.agent(context, self._agent):
                    return self._read(await self._parts.factory.create(self._agent).run(self._run))
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001 - SystemExit in an agent must not end the server
                _log.warning("agent failed", exception=traceback_text(error))
                return agent_failure(self._agent, error)

    def _read(self, answer: object) -> AgentResult:
        """What the agent returned as a result: its own usage, and that of all inside it."""
        if answer is None or isinstance(answer, str):
            return AgentResult(output=answer or self._run.said(), usage=self._usage)
        if not _is_result(answer):
            raise AgentFailedError(self._agent, f"it returned {type(answer).__name__} where its answer should be")
        usage = self._usage
        if not any(answer is passed for passed in self._passed_on):  # as it came from a sub-agent: counted already
            usage += answer.usage
        if answer.status == "succeeded":
            return replace(answer, output=answer.output or self._run.said(), usage=usage)
        return replace(
            answer,
            error_code=answer.error_code or "agent_failed",
            error_message=answer.error_message or str(AgentFailedError(self._agent, "it gave no reason")),
            usage=usage,
        )

    async def _delegate(self, name: str, input: str) -> AgentResult:
        """Run another agent inside this request."""
        if name not in self._parts.factory.registry:
            raise AgentNotFoundError(name, tuple(self._run.agents))
        context = self._context.child(parent_agent=self._agent, agent=name)
        self._parts.sub_agents.take()
        emitter = self._emitter.child(context)
        child = Request(self._parts, context, name, input, emitter, self._tools.child(context, emitter))
        done = self._inside.begin(lambda: child.stop(self._parts.ending or Ending.left_running()))
        try:
            result = await child.execute()
        finally:
            self._inside.end(done)
        self._usage += result.usage
        self._passed_on.append(result)
        return result

    async def _complete(self, result: AgentResult) -> AgentResult:
        error = None
        if result.status != "succeeded":
            error = ErrorNotice(result.error_code or "", result.error_message or "").as_data()
        try:
            await self._emitter.completed(
                result.status, result.duration_ms, output=result.output, error=error, usage=_usage_data(result.usage)
            )
        except EngineClosedError:
            # What this request is inside of ended first and completed this one with itself.
            return (self._parts.ending or Ending.left_running()).result()
        except GrammarError:
            # Something inside would neither stop nor end its events: they are ended for it, and this one with them.
            problem = str(AgentFailedError(self._agent, "it left work behind that would not stop"))
            left = Ending("failed", AgentFailedError.code, problem)
            await self._emitter.close_open(left.status, left.code, left.message)
            return left.result()
        return result

    async def _abort(self, error: BaseException) -> None:
        """Complete the grammar when `error` leaves this request."""
        self._run.close()
        await self._stop_inside()
        ending = self._why_interrupted()
        if isinstance(error, StorageError):
            ending = Ending.not_recorded()
            if not self._started:
                await self._emitter.started(self._agent, self._input)  # a run that has an end has a beginning
        elif self._attempt is not None and self._attempt.reason is not None:
            ending = self._attempt.reason
        await self._emitter.close_open(ending.status, ending.code, ending.message)

    async def _stop_inside(self) -> None:
        await self._tools.close()
        # Twice the time: an agent that will not stop is abandoned after the first.
        await self._inside.stop(2 * self._parts.limits.grace_seconds)

    def _why_interrupted(self) -> Ending:
        return self._parts.ending or self._stopped or Ending.caller_gone()

    def _note(self, ending: Ending) -> None:
        """The root's end is the end of all inside it, and for the same reason."""
        if self._context.is_root and self._parts.ending is None:
            self._parts.ending = ending


def _is_result(answer: object) -> TypeGuard[AgentResult]:
    return (
        isinstance(answer, AgentResult)
        and isinstance(answer.output, str)
        and isinstance(answer.usage, Usage)
        and answer.status in get_args(RunStatus)
    )


def _lasting(result: AgentResult, seconds: float) -> AgentResult:
    return AgentResult(
        output=result.output,
        status=result.status,
        error_code=result.error_code,
        error_message=result.error_message,
        usage=result.usage,
        duration_ms=round(seconds * 1000, 3),
    )


def _usage_data(usage: Usage) -> dict[str, float]:
    if not (usage.input_tokens or usage.output_tokens or usage.cost_usd):
        return {}
    return {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens, "cost_usd": usage.cost_usd}
