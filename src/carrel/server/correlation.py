"""One id per HTTP request: in every log line, in the answer to a failure, and in the access log."""

from __future__ import annotations

import time
from typing import Final
from urllib.parse import quote

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carrel.context import new_id
from carrel.server.problems import problem_response
from carrel.server.spans import mark_request

__all__ = ["REQUEST_ID", "Correlation"]

REQUEST_ID: Final = "carrel.request_id"
"""Where the scope of a request holds its id."""
_QUIET: Final = frozenset({"/healthz", "/metrics", "/readyz"})


class Correlation:
    """Gives each request its id, logs how it was answered, and turns what nobody caught into a 500 without details.

    Logs hold the path and never the query string, a header or a body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope[REQUEST_ID] = new_id()
        mark_request(request_id)
        log = structlog.get_logger(__name__)
        started = time.perf_counter()
        status: int | None = None

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, watched)
            except Exception as error:
                log.exception("a request failed", exc_info=error)
                if status is not None:
                    # The answer has begun: only breaking it off tells the client that it is not whole.
                    raise
                answer = problem_response(
                    500,
                    "internal_error",
                    "the server failed; its log has the details under this request_id",
                    request_id=request_id,
                )
                await answer(scope, receive, watched)
            finally:
                write = log.debug if scope["path"] in _QUIET else log.info
                write(
                    "request",
                    method=scope["method"],
                    path=quote(scope["path"]),
                    status=status,
                    duration_ms=round((time.perf_counter() - started) * 1000, 1),
                )
                # Bound by whoever verified the token, inside.
                structlog.contextvars.unbind_contextvars("user_id")
