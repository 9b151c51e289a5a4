"""A deterministic world of users, connections and mishaps: one seed is one history, checked by an independent observer.

Everything that really happens at the same time is a step here: a read of the log is asked for in one step and answered
in a later one, a frame is handed out, written and received in three, a call of the bridge may come late, twice or
never. The steps are drawn from a seeded generator. The observer (`World`) keeps its own record of what was appended,
trimmed and acknowledged, and asks neither the log nor the session what is right.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from carrel.context import RequestId, RunId, ThreadId, UserContext, UserExecutionContext, UserId
from carrel.delivery.actions import Acknowledge, Action, Close, ReadLog, ReadState, Verify
from carrel.delivery.frames import encode_frame
from carrel.delivery.manager import WebSocketManager
from carrel.delivery.session import EXPIRY_SECONDS, HEARTBEAT_SECONDS, DeliverySession
from carrel.errors import CarrelError, IsolationError, UnrecoverablePositionError
from carrel.events import EventDraft, draft_event
from carrel.testing.event_log import MemoryEventLog

_encode = msgspec.json.encode
_decode = msgspec.json.decode


class ViolationError(AssertionError):
    """The observer saw something that the protocol forbids."""


def require(condition: object, problem: str) -> None:
    if not condition:
        raise ViolationError(problem)


class LossyBridge:
    """A bridge whose calls wait in `calls` until the simulation delivers, doubles or drops them."""

    def __init__(self) -> None:
        self.calls: list[tuple[UserId, int]] = []
        self.listener: Callable[[UserId, int], None] | None = None

    def publish(self, user_id: UserId, top: int) -> None:
        self.calls.append((user_id, top))

    def subscribe(self, listener: Callable[[UserId, int], None]) -> Callable[[], None]:
        self.listener = listener
        return lambda: None

    def deliver(self, user_id: UserId, top: int) -> None:
        assert self.listener is not None
        self.listener(user_id, top)


@dataclass
class Record:
    """What the observer knows about one user."""

    context: UserExecutionContext
    canary: str
    epochs: list[dict[int, str]] = field(default_factory=lambda: [{}])
    """By epoch: the event ids that are in the log, by offset."""
    names: list[str] = field(default_factory=list)
    """What the log calls its epochs."""
    oldest: int = 1
    delivered: int = 0

    @property
    def top(self) -> int:
        return max(self.epochs[-1], default=0)

    def gap(self, resume: tuple[str, int]) -> bool:
        epoch, offset = resume
        return epoch != self.names[-1] or not self.oldest - 1 <= offset <= self.top


@dataclass(frozen=True)
class Parts:
    """What is under test; mutants replace one of them."""

    session: type[DeliverySession] = DeliverySession
    log: type[MemoryEventLog] = MemoryEventLog
    manager: type[WebSocketManager] = WebSocketManager
    reads_as: Callable[[World, UserContext], UserContext] = lambda _, user: user


class Socket:
    """One connection: the shell's two tasks as steps, and the network. Sometimes news is acted on at once."""

    def __init__(self, world: World, client: Client) -> None:
        self.world = world
        self.client = client
        self.session = world.parts.session(world.now)
        self.expires_at = 0.0
        self.inbound: list[str] = []
        self.outbound: list[bytes] = []
        self.sign_in = ""
        self.answer: Callable[[], Awaitable[None] | None] | None = None
        """The reader's or writer's question to the log, asked and not answered yet; one of each."""
        self.verdict: Callable[[], None] | None = None
        self.writing: bytes | None = None
        self.left: Action | None = None
        """What was begun at once and takes time: for the writer."""
        self.open = True
        self.acked = -1
        """The last acknowledgement that the server has accepted, as the client knows."""
        self.acks = False
        self.received = 0
        self.trimmed = False
        self.told = 0
        """The greatest top that the bridge has announced to this connection, of those that there are."""

    # What the manager sees

    @property
    def user_id(self) -> UserId:
        return self.client.record.context.user_id

    @property
    def session_id(self) -> str:
        return self.sign_in

    def news(self, top: int) -> None:
        if top <= self.client.record.top:
            self.told = max(self.told, top)
        self.session.news(top)
        if self.writing is None and self.answer is None and self.left is None and self.world.rng.random() < 0.5:
            self.send_at_once()

    def tick(self, now: float) -> None:
        self.session.tick(now)

    def close(self, code: int, reason: str) -> None:
        self.session.close(code, reason)

    # The shell

    def send_at_once(self) -> None:
        """All that the writer would do without waiting."""
        user = self.world.parts.reads_as(self.world, self.client.record.context)
        # Not when the network is full: then it takes time to write.
        while len(self.outbound) < 2 and (action := self.session.next_action(self.world.now)) is not None:
            if isinstance(action, ReadLog) and (events := self.world.log.held(user, *action)) is not None:
                self.world.seen["read at once"] += 1
                self.session.loaded(events)
            elif isinstance(action, ReadLog | ReadState | Close):
                self.left = action
                return
            else:
                self.outbound.append(encode_frame(action))
                self.session.sent()

    async def write(self) -> bool:
        """One step of the writer; whether it did anything."""
        if self.session.closed is not None and self.writing is not None:
            self.writing = None  # the shell interrupts a writer that is stuck
        elif self.writing is not None:
            self.outbound.append(self.writing)
            self.writing = None
            self.session.sent()
            return True
        if self.answer is not None:
            answer, self.answer = self.answer, None
            answer()
            return True
        action, self.left = self.left, None
        if action is None:
            action = self.session.next_action(self.world.now)
        if action is None:
            return False
        user: UserContext = self.client.record.context
        if isinstance(action, Close):
            self.world.closed(self, action)
        elif isinstance(action, ReadLog):
            try:
                events = await self.world.log.read(self.world.parts.reads_as(self.world, user), *action)
            except UnrecoverablePositionError as error:
                self.answer = lambda error=error: self.session.unreadable(error)
            else:
                self.answer = lambda events=tuple(events): self.session.loaded(events)
        elif isinstance(action, ReadState):
            state = await self.world.log.state(user)
            self.answer = lambda: self.session.observed(state)
        else:
            self.writing = encode_frame(action)
        return True

    async def read(self) -> bool:
        """One step of the reader; whether it did anything."""
        if self.verdict is not None:
            verdict, self.verdict = self.verdict, None
            verdict()
            return True
        if not self.inbound or self.session.closed is not None:
            return False
        request = self.session.receive(self.inbound.pop(0))
        if isinstance(request, Acknowledge):
            self.world.log.acknowledge(self.client.record.context, request.offset)
            record = self.client.record
            # The watermark of a log that was recreated under an open connection may be too high until the next ack.
            record.delivered = max(record.delivered, min(request.offset, record.top))
        elif isinstance(request, Verify):
            await self._verify(request)
        return True

    async def _verify(self, request: Verify) -> None:
        record = self.client.record
        self.sign_in, _, expires_at = request.token.rpartition("/")
        if float(expires_at) <= self.world.now:
            self.verdict = self.session.refused
            return
        try:
            self.world.manager.add(self)
        except CarrelError:
            self.verdict = lambda: self.session.close(4505, "too many")
            return
        state = await self.world.log.state(record.context)
        resume = request.resume
        if self.expires_at == 0.0:
            self.client.expects_gap = resume is not None and record.gap((resume.epoch, resume.offset))
        now = self.world.now

        def verdict() -> None:
            if self.session.closed is None:
                self.expires_at = float(expires_at)
            self.session.authenticated(record.context.user_id, state, resume, expires_in=self.expires_at - now, now=now)

        self.verdict = verdict


