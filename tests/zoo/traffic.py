"""How two users meet in a program: one after another, or one while the other is held half-way."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.zoo.stage import Person, Stage

__all__ = ["Socket", "first_to_hear", "overlap", "overlap_in_threads", "site"]


@asynccontextmanager
async def site(app: Any, *people: Person) -> AsyncIterator[tuple[httpx.AsyncClient, ...]]:
    """A browser for each of the people, signed in to the ASGI application, which is started and stopped."""
    transport = httpx.ASGITransport(app=app)
    browsers = tuple(
        httpx.AsyncClient(transport=transport, base_url="https://app.test", headers=person.headers) for person in people
    )
    async with app.router.lifespan_context(app) as state:
        transport.app = _with_state(app, dict(state or {}))
        yield browsers
    for browser in browsers:
        await browser.aclose()


def _with_state(app: Any, state: dict[str, Any]) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    return application


async def overlap(stage: Stage, held: Awaitable[Any], inside: Awaitable[Any]) -> tuple[Any, Any]:
    """Runs `held` up to its first wait for the outside, `inside` from start to end, then the rest of `held`."""
    gate = stage.outside.hold()
    first = asyncio.ensure_future(held)
    arrival = asyncio.ensure_future(gate.arrived.wait())
    await asyncio.wait({first, arrival}, return_when=asyncio.FIRST_COMPLETED)
    if not arrival.done():
        arrival.cancel()
        raise AssertionError(f"it never waited for the outside, and gave {first.result()!r}")
    second = await inside
    gate.released.set()
    return await first, second


def overlap_in_threads(
    stage: Stage, held: Callable[[], Any], inside: Callable[[], Any], *, workers: int = 2
) -> tuple[Any, Any]:
    """The same with blocking code, each in a thread of its own."""
    gate = stage.outside.hold_thread()
    with ThreadPoolExecutor(workers) as pool:
        first = pool.submit(held)
        _wait(first, gate.arrived)
        second = pool.submit(inside).result()
        gate.released.set()
        return first.result(), second


def _wait(first: Future[Any], arrived: threading.Event) -> None:
    first.add_done_callback(lambda _: arrived.set())
    arrived.wait()


async def first_to_hear(*sockets: Socket) -> None:
    """Returns when one of the sockets has received something, whichever it is."""
    hearing = [asyncio.ensure_future(socket.hear()) for socket in sockets]
    await asyncio.wait(hearing, return_when=asyncio.FIRST_COMPLETED)
    for task in hearing:
        task.cancel()


class Socket:
    """One WebSocket to an ASGI application, without a network."""

    def __init__(self, app: Any, path: str, person: Person, **headers: str) -> None:
        self.received: list[str] = []
        self._app = app
        query = path.partition("?")[2]
        named = {**person.headers, **headers}
        self._scope = {
            "type": "websocket",
            "path": path.partition("?")[0],
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
            "subprotocols": [],
            "client": ("127.0.0.1", 1),
            "server": ("app.test", 443),
            "scheme": "wss",
            "root_path": "",
            "asgi": {"version": "3.0"},
        }
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._news = asyncio.Event()
        self._accepted = asyncio.Event()
        self.closed = False
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> Socket:
        self._inbox.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.ensure_future(self._app(self._scope, self._inbox.get, self._send))
        await self._accepted.wait()
        return self

    async def say(self, text: str) -> None:
        self._inbox.put_nowait({"type": "websocket.receive", "text": text})

    async def hear(self, count: int = 1) -> list[str]:
        """Everything received so far, once that is at least `count` messages."""
        while len(self.received) < count:
            self._news.clear()
            await self._news.wait()
        return self.received

    async def close(self) -> list[str]:
        self._inbox.put_nowait({"type": "websocket.disconnect", "code": 1000})
        if self._task is not None:
            await self._task
        return self.received

    async def drop(self) -> list[str]:
        """Ends the connection whatever the application is waiting for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        return self.received

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            self.received.append(message.get("text") or message.get("bytes", b"").decode())
            self._news.set()
        else:
            self.closed = message["type"] == "websocket.close"
            self._accepted.set()
