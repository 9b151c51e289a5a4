"""Clients that speak the protocol and trust nothing: they acknowledge, resume, repeat, vanish and write all down."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage
from websockets.typing import Subprotocol

from tests.chaos.journal import Journal, Start

# A token is neither valid nor expired while the server's clock is wrong, and a stopped server may find it late.
SENT_AWAY_IN_TROUBLE: Final = frozenset({4500, 4501, 4502})
# What a client in good order may be told while the server is in trouble; it asks again.
TROUBLE: Final = frozenset(
    {"storage_unavailable", "internal_error", "going_away", "too_many_requests", "limit_exceeded"}
)
AGENTS: Final = ("quick", "quick", "slow", "caller", "nested", "failing", "hanging", "stubborn", "flood")
LOST: Final = (ConnectionClosed, OSError, InvalidHandshake, InvalidMessage, TimeoutError, httpx.HTTPError)


class Client:
    """One connection of one user, made again whenever it is lost."""

    def __init__(self, journal: Journal, address: Callable[[], str], chance: random.Random) -> None:
        self.journal = journal
        self.address = address
        self.chance = chance
        self.epoch = ""
        self.position = 0
        self.socket: ClientConnection | None = None
        self.answers: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def follow(self) -> None:
        """Stay connected until cancelled."""
        while True:
            with suppress(*LOST):
                await self.connection()
            self.socket = None
            for answer in self.answers.values():
                if not answer.done():
                    answer.set_result({"type": "lost"})
            await asyncio.sleep(0.05 + self.chance.random() * 0.3)

    async def connection(self) -> None:
        """One connection, to its end."""
        url = self.address().replace("http", "ws") + "/ws"
        async with connect(url, subprotocols=[Subprotocol("carrel.v1")], compression=None, open_timeout=10) as socket:
            resume = {"resume": {"epoch": self.epoch, "offset": self.position}} if self.epoch else {}
            await send(socket, type="authenticate", token=self.journal.token, **resume)
            try:
                self.begin(await self.receive(socket))
                self.socket = socket
                while True:
                    self.take(await self.receive(socket))
                    if self.chance.random() < 0.7:
                        await send(socket, type="ack", offset=self.position)
            except ConnectionClosed as closed:
                code = closed.rcvd.code if closed.rcvd else 0
                if 4500 <= code < 5000 and code not in SENT_AWAY_IN_TROUBLE:
                    self.journal.broken.append(f"{self.journal.name} was sent away with {code}: {closed}")
                raise

    async def receive(self, socket: ClientConnection) -> dict[str, Any]:
        # A server in good health says something every 15 s; with a stopped or a filled one it may take longer.
        async with asyncio.timeout(40):
            return self.journal.heard(str(await socket.recv()))

    def begin(self, ready: dict[str, Any]) -> None:
        """Nothing between the last position and now may be missing."""
        assert ready["type"] == "ready", ready
        journal = self.journal
        journal.connections += 1
        journal.user_id = journal.user_id or ready["user_id"]
        if ready["user_id"] != journal.user_id:
            journal.broken.append(f"{journal.name} is called {ready['user_id']}")
        if ready["gap"]:
            journal.broken.append(f"{journal.name} cannot resume after {self.epoch}:{self.position}: {ready}")
        if not self.epoch:
            self.epoch, self.position = ready["epoch"], ready["top"]

    def take(self, frame: dict[str, Any]) -> None:
        """Handle one frame."""
        for event in frame.get("events", ()):
            self.journal.saw(event)
            if event["offset"] > self.position + 1:
                self.journal.broken.append(
                    f"{self.journal.name}: {event['offset']} came after {self.position} on one connection"
                )
            self.position = max(self.position, event["offset"])
        answer = self.answers.get(frame.get("id") or "")
        if answer is not None and not answer.done():
            answer.set_result(frame)

    async def ask(self, **frame: Any) -> dict[str, Any]:
        """Send a frame and return its answer, `{"type": "lost"}` when none came."""
        if self.socket is None:
            await asyncio.sleep(0.1)
            return {"type": "lost"}
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.answers[frame["id"]] = answer
        try:
            await send(self.socket, **frame)
            async with asyncio.timeout(15):
                return await answer
        except LOST:
            return {"type": "lost"}
        finally:
            self.answers.pop(frame["id"], None)

    def vanish(self) -> None:
        """As when the power fails: no close frame."""
        if self.socket is not None:
            self.socket.transport.abort()

    def close_half(self) -> None:
        """Say no more, and go on listening."""
        if self.socket is not None and self.socket.transport.can_write_eof():
            self.socket.transport.write_eof()


class Driver:
    """What one user asks of the server, over any of their connections."""

    def __init__(self, journal: Journal, clients: list[Client], chance: random.Random, *, pause: float = 0.6) -> None:
        self.journal = journal
        self.clients = clients
        self.chance = chance
        self.pause = pause

    async def drive(self) -> None:
        """Start runs until cancelled; ask until each is answered."""
        while True:
            start = self.choose()
            self.journal.starts.append(start)
            await self.insist(start)
            await self.afterwards(start)
            await asyncio.sleep(self.chance.random() * self.pause)

    def choose(self) -> Start:
        threads, chance = self.journal.threads, self.chance
        return Start(
            id=str(uuid.UUID(int=chance.getrandbits(128))),
            input=f"{self.journal.canary} question {len(self.journal.starts)}",
            agent=chance.choice(AGENTS),
            if_busy=chance.choice(("enqueue", "enqueue", "interrupt", "reject", "rollback")),
            thread_id=chance.choice(threads[-3:]) if threads and chance.random() < 0.5 else None,
        )

    async def insist(self, start: Start) -> None:
        """Send it, with the same id, until it is answered."""
        frame = {"type": "start_run", "id": start.id, "input": start.input, "agent": start.agent}
        frame["if_busy"] = start.if_busy
        if start.thread_id is not None:
            frame["thread_id"] = start.thread_id
        while True:
            answer = await self.chance.choice(self.clients).ask(**frame)
            if answer["type"] == "accepted":
                self.journal.answered(start, answer)
                return
            if answer["type"] == "error":
                code = answer["code"]
                self.journal.refusals[code] = self.journal.refusals.get(code, 0) + 1
                if code == "thread_busy":
                    return
                if code not in TROUBLE:
                    self.journal.broken.append(f"{self.journal.name}: {frame} was answered with {answer}")
                    return
            await asyncio.sleep(0.2)

    async def afterwards(self, start: Start) -> None:
        """Sometimes ask the same again, sometimes cancel it."""
        if not start.answers:
            return
        if self.chance.random() < 0.3:
            await self.insist(start)
        if start.agent == "hanging" or self.chance.random() < 0.2:
            await asyncio.sleep(self.chance.random())
            run_id = next(iter(start.answers))
            await self.chance.choice(self.clients).ask(type="cancel_run", id=f"cancel {start.id}", run_id=run_id)


async def send(socket: ClientConnection, **frame: Any) -> None:
    await socket.send(json.dumps(frame))
