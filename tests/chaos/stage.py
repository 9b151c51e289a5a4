"""A server, its users and their clients, and what happens to them under one seed."""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.chaos.checker import check_file, check_log, check_promises, check_stalled
from tests.chaos.clients import LOST, Client, Driver, send
from tests.chaos.faults import Fault, Scene, mount_small_disk, unmount
from tests.chaos.journal import Event, Journal
from tests.chaos.victim import Resources, Victim, add_accounts

ROOT = Path(__file__).parents[2]
STALLED = "stalled"
SETTLE_SECONDS = 60.0
BUSY_SECONDS = 45.0
# What a server in trouble may not write: it is the sign of a mistake, not of a fault.
MISTAKES = ("never retrieved", "never awaited", "AssertionError", "IsolationError", "run ended badly")


@dataclass
class Stage:
    """All that a chaos test has in its hands."""

    victim: Victim
    journals: list[Journal]
    scene: Scene
    logs: dict[str, Sequence[Event]] = field(default_factory=dict)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    drivers: list[asyncio.Task[None]] = field(default_factory=list)

    @asynccontextmanager
    async def load(self, *, pause: float = 0.6) -> AsyncIterator[None]:
        """Users at work, for as long as this lasts; afterwards, until everything that was begun is over."""
        clients = list(self.scene.clients)
        self.tasks = [asyncio.create_task(client.follow()) for client in clients]
        self.drivers = [
            asyncio.create_task(Driver(journal, mine, random.Random(self.scene.chance.random()), pause=pause).drive())
            for journal in self.journals
            for mine in [[client for client in clients if client.journal is journal]]
            for _ in range(2)
        ]
        try:
            yield
            await asyncio.sleep(0.5)
            await end(self.drivers)
            await self.settle()
        finally:
            await end([*self.drivers, *self.tasks])

    async def busy(self) -> None:
        """Wait until every user has been promised something new: faults are to meet a server at work."""
        before = [self.promised(journal) for journal in self.journals]
        deadline = time.monotonic() + BUSY_SECONDS
        while any(self.promised(journal) == old for journal, old in zip(self.journals, before, strict=True)):
            assert time.monotonic() < deadline, (
                f"nothing is accepted any more: {self.summary()}\n{self.victim.log[-3000:]}"
            )
            await asyncio.sleep(0.02)

    @staticmethod
    def promised(journal: Journal) -> int:
        return sum(len(start.answers) for start in journal.starts)

    async def settle(self) -> None:
        """Wait until every user's log holds nothing that is open; then keep the logs."""
        deadline = time.monotonic() + SETTLE_SECONDS
        for journal in self.journals:
            while True:
                events = await self.whole_log(journal)
                left = open_runs(events)
                begun = {event["run_id"] for event in events}
                missing = {run_id for start in journal.starts for run_id in start.answers} - begun
                if not left and not missing:
                    break
                if time.monotonic() > deadline:
                    raise AssertionError(
                        f"{journal.name}: {left} do not end, {missing} do not begin in {SETTLE_SECONDS} s\n"
                        f"{[e for e in events if e['run_id'] in left][-3:]}\n{self.victim.log[-6000:]}"
                    )
                await self.cancel(journal, left)
                await asyncio.sleep(0.5)
            self.logs[journal.user_id] = events

    async def cancel(self, journal: Journal, runs: set[str]) -> None:
        """What hangs by intention is cancelled; whether that works is seen in the log."""
        async with httpx.AsyncClient(
            base_url=self.victim.url, headers={"Authorization": f"Bearer {journal.token}"}, verify=False
        ) as http:
            for run in runs:
                answer = await http.post(f"/api/v1/runs/{run}/cancel")
                journal.heard(answer.text)

    def http(self, journal: Journal) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {journal.token}"}
        return httpx.AsyncClient(base_url=self.victim.url, headers=headers, timeout=30, verify=False)

    async def whole_log(self, journal: Journal) -> list[Event]:
        """All events of a user, from the first, over a connection of its own."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                return await self.read_log(journal)
            except LOST as lost:
                if time.monotonic() > deadline:
                    raise AssertionError(f"{journal.name}'s log cannot be read from its beginning: {lost!r}") from lost
                await asyncio.sleep(0.2)

    async def read_log(self, journal: Journal) -> list[Event]:
        url = self.victim.url.replace("http", "ws") + "/ws"
        events: list[Event] = []
        async with asyncio.timeout(30), connect(url, subprotocols=[Subprotocol("carrel.v1")], compression=None) as ws:
            await send(ws, type="authenticate", token=journal.token)
            ready = journal.heard(str(await ws.recv()))
            journal.user_id = journal.user_id or ready["user_id"]
        async with asyncio.timeout(30), connect(url, subprotocols=[Subprotocol("carrel.v1")], compression=None) as ws:
            resume = {"epoch": ready["epoch"], "offset": 0}
            await send(ws, type="authenticate", token=journal.token, resume=resume)
            ready = journal.heard(str(await ws.recv()))
            while len(events) < ready["top"]:
                events += journal.heard(str(await ws.recv())).get("events", ())
        return events

    async def census(self) -> dict[str, Any]:
        """What the server counts in itself, with nobody connected but the one who asks."""
        journal = self.journals[0]
        async with self.http(journal) as http:
            thread = (await http.post("/api/v1/threads")).json()["thread_id"]
            body = {"input": "how many?", "agent": "census"}
            run = (await http.post(f"/api/v1/threads/{thread}/runs", json=body)).json()
            while True:
                record = (await http.get(f"/api/v1/runs/{run['run_id']}")).json()
                if record["state"] == "succeeded":
                    counted: dict[str, Any] = json.loads(record["output"])
                    return counted
                assert record["state"] in ("queued", "running"), record
                await asyncio.sleep(0.05)

    async def rest(self, bound: Resources | None = None, tasks: int | None = None, seconds: float = 40) -> Resources:
        """What the server holds once it has come to rest: at most `bound`, or what it is after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            counted = await self.census()
            held = self.victim.resources()
            if bound is not None and tasks is not None:
                fits = held.descriptors <= bound.descriptors and held.threads <= bound.threads
                if fits and counted["tasks"] <= tasks:
                    return held
            if time.monotonic() > deadline:
                return held
            await asyncio.sleep(0.5)

    def wrong(self) -> list[str]:
        """Everything that the checker does not accept; the server has been stopped."""
        found: list[str] = []
        for journal in self.journals:
            events = self.logs[journal.user_id]
            found += [f"{journal.name}: {problem}" for problem in check_log(events)]
            found += [f"{journal.name}: {problem}" for problem in check_promises(journal, events)]
        saw = (self.victim.directory / STALLED).read_text().splitlines()
        found += check_stalled(saw, self.logs[self.journals[0].user_id])
        return found + check_file(self.victim.database, self.logs)

    async def finish(self) -> None:
        """Look at everything once more, stop the server and check."""
        for journal in self.journals:
            self.logs[journal.user_id] = await self.whole_log(journal)
        await self.caught_up()
        assert await asyncio.to_thread(self.victim.stop) == 0
        wrong = await asyncio.to_thread(self.wrong)
        assert not wrong, f"{len(wrong)} things are wrong:\n" + "\n".join(line[:1500] for line in wrong[:20])
        mistakes = [line for line in self.victim.log.splitlines() if any(word in line for word in MISTAKES)]
        assert not mistakes, f"{mistakes[:5]}\n{self.victim.log[-5000:]}"

    async def caught_up(self) -> None:
        """Give the stalled client the time to come to the end; the checker sees whether it did."""
        deadline = time.monotonic() + 30
        last = f"saw {len(self.logs[self.journals[0].user_id])} "
        while last not in (self.victim.directory / STALLED).read_text() and time.monotonic() < deadline:
            await asyncio.sleep(0.1)

    def summary(self) -> str:
        """What happened, in a line."""
        return (
            f"{self.victim.starts} servers, {sum(len(events) for events in self.logs.values())} events, "
            f"{sum(len(journal.starts) for journal in self.journals)} starts, "
            f"{sum(journal.connections for journal in self.journals)} connections, "
            f"refusals {[journal.refusals for journal in self.journals]}; {self.scene.notes}"
        )


