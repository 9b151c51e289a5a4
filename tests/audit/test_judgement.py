"""From candidates to findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carrel.audit.conditions import Condition, Reachable, SharedClass, TaintedParameter
from carrel.audit.judgement import judge
from carrel.audit.rule import Candidate, Grade
from carrel.findings import Finding, Fix, Location, RuleInfo
from tests.audit.checking import program

INFO = RuleInfo(rule="r", code="CAR999", severity="warning", title="t", why="because", fix="do")
SOURCE = """
class Desk:
    def f(self, x): ...
desk = Desk()
@app.get("/x")
def route(q): desk.f(q)
def never(): ...
"""
HOLDS, FAILS = Reachable("app.route"), Reachable("app.never")


def judged(source: str = SOURCE, **fields: object) -> list[Finding]:
    place = Location(path="app.py", line=3)
    candidate = Candidate(**{"rule": "r", "location": place, "message": "m", **fields})  # type: ignore[arg-type]
    return list(judge([candidate], program(source), {"r": INFO}))


def test_a_candidate_without_conditions_is_a_finding_as_its_rule_says() -> None:
    (found,) = judged()
    assert (found.code, found.severity, found.why, found.fix) == ("CAR999", "warning", "because", Fix(description="do"))


def test_what_the_candidate_says_comes_first() -> None:
    (found,) = judged(why="here", fix=Fix(description="this"))
    assert (found.why, found.fix.description) == ("here", "this")


def test_what_is_said_of_a_place_twice_is_said_once() -> None:
    place = Location(path="app.py", line=3)
    often = [
        Candidate(rule="r", location=place, message="m", grades=(Grade(one),)) for one in ("info", "error", "info")
    ]
    other = Candidate(rule="r", location=place, message="n")
    found = list(judge([*often, other], program(SOURCE), {"r": INFO}))
    assert [(one.message, one.severity) for one in found] == [("m", "error"), ("n", "warning")]


@pytest.mark.parametrize(("given", "count"), [((HOLDS,), 1), ((HOLDS, FAILS), 0)])
def test_every_condition_must_hold(given: tuple[Condition, ...], count: int) -> None:
    assert len(judged(given=given)) == count


def test_the_first_grade_that_holds_counts() -> None:
    grades = (Grade("error", (FAILS,)), Grade("info", (HOLDS,)), Grade("error"))
    assert [one.severity for one in judged(grades=grades)] == ["info"]
    assert judged(grades=grades[:1]) == []


@pytest.mark.parametrize(
    ("source", "symbol", "severity"),
    [(SOURCE, "app.never", "info"), (SOURCE, "app.Desk.f", "warning"), ("def never(): ...", "app.never", "warning")],
)
def test_what_no_entry_point_leads_to_is_lowered_where_there_are_any(source: str, symbol: str, severity: str) -> None:
    (found,) = judged(source, symbol=symbol, lower_unreachable=True)
    assert found.severity == severity


def test_the_way_and_the_places_that_prove_it() -> None:
    given = (SharedClass("app.Desk"), TaintedParameter("app.Desk.f", "x"), SharedClass("app.Desk"))
    (found,) = judged(symbol="app.Desk.f", given=given, related=(Location(path="app.py", line=3, note="itself"),))
    assert found.reachable_from == ("GET /x app.route", "app.Desk.f")
    assert [place.line for place in found.related] == [4, 6]


def test_a_rule_that_is_not_checked_finds_nothing() -> None:
    assert judged(rule="other") == []


@pytest.mark.parametrize("path", ["app/_vendor/six.py", "app/pytest/session.py"])
def test_what_another_project_or_a_test_has_is_at_most_information(path: str) -> None:
    (found,) = judged(location=Location(path=path, line=3))
    assert found.severity == "info"


@pytest.mark.parametrize(
    ("symbol", "path", "severity"),
    [
        ("app.never", "app/bootstrap.py", "info"),
        ("app.never", "app/desk.py", "warning"),
        ("app.Desk.f", "app/bootstrap.py", "warning"),
    ],
)
def test_a_leak_where_only_a_command_line_leads_to_is_information(symbol: str, path: str, severity: str) -> None:
    place = Candidate(rule="r", location=Location(path=path, line=3), message="m", symbol=symbol)
    (found,) = judge([place], program(SOURCE), {"r": replace(INFO, leak_classes=(1,))})
    assert found.severity == severity
    (unknown,) = judge([place], program("def never(): ...\n"), {"r": replace(INFO, leak_classes=(1,))})
    assert unknown.severity == ("info" if path == "app/bootstrap.py" else "warning")


@pytest.mark.parametrize(
    ("others", "severity"), [({"desk.py": "", "talk.py": ""}, "info"), ({"docs/more.py": "", "talk.py": ""}, "warning")]
)
def test_a_leak_in_an_example_beside_the_code_is_information(others: dict[str, str], severity: str) -> None:
    everything = program({"docs/examples/app.py": SOURCE, **others})
    place = Candidate(rule="r", location=Location(path="docs/examples/app.py", line=3), message="m")
    (found,) = judge([place], everything, {"r": replace(INFO, leak_classes=(1,))})
    assert found.severity == severity


@pytest.mark.parametrize(
    ("decorator", "leak_classes", "severity"),
    [("@admin_required", (1,), "info"), ("@login_required", (1,), "warning"), ("@admin_required", (), "warning")],
)
def test_a_leak_where_only_administrators_get_to_is_information(
    decorator: str, leak_classes: tuple[int, ...], severity: str
) -> None:
    everything = program(SOURCE.replace("def route", f"{decorator}\ndef route"))
    place = Candidate(rule="r", location=Location(path="app.py", line=3), message="m", symbol="app.Desk.f")
    info = replace(INFO, leak_classes=leak_classes)
    (found,) = judge([place], everything, {"r": info})
    assert found.severity == severity
