"""What clients ask, as spans: HTTP requests and commands, each with the run that it started linked to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.baggage import get_all
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind

from carrel.context import RequestId, UserContext, UserId
from carrel.delivery.frames import StartRunFrame
from carrel.delivery.log import LogState
from carrel.delivery.session import DeliverySession
from carrel.runtime.agent import AgentRun
from carrel.server.commands import CommandQueue
from carrel.server.spans import command_span
from tests.runtime.spans import Spans, collect_spans
from tests.server.served import Served, served, settings_for

RUNS = "POST /api/v1/threads/{thread_id}/runs"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    return collect_spans(monkeypatch)


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def ended_run(server: Served, spans: Spans) -> ReadableSpan:
    await server.services.scheduler.drain(5.0)
    return spans.named("run")


async def test_an_http_request_is_a_span_and_the_run_it_started_is_linked_to_it(spans: Spans, server: Served) -> None:
    ann = await server.user("ann")
    started = await ann.start("hello")
    await ann.finished(started["run_id"])
    asked = spans.named(RUNS)
    assert asked.kind is SpanKind.SERVER
    seen = attributes(asked)
    assert (seen["http.request.method"], seen["http.response.status_code"]) == ("POST", 202)
    assert seen["url.path"] == f"/api/v1/threads/{started['thread_id']}/runs"
    run = await ended_run(server, spans)
    (link,) = run.links
    assert asked.context is not None
    assert link.context.span_id == asked.context.span_id
    assert attributes(run)["carrel.started_by"] == seen["carrel.request_id"]
    assert dict(link.attributes or {}) == {"carrel.request_id": seen["carrel.request_id"]}
    assert attributes(run)["carrel.run_id"] == started["run_id"]


async def test_a_command_over_a_socket_is_a_span_and_its_run_is_linked_to_it(spans: Spans, server: Served) -> None:
    ann = await server.user("ann")
    session = DeliverySession(0.0)
    session.authenticated(ann.user_id, LogState("e", 1, 0, 0), None, expires_in=60.0, now=0.0)
    queue = CommandQueue(server.services.scheduler, session, lambda: None)
    identity = await server.services.authenticator.verify(ann.access_token)
    queue.put(identity.user, StartRunFrame(id="1", input="hello", agent="echo"))
    await queue.finish()
    run = await ended_run(server, spans)
    asked = spans.named("start_run")
    assert asked.context is not None
    assert [link.context.span_id for link in run.links] == [asked.context.span_id]
    assert attributes(run)["carrel.started_by"] == attributes(asked)["carrel.request_id"]
    assert attributes(asked)["user.id"] == attributes(run)["user.id"] == ann.user_id


async def test_a_request_is_inside_its_clients_trace(spans: Spans, server: Served) -> None:
    trace_id, span_id = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    headers = {"traceparent": f"00-{trace_id}-{span_id}-01"}
    await server.http.get("/healthz", headers=headers)
    seen = spans.named("GET /healthz")
    assert seen.context is not None
    assert seen.parent is not None
    assert (f"{seen.context.trace_id:032x}", f"{seen.parent.span_id:016x}") == (trace_id, span_id)
    for wrong in ("x", "00-0-0-00", "ä"):
        answer = await server.http.get("/readyz", headers=[(b"traceparent", wrong.encode("latin-1"))])
        assert answer.status_code == 200


async def test_no_span_holds_a_token_a_header_or_a_body(spans: Spans, server: Served) -> None:
    ann = await server.user("ann")
    await ann.http.get("/api/v1/threads", headers={"X-Header": "a canary"})
    await ann.finished((await ann.start("a canary in the body"))["run_id"])
    written = "".join(span.to_json() for span in spans.ended)
    assert "canary" not in written
    assert ann.access_token not in written


async def test_what_a_client_sends_along_does_not_reach_the_agents(spans: Spans, tmp_path: Path) -> None:
    async with served(settings_for(tmp_path, agents=f"{__name__}:AGENTS")) as server:
        ann = await server.user("ann")
        ann.http.headers["baggage"] = "user=eve"
        record = await ann.finished((await ann.start("hello", "teller"))["run_id"])
        assert record["output"] == "{}"


async def teller(run: AgentRun) -> str:
    """Tell what the run's context carries."""
    return str(dict(get_all()))


AGENTS = (teller,)


def test_without_tracing_a_command_has_no_span() -> None:
    user = UserContext(user_id=UserId("ann"), request_id=RequestId("r"))
    with command_span(user, "start_run") as span:
        assert not span.is_recording()
