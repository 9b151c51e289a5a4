"""The largest body that a request may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carrel.server.problems import http_response

__all__ = ["BodyLimit"]


class BodyLimit:
    """Refuses a request whose body is longer than `limit_of(path)` bytes, before reading it when it says so itself.

    A body without a length is counted while it is read; the reader gets a 413 `HTTPException`.
    """

    def __init__(self, app: ASGIApp, limit_of: Callable[[str], int]) -> None:
        self._app = app
        self._limit_of = limit_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        refusal = _refusal(limit)
        if _declared_length(scope) > limit:
            await http_response(refusal)(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                if seen > limit:
                    raise refusal
            return message

        await self._app(scope, counted, send)


def _refusal(limit: int) -> HTTPException:
    # The connection may hold more of the body than anybody wants to read.
    return HTTPException(413, f"the body is longer than {limit} bytes", headers={"Connection": "close"})


_LENGTH: Final = b"content-length"


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        # A length that is no number is the HTTP parser's business; it has let none through.
        if name == _LENGTH and value.isdigit():
            return int(value[:20])
    return 0
