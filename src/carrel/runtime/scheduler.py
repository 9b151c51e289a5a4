"""Owns the runs of this process: admits them, queues them, runs them as tasks of its own and cancels them."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from carrel.context import RequestId, RunId, ThreadId, UserContext, UserExecutionContext, UserId, check_ambient, new_id
from carrel.delivery.emitter import WebSocketEmitter
from carrel.errors import AgentNotFoundError, CarrelError, ConflictError, LimitExceededError, StorageError
from carrel.runtime.attempt import uninterrupted
from carrel.runtime.engine import UserExecutionEngine
from carrel.runtime.engine_factory import ExecutionEngineFactory
from carrel.runtime.failure import traceback_text
from carrel.runtime.fair_queue import FairQueue
from carrel.runtime.request import Ending
from carrel.runtime.run_request import Accepted, RunRequest, title_of
from carrel.runtime.store import RunStore
from carrel.runtime.tracing import Origin, origin_of

__all__ = ["RunScheduler", "SchedulerStatistics", "UserRunStatistics"]

FIRST_WAIT_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 1.0
"""Between two attempts to write an end that the log refused; also what a drain waits for one at most."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerStatistics:
    """How busy a scheduler is, now."""

    running: int
    """Runs that have a slot."""
    queued: int
    """Runs that wait for one."""
    users: int
    """Users who have any run that is not over."""
    slots: int
    """Runs that can run at once."""
    draining: bool
    """Whether new runs are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRunStatistics:
    """One user's runs that are not over, now."""

    running: int
    """Runs that have a slot."""
    queued: int
    """Runs that wait for one."""


class _Ticket:
    """One run that is not over."""

    __slots__ = (
        "after",
        "agent",
        "announced",
        "begins_thread",
        "closing",
        "context",
        "ending",
        "engine",
        "forgets",
        "input",
        "origin",
        "over",
    )

    def __init__(self, context: UserExecutionContext, request: RunRequest, origin: Origin | None) -> None:
        loop = asyncio.get_running_loop()
        self.context = context
        self.origin = origin
        self.agent = request.agent
        self.input = request.input
        self.begins_thread = request.thread_id is None
        self.after: tuple[_Ticket, ...] = ()
        """Runs that were cancelled for this one, which starts when they have ended."""
        self.forgets = request.if_busy == "rollback"
        """Whether they are also taken out of the conversation."""
        self.engine: UserExecutionEngine | None = None
        self.closing: WebSocketEmitter | None = None
        """What writes the events of a run that no engine works on."""
        self.ending: Ending | None = None
        self.announced: asyncio.Future[None] = loop.create_future()
        """Done once `run_queued`, if any, is written: nothing else of the run may come before it."""
        self.over: asyncio.Future[None] = loop.create_future()

    def attach(self, engine: UserExecutionEngine) -> None:
        """Note what runs it, and pass on what was asked of it meanwhile."""
        self.engine = engine
        if self.ending is not None:
            engine.stop(self.ending)

    def stop(self, ending: Ending) -> None:
        """End the run for this reason, now or when it gets its engine."""
        self.ending = self.ending or ending
        if self.engine is not None:
            self.engine.stop(ending)


class _Door:
    """Lets one `start` of a user in at a time; forgotten when nobody is at it."""

    __slots__ = ("lock", "visitors")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.visitors = 0