class Client:
    """A client as the protocol describes it, with a character: how it reads, acknowledges and comes back."""

    def __init__(self, world: World, record: Record) -> None:
        rng = world.rng
        self.world = world
        self.record = record
        self.handled: tuple[str, int] | None = None
        self.expects_gap = False
        self.acknowledges = rng.random() < 0.8
        self.lazy = rng.random() < 0.15
        """Seldom reads."""
        self.forgetful = rng.random() < (0.7 if world.stormy else 0.2)
        """Acknowledges once and then no more."""
        self.socket: Socket | None = None
        self.ready = False
        self.unacknowledged = 0
        self.session_name = f"{record.context.user_id}-{rng.random()}"
        self.lifetime = rng.choice((30.0, 400.0, 10_000.0))

    def connect(self) -> None:
        self.socket = Socket(self.world, self)
        self.ready = False
        self.unacknowledged = 0
        self.world.manager.arrive(self.socket)
        self.send_token()

    def send_token(self) -> None:
        frame: dict[str, Any] = {
            "type": "authenticate",
            "token": f"{self.session_name}/{self.world.now + self.lifetime}",
        }
        if self.handled is not None and not self.ready:
            frame["resume"] = {"epoch": self.handled[0], "offset": self.handled[1]}
        self.send(frame)

    def send(self, frame: dict[str, Any]) -> None:
        assert self.socket is not None
        self.socket.inbound.append(_encode(frame).decode())

    def disconnect(self) -> None:
        if self.socket is not None:
            self.world.manager.remove(self.socket)
            self.socket.open = False
            self.socket = None

    def receive(self) -> bool:
        """Take the next frame off the network; whether there was one."""
        if self.socket is None or not self.socket.outbound:
            return False
        frame = _decode(self.socket.outbound.pop(0))
        kind = frame["type"]
        if kind == "ready":
            self._ready(frame)
        elif kind == "events":
            self._events(frame["events"])
        elif kind == "heartbeat":
            require(self.ready, "a heartbeat came before ready")
        elif kind == "error":
            require(frame["code"] in ("invalid_ack", "bad_token"), f"unexpected error {frame}")
        else:
            raise ViolationError(f"unexpected frame {kind}")
        return True

    def _ready(self, frame: dict[str, Any]) -> None:
        require(frame["user_id"] == self.record.context.user_id, "ready names another user")
        if self.ready:
            require(not frame["gap"], "renewing a token made a gap")
            return
        require(frame["gap"] == self.expects_gap, f"gap is {frame['gap']}, should be {self.expects_gap}")
        self.ready = True
        self.world.seen["new" if self.handled is None else "gap" if frame["gap"] else "resumed"] += 1
        if self.handled is None or frame["gap"]:
            self.handled = (frame["epoch"], frame["top"])
        assert self.socket is not None
        self.socket.acked = self.socket.received = self.handled[1]

    def _events(self, events: Sequence[dict[str, Any]]) -> None:
        socket = self.socket
        assert socket is not None
        require(self.ready, "events came before ready")
        require(1 <= len(events) <= 64, f"{len(events)} events in a frame")
        for event in events:
            assert self.handled is not None
            epoch, handled = self.handled
            require(event["user_id"] == self.record.context.user_id, "an event of another user")
            require(event["data"]["text"] == self.record.canary, "another user's canary")
            require(event["epoch"] == epoch, "the epoch changed on an open connection")
            require(event["offset"] == handled + 1, f"offset {event['offset']} after {handled}")
            known = self.record.epochs[self.record.names.index(epoch)]
            require(known[handled + 1] == event["event_id"], "not the event that was appended there")
            self.handled = (epoch, event["offset"])
            self.unacknowledged += 1
        socket.received = self.handled[1] if self.handled else 0
        if socket.acks:
            require(socket.received - socket.acked <= 256 + 64, "sending did not pause")
        if self.forgetful and socket.acks:
            return
        if self.acknowledges and not self.lazy and (self.unacknowledged >= 8 or self.world.rng.random() < 0.5):
            self.acknowledge()

    def acknowledge(self) -> None:
        """Acknowledge all that was handled; now and then what must not be accepted comes before."""
        if self.socket is None or not self.ready or self.handled is None or self.socket.received == self.socket.acked:
            return
        if self.world.rng.random() < 0.05:
            self.send({"type": "ack", "offset": self.handled[1] + 1_000})
        self.send({"type": "ack", "offset": self.handled[1]})
        self.socket.acked = self.handled[1]
        self.socket.acks = True
        self.unacknowledged = 0


