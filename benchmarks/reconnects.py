"""A client vanishes after every event of a run in turn and comes back: what it then misses or gets twice."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import msgspec
import uvloop

from benchmarks.carrel_server import CarrelServer
from benchmarks.clients.http import HttpConnection, ServerEvent
from benchmarks.clients.websocket import Tally, connect
from benchmarks.contenders import LangGraphDev
from benchmarks.figures import Figure, Outcome, Scale, at_most
from benchmarks.peers import PeerMissingError
from benchmarks.process import ServerFailedError

__all__ = ["Reconnects"]


class _Size(NamedTuple):
    thoughts: int
    repeats: int


_SIZES = {"tiny": _Size(3, 1), "quick": _Size(20, 1), "full": _Size(46, 5)}
FRAME = 4
"""Events of a run besides its thoughts."""
NONE = at_most(0)


class _Count:
    """What happened over all positions."""

    def __init__(self) -> None:
        self.positions = 0
        self.lost = 0
        self.duplicated = 0
        self.harmed = 0

    def add(self, lost: int, duplicated: int) -> None:
        self.positions += 1
        self.lost += lost
        self.duplicated += duplicated
        self.harmed += bool(lost or duplicated)

    def figures(self, name: str, *, barred: bool) -> list[Figure]:
        bar = NONE if barred else None
        return [
            Figure(f"{name}: positions", "", (float(self.positions),)),
            Figure(f"{name}: events lost", "", (float(self.lost),), bar),
            Figure(f"{name}: events twice", "", (float(self.duplicated),), bar),
            Figure(f"{name}: positions harmed", "%", (100 * self.harmed / max(self.positions, 1),), bar),
        ]


class Reconnects:
    """Every position of a run, over WebSocket and over server-sent events; the connection is cut, not closed."""

    name = "reconnects"
    question = "What does a client lose that is cut off after any event of a run and resumes after it?"

    def measure(self, scale: Scale, *, peers: bool = True) -> Outcome:
        size = _SIZES[scale]
        with tempfile.TemporaryDirectory() as name:
            figures = uvloop.run(_carrel(Path(name), size))
        notes: list[str] = []
        if peers:
            try:
                with tempfile.TemporaryDirectory() as name:
                    figures += uvloop.run(_langgraph(Path(name), size))
            except (PeerMissingError, ServerFailedError) as error:
                notes.append(f"LEFT OUT: {LangGraphDev.name}: {error}")
                print(notes[-1], file=sys.stderr)
        return Outcome(tuple(figures), tuple(notes))


async def _carrel(directory: Path, size: _Size) -> list[Figure]:
    carrel = CarrelServer(directory)
    socket_user, stream_user = await carrel.make_users(2)
    sockets, streams = _Count(), _Count()
    with carrel.start() as server:
        for _ in range(size.repeats):
            for position in range(1, size.thoughts + FRAME):
                sockets.add(*await _cut_socket(server.port, socket_user.token, size.thoughts, position))
                streams.add(*await _cut_stream(server.port, stream_user.token, size.thoughts, position))
    return [
        *sockets.figures("carrel, WebSocket", barred=True),
        *streams.figures("carrel, server-sent events", barred=True),
    ]


async def _cut_socket(port: int, token: str, thoughts: int, position: int) -> tuple[int, int]:
    """Events lost and events sent twice when the connection is cut after the run's event number `position`."""
    first = await connect(port, token, Tally())
    before = first.last
    first.stop_at = before + position
    first.start_run(position, str(thoughts), "reciter")
    await first.reached.wait()
    first.abort()
    tally = Tally()
    second = await connect(port, token, tally, resume=(first.epoch, first.last))
    await second.run_ended.wait()
    second.abort()
    received = (first.last - before) + tally.events - tally.duplicated
    return thoughts + FRAME - received, tally.duplicated


async def _cut_stream(port: int, token: str, thoughts: int, position: int) -> tuple[int, int]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    seen: list[str] = []
    async with HttpConnection(port) as connection:
        thread = (await connection.request("POST", "/api/v1/threads", headers=headers, body=b"{}")).json()["thread_id"]
        body = msgspec.json.encode({"input": str(thoughts), "agent": "reciter"})
        path = f"/api/v1/threads/{thread}/runs"
        await _read(connection.stream("POST", path, headers=headers, body=body), seen, position)
    resume = {**headers, "Last-Event-ID": seen[-1]}
    async with HttpConnection(port) as connection:
        await _read(connection.stream("GET", "/api/v1/events", headers=resume), seen, None)
    return thoughts + FRAME - len(set(seen)), len(seen) - len(set(seen))


async def _read(stream: AsyncGenerator[ServerEvent, None], seen: list[str], position: int | None) -> None:
    """Note the ids of events, up to `position` of them or to the end of the run."""
    async for event in stream:
        seen.append(event.id)
        if len(seen) == position or event.type == "agent_completed":
            break
    await stream.aclose()


async def _langgraph(directory: Path, size: _Size) -> list[Figure]:
    peer, count = LangGraphDev(), _Count()
    with peer.start(directory, 1) as server:
        for position in range(1, size.thoughts + 1):
            count.add(*await _cut_peer(peer, server.port, size.thoughts, position))
    return count.figures(LangGraphDev.name, barred=False)


async def _cut_peer(peer: LangGraphDev, port: int, pieces: int, position: int) -> tuple[int, int]:
    """As `_cut_stream`; only the pieces that the graph writes are counted."""
    headers = peer.headers(0)
    body = peer.body("reciter", {"pieces": pieces}, "custom", resumable=True)
    thread = uuid4()
    texts: list[bytes] = []
    last = location = ""
    async with HttpConnection(port) as connection:
        stream = connection.stream("POST", f"/threads/{thread}/runs/stream", headers=headers, body=body)
        async for event in stream:
            if event.type == "metadata":
                location = f"/threads/{thread}/runs/{msgspec.json.decode(event.data)['run_id']}/stream"
            if event.type == "custom":
                texts.append(event.data)
            last = event.id
            if len(texts) == position:
                break
        await stream.aclose()
    async with HttpConnection(port) as connection:
        resumed = connection.stream("GET", location, headers={**headers, "Last-Event-ID": last})
        texts += [event.data async for event in resumed if event.type == "custom"]
    return pieces - len(set(texts)), len(texts) - len(set(texts))
