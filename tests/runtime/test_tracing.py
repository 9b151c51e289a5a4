from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.contextvars import get_contextvars

from carrel.runtime import tracing
from carrel.runtime.agent import AgentRun
from carrel.runtime.run_request import RunRequest
from carrel.runtime.tools import tool
from carrel.testing import MemoryRuntime
from tests.runtime.spans import collect_spans


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


async def test_a_run_its_agents_and_its_tools_are_spans_with_the_ids_of_the_run(monkeypatch: pytest.MonkeyPatch):
    spans = collect_spans(monkeypatch)
    runtime = MemoryRuntime([worker, other], [look])
    async with runtime.engine() as engine:
        await engine.execute_agent("worker", "x")
    assert sorted(map(spans.path, spans.ended)) == [
        "run",
        "run > invoke_agent worker",
        "run > invoke_agent worker > execute_tool look",
        "run > invoke_agent worker > invoke_agent other",
    ]
    for span in spans.ended:
        assert span.attributes is not None
        assert span.attributes["user.id"] == "ada"
        assert span.attributes["carrel.run_id"] == engine.context.run_id
        assert span.attributes["gen_ai.conversation.id"] == engine.context.thread_id
    tool_span = spans.named("execute_tool look").attributes or {}
    assert tool_span["gen_ai.tool.name"] == "look"
    assert tool_span["carrel.request_id"] == engine.context.request_id
    assert (spans.named("invoke_agent other").attributes or {})["carrel.request_id"] != engine.context.request_id


async def test_a_run_has_a_trace_of_its_own_that_is_linked_to_the_request_that_started_it(
    monkeypatch: pytest.MonkeyPatch,
):
    spans = collect_spans(monkeypatch)
    runtime = MemoryRuntime([other])
    user = runtime.user()
    with spans.provider.get_tracer("client").start_as_current_span("POST /runs"):
        accepted = await runtime.scheduler.start(user, RunRequest(input="x", agent="other"))
    await runtime.scheduler.start(runtime.user("bob"), RunRequest(input="x", agent="other"))
    await runtime.scheduler.drain(5.0)
    asked = spans.named("POST /runs")
    runs = {(span.attributes or {})["user.id"]: span for span in spans.ended if span.name == "run"}
    run = runs["ada"]
    assert run.parent is None
    assert run.context is not None
    assert asked.context is not None
    assert run.context.trace_id != asked.context.trace_id
    (link,) = run.links
    assert (link.context.trace_id, link.context.span_id) == (asked.context.trace_id, asked.context.span_id)
    assert link.attributes == {"carrel.request_id": user.request_id}
    assert run.attributes is not None
    assert run.attributes["carrel.started_by"] == user.request_id
    assert run.attributes["carrel.run_id"] == accepted.run_id
    # Asked outside any span: nothing to link to, and nothing of the other user's.
    assert runs["bob"].links == ()
    assert (runs["bob"].attributes or {})["carrel.started_by"] != user.request_id


def test_without_a_tracer_nothing_is_noted_of_a_request():
    assert tracing.origin_of(MemoryRuntime().user()) is None


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
