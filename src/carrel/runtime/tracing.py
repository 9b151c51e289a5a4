"""Spans for runs, agents and tools, named after OpenTelemetry's conventions for generative AI; no-ops unless set up.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final

from opentelemetry import trace

from carrel.context import UserExecutionContext

__all__ = ["RunTracer"]

_tracer: Final = trace.get_tracer("carrel")


class RunTracer:
    """Makes the spans of one run; looks once whether anybody collects spans, because the API's own no-op takes 7 us."""

    __slots__ = ("_nothing",)

    def __init__(self) -> None:
        is_set_up = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        self._nothing = None if is_set_up else nullcontext(trace.INVALID_SPAN)

    def run(self, context: UserExecutionContext) -> AbstractContextManager[trace.Span]:
        """The span of a whole run; the spans of its agents and tools are inside it."""
        return self._nothing or _span("run", context)

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


def _span(name: str, context: UserExecutionContext, *attributes: tuple[str, str]) -> AbstractContextManager[trace.Span]:
    ids = {
        "user.id": context.user_id,
        "gen_ai.conversation.id": context.thread_id,
        "carrel.run_id": context.run_id,
        "carrel.request_id": context.request_id,
    }
    return _tracer.start_as_current_span(
        name, attributes={**ids, **{f"gen_ai.{key}": value for key, value in attributes}}
    )
