"""Ways to get delivery wrong, each known from a real system; the simulator must notice every one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from carrel.context import UserContext, UserId
from carrel.delivery.actions import Acknowledge, Action
from carrel.delivery.frames import Resume
from carrel.delivery.log import LoggedEvent, LogState
from carrel.delivery.manager import Connection, WebSocketManager
from carrel.delivery.session import DeliverySession
from carrel.events import EventDraft, decode_event, encode_event, encoded_epoch
from carrel.testing.event_log import MemoryEventLog
from tests.delivery.simulator import Parts, World


class MillisecondLog(MemoryEventLog):
    """Ids by millisecond: "after this event" means "after its millisecond"."""

    async def read(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent]:
        events = await super().read(context, after, limit)
        before = [event for event in self.events(context) if event.offset == after]
        if not before:
            return events
        moment = _millisecond(before[0])
        return [event for event in events if _millisecond(event) > moment]


def _millisecond(event: LoggedEvent) -> str:
    return decode_event(event.body).created_at[:-4]


class DestructiveLog(MemoryEventLog):
    """A queue: what was read once is gone, written or not."""

    async def read(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent]:
        events = await super().read(context, after, limit)
        if events:
            self.trim(context, keep=len(self.events(context)) - len(events))
        return events


class EarlyOffsetLog(MemoryEventLog):
    """An offset is taken before the append, so that a later offset can be in the log before an earlier one."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        super().__init__(clock=clock)
        self._next: dict[str, int] = {}
        self._taken: dict[int, int] = {}
        self._written: dict[str, list[LoggedEvent]] = {}
        self._acknowledged: dict[str, int] = {}

    def begin(self, context: UserContext, drafts: Sequence[EventDraft]) -> None:
        first = self._next.get(context.user_id, 1)
        self._taken[id(drafts)] = first
        self._next[context.user_id] = first + len(drafts)

    async def append(self, context: UserContext, drafts: Sequence[EventDraft]) -> Sequence[LoggedEvent]:
        first = self._taken.pop(id(drafts))
        epoch = (await super().state(context)).epoch
        logged = [
            LoggedEvent(offset, draft.run_id, False, encode_event(draft, offset=offset, epoch=epoch, created_at=""))
            for offset, draft in enumerate(drafts, first)
        ]
        self._written[context.user_id] = sorted(
            [*self._written.get(context.user_id, ()), *logged], key=lambda event: event.offset
        )
        return logged

    async def read(self, context: UserContext, after: int, limit: int) -> Sequence[LoggedEvent]:
        return [event for event in self._written.get(context.user_id, ()) if event.offset > after][:limit]

    async def state(self, context: UserContext) -> LogState:
        written = self._written.get(context.user_id)
        return (await super().state(context))._replace(
            oldest=1,
            top=written[-1].offset if written else 0,
            delivered=self._acknowledged.get(context.user_id, 0),
        )

    def acknowledge(self, context: UserContext, offset: int) -> None:
        self._acknowledged[context.user_id] = max(self._acknowledged.get(context.user_id, 0), offset)

    def recreate(self, context: UserContext) -> None:
        """Not this one's concern."""


class NoEpochCheck(DeliverySession):
    """An offset of another log is taken for one of this log."""

    def authenticated(
        self, user_id: str, state: LogState, resume: Resume | None, *, expires_in: float, now: float
    ) -> None:
        mine = Resume(state.epoch, resume.offset) if resume is not None else None
        super().authenticated(user_id, state, mine, expires_in=expires_in, now=now)


class NoEpochGuard(DeliverySession):
    """Whatever the log answers is sent."""

    def loaded(self, events: Sequence[LoggedEvent]) -> None:
        if events:
            self._epoch, epoch = encoded_epoch(events[0].body), self._epoch
            self._position = events[0].offset - 1
            super().loaded(events)
            self._epoch = epoch
        else:
            super().loaded(events)


class NoGapCheck(DeliverySession):
    """Delivery goes on from wherever the log still reaches to, and nobody is told."""

    def authenticated(
        self, user_id: str, state: LogState, resume: Resume | None, *, expires_in: float, now: float
    ) -> None:
        if resume is not None:
            resume = Resume(resume.epoch, min(max(resume.offset, state.oldest - 1), state.top))
        super().authenticated(user_id, state, resume, expires_in=expires_in, now=now)


class HeartbeatMovesTheCursor(DeliverySession):
    """A control frame that names the top moves the position there."""

    def observed(self, state: LogState) -> None:
        super().observed(state)
        self._position = max(self._position, state.top)


