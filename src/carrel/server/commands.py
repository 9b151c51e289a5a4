"""What a client tells the server to do over its connection, done in the order it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

import structlog

from carrel.context import RequestId, RunId, ThreadId, UserContext, ambient_context, new_id
from carrel.delivery.actions import Command
from carrel.delivery.frames import AcceptedFrame, CancelRunFrame, ErrorFrame, ServerFrame, StartRunFrame
from carrel.delivery.session import DeliverySession
from carrel.errors import CarrelError, InputError, LimitExceededError
from carrel.runtime.run_request import Accepted, RunRequest
from carrel.server.problems import problem_for
from carrel.server.spans import command_span

__all__ = ["CommandQueue", "Commands"]

MOST_WAITING: Final = 32

_log = structlog.get_logger(__name__)


class Commands(Protocol):
    """The part of the scheduler that clients reach."""

    async def start(self, user: UserContext, request: RunRequest) -> Accepted: ...

    async def cancel(self, user: UserContext, run_id: RunId) -> Accepted: ...


class CommandQueue:
    """Carries out one connection's commands, one after the other, without keeping its reader from reading.

    Each is answered by an `accepted` or an `error` frame on `session`; `wake` is called after each.
    """

    __slots__ = ("_commands", "_scheduler", "_session", "_wake", "_worker")

    def __init__(self, scheduler: Commands, session: DeliverySession, wake: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self._session = session
        self._wake = wake
        self._commands: list[tuple[UserContext, Command]] = []
        self._worker: asyncio.Task[None] | None = None

    def put(self, user: UserContext, command: Command) -> None:
        """Take a command of `user`; too many at once are refused."""
        if len(self._commands) >= MOST_WAITING:
            problem = f"{MOST_WAITING} frames wait to be answered; wait for the answers"
            self._session.send(ErrorFrame("too_many_requests", problem, command.id))
            return
        self._commands.append((user, command))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    async def finish(self) -> None:
        """Wait until everything that was taken is done."""
        if self._worker is not None:
            await asyncio.wait((self._worker,))

    async def _work(self) -> None:
        while self._commands:
            user, command = self._commands.pop(0)
            # A request of its own in logs and traces, though the connection is the same.
            user = replace(user, request_id=RequestId(new_id()))
            with ambient_context(user), command_span(user, _name(command)):
                self._session.send(await self._answer(user, command))
            self._wake()
        self._worker = None

    async def _answer(self, user: UserContext, command: Command) -> ServerFrame:
        try:
            accepted = await self._carry_out(user, command)
        except CarrelError as error:
            problem = problem_for(error)
            if not problem.public:
                _log.error("a command failed", exc_info=error)
            message = _message(error) if problem.public else "something went wrong here; try again"
            if isinstance(error, LimitExceededError):
                return ErrorFrame(problem.code, message, command.id, error.limit, error.retry_after)
            return ErrorFrame(problem.code, message, command.id)
        except Exception as error:  # noqa: BLE001 - a mistake here must cost its client an answer, not the connection
            _log.error("a command failed", exc_info=error)
            return ErrorFrame("internal_error", "something went wrong here; try again", command.id)
        if accepted is None:
            return ErrorFrame("not_found", "no such approval; nothing waits for one", command.id)
        return AcceptedFrame(command.id, accepted.thread_id, accepted.run_id)

    async def _carry_out(self, user: UserContext, command: Command) -> Accepted | None:
        if isinstance(command, StartRunFrame):
            request = RunRequest(
                input=command.input,
                thread_id=ThreadId(command.thread_id) if command.thread_id is not None else None,
                agent=command.agent,
                if_busy=command.if_busy,
                idempotency_key=command.id,
            )
            return await self._scheduler.start(user, request)
        if isinstance(command, CancelRunFrame):
            return await self._scheduler.cancel(user, RunId(command.run_id))
        return None


def _name(command: Command) -> str:
    return str(command.__struct_config__.tag)


def _message(error: CarrelError) -> str:
    if isinstance(error, InputError) and error.field == "idempotency_key":
        # The name that it has in the frame.
        return f"id: {error.problem}"
    return str(error)
