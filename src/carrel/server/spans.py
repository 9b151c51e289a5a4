"""Spans for what clients ask: FastAPI's for HTTP requests and connections, carrel's for commands over a WebSocket.

Nothing is done, and next to nothing costs, unless an OpenTelemetry SDK is set up in the process.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from carrel.context import UserContext
from carrel.runtime.tracing import is_set_up

__all__ = ["command_span", "mark_request"]


def mark_request(request_id: str) -> None:
    """Give the span of the HTTP request that is being served the id that it has in logs."""
    trace.get_current_span().set_attribute("carrel.request_id", request_id)


def command_span(user: UserContext, command: str) -> AbstractContextManager[trace.Span]:
    """The span of one command over a WebSocket, which is a request of its own."""
    if not is_set_up():
        return nullcontext(trace.INVALID_SPAN)
    return (
        trace.get_tracer_provider()
        .get_tracer("carrel")
        .start_as_current_span(
            command,
            kind=SpanKind.SERVER,
            attributes={
                "network.protocol.name": "websocket",
                "user.id": user.user_id,
                "carrel.request_id": user.request_id,
            },
        )
    )