@asynccontextmanager
async def staged(
    directory: Path,
    seed: int,
    *,
    users: int = 4,
    clients: int = 2,
    longest: float = 3.0,
    clock: bool = False,
    **settings: str,
) -> AsyncIterator[Stage]:
    """A ready server with users and clients that are not connected yet; everything is gone afterwards."""
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        data = directory / "data"
        own_disk = await asyncio.to_thread(mount_small_disk, data)
        if own_disk:
            stack.callback(unmount, data)
        names = [f"user{number}" for number in range(users)]
        journals = [
            Journal(name, f"canary-{chance.getrandbits(64):016x}", token)
            for name, token in zip(names, await add_accounts(data, names), strict=True)
        ]
        victim = Victim(directory, data, clock=clock)
        stack.callback(victim.close)
        await asyncio.to_thread(victim.start)
        await victim.ready()
        made = [
            Client(journal, lambda: victim.url, random.Random(chance.random()))
            for journal in journals
            for _ in range(clients)
        ]
        with (directory / STALLED).open("wb") as output:
            stalled = [
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "tests.chaos.stalled", victim.url, journals[0].name),
                    *(journals[0].canary, journals[0].token),
                    cwd=ROOT,
                    stdout=output,
                )
            ]
        for process in stalled:
            stack.push_async_callback(_ended, process)
        scene = Scene(victim, chance, made, stalled, longest, own_disk=own_disk)
        yield Stage(victim, journals, scene)


async def strike(stage: Stage, faults: Sequence[Fault]) -> None:
    """Faults, one after the other, at moments that the seed decides."""
    scene = stage.scene
    for fault in faults:
        await stage.busy()
        await asyncio.sleep(scene.chance.random())
        scene.notes.append(fault.__name__)
        await fault(scene)
    await stage.victim.ready()
    await stage.busy()


def open_runs(events: Sequence[Event]) -> set[str]:
    """Runs whose root has not ended."""
    ended = {e["run_id"] for e in events if e["type"] == "agent_completed" and e["parent_request_id"] is None}
    return {event["run_id"] for event in events} - ended


async def end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result


async def _ended(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


__all__ = ["Stage", "open_runs", "staged", "strike"]
