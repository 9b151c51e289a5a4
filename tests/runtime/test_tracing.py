from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from opentelemetry import trace
from structlog.contextvars import get_contextvars

from carrel.runtime import tracing
from carrel.runtime.agent import AgentRun
from carrel.runtime.tools import tool
from carrel.testing import MemoryRuntime


class Recorder:
    """Stands where a configured tracer would: notes spans, and what they are inside of."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, dict[str, Any]]] = []
        self.open: list[str] = []

    @contextmanager
    def start_as_current_span(self, name: str, *, attributes: dict[str, Any]) -> Iterator[trace.Span]:
        self.spans.append((" > ".join((*self.open, name)), attributes))
        self.open.append(name)
        yield trace.INVALID_SPAN
        self.open.pop()


@tool
async def look() -> None:
    """Look."""


async def other(run: AgentRun) -> str:
    """Help."""
    return "helped"


async def worker(run: AgentRun) -> str:
    """Work."""
    await run.call_tool("look")
    await run.run_agent("other", "x")
    return "done"


async def test_a_run_its_agents_and_its_tools_are_spans(monkeypatch: pytest.MonkeyPatch):
    recorder = Recorder()
    monkeypatch.setattr(tracing, "_tracer", recorder)
    monkeypatch.setattr(trace, "get_tracer_provider", trace.NoOpTracerProvider)
    runtime = MemoryRuntime([worker, other], [look])
    async with runtime.engine() as engine:
        await engine.execute_agent("worker", "x")
    assert [name for name, _ in recorder.spans] == [
        "run",
        "run > invoke_agent worker",
        "run > invoke_agent worker > execute_tool look",
        "run > invoke_agent worker > invoke_agent other",
    ]
    for _, attributes in recorder.spans:
        assert attributes["user.id"] == "ada"
        assert attributes["carrel.run_id"] == engine.context.run_id
    assert recorder.spans[2][1]["gen_ai.tool.name"] == "look"


def test_without_a_tracer_a_span_costs_nothing_and_does_nothing():
    with tracing.RunTracer().run(MemoryRuntime().context()) as span:
        assert not span.is_recording()


async def test_logs_inside_a_run_carry_its_ids_and_logs_after_it_do_not():
    seen: list[dict[str, Any]] = []

    async def noting(run: AgentRun) -> str:
        """Note what logs would carry."""
        seen.append(dict(get_contextvars()))
        return "x"

    runtime = MemoryRuntime([noting])
    structlog.contextvars.clear_contextvars()
    async with runtime.engine() as engine:
        await engine.execute_agent("noting", "x")
    assert seen == [{**engine.context.correlation(), "agent": "noting"}]
    assert get_contextvars() == {}
