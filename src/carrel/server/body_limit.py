"""The largest body that a request may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carrel.server.problems import http_response

__all__ = ["BodyLimit"]


LINGER_SECONDS: Final = 20.0
LINGER_BYTES: Final = 64 * 1024 * 1024
"""How much more a client may send, and for how long, that has been refused: most read only when they have sent."""


class BodyLimit:
    """Refuses a request whose body is longer than `limit_of(path)` bytes, before reading it when it says so itself.

    A body without a length is counted while it is read; the reader gets a 413 `HTTPException`. What still comes of a
    refused body is passed over before the connection is closed, within bounds.
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
        refused = _declared_length(scope) > limit
        seen, more = 0, True

        async def counted() -> Message:
            nonlocal seen, more, refused
            message = await receive()
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                more = message.get("more_body", False)
                if seen > limit:
                    refused = True
                    raise refusal
            return message

        async def unhurried(message: Message) -> None:
            if not (refused and more) or message["type"] != "http.response.body" or message.get("more_body"):
                await send(message)
                return
            # Closed with the rest on its way, the connection would be reset, and the client would see no answer.
            await send({**message, "more_body": True})
            await _pass_over(receive)
            await send({"type": "http.response.body", "body": b""})

        if refused:
            await http_response(refusal)(scope, receive, unhurried)
        else:
            await self._app(scope, counted, unhurried)


async def _pass_over(receive: Receive) -> None:
    passed = 0
    with anyio.move_on_after(LINGER_SECONDS):
        while passed < LINGER_BYTES:
            message = await receive()
            passed += len(message.get("body", b""))
            if not message.get("more_body"):
                return


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