class RepeatsAfterResume(DeliverySession):
    """Off by one: the event that was handled last comes again, and counts as the next."""

    def loaded(self, events: Sequence[LoggedEvent]) -> None:
        super().loaded(events)
        if self._waiting is not None and len(self._waiting) > 1:
            self._waiting.append(self._waiting.popleft())


class ForgetsNewsDuringARead(DeliverySession):
    """What is announced between a read and its answer is lost."""

    def news(self, top: int) -> None:
        super().news(top)
        self._heard = False


class AckOfOneEvent(DeliverySession):
    """An ack counts for one event and not for all before it."""

    def _acknowledge(self, offset: int) -> Acknowledge | None:
        before = self._acked
        request = super()._acknowledge(offset)
        self._acked = min(before + 1, self._acked)
        return request


class AcceptsAnyAck(DeliverySession):
    """An ack beyond what was sent moves the watermark."""

    def _acknowledge(self, offset: int) -> Acknowledge | None:
        self._sent, sent = max(self._sent, offset), self._sent
        request = super()._acknowledge(offset)
        self._sent = max(sent, self._acked)
        return request


class NeverPauses(DeliverySession):
    """Sending goes on, however much is unacknowledged."""

    @property
    def paused(self) -> bool:
        return False


class UnboundedQueue(DeliverySession):
    """A client that does not acknowledge is read for without end."""

    def _overflow(self, reason: str) -> None:
        return

    def _reads_ahead(self) -> bool:
        return self._position < self._top


class TokenNeverExpires(DeliverySession):
    """The token is looked at once."""

    def authenticated(
        self, user_id: str, state: LogState, resume: Resume | None, *, expires_in: float, now: float
    ) -> None:
        super().authenticated(user_id, state, resume, expires_in=1e9, now=now)


class NoHeartbeat(DeliverySession):
    """Only the bridge wakes a connection."""

    def next_action(self, now: float) -> Action | None:
        self._heartbeat_due = False
        return super().next_action(now)


class StateBeforeAdding(DeliverySession):
    """News that comes while the client is being authenticated is thrown away."""

    def news(self, top: int) -> None:
        if self._user_id is not None:
            super().news(top)


class WakesTheWrongUser(WebSocketManager):
    """News of one user goes to the connections of another."""

    def connections_of(self, user_id: UserId) -> tuple[Connection, ...]:
        others = [mine for user, mine in self._by_user.items() if user != user_id]
        return others[0] if others else ()


class KeepsSessionsOpen(WebSocketManager):
    """Logging out closes the newest connection of the session only."""

    async def close_session(self, session_id: str, code: int, reason: str) -> None:
        for connections in self._by_user.values():
            for connection in connections[-1:]:
                if connection.session_id == session_id:
                    connection.close(code, reason)


def _reads_as_whoever_was_last(world: World, user: UserContext) -> UserContext:
    """The reader's user is kept in one place for all."""
    return world.rng.choice(world.records).context if world.rng.random() < 0.05 else user


MUTANTS: dict[str, Parts] = {
    "ids by millisecond": Parts(log=MillisecondLog),
    "a destructive queue": Parts(log=DestructiveLog),
    "an offset taken before the append": Parts(log=EarlyOffsetLog),
    "no epoch check": Parts(session=NoEpochCheck),
    "no gap check": Parts(session=NoGapCheck),
    "a control frame that moves the cursor": Parts(session=HeartbeatMovesTheCursor),
    "events out of order": Parts(session=RepeatsAfterResume),
    "news lost during a read": Parts(session=ForgetsNewsDuringARead),
    "an ack that is not cumulative": Parts(session=AckOfOneEvent),
    "an ack beyond what was sent": Parts(session=AcceptsAnyAck),
    "the pause ignored": Parts(session=NeverPauses),
    "a queue without bounds": Parts(session=UnboundedQueue),
    "a token that never expires": Parts(session=TokenNeverExpires),
    "no heartbeat": Parts(session=NoHeartbeat),
    "news lost during authentication": Parts(session=StateBeforeAdding),
    "the wrong user woken": Parts(manager=WakesTheWrongUser),
    "a logout that closes one connection": Parts(manager=KeepsSessionsOpen),
    "no epoch check while connected": Parts(session=NoEpochGuard),
    "a reader with another user's context": Parts(reads_as=_reads_as_whoever_was_last),
    "a reader with another user's context, unguarded": Parts(session=NoEpochGuard, reads_as=_reads_as_whoever_was_last),
}
