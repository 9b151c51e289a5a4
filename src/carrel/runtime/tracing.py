"""Spans for runs, agents and tools, named after OpenTelemetry's conventions for generative AI; no-ops unless set up.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final, NamedTuple

from opentelemetry import trace

from carrel.context import RequestId, UserContext, UserExecutionContext

__all__ = ["Origin", "RunTracer", "is_set_up", "origin_of"]

_tracer: Final = trace.get_tracer("carrel")


class Origin(NamedTuple):
    """The request of a client that started a run."""

    request_id: RequestId
    """Its own id, which is not that of any request inside the run."""
    span: trace.SpanContext
    """The span it was in; invalid when it was in none."""


def is_set_up() -> bool:
    """Whether anybody collects spans."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def origin_of(user: UserContext) -> Origin | None:
    """The request that is being served, as what a run is started by; None when nobody collects spans."""
    return Origin(user.request_id, trace.get_current_span().get_span_context()) if is_set_up() else None


class RunTracer:
    """Makes the spans of one run; looks once whether anybody collects spans, because the API's own no-op takes 7 us.

    A run outlives the request that started it, `origin`: its span begins a trace of its own and has a link there.
    """

    __slots__ = ("_nothing", "_origin")

    def __init__(self, origin: Origin | None = None) -> None:
        self._nothing = None if is_set_up() else nullcontext(trace.INVALID_SPAN)
        self._origin = origin

    def run(self, context: UserExecutionContext) -> AbstractContextManager[trace.Span]:
        """The span of a whole run; the spans of its agents and tools are inside it."""
        return self._nothing or _span("run", context, origin=self._origin)

    def agent(self, context: UserExecutionContext, agent: str) -> AbstractContextManager[trace.Span]:
        """The span of one request: one agent at work."""
        return self._nothing or _span(
            f"invoke_agent {agent}", context, ("operation.name", "invoke_agent"), ("agent.name", agent)
        )

    def tool(self, context: UserExecutionContext, tool: str, tool_call_id: str) -> AbstractContextManager[trace.Span]:
        """The span of one tool call."""
        return self._nothing or _span(
            f"execute_tool {tool}",
            context,
            ("operation.name", "execute_tool"),
            ("tool.name", tool),
            ("tool.call.id", tool_call_id),
        )


def _span(
    name: str, context: UserExecutionContext, *attributes: tuple[str, str], origin: Origin | None = None
) -> AbstractContextManager[trace.Span]:
    ids = {
        "user.id": context.user_id,
        "gen_ai.conversation.id": context.thread_id,
        "carrel.run_id": context.run_id,
        "carrel.request_id": context.request_id,
    }
    links: list[trace.Link] = []
    if origin is not None:
        ids["carrel.started_by"] = origin.request_id
        if origin.span.is_valid:
            links.append(trace.Link(origin.span, {"carrel.request_id": origin.request_id}))
    return _tracer.start_as_current_span(
        name, attributes={**ids, **{f"gen_ai.{key}": value for key, value in attributes}}, links=links
    )
