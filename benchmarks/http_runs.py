"""Runs per second over HTTP with 50 users, streamed, one process each: carrel, a floor and two peers."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import anyio
import uvloop

from benchmarks.clients.http import HttpConnection
from benchmarks.contenders import AgentOs, Carrel, Contender, FastApiFloor, LangGraphDev
from benchmarks.figures import Figure, Outcome, Scale, at_least, interleave, ratio
from benchmarks.peers import PeerMissingError
from benchmarks.process import ServerFailedError, ServerProcess

__all__ = ["HttpRuns"]


class _Size(NamedTuple):
    users: int
    seconds: float
    rounds: int


_SIZES = {"tiny": _Size(3, 0.3, 1), "quick": _Size(50, 3.0, 3), "full": _Size(50, 8.0, 5)}
BAR = at_least(3.0)


class HttpRuns:
    """Each user makes one run after the other, each in a new conversation, and reads its events to the end."""

    name = "http_runs"
    question = "How many runs a second over HTTP, with 50 users and server-sent events, one process each?"

    def measure(self, scale: Scale, *, peers: bool = True) -> Outcome:
        size = _SIZES[scale]
        ours, floor, rival = Carrel(), FastApiFloor(), AgentOs()
        wanted: tuple[Contender, ...] = (ours, floor, *((rival, LangGraphDev()) if peers else ()))
        notes: list[str] = []
        with ExitStack() as stack:
            servers = _start(wanted, size.users, stack, notes)
            cpu: dict[str, list[float]] = {contender.name: [] for contender in servers}

            def contestant(contender: Contender, server: ServerProcess) -> Callable[[], float]:
                def round_() -> float:
                    with server.awake():
                        before = server.cpu_seconds()
                        runs = uvloop.run(_load(contender, server.port, size))
                        cpu[contender.name].append((server.cpu_seconds() - before) / runs * 1000)
                    return runs / size.seconds

                return round_

            rates = interleave(
                {contender.name: contestant(contender, server) for contender, server in servers.items()},
                rounds=size.rounds,
            )
        figures = [Figure(f"{name}: runs", "runs/s", values) for name, values in rates.items()]
        figures += [Figure(f"{name}: server CPU", "ms/run", tuple(cpu[name][1:])) for name in rates]
        for other in (floor.name, rival.name, LangGraphDev.name):
            if other in rates:
                bar = BAR if other == rival.name else None
                figures.append(ratio(f"carrel / {other}", rates[ours.name], rates[other], bar))
        return Outcome(tuple(figures), tuple(notes))


def _start(
    contenders: Sequence[Contender], users: int, stack: ExitStack, notes: list[str]
) -> dict[Contender, ServerProcess]:
    servers: dict[Contender, ServerProcess] = {}
    for contender in contenders:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            server = stack.enter_context(contender.start(directory, users))
        except (PeerMissingError, ServerFailedError) as error:
            if isinstance(contender, Carrel | FastApiFloor):
                raise
            notes.append(f"LEFT OUT: {contender.name}: {error}")
            print(notes[-1], file=sys.stderr)
        else:
            server.sleep()
            servers[contender] = server
    return servers


async def _load(contender: Contender, port: int, size: _Size) -> int:
    """How many runs were completed in the time."""
    completed = 0
    end = time.monotonic() + size.seconds

    async def user(number: int) -> None:
        nonlocal completed
        async with HttpConnection(port) as connection:
            while time.monotonic() < end:
                await contender.run(connection, number)
                completed += time.monotonic() < end

    async with anyio.create_task_group() as users:
        for number in range(size.users):
            users.start_soon(user, number)
    return max(completed, 1)
