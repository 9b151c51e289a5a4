"""The whole server on an event loop of its own, for tests that are not coroutines, and requests byte by byte."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import structlog
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from tests.server.served import Caller, Served, served, settings_for

__all__ = ["Background", "background", "request_of"]

SECONDS: Final = 8.0
"""Longer than any answer takes. A test that waited for ever would not be ended by its own time-out: hypothesis takes
that for a failure like others, and tries again."""


def request_of(
    method: str, path: str, caller: Caller, body: Any = None, headers: Mapping[str, str] | None = None
) -> httpx.Request:
    """A request of a user's."""
    sent = {**(headers or {}), "Authorization": f"Bearer {caller.access_token}"}
    return httpx.Request(method, f"http://localhost{path}", headers=sent, json=body)


class Background:
    """A running server, asked from another thread."""

    def __init__(self, portal: BlockingPortal, server: Served) -> None:
        self._portal = portal
        self._server = server
        self._users = 0

    def user(self) -> Caller:
        """A new user who may do everything that users may."""
        self._users += 1
        return self._portal.call(self._server.user, f"user-{self._users}", "usage:read", "usage:write")

    def call(self, function: Any, *arguments: Any) -> Any:
        """What a coroutine function answers, on the server's loop."""
        return self._portal.call(asyncio.wait_for, function(*arguments), SECONDS)

    def run(self, function: Callable[..., Any], **arguments: Any) -> None:
        """Call a function on the server's loop."""

        async def called() -> None:
            function(**arguments)

        self.call(called)

    @property
    def app(self) -> FastAPI:
        return self._server.app

    def ask(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request as it is; of a stream that does not end, its first piece."""
        return self._portal.call(asyncio.wait_for, _ask(self._server.app, request), SECONDS)


@contextmanager
def background(directory: Path, **changes: Any) -> Iterator[Background]:
    """A server over a directory of its own."""
    with (
        structlog.testing.capture_logs(),
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(served(settings_for(directory, **changes))) as server,
    ):
        yield Background(portal, server)


async def _ask(app: FastAPI, request: httpx.Request) -> httpx.Response:
    path, _, query = request.url.raw_path.partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": "http",
        "path": request.url.path,
        "raw_path": path,
        "query_string": query,
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    pending = [{"type": "http.request", "body": request.content}]
    gone = asyncio.Event()
    start: MutableMapping[str, Any] = {}
    body = b""

    async def receive() -> MutableMapping[str, Any]:
        if pending:
            return pending.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal body
        if message["type"] == "http.response.start":
            start.update(message)
        elif not gone.is_set():
            body += message.get("body", b"")
            if body and (b"content-type", b"text/event-stream; charset=utf-8") in start["headers"]:
                gone.set()

    await app(scope, receive, send)
    gone.set()
    answer = httpx.Response(start["status"], headers=start["headers"], content=body, request=request)
    answer.elapsed = timedelta()
    return answer
