"""Tests of carrel.findings."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.findings import SEVERITIES, Finding, Location, Report, Sources, Summary, fingerprinted, no_sources

LINES = ("import x", "", "CACHE = {}", "CACHE = {}", "    CACHE  =\t{}")


def sources(path: str) -> tuple[str, ...]:
    return LINES


def finding(line: int = 3, **changes: Any) -> Finding:
    made = Finding(
        rule="module-level-container",
        code="CAR001",
        severity="error",
        location=Location(path="app/state.py", line=line),
        message="A container.",
        symbol="app.state",
    )
    return replace(made, **changes)


def prints(*findings: Finding, sources: Sources = sources) -> list[str]:
    return [one.fingerprint for one in fingerprinted(findings, sources)]


def test_a_finding_cannot_be_changed_and_has_no_dict():
    made = finding()
    with pytest.raises(FrozenInstanceError):
        made.message = "other"  # type: ignore[misc]
    assert not hasattr(made, "__dict__")


def test_a_fingerprint_stays_when_lines_are_added_above():
    assert prints(finding(3)) == prints(finding(5), sources=lambda path: ("# new", "# new", *LINES))


def test_a_fingerprint_stays_when_the_line_is_indented_anew():
    assert prints(finding(3)) == prints(finding(5))


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "other"},
        {"symbol": "app.state.f"},
        {"location": Location(path="app/other.py", line=3)},
        {"location": Location(path="app/state.py", line=1)},
    ],
)
def test_a_fingerprint_changes_with_what_the_finding_is(changes: dict[str, Any]):
    assert prints(finding()) != prints(finding(**changes))


def test_a_fingerprint_does_not_depend_on_wording_and_severity():
    assert prints(finding()) == prints(finding(message="Said better.", severity="info", code="CAR101"))


def test_equal_lines_are_told_apart_by_their_order():
    first, second = prints(finding(4), finding(3))
    assert [first] == prints(finding(3)) != [second]


def test_findings_come_by_path_and_place():
    mixed = (
        finding(4),
        finding(3, location=Location(path="app/state.py", line=3, column=4)),
        finding(3),
        finding(location=Location(path="app/a.py", line=9)),
    )
    places = [(one.location.path, one.location.line, one.location.column) for one in fingerprinted(mixed, sources)]
    assert places == [("app/a.py", 9, 0), ("app/state.py", 3, 0), ("app/state.py", 3, 4), ("app/state.py", 4, 0)]


def test_a_line_that_is_not_there_is_no_problem():
    assert prints(finding(99)) == prints(finding(99), sources=no_sources)


def test_a_place_in_no_file_asks_for_no_source():
    def refuse(path: str) -> tuple[str, ...]:
        raise AssertionError(path)

    endpoint = finding(location=Location(path="POST /chat"))
    assert not endpoint.location.in_file
    assert len(prints(endpoint, sources=refuse)[0]) == 32


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.sampled_from("ab")), max_size=8))
def test_no_two_findings_have_the_same_fingerprint(places: list[tuple[int, int, str]]):
    made = [finding(location=Location(path=path, line=line, column=column)) for line, column, path in places]
    assert len(set(prints(*made))) == len(made)
    assert sorted(prints(*reversed(made))) == sorted(prints(*made))


def test_text_that_is_no_unicode_has_a_fingerprint():
    assert len(prints(finding(location=Location(path="\udcff.py", line=1)), sources=lambda path: ("\ud800",))[0]) == 32


@pytest.mark.parametrize(
    ("fail_on", "failing"), [("error", ["error"]), ("warning", ["error", "warning"]), ("info", list(SEVERITIES))]
)
def test_what_fails_is_new_and_bad_enough(fail_on: Any, failing: list[str]):
    found = tuple(finding(severity=severity) for severity in SEVERITIES)
    known = finding(severity="error", known=True)
    report = Report(
        tool="audit",
        root=".",
        rules=(),
        findings=(*found, known),
        summary=Summary(files=1, lines=1, seconds=0),
    )
    assert [one.severity for one in report.failing(fail_on)] == failing
    assert [report.count(severity) for severity in SEVERITIES] == [2, 1, 1]
    assert report.sources("any") == ()


def test_the_result_type_imports_nothing_heavy():
    code = "import sys, carrel.findings; print(sorted({'rich', 'json', 'msgspec', 'pydantic'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