class RunScheduler:
    """Runs outlive the connections and requests that start them; this is the one place that owns their tasks.

    At most `engines.limits.slots` runs at once, one of a thread, and of one user as many as `engines.meters` says; the
    rest is queued, up to another limit of the user's, and users take turns.
    """

    def __init__(self, *, engines: ExecutionEngineFactory, runs: RunStore) -> None:
        self._engines = engines
        self._runs = runs
        self._meters = engines.meters
        self._queue: FairQueue[_Ticket] = FairQueue(
            slots=engines.limits.slots, per_user=lambda user: self._meters.limits_of(UserId(user)).concurrent_runs
        )
        self._tickets: dict[tuple[UserId, RunId], _Ticket] = {}
        self._doors: dict[UserId, _Door] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    def statistics(self) -> SchedulerStatistics:
        """How busy it is, now."""
        return SchedulerStatistics(
            running=self._queue.running,
            queued=self._queue.waiting,
            users=self._queue.users,
            slots=self._engines.limits.slots,
            draining=self._draining,
        )

    def statistics_of(self, user: UserContext) -> UserRunStatistics:
        """The user's runs that are not over, now."""
        check_ambient(user, "the scheduler")
        return UserRunStatistics(
            running=self._queue.running_of(user.user_id), queued=self._queue.waiting_of(user.user_id)
        )

    def override(self, user_id: UserId, limits: Mapping[str, float]) -> None:
        """From now on these limits are other for the user than for everybody, and only these.

        What runs goes on with what it had; what waits starts now if it may. Raises `SettingsError` as
        `UserMeters.override` does.
        """
        self._meters.override(user_id, limits)
        self._queue.reconsider(user_id)
        self._start_tasks()

    async def start(self, user: UserContext, request: RunRequest) -> Accepted:
        """Record a run and see that it runs; returns once the record, and its `run_queued` if it waits, is durable.

        Raises `AgentNotFoundError`; `NotFoundError` for a thread that is not this user's; `ConflictError`
        (`thread_busy`, `going_away`); `LimitExceededError` when too many runs of this user wait or were started lately,
        or too much is stored for them. A request that repeats the key of an earlier one is answered like that one,
        whatever has changed since.
        """
        if request.agent not in self._engines.registry:
            raise AgentNotFoundError(request.agent, tuple(self._engines.registry))
        door = self._doors.setdefault(user.user_id, _Door())
        door.visitors += 1
        try:
            async with door.lock:
                # To the end even when the client leaves meanwhile: a run that is recorded must also be run.
                return await uninterrupted(self._start(user, request))
        finally:
            door.visitors -= 1
            if not door.visitors:
                del self._doors[user.user_id]

    async def cancel(self, user: UserContext, run_id: RunId) -> Accepted:
        """End a run of this user as `cancelled`; returns before it has ended, and may be called again until then.

        Raises `NotFoundError` for a run that is not this user's and `ConflictError` (`run_over`) for one that is over.
        """
        ticket = self._tickets.get((user.user_id, run_id))
        if ticket is None:
            await self._runs.get_run(user, run_id)
            raise ConflictError("run_over", "the run is over; there is nothing to cancel")
        self._stop(ticket, Ending.user_cancelled())
        return Accepted(thread_id=ticket.context.thread_id, run_id=run_id, created=False)

    async def drain(self, seconds: float) -> None:
        """Refuse new runs (`going_away`), give those there are `seconds` to end, then end the rest as `interrupted`."""
        self._draining = True
        for door in list(self._doors.values()):
            async with door.lock:  # whoever was let in before is through
                pass
        deadline = asyncio.get_running_loop().time() + seconds
        while self._tasks and (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left, return_when=asyncio.FIRST_COMPLETED)
        for ticket in list(self._tickets.values()):
            self._stop(ticket, Ending.interrupted())
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _start(self, user: UserContext, request: RunRequest) -> Accepted:
        refusal = self._refusal(user, request)
        if refusal is not None:
            key = request.idempotency_key
            earlier = await self._runs.find_run(user, key) if key is not None else None
            if earlier is None:
                if isinstance(refusal, LimitExceededError):
                    self._meters.of(user.user_id).refused(refusal.limit)
                raise refusal
            return Accepted(thread_id=earlier.thread_id, run_id=earlier.run_id, created=False)
        context = UserExecutionContext(
            user_id=user.user_id,
            permissions=user.permissions,
            thread_id=request.thread_id or ThreadId(new_id()),
            run_id=RunId(new_id()),
            request_id=RequestId(new_id()),
        )
        record, created = await self._runs.create_run(
            context,
            agent=request.agent,
            input=request.input,
            idempotency_key=request.idempotency_key,
            new_thread_title=title_of(request.input) if request.thread_id is None else None,
        )
        accepted = Accepted(thread_id=record.thread_id, run_id=record.run_id, created=created)
        if created:
            self._meters.of(user.user_id).run_accepted()
            await self._admit(_Ticket(context, request, origin_of(user)), request)
        return accepted

    def _refusal(self, user: UserContext, request: RunRequest) -> CarrelError | None:
        if self._draining:
            return ConflictError("going_away", "the server is stopping; connect again and ask there")
        busy = request.thread_id is not None and self._queue.lane(user.user_id, request.thread_id)
        if busy and request.if_busy == "reject":
            return ConflictError("thread_busy", "another run of this thread is not over; wait for it or cancel it")
        return self._meters.of(user.user_id).run_refusal(self._queue.waiting_of(user.user_id))

    async def _admit(self, ticket: _Ticket, request: RunRequest) -> None:
        context = ticket.context
        others = self._queue.lane(context.user_id, context.thread_id)
        self._tickets[context.user_id, context.run_id] = ticket
        place = self._queue.add(context.user_id, context.thread_id, ticket)
        if request.if_busy in ("interrupt", "rollback"):
            ticket.after = others
            for other in others:
                self._stop(other, Ending.user_cancelled())
        self._start_tasks()
        try:
            if self._queue.is_waiting(context.user_id, ticket):
                await self._engines.emitter(context).queued(place, agent=ticket.agent)
        except StorageError as error:
            # The run is recorded and will run; only that it waits could not be said.
            _log.warning("run_queued was not recorded", exception=traceback_text(error), **context.correlation())
        finally:
            ticket.announced.set_result(None)

    def _start_tasks(self) -> None:
        while (taken := self._queue.take()) is not None:
            self._spawn(taken, has_slot=True)

    def _spawn(self, ticket: _Ticket, *, has_slot: bool) -> None:
        # An empty context: a task started because another user's run ended must not inherit that user.
        task = asyncio.get_running_loop().create_task(
            self._run(ticket, has_slot=has_slot),
            name=f"carrel run {ticket.context.run_id}",
            context=contextvars.Context(),
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop(self, ticket: _Ticket, ending: Ending) -> None:
        """End a run; one that waits leaves the queue and gets the two events that every run has."""
        ticket.stop(ending)
        if self._queue.remove(ticket.context.user_id, ticket.context.thread_id, ticket):
            self._spawn(ticket, has_slot=False)
            self._start_tasks()

    async def _run(self, ticket: _Ticket, *, has_slot: bool) -> None:
        """The task of one run."""
        try:
            await ticket.announced
            try:
                await self._execute(ticket)
            except StorageError as error:
                _log.error("a run was not recorded", exception=traceback_text(error), **ticket.context.correlation())
                await self._record_end(ticket)
        except Exception as error:  # noqa: BLE001 - the last place that can note it
            _log.error("run ended badly", exception=traceback_text(error), **ticket.context.correlation())
        finally:
            context = ticket.context
            del self._tickets[context.user_id, context.run_id]
            if has_slot:
                self._queue.release(context.user_id, context.thread_id, ticket)
            ticket.over.set_result(None)
            self._start_tasks()

    async def _execute(self, ticket: _Ticket) -> None:
        if ticket.ending is not None:
            await self._close_unstarted(ticket, ticket.ending)
            return
        try:
            await self._follow(ticket)
            async with self._engines.engine(
                ticket.context, begins_thread=ticket.begins_thread, origin=ticket.origin
            ) as engine:
                ticket.attach(engine)
                await engine.execute_agent(ticket.agent, ticket.input)
        except Exception:
            if ticket.engine is None:
                await self._close_unstarted(ticket, Ending.not_recorded())
            raise

    async def _record_end(self, ticket: _Ticket) -> None:
        """Write how a run ended as soon as the log, which refused it, takes events again.

        The run keeps its place: what could not be recorded is not over. A process that stops first leaves it to the
        next one's recovery.
        """
        ending = ticket.ending or Ending.not_recorded()
        seconds = FIRST_WAIT_SECONDS
        while not self._draining:
            await asyncio.sleep(seconds)
            seconds = min(2 * seconds, LONGEST_WAIT_SECONDS)
            try:
                record = await self._runs.get_run(ticket.context, ticket.context.run_id)
                if record.state == "queued":
                    await self._close_unstarted(ticket, ending)
                elif record.finished_at is None and ticket.closing is not None:
                    await ticket.closing.close_open(ending.status, ending.code, ending.message)
                elif record.finished_at is None and ticket.engine is not None:
                    await ticket.engine.record_end(ending)
            except StorageError:
                continue
            return

    async def _follow(self, ticket: _Ticket) -> None:
        """Wait for the runs that were cancelled for this one, and take them out of the conversation if it asks so."""
        for other in ticket.after:
            await other.over
            if ticket.forgets:
                await self._runs.forget_run(ticket.context, other.context.run_id)
        ticket.after = ()

    async def _close_unstarted(self, ticket: _Ticket, ending: Ending) -> None:
        """The two events of a run that never got an engine."""
        ticket.closing = self._engines.emitter(ticket.context)
        await ticket.closing.started(ticket.agent, ticket.input)
        await ticket.closing.close_open(ending.status, ending.code, ending.message)
