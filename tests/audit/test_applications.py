"""A leak in an application."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carrel.audit.conditions import TaintedParameter
from carrel.audit.data_conditions import ReadAgain
from carrel.audit.judgement import judge
from carrel.audit.rule import Candidate, Grade
from carrel.findings import Location, RuleInfo
from tests.audit.checking import program

INFO = RuleInfo(rule="r", code="CAR999", severity="warning", title="t", why="because", fix="do")


@pytest.mark.parametrize(
    ("routes", "symbol", "leak_classes", "severity"),
    [
        (20, "app.never", (5,), "info"),
        (19, "app.never", (5,), "warning"),
        (20, "app.route0", (5,), "warning"),
        (20, "app.never", (), "warning"),
        (20, "app", (5,), "warning"),
        (20, "app.nightly", (5,), "info"),
        (19, "app.nightly", (5,), "warning"),
        (20, "app.kept", (5,), "warning"),
    ],
)
def test_what_no_way_leads_to_in_an_application(
    routes: int, symbol: str, leak_classes: tuple[int, ...], severity: str
) -> None:
    handlers = "".join(f"@app.get('/{number}')\ndef route{number}(q): kept()\n" for number in range(routes - 1))
    handlers += "@shared_task\ndef nightly(): kept()\ndef kept(): ...\n"
    candidate = Candidate(rule="r", location=Location(path="app.py", line=1), message="m", symbol=symbol)
    info = replace(INFO, leak_classes=leak_classes)
    (found,) = judge([candidate], program(f"from celery import shared_task\ndef never(): ...\n{handlers}"), {"r": info})
    assert found.severity == severity


@pytest.mark.parametrize(
    ("routes", "calls", "parameter", "severity"),
    [(20, 4, "text", "info"), (20, 3, "text", "warning"), (20, 4, "user_id", "warning"), (19, 4, "text", "warning")],
)
def test_what_is_handed_on_far_in_an_application(routes: int, calls: int, parameter: str, severity: str) -> None:
    handlers = "".join(f"@app.get('/{number}')\ndef route{number}(q): f1(q)\n" for number in range(routes))
    handed = "".join(f"def f{number}({parameter}): f{number + 1}({parameter})\n" for number in range(1, calls - 1))
    source = f"{handlers}{handed}def f{calls - 1}({parameter}): ...\n"
    place = Location(path="app.py", line=1)
    given = (TaintedParameter(f"app.f{calls - 1}", parameter),)
    candidates = [
        Candidate(rule="r", location=place, message="given", symbol=f"app.f{calls - 1}", given=given),
        Candidate(
            rule="r", location=place, message="graded", symbol=f"app.f{calls - 1}", grades=(Grade("warning", given),)
        ),
    ]
    found = judge(candidates, program(source), {"r": replace(INFO, leak_classes=(5,))})
    assert [one.severity for one in found] == [severity, severity]


@pytest.mark.parametrize(
    ("routes", "code", "strict", "severity"),
    [
        (20, "CAR008", False, "info"),
        (20, "CAR008", True, "warning"),
        (19, "CAR008", False, "warning"),
        (20, "CAR005", False, "warning"),
        (20, "CAR021", False, "warning"),
        (20, "CAR032", False, "warning"),
        (20, "CAR033", False, "info"),
        (20, "CAR999", False, "warning"),
    ],
)
def test_a_rule_is_as_loud_in_an_application_as_it_has_been_right(
    routes: int, code: str, strict: bool, severity: str
) -> None:
    handlers = "".join(f"@app.get('/{number}')\ndef route{number}(q): ...\n" for number in range(routes))
    candidate = Candidate(rule="r", location=Location(path="app.py", line=1), message="m", symbol="app.route0")
    info = replace(INFO, code=code, leak_classes=(8,))
    (found,) = judge([candidate], program(handlers, strict=strict), {"r": info})
    assert found.severity == severity


@pytest.mark.parametrize(("routes", "strict", "holds"), [(20, False, False), (20, True, True), (19, False, True)])
def test_a_reader_must_be_seen_in_an_application(routes: int, strict: bool, holds: bool) -> None:
    handlers = "".join(f"@app.get('/{number}')\ndef route{number}(q): ...\n" for number in range(routes))
    everything = program(f"class Desk:\n    def take(self, user): self.user = user\n{handlers}", strict=strict)
    unread = ReadAgain("app.Desk", "user", "app.Desk.take", ())
    assert (unread.proof(everything) is not None) is holds
