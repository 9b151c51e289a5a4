"""Tests of carrel.reporting.json: every report is valid by the published schema, and every text comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from carrel.findings import Report
from carrel.reporting import JsonFormat
from carrel.reporting.prose import encodable
from tests.reporting.samples import EMPTY, FULL, large
from tests.reporting.strategies import reports

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/reference/report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)


def written(report: Report) -> Any:
    return json.loads(JsonFormat().render(report).encode("utf-8"))


def problems(instance: Any) -> list[str]:
    return [f"{error.instance_path}: {error.message}" for error in VALIDATOR.iter_errors(instance)]


@pytest.mark.parametrize("report", [EMPTY, FULL, large(50)], ids=["empty", "full", "large"])
def test_reports_are_valid_by_the_published_schema(report: Report):
    assert problems(written(report)) == []


def test_the_schema_names_every_field_there_is():
    """Else a new field would stay undocumented: readers may ignore what they do not know, so may validators."""

    def closed(schema: Any) -> Any:
        if isinstance(schema, dict):
            made = {key: closed(value) for key, value in schema.items()}
            return made | {"additionalProperties": False} if schema.get("type") == "object" else made
        return [closed(one) for one in schema] if isinstance(schema, list) else schema

    assert list(jsonschema_rs.validator_for(closed(SCHEMA)).iter_errors(written(FULL))) == []


@pytest.mark.parametrize("field", ["rule", "code", "severity", "path", "line", "column", "end_line", "end_column",
                                   "message", "why", "fix", "reachable_from", "fingerprint"])  # fmt: skip
def test_a_missing_field_would_be_found(field: str):
    document = written(FULL)
    del document["findings"][0][field]
    assert problems(document)


@settings(max_examples=40)
@given(reports())
def test_every_text_comes_back(report: Report):
    document = written(report)
    assert problems(document) == []
    assert document["root"] == encodable(report.root)
    for finding, found in zip(report.findings, document["findings"], strict=True):
        expected = {
            "path": finding.location.path,
            "rule": finding.rule,
            "code": finding.code,
            "message": finding.message,
            "why": finding.why,
            "fix": finding.fix.description,
            "diff": finding.fix.diff,
            "symbol": finding.symbol,
            "evidence": finding.evidence,
        }
        assert {name: found[name] for name in expected} == {name: encodable(text) for name, text in expected.items()}
        assert found["reachable_from"] == [encodable(step) for step in finding.reachable_from]
        assert [place["note"] for place in found["related"]] == [encodable(place.note) for place in finding.related]
