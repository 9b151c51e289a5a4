"""The user's log as server-sent events: the same session as a WebSocket's, for clients that only read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

import msgspec
import structlog

from carrel.context import RunId, UserId, ambient_context
from carrel.delivery.actions import Close, ReadLog, ReadState
from carrel.delivery.frames import EventsFrame, HeartbeatFrame, ReadyFrame, Resume, ServerFrame
from carrel.delivery.session import DeliverySession
from carrel.errors import CarrelError, UnrecoverablePositionError
from carrel.events import encoded_type
from carrel.server.access import Identity
from carrel.server.problems import problem_for
from carrel.server.services import Services

__all__ = ["event_stream"]

_log = structlog.get_logger(__name__)

HEARTBEAT: Final = b": heartbeat\n\n"


def event_stream(
    services: Services,
    identity: Identity,
    after: tuple[str, int] | None,
    run_id: RunId | None,
    until_run_ends: bool,  # noqa: FBT001 - the server passes it by position
) -> AsyncIterator[bytes]:
    """The events after `after`, (epoch, offset), or those from now on; of one run only, when `run_id` is given.

    Raises `LimitExceededError` at once when the user has as many connections as allowed. A stream that cannot go on
    ends after a comment that says why; `until_run_ends` ends it after the run's last event.
    """
    services.connections.check_limit(identity.user.user_id)
    return _EventStream(services, identity, run_id, until_run_ends=until_run_ends).follow(after)


class _EventStream:
    """One open stream, as the manager knows it."""

    __slots__ = ("_over", "_run_id", "_services", "_session", "_until_run_ends", "_waiter", "identity")

    def __init__(self, services: Services, identity: Identity, run_id: RunId | None, *, until_run_ends: bool) -> None:
        self.identity = identity
        self._services = services
        self._run_id = run_id
        self._until_run_ends = until_run_ends
        self._session = DeliverySession(asyncio.get_running_loop().time())
        self._waiter: asyncio.Future[None] | None = None
        self._over = False

    @property
    def user_id(self) -> UserId:
        return self.identity.user.user_id

    @property
    def session_id(self) -> str:
        return self.identity.session_id

    def news(self, top: int) -> None:
        self._session.news(top)
        self._wake()

    def tick(self, now: float) -> None:
        if self._session.tick(now):
            self._wake()

    def close(self, code: int, reason: str) -> None:
        self._session.close(code, reason)
        self._wake()

    async def follow(self, after: tuple[str, int] | None) -> AsyncIterator[bytes]:
        """What the client gets, piece by piece."""
        connections = self._services.connections
        connections.arrive(self)
        try:
            connections.add(self)
            await self._begin(after)
            while not self._over:
                piece = await self._next()
                if piece:
                    yield piece
                    self._session.sent()
        except CarrelError as error:
            yield f": closed {_one_line(self._reason(error))}\n\n".encode()
        finally:
            connections.remove(self)

    @staticmethod
    def _reason(error: CarrelError) -> str:
        if problem_for(error).public:
            return str(error)
        _log.warning("a stream could not go on", problem=str(error))
        return "this stream cannot go on; connect again"

    async def _begin(self, after: tuple[str, int] | None) -> None:
        user = self.identity.user
        with ambient_context(user):
            state = await self._services.log.state(user)
        self._session.authenticated(
            user.user_id,
            state,
            Resume(*after) if after is not None else None,
            expires_in=self.identity.expires_at - time.time(),
            now=asyncio.get_running_loop().time(),
        )

    async def _next(self) -> bytes:
        """The next piece; empty when there was something else to do."""
        user, log = self.identity.user, self._services.log
        action = self._session.next_action(asyncio.get_running_loop().time())
        if action is None:
            await self._wait()
        elif isinstance(action, ReadLog):
            try:
                with ambient_context(user):
                    events = await log.read(user, action.after, action.limit)
            except UnrecoverablePositionError as error:
                self._session.unreadable(error)
            else:
                self._session.loaded(events)
        elif isinstance(action, ReadState):
            with ambient_context(user):
                state = await log.state(user)
            self._session.observed(state)
        elif isinstance(action, Close):
            self._over = True
            return f": closed {action.code} {_one_line(action.reason)}\n\n".encode()
        else:
            piece = self._encode(action)
            if not piece:
                self._session.sent()
            return piece
        return b""

    def _encode(self, frame: ServerFrame) -> bytes:
        if isinstance(frame, EventsFrame):
            return self._encode_events(frame)
        if isinstance(frame, HeartbeatFrame):
            return HEARTBEAT
        assert isinstance(frame, ReadyFrame), "a stream takes no frames, so nothing else is answered"
        if not frame.gap:
            # A first byte, so that the client sees at once that it is connected.
            return b": ready\n\n"
        gap = msgspec.json.encode({"epoch": frame.epoch, "oldest": frame.oldest, "top": frame.top})
        # With an id, so that a client which connects again does not come from before the gap.
        return f"id: {frame.epoch}:{frame.top}\n".encode() + b"event: gap\ndata: " + gap + b"\n\n"

    def _encode_events(self, frame: EventsFrame) -> bytes:
        pieces: list[str] = []
        for event in frame.events:
            if self._run_id is not None and event.run_id != self._run_id:
                continue
            position = f"{self._session.epoch}:{event.offset}"
            pieces.append(f"id: {position}\nevent: {encoded_type(event.body)}\ndata: {event.body.decode()}\n\n")
            if event.ends_run and self._until_run_ends:
                self._over = True
                break
        return "".join(pieces).encode()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _one_line(text: str) -> str:
    return " ".join(text.split())
