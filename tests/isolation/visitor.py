"""A user of the isolation test: keeps every byte it was sent, and misbehaves in the ways that users do."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

ALPHABET = "ghjkmnpqrstvwxyz"


def new_canary(chance: random.Random) -> str:
    """24 letters that are in no UUID and no hash, and that no encoding of text changes."""
    return "".join(chance.choices(ALPHABET, k=24))


@dataclass
class Visitor:
    """One user. What the others know of it (its ids) is public between them; its canary is not."""

    url: str
    token: str
    canary: str
    chance: random.Random
    agent: str = "worker"
    others: Sequence[Visitor] = ()
    received: list[str] = field(default_factory=list)
    epoch: str = ""
    top: int = 0
    runs: dict[str, str] = field(default_factory=dict)
    threads: list[str] = field(default_factory=list)
    finished: dict[str, str] = field(default_factory=dict)
    offsets: list[int] = field(default_factory=list)
    pries: int = 0
    accepted: set[str] = field(default_factory=set)

    async def visit(self, runs: int) -> None:
        """Start runs, and be cut off, slow, impatient and nosy, until all of them are over."""
        gone = asyncio.get_running_loop().time() + 200
        while len(self.finished) < runs:
            assert asyncio.get_running_loop().time() < gone, "the visit does not come to an end"
            try:
                async with self._socket() as socket:
                    await self._enter(socket)
                    for number in sorted(set(map(str, range(runs))) - self.accepted):
                        # Again after a reconnect that came before the answer: the id makes it the same run.
                        await self._ask(socket, number)
                        if self.chance.random() < 0.3:
                            break
                    await self._read(socket, runs, patience=self.chance.choice((0.5, 3.0, 15.0)))
            except ConnectionClosed:
                continue
            if self.pries < 2 and self.chance.random() < 0.5:
                self.pries += 1
                await self._pry()

    def _socket(self) -> connect:
        # Patient: 200 users of one busy machine come at once.
        return connect(
            self.url.replace("http", "ws") + "/ws",
            subprotocols=[Subprotocol("carrel.v1")],
            compression=None,
            open_timeout=90,
            ping_interval=None,
        )

    async def _enter(self, socket: ClientConnection) -> None:
        frame: dict[str, Any] = {"type": "authenticate", "token": self.token}
        if self.epoch:
            frame["resume"] = {"epoch": self.epoch, "offset": self.top}
        await socket.send(json.dumps(frame))
        ready = json.loads(await self._receive(socket))
        assert ready["type"] == "ready", ready
        assert ready["gap"] is False, ready
        self.epoch = ready["epoch"]

    async def _ask(self, socket: ClientConnection, number: str) -> None:
        # The same ids as everybody else chooses: `id` is the client's own.
        frame = {"type": "start_run", "id": number, "agent": self.agent, "input": f"{self.canary} {number}"}
        if self.threads and self.chance.random() < 0.5:
            frame["thread_id"] = self.chance.choice(self.threads)
        await socket.send(json.dumps(frame))
        if self.chance.random() < 0.2:
            await socket.send(json.dumps(frame))

    async def _read(self, socket: ClientConnection, runs: int, patience: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + patience
        while (left := end - loop.time()) > 0 and len(self.finished) < runs:
            try:
                text = await asyncio.wait_for(self._receive(socket), left)
            except TimeoutError:
                return
            frame = json.loads(text)
            if frame["type"] == "accepted":
                self.accepted.add(frame["id"])
                self.runs[frame["run_id"]] = frame["id"]
                self.threads.append(frame["thread_id"])
                if self.chance.random() < 0.2:
                    await socket.send(json.dumps({"type": "cancel_run", "id": "c", "run_id": frame["run_id"]}))
            elif frame["type"] == "events":
                await self._take(socket, frame["events"])

    async def _take(self, socket: ClientConnection, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["offset"] <= self.top:
                continue
            self.top = event["offset"]
            self.offsets.append(event["offset"])
            # Cut off before `accepted` came: the event tells of the run all the same.
            self.runs.setdefault(event["run_id"], "")
            if event["type"] == "agent_completed" and event["parent_request_id"] is None:
                self.finished[event["run_id"]] = event["data"]["status"]
        if self.chance.random() < 0.1:
            await asyncio.sleep(0.2)  # a slow reader
        await socket.send(json.dumps({"type": "ack", "offset": self.top}))

    async def _receive(self, socket: ClientConnection) -> str:
        text = await socket.recv(decode=True)
        assert isinstance(text, str)
        self.received.append(text)
        return text

    async def _pry(self) -> None:
        """Try every door of another user with one's own key."""
        other = self.chance.choice(self.others)
        headers = {"Authorization": f"Bearer {self.token}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=60) as http:
            for run in list(other.runs)[:1]:
                await self._refused(http, "GET", f"/api/v1/runs/{run}")
                await self._refused(http, "POST", f"/api/v1/runs/{run}/cancel")
            for thread in other.threads[:1]:
                await self._refused(http, "GET", f"/api/v1/threads/{thread}/messages")
                await self._refused(http, "DELETE", f"/api/v1/threads/{thread}")
        if not other.epoch:
            return
        try:
            async with self._socket() as socket:
                resume = {"epoch": other.epoch, "offset": 0}
                await socket.send(json.dumps({"type": "authenticate", "token": self.token, "resume": resume}))
                ready = json.loads(await self._receive(socket))
                assert ready.get("gap") is True, ready
                for run, thread in zip(list(other.runs)[:1], other.threads[:1], strict=False):
                    await socket.send(json.dumps({"type": "cancel_run", "id": "x", "run_id": run}))
                    await socket.send(
                        json.dumps({"type": "start_run", "id": f"pry-{thread}", "thread_id": thread, "input": "mine?"})
                    )
                    refusals = 0
                    while refusals < 2:
                        frame = json.loads(await asyncio.wait_for(self._receive(socket), 30))
                        assert frame["type"] != "accepted", frame
                        refusals += frame["type"] == "error"
        except (ConnectionClosed, TimeoutError):
            return

    async def _refused(self, http: httpx.AsyncClient, method: str, path: str) -> None:
        answer = await http.request(method, path)
        self.received.append(answer.text)
        assert answer.status_code == 404, (method, path, answer.status_code)
