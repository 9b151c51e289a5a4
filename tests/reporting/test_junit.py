"""Tests of carrel.reporting.junit."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from hypothesis import given, settings

from carrel.findings import Report
from carrel.reporting import JunitFormat
from carrel.reporting.prose import visible
from tests.reporting.samples import ARGUMENT, CONTAINER, EMPTY, FULL, report
from tests.reporting.strategies import reports


def written(report: Report) -> ET.Element:
    return ET.fromstring(JunitFormat().render(report).encode("utf-8"))  # noqa: S314 - our own


def test_a_rule_without_findings_is_a_passed_case():
    suites = written(EMPTY).findall("testsuite")
    assert [suite.get("name") for suite in suites] == [
        "CAR001 module-level-container",
        "CAR005 shared-object-argument",
        "CAR030 late-binding-closure",
    ]
    assert written(EMPTY).attrib == {
        "name": "carrel audit",
        "time": "0.250",
        "tests": "3",
        "failures": "0",
        "errors": "0",
        "skipped": "0",
    }


def test_errors_and_warnings_fail_and_what_is_known_is_skipped():
    root = written(FULL)
    counts = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "2", "errors": "1", "skipped": "1"}
    failure = root.find("testsuite[@name='CAR001 module-level-container']/testcase/failure")
    assert failure is not None
    assert failure.get("type") == "error"
    assert "POST /chat app.main.chat -> app.service.Service.run" in (failure.text or "")
    assert "app/state.py:1: the container is defined here" in (failure.text or "")


def test_a_case_says_where_it_is():
    case = written(report(ARGUMENT)).find(".//testcase[@file]")
    assert case is not None
    assert (case.get("file"), case.get("line")) == ("app/service.py", "5")
    assert case.get("name") == "app/service.py:5:9 app.service.Service.run"


def test_what_only_informs_passes_with_its_text():
    root = written(report(replace(CONTAINER, severity="info")))
    assert root.get("failures") == "0"
    assert "`run` writes to `SESSIONS`" in (root.findtext(".//system-out") or "")


def test_a_file_that_could_not_be_checked_is_an_error():
    error = written(FULL).find(".//error")
    assert error is not None
    assert (error.get("message"), error.text) == ("'(' was never closed", "line 7")


@settings(max_examples=40)
@given(reports())
def test_every_text_comes_back_with_control_characters_escaped(report: Report):
    root = written(report)
    expected = sorted(visible(one.message) for one in report.findings if not one.known and one.severity != "info")
    assert sorted(failure.get("message", "") for failure in root.iter("failure")) == expected
    text = "\n".join(element.text or "" for element in root.iter() if element.tag in {"failure", "system-out"})
    for finding in report.findings:
        if not finding.known:
            for part in (finding.message, finding.why, finding.fix.diff, finding.evidence, *finding.reachable_from):
                assert visible(part, "\n\t") in text
    paths = [case.get("file") for case in root.iterfind("testsuite/testcase[@line]")]
    assert sorted(filter(None, paths)) == sorted(
        visible(one.location.path) for one in report.findings if one.location.in_file and one.location.path
    )
