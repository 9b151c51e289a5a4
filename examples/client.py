"""A client of the wire protocol that knows nothing of carrel's Python code: ask, follow, lose the line, resume.

    CARREL_PASSWORD=… python examples/client.py --user demo "Where can I cut my AI bill?"

It needs the `websockets` package only. The protocol is in docs/reference/protocol.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import urllib.parse
import urllib.request
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

Event = dict[str, Any]

PROTOCOL = Subprotocol("carrel.v1")
TOKEN_EXPIRED = 4502
DO_NOT_RETURN = range(4500, 5000)


class Client:
    """One user's client. It keeps the position of the last event it took, and so may lose its connection any time."""

    def __init__(self, address: str, name: str, password: str) -> None:
        self.address = address.rstrip("/")
        self.name = name
        self.password = password
        self.epoch = ""
        self.offset = 0
        self.connections = 0

    async def ask(self, text: str, **options: str) -> AsyncIterator[Event]:
        """Start a run and give its events in order, each once, until it is over."""
        # The same id after a lost connection starts nothing twice and is told which run it started the first time.
        start = {"type": "start_run", "id": str(uuid.uuid4()), "input": text, **options}
        run_id, wait = "", 0.1
        taken: list[Event] = []  # events may come before the frame that says which run is ours
        while True:
            token = await self.sign_in()
            try:
                async with connect(self.socket_address, subprotocols=[PROTOCOL], compression=None) as socket:
                    await self.begin(socket, token)
                    await send(socket, **start)
                    wait = 0.1
                    while True:
                        frame = json.loads(await socket.recv())
                        if frame["type"] == "error":
                            raise RuntimeError(f"{frame['code']}: {frame['message']}")
                        if frame["type"] == "accepted" and frame["id"] == start["id"]:
                            run_id = frame["run_id"]
                        taken += self.new_events(frame)
                        if not run_id or not taken:
                            continue
                        mine, taken = [event for event in taken if event["run_id"] == run_id], []
                        for event in mine:
                            yield event
                        with suppress(ConnectionClosed):  # then `recv` says so too, or it no longer matters
                            await send(socket, type="ack", offset=self.offset)
                        if mine and ends(mine[-1]):
                            return
            except (ConnectionClosed, OSError) as lost:
                code = lost.rcvd.code if isinstance(lost, ConnectionClosed) and lost.rcvd else 0
                if code in DO_NOT_RETURN and code != TOKEN_EXPIRED:
                    raise
            await asyncio.sleep(wait)
            wait = min(wait * 2, 10.0)

    async def begin(self, socket: ClientConnection, token: str) -> None:
        """Authenticate, and resume after the last handled event if there is one."""
        self.connections += 1
        resume = {"resume": {"epoch": self.epoch, "offset": self.offset}} if self.epoch else {}
        await send(socket, type="authenticate", token=token, **resume)
        ready = json.loads(await socket.recv())
        if ready["gap"]:
            raise RuntimeError("the server no longer has what came after the last event; read the thread over HTTP")
        if not self.epoch:
            self.epoch, self.offset = ready["epoch"], ready["top"]

    def new_events(self, frame: Event) -> list[Event]:
        """The events of a frame that were not handled yet; an event may arrive twice."""
        new = [event for event in frame.get("events", ()) if event["offset"] > self.offset]
        if new:
            self.offset = new[-1]["offset"]
        return new

    async def sign_in(self) -> str:
        """A fresh access token."""
        form = urllib.parse.urlencode({"grant_type": "password", "username": self.name, "password": self.password})
        request = urllib.request.Request(f"{self.address}/api/v1/auth/token", form.encode())  # noqa: S310
        return await asyncio.to_thread(lambda: json.load(urllib.request.urlopen(request))["access_token"])  # noqa: S310

    @property
    def socket_address(self) -> str:
        return f"ws{self.address.removeprefix('http')}/ws"


async def send(socket: ClientConnection, **frame: Any) -> None:
    await socket.send(json.dumps(frame))


def ends(event: Event) -> bool:
    """Whether this is the last event of its run."""
    return event["type"] == "agent_completed" and event["parent_request_id"] is None


def shown(event: Event) -> str:
    """One line for an event."""
    data = event["data"]
    detail = data.get("text") or data.get("tool") or data.get("status") or data.get("input") or ""
    return f"{event['offset']:>6}  {event['agent']:<16} {event['type']:<16} {detail}"


async def main() -> None:
    parser = argparse.ArgumentParser(description="Ask a carrel server and watch the events.")
    parser.add_argument("text")
    parser.add_argument("--address", default="http://127.0.0.1:8000")
    parser.add_argument("--user", default="demo")
    parser.add_argument("--agent", default="supervisor")
    arguments = parser.parse_args()
    client = Client(arguments.address, arguments.user, os.environ["CARREL_PASSWORD"])
    async for event in client.ask(arguments.text, agent=arguments.agent):
        print(shown(event))
        if ends(event):
            print(event["data"].get("output") or event["data"].get("error"))


if __name__ == "__main__":
    asyncio.run(main())
