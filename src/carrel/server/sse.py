"""The user's log as server-sent events: the same session as a WebSocket's, for clients that only read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Final

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from carrel.context import RunId, UserId, ambient_context
from carrel.delivery.actions import Close, ReadLog, ReadState
from carrel.delivery.frames import EventsFrame, HeartbeatFrame, ReadyFrame, Resume, ServerFrame
from carrel.delivery.session import DeliverySession
from carrel.errors import CarrelError, UnrecoverablePositionError
from carrel.events import encoded_type
from carrel.server.access import Identity
from carrel.server.problems import problem_for
from carrel.server.services import Services

__all__ = ["EventResponse", "EventStream"]

_log = structlog.get_logger(__name__)

HEARTBEAT: Final = b": heartbeat\n\n"


class EventStream:
    """One open stream, as the manager knows it: a user's events, or those of one run of theirs when `run_id` is given.

    Raises `LimitExceededError` at once when the user has as many connections as allowed. `until_run_ends` ends it after
    the run's last event.
    """

    __slots__ = ("_over", "_run_id", "_services", "_session", "_until_run_ends", "_waiter", "identity")

    def __init__(
        self, services: Services, identity: Identity, run_id: RunId | None = None, *, until_run_ends: bool = False
    ) -> None:
        services.connections.check_limit(identity.user.user_id)
        self.identity = identity
        self._services = services
        self._run_id = run_id
        self._until_run_ends = until_run_ends
        self._session = DeliverySession(asyncio.get_running_loop().time())
        self._waiter: asyncio.Future[None] | None = None
        self._over = False

    @property
    def over(self) -> bool:
        """Whether nothing comes after what it has given."""
        return self._over

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

    def leave(self) -> None:
        """End it: the client is gone."""
        self._over = True
        self._wake()

    async def follow(self, after: tuple[str, int] | None) -> AsyncGenerator[bytes, None]:
        """What the client gets, piece by piece: the events after `after`, (epoch, offset), or those from now on.

        A stream that cannot go on ends after a comment that says why.
        """
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
            self._over = True
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


class EventResponse(Response):
    """The events after `after` as an answer that proxies pass on at once.

    Starlette's `StreamingResponse` has two tasks and a cancel scope in an answer, which takes longer than the events of
    a short run; a stream has to be woken when the client goes away, not cancelled.
    """

    media_type = "text/event-stream"

    def __init__(self, stream: EventStream, after: tuple[str, int] | None) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._stream = stream
        self._after = after

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the events until the stream is over or the client is gone."""
        del scope
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        watch = asyncio.create_task(self._watch(receive))
        try:
            async with aclosing(self._stream.follow(self._after)) as pieces:
                async for piece in pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": not self._stream.over})
        finally:
            watch.cancel()

    async def _watch(self, receive: Receive) -> None:
        with suppress(HTTPException):  # a stream needs no body, and one that goes on too long ends it
            while (await receive())["type"] != "http.disconnect":
                pass
        self._stream.leave()


def _one_line(text: str) -> str:
    return " ".join(text.split())
