"""The WebSocket shell: moves frames between a socket and a `DeliverySession`, and does what the session asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from carrel.context import UserId, ambient_context
from carrel.delivery.actions import Acknowledge, Close, ReadLog, ReadState, Request, Verify
from carrel.delivery.frames import encode_frame
from carrel.delivery.session import DeliverySession
from carrel.errors import AuthenticationError, CarrelError, LimitExceededError, UnrecoverablePositionError
from carrel.server.access import Identity
from carrel.server.commands import CommandQueue
from carrel.server.origin import origin_allowed
from carrel.server.services import Services

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
    """One open WebSocket, as the manager knows it. A reader takes frames in; a writer, the only one, sends them."""

    __slots__ = (
        "_commands",
        "_gone",
        "_identity",
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
        self._wake()

    def tick(self, now: float) -> None:
        if self._session.tick(now):
            self._wake()

    def close(self, code: int, reason: str) -> None:
        self._session.close(code, reason)
        self._wake()

    # The writer

    async def run(self) -> None:
        """Serve the connection until it ends, however it does."""
        self._services.connections.arrive(self)
        reader: asyncio.Task[None] | None = None
        try:
            # Without a time of its own: it is the way to interrupt the writer when a client does not read.
            async with asyncio.timeout(None) as self._scope:
                reader = asyncio.create_task(self._read())
                await self._write()
        except (WebSocketDisconnect, ConnectionError):
            self._gone = True
        except Exception as error:  # noqa: BLE001 - whatever it is, this connection ends and the server goes on
            if not (isinstance(error, TimeoutError) and self._scope is not None and self._scope.expired()):
                self._fail(error)
        finally:
            self._scope = None
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
                await send({"type": "websocket.send", "text": encode_frame(action)})
                session.sent()

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        """Let the writer look at the session again; interrupt it when the session is over and it is stuck."""
        if self._waiter is not None:
            if not self._waiter.done():
                self._waiter.set_result(None)
        elif self._session.closed is not None and self._session.sending:
            self._interrupt()

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
        self._wake()
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
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    self._gone = True
                    self._interrupt()
                    return
                await self._take(message.get("text"))
                self._wake()
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection ends and the server goes on
            self._fail(error)

    async def _take(self, text: str | None) -> None:
        if text is None:
            self._session.refuse_frame("binary frames are not accepted; send JSON text")
            return
        request = self._session.receive(text)
        if request is not None:
            await self._serve(request)

    async def _serve(self, request: Request) -> None:
        if isinstance(request, Acknowledge):
            user = self._known.user
            with ambient_context(user):
                await self._services.log.acknowledge(user, request.offset)
        elif isinstance(request, Verify):
            await self._authenticate(request)
        else:
            if self._commands is None:
                self._commands = CommandQueue(self._services.scheduler, self._session, self._wake)
            self._commands.put(self._known.user, request)

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
            self._session.close(4505, f"{error.allowed:g} connections are open; close one of them")
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
