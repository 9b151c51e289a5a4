"""A WebSocket and HTTP requests straight into the application, without a network: thousands a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import anyio
from fastapi import FastAPI

__all__ = ["Wire"]

SECONDS = 8.0
"""Longer than anything here takes; a wait for ever would not be ended by the test's own time-out."""


class Wire:
    """The client's end of a WebSocket. While it is not `reading`, nothing can be written to it."""

    def __init__(self, app: FastAPI) -> None:
        self.received: list[str] = []
        self.closed: int | None = None
        self.reading = asyncio.Event()
        self.reading.set()
        self._news = asyncio.Condition()
        self._sent: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._sent.put_nowait({"type": "websocket.connect"})
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": "/ws",
            "raw_path": b"/ws",
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"localhost")],
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
            "subprotocols": ["carrel.v1"],
            "state": {},
        }
        self._task = asyncio.create_task(app(scope, self._sent.get, self._take))

    async def _take(self, message: MutableMapping[str, Any]) -> None:
        await self.reading.wait()
        async with self._news:
            if message["type"] == "websocket.send":
                self.received.append(message["text"])
            elif message["type"] == "websocket.close":
                self.closed = message["code"]
            self._news.notify_all()

    @property
    def frames(self) -> list[dict[str, Any]]:
        """What has come, as JSON."""
        return [json.loads(text) for text in self.received]

    def send(self, **frame: Any) -> None:
        self._sent.put_nowait({"type": "websocket.receive", "text": json.dumps(frame)})

    async def until(self, met: Any) -> None:
        """Wait until `met(frames)` is true, or the connection is over."""
        with anyio.fail_after(SECONDS):
            async with self._news:
                await self._news.wait_for(lambda: self.closed is not None or met(self.frames))

    async def leave(self) -> None:
        """Be gone, without a word."""
        self._sent.put_nowait({"type": "websocket.disconnect", "code": 1006})
        with anyio.fail_after(SECONDS):
            await asyncio.wait((self._task,))
