"""Tests of carrel.reporting.sarif: valid by the official schema, and as code scanning wants it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs
import pytest
from hypothesis import given, settings

from carrel.findings import Location, Report, Unparsable
from carrel.reporting import SarifFormat
from carrel.reporting.prose import encodable
from tests.reporting.samples import ARGUMENT, CONTAINER, EMPTY, FULL, large, report
from tests.reporting.strategies import reports

SCHEMA = Path(__file__).parents[1] / "data/sarif/sarif-schema-2.1.0.json"
VALIDATOR = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")), validate_formats=True)


def written(report: Report) -> Any:
    return json.loads(SarifFormat().render(report).encode("utf-8"))


def run(report: Report) -> Any:
    return written(report)["runs"][0]


def problems(log: Any) -> list[str]:
    return [f"{error.instance_path}: {error.message}" for error in VALIDATOR.iter_errors(log)]


@pytest.mark.parametrize("report", [EMPTY, FULL, large(50)], ids=["empty", "full", "large"])
def test_reports_are_valid_by_the_official_schema(report: Report):
    assert problems(written(report)) == []


def test_the_schema_would_find_a_mistake():
    log = written(FULL)
    log["runs"][0]["results"][1]["level"] = "info"
    log["runs"][0]["results"][2]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert len(problems(log)) == 2


def test_rules_come_with_help_and_an_order_for_code_scanning():
    rule, other, _ = run(FULL)["tool"]["driver"]["rules"]
    assert (rule["id"], rule["name"]) == ("CAR001", "ModuleLevelContainer")
    assert rule["helpUri"] == "https://carrel.example/rules/module-level-container/"
    assert "Keep the value in the request" in rule["help"]["text"]
    assert rule["properties"]["tags"] == ["security", "isolation", "leak-class-1"]
    assert float(rule["properties"]["security-severity"]) > float(other["properties"]["security-severity"])
    assert [one["defaultConfiguration"]["level"] for one in (rule, other)] == ["error", "warning"]


def test_results_name_their_rule_place_and_fingerprint():
    result = run(FULL)["results"][2]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == ("CAR001", 0, "error")
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "app/service.py", "uriBaseId": "%SRCROOT%"}
    assert physical["region"] == {"startLine": 6, "startColumn": 13, "endLine": 6, "endColumn": 31}
    assert set(result["partialFingerprints"].values()) == {FULL.findings[2].fingerprint}
    assert run(FULL)["originalUriBaseIds"]["%SRCROOT%"]["uri"] == "file:///srv/shop/"
    assert run(FULL)["columnKind"] == "unicodeCodePoints"


def test_a_root_that_is_no_absolute_path_has_no_address():
    assert "uri" not in run(replace(FULL, root="shop"))["originalUriBaseIds"]["%SRCROOT%"]


def test_the_places_that_meet_are_linked_from_the_message():
    result = run(FULL)["results"][2]
    assert "See [the container is defined here](1)." in result["message"]["text"]
    first, second = result["relatedLocations"]
    assert (first["id"], first["physicalLocation"]["artifactLocation"]["uri"]) == (1, "app/state.py")
    assert second["message"]["text"] == "a file that cannot be read"


def test_the_way_from_the_entry_point_is_a_stack_innermost_first():
    frames = run(FULL)["results"][2]["stacks"][0]["frames"]
    names = [frame["location"]["logicalLocations"][0]["fullyQualifiedName"] for frame in frames]
    assert names == ["app.service.Service.run", "POST /chat app.main.chat"]


def test_an_endpoint_is_a_logical_place():
    endpoint = run(FULL)["results"][0]
    assert endpoint["locations"] == [
        {"logicalLocations": [{"fullyQualifiedName": "GET /threads/{id}", "kind": "resource"}]}
    ]
    assert "ruleIndex" not in endpoint  # no rule of that name was handed over


def test_a_place_without_an_end_has_none():
    short = replace(ARGUMENT, location=Location(path="app/service.py", line=5, column=8))
    region = run(report(short))["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 5, "startColumn": 9}


def test_the_baseline_says_what_is_new():
    assert [result["baselineState"] for result in run(FULL)["results"]] == ["new", "unchanged", "new"]
    assert "baselineState" not in run(report(CONTAINER))["results"][0]


def test_files_that_could_not_be_checked_are_notifications():
    (notification,) = run(FULL)["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"] == "'(' was never closed"
    assert notification["locations"][0]["physicalLocation"]["region"] == {"startLine": 7}


def test_a_file_that_could_not_even_be_read_has_no_line():
    summary = replace(FULL.summary, unparsable=(Unparsable(path="a b.py", line=0, message="permission denied"),))
    (notification,) = run(replace(FULL, summary=summary))["invocations"][0]["toolExecutionNotifications"]
    assert notification["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "a%20b.py", "uriBaseId": "%SRCROOT%"}}}
    ]


def test_a_message_makes_no_link_by_accident():
    text = run(report(replace(CONTAINER, message="`handlers[name](1)` is shared", related=())))["results"][0]["message"]
    assert text["text"].startswith("`handlers\\[name](1)` is shared")


@settings(max_examples=40)
@given(reports())
def test_every_text_comes_back(report: Report):
    log = written(report)
    assert problems(log) == []
    for finding, result in zip(report.findings, log["runs"][0]["results"], strict=True):
        kept = result["properties"]
        assert kept["message"] == encodable(finding.message)
        assert kept["why"] == encodable(finding.why)
        assert kept["fix"] == encodable(finding.fix.description)
        assert kept["diff"] == encodable(finding.fix.diff)
        assert kept["evidence"] == encodable(finding.evidence)
        assert kept["reachableFrom"] == [encodable(step) for step in finding.reachable_from]
        assert result["ruleId"] == encodable(finding.code)
        place = result["locations"][0]
        if finding.location.in_file:
            path = unquote(place["physicalLocation"]["artifactLocation"]["uri"])
        else:
            path = place["logicalLocations"][0]["fullyQualifiedName"]
        assert path == encodable(finding.location.path)
