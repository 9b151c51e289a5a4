"""JSON, for programs: the schema is published and versioned."""

from __future__ import annotations

import json
from dataclasses import dataclass

from carrel.findings import Report
from carrel.reporting.document import document, storable

__all__ = ["JsonFormat"]


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """A report as one JSON object, indented; `docs/reference/report.schema.json` describes it."""

    name: str = "json"

    def render(self, report: Report) -> str:
        return json.dumps(storable(document(report)), ensure_ascii=False, indent=2) + "\n"
