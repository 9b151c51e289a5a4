"""Tests of carrel.server.description."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from carrel.server.app import create_app
from carrel.server.description import describe
from tests.server.served import settings_for

DOCUMENT = describe(create_app(settings_for(Path("/nonexistent"))))
ALWAYS = {"421", "500", "503"}


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("get", "/healthz", {"200"}),
        ("get", "/api/v1/me", {"200", "401"}),
        ("get", "/api/v1/runs/{run_id}", {"200", "401", "404"}),
        ("get", "/api/v1/threads/{thread_id}/messages", {"200", "401", "404", "422"}),
        ("delete", "/api/v1/threads/{thread_id}", {"204", "401", "404", "409"}),
        ("patch", "/api/v1/threads/{thread_id}", {"200", "400", "401", "404", "413", "415", "422"}),
        ("post", "/api/v1/auth/token", {"200", "400", "401", "413", "422", "429"}),
        ("get", "/api/v1/events", {"200", "401", "422", "429"}),
    ],
)
def test_errors_follow_from_the_rule_the_parts_and_what_is_declared(method: str, path: str, statuses: set[str]) -> None:
    assert set(DOCUMENT["paths"][path][method]["responses"]) == statuses | ALWAYS


def test_every_error_is_a_problem() -> None:
    answers = [
        (status, answer)
        for item in DOCUMENT["paths"].values()
        for operation in item.values()
        for status, answer in operation["responses"].items()
    ]
    assert len(answers) > 100
    for status, answer in answers:
        assert (list(answer.get("content", {})) == ["application/problem+json"]) is (status >= "400"), answer


def test_every_reference_leads_somewhere() -> None:
    names = {reference.rpartition("/")[2] for reference in references(DOCUMENT)}
    assert names <= set(DOCUMENT["components"]["schemas"])
    assert {"ProblemAnswer", "RefusedField"} <= names
    assert "HTTPValidationError" not in str(DOCUMENT)


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [one for value in part.values() for one in references(value)]
    return [one for value in part for one in references(value)] if isinstance(part, list) else []


def test_streams_are_described_with_their_types() -> None:
    paths = DOCUMENT["paths"]
    runs = paths["/api/v1/threads/{thread_id}/runs"]["post"]["responses"]
    assert list(runs["200"]["content"]) == list(paths["/api/v1/events"]["get"]["responses"]["200"]["content"])
    assert list(paths["/api/v1/me/export"]["get"]["responses"]["200"]["content"]) == ["application/zip"]


@pytest.mark.parametrize(
    ("method", "path", "takes"),
    [("get", "/api/v1/me", True), ("get", "/api/v1/runs/{run_id}", True), ("post", "/api/v1/auth/token", False)],
)
def test_a_route_that_is_not_public_takes_a_token(method: str, path: str, takes: bool) -> None:  # noqa: FBT001
    operation = DOCUMENT["paths"][path][method]
    assert operation.get("security", []) == ([{"carrel": []}] if takes else [])
    flow = DOCUMENT["components"]["securitySchemes"]["carrel"]["flows"]["password"]
    assert "post" in DOCUMENT["paths"][flow["tokenUrl"]]
