"""Event delivery over WebSockets: processor time per event, memory per connection, latency, and whether all came."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec
import uvloop

from benchmarks.carrel_server import CarrelServer, User
from benchmarks.clients.http import HttpConnection
from benchmarks.clients.websocket import Client, Tally, connect_all
from benchmarks.figures import Bar, Figure, Outcome, Scale, at_most, ratio
from benchmarks.process import ServerProcess, free_port, raise_descriptor_limit
from benchmarks.servers.plan import PATH, Plan
from carrel.context import new_id

__all__ = ["Delivery"]

ROOT = Path(__file__).parent.parent
WARM_CONNECTIONS = 50
START_SECONDS = 0.2
SETTLE_SECONDS = 0.4
"""The last acknowledgement is sent 250 ms after its event."""
BARS: dict[int, Bar] = {1: at_most(25), 5: at_most(13)}
IDLE_BAR = at_most(36)
NONE = at_most(0)


class _Size(NamedTuple):
    connections: tuple[int, ...]
    """The first is measured for processor time; all are measured for memory and latency."""
    events: int
    """Of each user in one round, as fast as the server can; a multiple of five."""
    rate: int
    """Events a second of all users together, where latency is measured."""
    seconds: float
    """How long latency is measured in one round."""
    rounds: int


_SIZES = {
    "tiny": _Size((10,), 5, 100, 0.2, 1),
    "quick": _Size((1_000,), 20, 1_000, 3.0, 2),
    "full": _Size((1_000, 5_000), 50, 1_000, 10.0, 5),
}


class _Side(Protocol):
    name: str
    acknowledges: bool

    async def start(self, directory: Path, users: int) -> tuple[ServerProcess, Sequence[User]]: ...


class _Carrel:
    name = "carrel"
    acknowledges = True

    async def start(self, directory: Path, users: int) -> tuple[ServerProcess, Sequence[User]]:
        server = CarrelServer(directory)
        made = await server.make_users(users)
        return await asyncio.to_thread(server.start, "benchmarks.servers.carrel_delivery"), made


class _Bare:
    name = "bare uvicorn"
    acknowledges = False

    async def start(self, directory: Path, users: int) -> tuple[ServerProcess, Sequence[User]]:
        port = free_port()
        command = (sys.executable, "-m", "benchmarks.servers.bare_websocket", str(port))
        ids = [new_id() for _ in range(users)]

        def start() -> ServerProcess:
            return ServerProcess(command, port=port, directory=directory, environment={"PYTHONPATH": str(ROOT)})

        return await asyncio.to_thread(start), [User(user_id, user_id) for user_id in ids]


class _Connected:
    """One server with its clients."""

    def __init__(self, side: _Side, server: ServerProcess, users: Sequence[User]) -> None:
        self._server = server
        self._users = users
        self.name = side.name
        self.tally = Tally(acknowledge=side.acknowledges)
        self.clients: list[Client] = []
        self.expected = 0

    async def connect(self, count: int) -> float:
        """Connect the first `count` users; KiB of resident memory that each of them costs."""
        warm = min(WARM_CONNECTIONS, count // 2)
        self.clients += await connect_all(self._server.port, [user.token for user in self._users[:warm]], self.tally)
        await asyncio.sleep(SETTLE_SECONDS)
        before = self._server.resident_bytes()
        rest = [user.token for user in self._users[warm:count]]
        self.clients += await connect_all(self._server.port, rest, self.tally)
        await asyncio.sleep(SETTLE_SECONDS)
        return (self._server.resident_bytes() - before) / len(rest) / 1024

    async def flood(self, size: _Size, burst: int) -> float:
        """Server CPU in µs per event, delivered and acknowledged, when it works as fast as it can."""
        return await self._delivered(self._plan(self._connected(), size.events // burst, burst, 0.0))

    async def append_only(self, size: _Size, burst: int) -> float:
        """The same for users who are not connected."""
        count = len(self.clients)
        users = [user.user_id for user in self._users[count : 2 * count]]
        plan = self._plan(users, size.events // burst, burst, 0.0)
        cpu = self._server.cpu_seconds()
        await self._post(plan)
        return (self._server.cpu_seconds() - cpu) / plan.events * 1e6

    async def paced(self, size: _Size) -> float:
        """The same when users take turns and the server has time to spare; latencies are in the tally."""
        interval = len(self.clients) / size.rate
        return await self._delivered(self._plan(self._connected(), max(1, round(size.seconds / interval)), 1, interval))

    def close(self) -> None:
        for client in self.clients:
            client.abort()

    def _connected(self) -> list[str]:
        return [user.user_id for user in self._users[: len(self.clients)]]

    def _plan(self, users: Sequence[str], bursts: int, burst: int, interval: float) -> Plan:
        start = time.monotonic() + START_SECONDS
        return Plan(users=tuple(users), bursts=bursts, burst=burst, start=start, interval=interval)

    async def _delivered(self, plan: Plan) -> float:
        before, cpu = self.tally.events, self._server.cpu_seconds()
        self.expected += plan.events
        await self._post(plan)
        await _until(lambda: self.tally.events >= before + plan.events, seconds=30)
        await asyncio.sleep(SETTLE_SECONDS)
        return (self._server.cpu_seconds() - cpu) / plan.events * 1e6

    async def _post(self, plan: Plan) -> None:
        async with HttpConnection(self._server.port) as connection:
            await connection.request("POST", PATH, body=msgspec.json.encode(plan))


class Delivery:
    """The same events to the same number of connections, by carrel from its log and by uvicorn alone."""

    name = "delivery"
    question = "What does it cost to deliver an event to a WebSocket, and does every event arrive once and in order?"

    def measure(self, scale: Scale, *, peers: bool = True) -> Outcome:
        del peers
        raise_descriptor_limit()
        size = _SIZES[scale]
        first, *more = size.connections
        figures, notes = uvloop.run(_measure(size, first, costs=True))
        for connections in more:
            found, said = uvloop.run(_measure(size, connections, costs=False))
            figures += found
            notes += said
        return Outcome(tuple(figures), tuple(notes))


async def _measure(size: _Size, connections: int, *, costs: bool) -> tuple[list[Figure], list[str]]:
    async with AsyncExitStack() as stack:
        carrel = await stack.enter_async_context(_server(_Carrel(), 2 * connections if costs else connections))
        bare = await stack.enter_async_context(_server(_Bare(), connections))
        figures = [
            Figure(f"{side.name}: idle memory at {connections}", "KiB/conn", (await side.connect(connections),), bar)
            for side, bar in ((carrel, IDLE_BAR), (bare, None))
        ]
        if costs:
            for burst in (1, 5):
                figures += await _costs(carrel, bare, size, burst)
        figures += await _latencies((carrel, bare), size, connections)
        tally = carrel.tally
        counts = {
            "lost": carrel.expected - (tally.events - tally.duplicated - tally.foreign),
            "duplicated": tally.duplicated,
            "reordered": tally.reordered,
            "foreign": tally.foreign,
            "disconnected": sum(client.closed.done() for client in carrel.clients),
        }
        figures += [Figure(f"carrel: {name} at {connections}", "", (found,), NONE) for name, found in counts.items()]
        each = max(tally.events, 1)
        note = (
            f"{connections} connections: {tally.events} events in {tally.frames} frames, {tally.bytes // each} bytes "
            f"and {tally.acks / each:.2f} acknowledgements per event"
        )
        return figures, [note, *tally.errors[:5]]


async def _costs(carrel: _Connected, bare: _Connected, size: _Size, burst: int) -> list[Figure]:
    """As fast as the servers can, so that the processor is busy and not falling asleep between events."""
    kind = "singles" if burst == 1 else f"bursts of {burst}"
    whole, appended, floor = await _interleave(
        size.rounds,
        lambda: carrel.flood(size, burst),
        lambda: carrel.append_only(size, burst),
        lambda: bare.flood(size, burst),
    )
    alone = tuple(a - b for a, b in zip(whole, appended, strict=True))
    return [
        Figure(f"carrel: append and deliver, {kind}", "µs/event", whole),
        Figure(f"carrel: append alone, {kind}", "µs/event", appended),
        Figure(f"carrel: deliver, {kind}", "µs/event", alone, BARS[burst]),
        Figure(f"bare uvicorn: send, {kind}", "µs/event", floor),
        ratio(f"carrel deliver / bare send, {kind}", alone, floor),
    ]


async def _latencies(sides: Sequence[_Connected], size: _Size, connections: int) -> list[Figure]:
    """Users take turns and the server has time to spare: each event pays for a wake-up and an acknowledgement."""
    found: dict[str, list[tuple[float, float]]] = {side.name: [] for side in sides}

    def delivered(side: _Connected) -> Callable[[], Coroutine[Any, Any, float]]:
        async def round_() -> float:
            side.tally.latencies.clear()
            cpu = await side.paced(size)
            found[side.name].append(_percentiles(side.tally.latencies))
            return cpu

        return round_

    costs = await _interleave(size.rounds, *(delivered(side) for side in sides))
    figures = [
        Figure(f"{side.name}: {size.rate} events/s one by one, at {connections}", "µs/event", cost)
        for side, cost in zip(sides, costs, strict=True)
    ]
    figures += [
        Figure(f"{name}: {label} at {connections}", "ms", tuple(pair[which] for pair in pairs[1:]))
        for name, pairs in found.items()
        for which, label in enumerate(("p50", "p99"))
    ]
    return figures


async def _interleave(rounds: int, *contestants: Callable[[], Coroutine[Any, Any, float]]) -> list[tuple[float, ...]]:
    """`figures.interleave`, inside one event loop."""
    for contestant in contestants:
        await contestant()
    values: list[list[float]] = [[] for _ in contestants]
    for _ in range(rounds):
        for number, contestant in enumerate(contestants):
            values[number].append(await contestant())
    return [tuple(found) for found in values]


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    """The 50th and the 99th, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] * 1000, ordered[int(len(ordered) * 0.99)] * 1000


@asynccontextmanager
async def _server(side: _Side, users: int) -> AsyncIterator[_Connected]:
    with tempfile.TemporaryDirectory() as name:
        server, made = await side.start(Path(name), users)
        with server:
            connected = _Connected(side, server, made)
            late = asyncio.create_task(connected.tally.acknowledge_late())
            try:
                yield connected
            finally:
                late.cancel()
                connected.close()


async def _until(condition: Callable[[], bool], *, seconds: float) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
