"""The WebSocket shell: moves frames between a socket and a `DeliverySession`, and does what the session asks.

What needs no waiting is done where it arises, without a switch to another task: an event that the log has in memory is
written when its user gets news, and an acknowledgement is taken when its bytes come in.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from carrel.context import UserId, ambient_context
from carrel.delivery.actions import Acknowledge, Action, Close, Command, ReadLog, ReadState, Request, Verify
from carrel.delivery.frames import encode_frame
from carrel.delivery.session import DeliverySession
from carrel.errors import AuthenticationError, CarrelError, LimitExceededError, UnrecoverablePositionError
from carrel.server.access import Identity
from carrel.server.commands import CommandQueue
from carrel.server.origin import origin_allowed
from carrel.server.services import Services
from carrel.server.socket_protocol import PROTOCOL, FrameProtocol

__all__ = ["SUBPROTOCOL", "websocket_route"]

SUBPROTOCOL: Final = "carrel.v1"
GOODBYE_SECONDS: Final = 20.0
"""How long a client that does not read may take to come to the close frame."""

_log = structlog.get_logger(__name__)


def websocket_route(services: Services) -> Callable[[WebSocket], Awaitable[None]]:
    """The endpoint of `/ws`: section 2 of the protocol over `services`."""

    async def follow(websocket: WebSocket) -> None:
        offered = websocket.scope["subprotocols"]
        await websocket.accept(subprotocol=SUBPROTOCOL if SUBPROTOCOL in offered else None)
        # Closed after it is accepted: a browser does not show its page why a handshake was refused.
        if not origin_allowed(websocket.headers, websocket.scope["scheme"], services.settings.allowed_origins):
            await websocket.close(4504, "this origin is not allowed; see CARREL_ALLOWED_ORIGINS")
        elif offered and SUBPROTOCOL not in offered:
            await websocket.close(4503, f"the subprotocol is {SUBPROTOCOL}")
        else:
            await _SocketConnection(websocket, services).run()

    return follow


class _SocketConnection:
    """One open WebSocket, as the manager knows it.

    A reader takes frames in and a writer sends them. While the writer has nothing to do, what arises is sent at once;
    while the reader waits for a frame, one that asks for nothing which takes time is taken at once.
    """

    __slots__ = (
        "_commands",
        "_gone",
        "_identity",
        "_left",
        "_protocol",
        "_receiving",
        "_scope",
        "_services",
        "_session",
        "_waiter",
        "_websocket",
    )

    def __init__(self, websocket: WebSocket, services: Services) -> None:
        self._websocket = websocket
        self._services = services
        self._session = DeliverySession(asyncio.get_running_loop().time())
        self._identity: Identity | None = None
        self._commands: CommandQueue | None = None
        self._scope: asyncio.Timeout | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._protocol: FrameProtocol | None = websocket.scope.get("state", {}).get(PROTOCOL)
        self._left: ReadLog | ReadState | Close | None = None
        self._receiving = False
        self._gone = False

    # What the manager calls

    @property
    def user_id(self) -> UserId:
        return self._known.user.user_id

    @property
    def session_id(self) -> str:
        return self._known.session_id

    @property
    def _known(self) -> Identity:
        assert self._identity is not None, "asked for before the connection is authenticated"
        return self._identity

    def news(self, top: int) -> None:
        self._session.news(top)
        self._go_on()

    def tick(self, now: float) -> None:
        if self._session.tick(now):
            self._go_on()

    def close(self, code: int, reason: str) -> None:
        self._session.close(code, reason)
        self._go_on()

    # The writer

    async def run(self) -> None:
        """Serve the connection until it ends, however it does."""
        self._services.connections.arrive(self)
        reader: asyncio.Task[None] | None = None
        try:
            # Without a time of its own: it is the way to interrupt the writer when a client does not read.
            async with asyncio.timeout(None) as self._scope:
                reader = asyncio.create_task(self._read())
                if self._protocol is not None:
                    self._protocol.take = self._take_at_once
                await self._write()
        except (WebSocketDisconnect, ConnectionError):
            self._gone = True
        except Exception as error:  # noqa: BLE001 - whatever it is, this connection ends and the server goes on
            if not (isinstance(error, TimeoutError) and self._scope is not None and self._scope.expired()):
                self._fail(error)
        finally:
            self._scope = None
            if self._protocol is not None:
                self._protocol.take = None
            try:
                await self._say_goodbye()
            finally:
                self._services.connections.remove(self)
                if reader is not None:
                    reader.cancel()
                if self._commands is not None:
                    # What the client has asked for is done, though it does not hear of it here.
                    await self._commands.finish()

    async def _write(self) -> None:
        session, send = self._session, self._websocket.send
        now = asyncio.get_running_loop().time
        while True:
            action: Action | None
            if self._left is not None:
                action, self._left = self._left, None
            else:
                action = session.next_action(now())
            if action is None:
                await self._wait()
            elif isinstance(action, ReadLog):
                await self._read_log(action)
            elif isinstance(action, ReadState):
                await self._read_state()
            elif isinstance(action, Close):
                return
            else:
                await send({"type": "websocket.send", "text": encode_frame(action).decode()})
                session.sent()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _go_on(self) -> None:
        """Send what there is to send, or let the writer do it; interrupt one that is stuck in a closed session."""
        if self._waiter is None:
            if self._session.closed is not None and self._session.sending:
                self._interrupt()
        elif not self._waiter.done() and not self._send_at_once():
            self._wake_writer()

    def _wake_writer(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _send_at_once(self) -> bool:
        """Do in the writer's place what does not take time; whether that was all."""
        session, protocol = self._session, self._protocol
        now = asyncio.get_running_loop().time()
        try:
            while protocol is not None and protocol.writable_now:
                action = session.next_action(now)
                if action is None:
                    return True
                if isinstance(action, ReadLog):
                    user = self._known.user
                    with ambient_context(user):
                        events = self._services.log.held(user, action.after, action.limit)
                    if events is None:
                        self._left = action
                        return False
                    session.loaded(events)
                elif isinstance(action, ReadState | Close):
                    self._left = action
                    return False
                else:
                    protocol.write(encode_frame(action))
                    session.sent()
        except Exception as error:  # noqa: BLE001 - whoever has news for this connection must not fail with it
            self._fail(error)
        return False

    def _interrupt(self) -> None:
        if self._scope is not None and self._scope.when() is None:
            self._scope.reschedule(asyncio.get_running_loop().time())

    async def _read_log(self, action: ReadLog) -> None:
        user = self._known.user
        try:
            with ambient_context(user):
                events = await self._services.log.read(user, action.after, action.limit)
        except UnrecoverablePositionError as error:
            self._session.unreadable(error)
        except CarrelError as error:
            self._fail(error)
        else:
            self._session.loaded(events)

    async def _read_state(self) -> None:
        user = self._known.user
        try:
            with ambient_context(user):
                state = await self._services.log.state(user)
        except CarrelError as error:
            self._fail(error)
        else:
            self._session.observed(state)

    def _fail(self, error: Exception) -> None:
        self._session.close(4000, "something went wrong here; connect again")
        self._wake_writer()
        _log.error("a connection failed", exc_info=error)

    async def _say_goodbye(self) -> None:
        closed = self._session.closed
        if closed is None or self._gone:
            return
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._websocket.close(closed.code, closed.reason)
        except (TimeoutError, WebSocketDisconnect, ConnectionError, RuntimeError):
            return

    # The reader

    async def _read(self) -> None:
        try:
            while self._session.closed is None:
                self._receiving = True
                message = await self._websocket.receive()
                self._receiving = False
                if message["type"] == "websocket.disconnect":
                    self._gone = True
                    self._interrupt()
                    return
                await self._take(message.get("text"))
                self._go_on()
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection ends and the server goes on
            self._fail(error)

    def _take_at_once(self, text: str) -> bool:
        """Take a frame for the reader; False when it is at work on one before, or this one takes time."""
        if not self._receiving:
            return False
        try:
            request = self._session.receive(text)
            if isinstance(request, Verify):
                return False  # it has changed nothing: the reader takes it again
            if request is not None:
                self._serve_at_once(request)
            self._go_on()
        except Exception as error:  # noqa: BLE001 - as in the reader
            self._fail(error)
        return True

    async def _take(self, text: str | None) -> None:
        if text is None:
            self._session.refuse_frame("binary frames are not accepted; send JSON text")
            return
        request = self._session.receive(text)
        if request is not None:
            await self._serve(request)

    async def _serve(self, request: Request) -> None:
        if isinstance(request, Verify):
            await self._authenticate(request)
        else:
            self._serve_at_once(request)

    def _serve_at_once(self, request: Acknowledge | Command) -> None:
        user = self._known.user
        if isinstance(request, Acknowledge):
            with ambient_context(user):
                self._services.log.acknowledge(user, request.offset)
            return
        if self._commands is None:
            self._commands = CommandQueue(self._services.scheduler, self._session, self._go_on)
        self._commands.put(user, request)

    async def _authenticate(self, request: Verify) -> None:
        before = self._identity
        try:
            identity = await self._services.authenticator.verify(request.token)
            user = identity.user
            if before is not None and before.user.user_id != user.user_id:
                self._session.close(4501, "the token is another user's; open a new connection")
                return
            # Added first: what is written while the state is read wakes this connection.
            self._identity = identity
            self._services.connections.add(self)
            with ambient_context(user):
                state = await self._services.log.state(user)
        except AuthenticationError:
            self._identity = before
            self._session.refused()
        except LimitExceededError as error:
            self._session.close(4505, f"limit {error.limit} is {error.allowed:g}; close another connection")
        except CarrelError as error:
            self._fail(error)
        else:
            self._session.authenticated(
                user.user_id,
                state,
                request.resume,
                expires_in=identity.expires_at - time.time(),
                now=asyncio.get_running_loop().time(),
            )
