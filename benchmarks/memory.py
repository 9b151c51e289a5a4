"""Resident memory of one server through a million events and a hundred thousand runs of a thousand users."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import linear_regression, median
from typing import NamedTuple

import uvloop

from benchmarks.carrel_server import CarrelServer
from benchmarks.clients.websocket import Client, Tally, connect_all
from benchmarks.figures import Figure, Outcome, Scale, at_most
from benchmarks.process import ServerProcess, raise_descriptor_limit

__all__ = ["Memory"]

THOUGHTS = 6
EVENTS = THOUGHTS + 4
GROWTH = at_most(5)
NONE = at_most(0)
WARM_SHARE = 0.2
"""Of the runs: until then caches fill, and growth is no leak."""


class _Size(NamedTuple):
    users: int
    runs: int
    at_once: int


_SIZES = {"tiny": _Size(5, 40, 5), "quick": _Size(200, 5_000, 50), "full": _Size(1_000, 100_000, 60)}


class _Sample(NamedTuple):
    runs: int
    mib: float


class Memory:
    """Users are connected all the time and start one run after the other; memory is sampled once a second."""

    name = "memory"
    question = "Does a server's resident memory stay flat through a million events?"

    def measure(self, scale: Scale, *, peers: bool = True) -> Outcome:
        del peers
        raise_descriptor_limit()
        size = _SIZES[scale]
        with tempfile.TemporaryDirectory() as name:
            samples, tally, clients, seconds = uvloop.run(_run(Path(name), size))
        runs = sum(client.runs_ended for client in clients)
        warm = [sample for sample in samples if sample.runs >= WARM_SHARE * size.runs]
        tenth = max(1, len(warm) // 10)
        early = median(sample.mib for sample in warm[:tenth])
        late = median(sample.mib for sample in warm[-tenth:])
        figures = (
            Figure("runs", "", (float(runs),)),
            Figure("events", "", (float(tally.events),)),
            Figure("runs a second", "runs/s", (runs / seconds,)),
            Figure("resident after warm-up", "MiB", (early,)),
            Figure("resident at the end", "MiB", (late,)),
            Figure("growth", "%", ((late / early - 1) * 100,), GROWTH),
            Figure("slope", "KiB per 1,000 runs", (_slope(warm) * 1024 * 1000,)),
            Figure("events lost", "", (float(size.runs * EVENTS - tally.events + tally.duplicated),), NONE),
            Figure("events twice, out of order or foreign", "", (float(_wrong(tally)),), NONE),
        )
        course = ", ".join(f"{sample.runs}: {sample.mib:.0f}" for sample in samples[:: max(1, len(samples) // 12)])
        return Outcome(figures, (f"resident MiB by runs: {course}", *tally.errors[:5]))


async def _run(directory: Path, size: _Size) -> tuple[list[_Sample], Tally, Sequence[Client], float]:
    carrel = CarrelServer(directory)
    users = await carrel.make_users(size.users)
    tally = Tally()
    server = await asyncio.to_thread(carrel.start)
    with server:
        late = asyncio.create_task(tally.acknowledge_late())
        clients = await connect_all(server.port, [user.token for user in users], tally)
        samples: list[_Sample] = []
        sampling = asyncio.create_task(_sample(server, clients, samples))
        began = time.monotonic()
        turns = itertools.islice(itertools.cycle(clients), size.runs)
        # Users take turns, and no user has two runs at once: the next one in line is never still running.
        await asyncio.gather(*(_start_runs(turns) for _ in range(min(size.at_once, size.users // 2))))
        seconds = time.monotonic() - began
        samples.append(_now(server, clients))
        for task in (sampling, late):
            task.cancel()
        for client in clients:
            client.abort()
    return samples, tally, clients, seconds


async def _start_runs(turns: Iterator[Client]) -> None:
    for client in turns:
        client.start_run(client.runs_ended, str(THOUGHTS), "reciter")
        await asyncio.wait_for(client.run_ended.wait(), 60)


async def _sample(server: ServerProcess, clients: Sequence[Client], samples: list[_Sample]) -> None:
    while True:
        samples.append(_now(server, clients))
        await asyncio.sleep(1)


def _now(server: ServerProcess, clients: Sequence[Client]) -> _Sample:
    return _Sample(sum(client.runs_ended for client in clients), server.resident_bytes() / 2**20)


def _slope(samples: Sequence[_Sample]) -> float:
    """MiB per run."""
    if len({sample.runs for sample in samples}) < 2:
        return 0.0
    return linear_regression([sample.runs for sample in samples], [sample.mib for sample in samples]).slope


def _wrong(tally: Tally) -> int:
    return tally.duplicated + tally.reordered + tally.foreign