class World:
    """One history."""

    def __init__(self, seed: int, parts: Parts) -> None:
        self.rng = random.Random(seed)
        self.stormy = self.rng.random() < 0.12
        """Whether so much happens at once that sending has to pause."""
        self.parts = parts
        self.now = 1_000.0
        self.log = parts.log(clock=lambda: 1.7e9 + self.now)
        self.bridge = LossyBridge()
        self.manager = parts.manager(self.bridge, per_user=8)
        self.records = [self._record(number) for number in range(self.rng.randint(2, 3))]
        self.clients = [Client(self, self.rng.choice(self.records)) for _ in range(self.rng.randint(2, 6))]
        self.unfinished: list[tuple[Record, list[EventDraft]]] = []
        """Appends that were called and have not landed."""
        self.seen: Counter[str] = Counter()
        """How often what matters has happened, so that a test can see that it does."""

    def _record(self, number: int) -> Record:
        user = f"user-{number}"
        context = UserExecutionContext(
            user_id=UserId(user), thread_id=ThreadId("t"), run_id=RunId("r"), request_id=RequestId("q")
        )
        return Record(context, canary=f"canary of {user}: {self.rng.random()}")

    async def run(self, steps: int = 160) -> None:
        """Live through `steps` steps, then let everything settle and see that nothing is missing."""
        for record in self.records:
            record.names.append((await self.log.state(record.context)).epoch)
        choices, weights = zip(*self._steps(), strict=True)
        for step in self.rng.choices(choices, weights, k=steps):
            await step()
            self.check()
        await self.settle()

    def _steps(self) -> Sequence[tuple[Callable[[], Awaitable[None]], float]]:
        return (
            (self.append, 18),
            (self.land, 18),
            (self.call, 18),
            (self.work, 60),
            (self.connect, 8),
            (self.cut, 3),
            (self.wait, 4),
            (self.burst, 8.0 if self.stormy else 0.0),
            (self.rush, 8.0 if self.stormy else 0.0),
            (self.trim, 1.2),
            (self.recreate, 0.5),
            (self.log_out, 0.5),
            (self.sleep, 0.4),
        )

    # Steps

    async def append(self, least: int = 1, most: int = 3) -> None:
        record = self.rng.choice(self.records)
        drafts = [
            draft_event(record.context, "agent_thinking", "a", {"text": record.canary})
            for _ in range(self.rng.randint(least, most))
        ]
        begin = getattr(self.log, "begin", None)
        if begin is not None:
            begin(record.context, drafts)
        self.unfinished.append((record, drafts))

    async def land(self) -> None:
        """One append is durable, in whatever order; its writer calls the bridge."""
        if not self.unfinished:
            return
        record, drafts = self.unfinished.pop(self.rng.randrange(len(self.unfinished)))
        logged = await self.log.append(record.context, drafts)
        record.epochs[-1].update((event.offset, draft.event_id) for event, draft in zip(logged, drafts, strict=True))
        self.bridge.publish(record.context.user_id, logged[-1].offset)

    async def burst(self) -> None:
        await self.append(least=100, most=600)
        await self.land()
        while self.bridge.calls:
            self.bridge.deliver(*self.bridge.calls.pop(0))

    async def call(self) -> None:
        """A call of the bridge arrives: late, out of order, perhaps again later, perhaps not at all."""
        if not self.bridge.calls:
            return
        index = self.rng.randrange(len(self.bridge.calls))
        chance = self.rng.random()
        call = self.bridge.calls[index] if chance < 0.15 else self.bridge.calls.pop(index)
        if chance < 0.85:
            # Now and then it announces more than there is, as one of before a log was recreated does.
            self.bridge.deliver(call[0], call[1] + (self.rng.randint(1, 4) if self.rng.random() < 0.1 else 0))

    async def work(self) -> None:
        """Some tasks get their turn."""
        for client in self.rng.sample(self.clients, k=self.rng.randint(1, len(self.clients))):
            if client.lazy and self.rng.random() < 0.9:
                continue
            for _ in range(self.rng.randint(1, 6)):
                await self._turn(client, self.rng.randrange(3))

    async def rush(self) -> None:
        """One client gets many turns in a row."""
        client = self.rng.choice(self.clients)
        for turn in range(120):
            await self._turn(client, turn % 3)

    async def _turn(self, client: Client, which: int) -> bool:
        if client.socket is None:
            return False
        if which == 0:
            return await client.socket.read()
        return await client.socket.write() if which == 1 else client.receive()

    async def connect(self) -> None:
        client = self.rng.choice(self.clients)
        if client.socket is None:
            client.connect()
        elif client.ready and self.rng.random() < 0.5:
            client.send_token()

    async def cut(self) -> None:
        self.rng.choice(self.clients).disconnect()

    async def wait(self) -> None:
        """Time passes, and the manager's clock ticks."""
        await self._pass(self.rng.choice((0.001, 0.3, 1.0, 5.0, 11.0)))

    async def sleep(self) -> None:
        for _ in range(self.rng.randint(5, 30)):
            await self._pass(10.0)

    async def _pass(self, seconds: float) -> None:
        self.now += seconds
        for client in self.clients:
            if client.socket is not None:
                client.socket.tick(self.now)
                expiry = client.socket.expires_at
                if expiry and client.socket.session.closed is None:
                    require(self.now < expiry + EXPIRY_SECONDS, "an expired token kept its connection")

    async def trim(self) -> None:
        record = self.rng.choice(self.records)
        keep = self.rng.randint(0, max(1, record.top))
        self.log.trim(record.context, keep)
        record.oldest = max(record.oldest, record.top - keep + 1)
        for client in self.clients:
            if client.socket is not None and client.record is record:
                client.socket.trimmed = True

    async def recreate(self) -> None:
        record = self.rng.choice(self.records)
        self.log.recreate(record.context)
        record.names.append((await self.log.state(record.context)).epoch)
        record.epochs.append({})
        record.oldest, record.delivered = 1, 0
        for client in self.clients:
            if client.socket is not None:
                client.socket.told = 0

    async def log_out(self) -> None:
        client = self.rng.choice(self.clients)
        if client.socket is None:
            return
        name = client.session_name
        await self.manager.close_session(name, 4501, "logged out")
        for other in self.clients:
            if other.socket is not None and other.ready and other.session_name == name:
                require(other.socket.session.closed is not None, "a connection survived the end of its session")
        client.session_name = f"again-{self.rng.random()}"

    # What the observer checks

    def closed(self, socket: Socket, action: Close) -> None:
        """The server has closed a connection."""
        client = socket.client
        self.seen[f"closed {action.code}"] += 1
        if action.code == 4502:
            require(self.now >= socket.expires_at + EXPIRY_SECONDS, "closed before the token had expired for long")
        if action.code == 4000:
            reason = socket.trimmed or socket.session.epoch != client.record.names[-1]
            require(reason, f"closed for no reason: {action.reason}")
        allowed = (4000, 4001, 4500, 4501, 4502, 4505)
        require(action.code in allowed, f"closed with {action.code}: {action.reason}")
        client.disconnect()

    def check(self) -> None:
        """What must hold after every step."""
        for client in self.clients:
            if client.socket is None:
                continue
            seen = client.socket.session.statistics()
            self.seen["paused"] += seen.paused
            require(seen.waiting <= 512 + 64, f"{seen.waiting} events wait in one connection")
            require(seen.acknowledged <= seen.sent <= seen.top or seen.top == 0, f"positions out of order: {seen}")

    async def settle(self) -> None:
        """Everything that is under way arrives, the clients come back, and every one of them has everything."""
        while self.unfinished:
            await self.land()
        for client in self.clients:
            client.lazy = client.forgetful = False
            client.lifetime = 10_000.0
            # Only a new connection is sure to be well: an old one may be about to be closed for good reasons.
            if client.socket is not None and (not client.ready or self.rng.random() < 0.3):
                client.disconnect()
        await self._drain()
        for client in self.clients:
            if (
                client.socket is not None
                and client.handled is not None
                and client.handled[0] == client.record.names[-1]
            ):
                require(client.handled[1] >= client.socket.told, "what the bridge announced did not come")
        for record in self.records:
            self.bridge.deliver(record.context.user_id, record.top)
        await self._drain()
        self._compare("was not woken by the bridge")
        # Now the calls get lost, and the heartbeat must make up for it.
        await self.append()
        while self.unfinished:
            await self.land()
        self.bridge.calls.clear()
        await self._pass(HEARTBEAT_SECONDS + 1.0)
        await self._drain()
        self._compare("did not make up for a lost call")
        for record in self.records:
            require((await self.log.state(record.context)).delivered == record.delivered, "the watermark is wrong")

    def _compare(self, problem: str) -> None:
        for client in self.clients:
            socket = client.socket
            require(socket is not None and client.ready, "a client could not connect")
            assert socket is not None
            wanted = (client.record.names[-1], client.record.top)
            stale = client.handled is not None and client.handled[0] != wanted[0]
            require(stale or client.handled == wanted, f"a client has {client.handled} of {wanted}: it {problem}")
            if client.acknowledges:
                require(socket.session.statistics().acknowledged == client.handled[1], "an ack did not count")  # type: ignore[index]

    async def _drain(self) -> None:
        for _ in range(400):
            active = False
            for client in self.clients:
                if client.socket is None:
                    client.connect()
                    active = True
                for which in (0, 1, 2):
                    active = await self._turn(client, which) or active
                if client.acknowledges and client.socket is not None and client.unacknowledged:
                    client.acknowledge()
                    active = True
            if not active:
                return
        raise ViolationError("the connections do not come to rest")


async def simulate(seed: int, parts: Parts | None = None) -> Counter[str]:
    """Live through one history and tell what was in it; raises `ViolationError` when the protocol is broken."""
    world = World(seed, parts or Parts())
    try:
        await world.run()
    finally:
        await world.manager.close_all(4000, "over", 0.0)
    return world.seen


async def first_violation(parts: Parts, seeds: Sequence[int]) -> str | None:
    """The first violation that a mutant commits; None when it gets away with it."""
    for seed in seeds:
        try:
            await simulate(seed, parts)
        except IsolationError as error:
            return f"seed {seed}: {error}"
        except ViolationError as violation:
            return f"seed {seed}: {violation}"
    return None
