"""Where spans go in tests: memory, for as long as a test."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from carrel.runtime import tracing

__all__ = ["Spans", "collect_spans"]


class Spans:
    """The spans that have ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def ended(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        """The one span of that name."""
        (span,) = (span for span in self.ended if span.name == name)
        return span

    def path(self, span: ReadableSpan) -> str:
        """Its name after those of the spans that it is in."""
        for outer in self.ended:
            if span.parent is not None and outer.context is not None and outer.context.span_id == span.parent.span_id:
                return f"{self.path(outer)} > {span.name}"
        return span.name


def collect_spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Set tracing up for this test: a process can do so only once."""
    spans = Spans()
    monkeypatch.setattr(tracing, "_tracer", spans.provider.get_tracer("carrel"))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: spans.provider)
    return spans
