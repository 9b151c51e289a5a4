"""The delivery shells on a real uvicorn server, with stand-ins for everything behind them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from carrel.context import RequestId, RunId, ThreadId, UserContext, UserExecutionContext, UserId, new_id
from carrel.delivery.bridge import LocalBridge
from carrel.delivery.emitter import WebSocketEmitter
from carrel.delivery.manager import WebSocketManager
from carrel.errors import AuthenticationError, NotFoundError
from carrel.events import draft_event
from carrel.runtime.run_request import Accepted, RunRequest
from carrel.server.access import Identity
from carrel.server.services import Services
from carrel.server.socket_protocol import FrameProtocol
from carrel.server.websocket import SUBPROTOCOL, websocket_route
from carrel.testing.event_log import MemoryEventLog


def context_of(user: str, run: str = "r") -> UserExecutionContext:
    return UserExecutionContext(
        user_id=UserId(user), thread_id=ThreadId("t"), run_id=RunId(run), request_id=RequestId("q")
    )


def identity_of(user: str, session: str = "s", *, seconds: float = 600.0) -> Identity:
    context = UserContext(user_id=UserId(user), request_id=RequestId(new_id()))
    return Identity(user=context, session_id=session, expires_at=time.time() + seconds)


class Authenticator:
    """Tokens are `user/session/seconds`; whatever `errors` holds is raised first. Waits while `gate` is closed."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def verify(self, token: str) -> Identity:
        await asyncio.sleep(0)
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        parts = token.split("/")
        if len(parts) != 3:
            raise AuthenticationError("the token is not valid")
        return identity_of(parts[0], parts[1], seconds=float(parts[2]))


class Scheduler:
    """Starts runs that say one thing and end; every call is noted, and waits while `gate` is closed."""

    def __init__(self, log: MemoryEventLog, bridge: LocalBridge) -> None:
        self.log = log
        self.bridge = bridge
        self.gate = asyncio.Event()
        self.gate.set()
        self.requests: list[tuple[UserContext, RunRequest]] = []
        self.accepted: dict[str, Accepted] = {}
        self.errors: list[Exception] = []

    async def start(self, user: UserContext, request: RunRequest) -> Accepted:
        self.requests.append((user, request))
        await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        key = request.idempotency_key or new_id()
        if key in self.accepted:
            return self.accepted[key]
        accepted = Accepted(thread_id=request.thread_id or ThreadId("new"), run_id=RunId(new_id()), created=True)
        self.accepted[key] = accepted
        context = UserExecutionContext(
            user_id=user.user_id,
            thread_id=accepted.thread_id,
            run_id=accepted.run_id,
            request_id=RequestId(new_id()),
        )
        emitter = WebSocketEmitter(context, self.log, self.bridge)
        await emitter.started(request.agent, request.input)
        await emitter.completed("succeeded", 1.0, output="done")
        return accepted

    async def cancel(self, user: UserContext, run_id: RunId) -> Accepted:
        await self.gate.wait()
        for accepted in self.accepted.values():
            if accepted.run_id == run_id:
                return accepted
        raise NotFoundError("run")


@dataclass
class LiveSettings:
    allowed_origins: tuple[str, ...] = ()


@dataclass
class Stage:
    """What the shells run on, in the hands of a test."""

    per_user: int = 16
    settings: LiveSettings = field(default_factory=LiveSettings)
    log: MemoryEventLog = field(default_factory=MemoryEventLog)
    bridge: LocalBridge = field(default_factory=LocalBridge)
    authenticator: Authenticator = field(default_factory=Authenticator)
    url: str = ""

    def __post_init__(self) -> None:
        self.scheduler = Scheduler(self.log, self.bridge)
        self.connections = WebSocketManager(self.bridge, per_user=self.per_user)

    @property
    def services(self) -> Services:
        return cast("Services", self)

    async def write(self, user: str, count: int = 1, *, run: str = "r", size: int = 0) -> None:
        """Append events of one user and wake their connections."""
        context = context_of(user, run)
        drafts = [
            draft_event(context, "agent_thinking", "a", {"text": f"{user} {number} " + "x" * size})
            for number in range(count)
        ]
        logged = await self.log.append(context, drafts)
        self.bridge.publish(context.user_id, logged[-1].offset)

    def announce(self, user: str, top: int) -> None:
        """Wake a user's connections, whether there is anything or not."""
        self.bridge.publish(UserId(user), top)

    async def gone(self) -> None:
        """Wait until no connection is left."""
        while True:
            seen = self.connections.statistics()
            if seen.connections == seen.arriving == 0:
                return
            await asyncio.sleep(0.005)

    def client(self, **options: Any) -> connect:
        options = {"subprotocols": [SUBPROTOCOL], "max_size": 2**24, "compression": None, **options}
        return connect(self.url, proxy=None, **options)

    @asynccontextmanager
    async def signed_in(self, user: str, **resume: Any) -> AsyncIterator[ClientConnection]:
        """A client that has read its `ready`."""
        async with self.client() as client:
            await authenticate(client, user, **resume)
            yield client


async def send(client: ClientConnection, **frame: Any) -> None:
    await client.send(msgspec.json.encode(frame).decode())


async def receive(client: ClientConnection) -> dict[str, Any]:
    frame: dict[str, Any] = msgspec.json.decode(await client.recv())
    return frame


async def authenticate(
    client: ClientConnection, user: str, session: str = "s", seconds: float = 600.0, **resume: Any
) -> dict[str, Any]:
    frame: dict[str, Any] = {"token": f"{user}/{session}/{seconds}"}
    if resume:
        frame["resume"] = resume
    await send(client, type="authenticate", **frame)
    return await receive(client)


async def offsets(client: ClientConnection, last: int) -> Sequence[int]:
    """Offsets of the events that come, until `last`; heartbeats are passed over."""
    found: list[int] = []
    while not found or found[-1] < last:
        frame = await receive(client)
        if frame["type"] == "events":
            found.extend(event["offset"] for event in frame["events"])
    return found


async def close_code(client: ClientConnection) -> int | None:
    """What the server closes the connection with; frames that come before are read."""
    try:
        while True:
            await client.recv()
    except ConnectionClosed:
        return client.close_code


@asynccontextmanager
async def live(
    stage: Stage | None = None, *, protocol: type[asyncio.Protocol] | Literal["websockets-sansio"] = FrameProtocol
) -> AsyncIterator[Stage]:
    """A server on a free port of this machine."""
    stage = stage or Stage()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = Starlette(routes=[WebSocketRoute("/ws", websocket_route(stage.services))])
    config = uvicorn.Config(
        app,
        ws=protocol,
        ws_max_size=128 * 1024,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    stage.url = f"ws://127.0.0.1:{listener.getsockname()[1]}/ws"
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield stage
    finally:
        await stage.connections.close_all(4000, "over", 0.2)
        server.should_exit = True
        await task
        listener.close()


__all__ = [
    "Authenticator",
    "Scheduler",
    "Stage",
    "authenticate",
    "close_code",
    "context_of",
    "identity_of",
    "live",
    "offsets",
    "receive",
    "send",
]
