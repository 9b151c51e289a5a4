"""Many places that do the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carrel.audit.alike import gathered
from carrel.findings import Finding, Location, Severity


def finding(line: int, severity: Severity = "error", rule: str = "a", *, known: bool = False) -> Finding:
    place = Location(path="a.py", line=line)
    return Finding(rule=rule, code="C", severity=severity, location=place, message="m", known=known)


def severities(*found: Finding) -> list[Severity]:
    return [one.severity for one in gathered(found, ["a", "b"])]


def test_the_first_of_many_names_the_others() -> None:
    first, *others = gathered([finding(line) for line in (1, 2, 3, 4)], ["a"])
    assert first.message == "m; 3 other places do the same"
    assert first.severity == "error"
    assert [(one.line, one.note) for one in first.related] == [(line, "the same") for line in (2, 3, 4)]
    assert others == [finding(line, "info") for line in (2, 3, 4)]


def test_a_few_are_left_alone() -> None:
    few = (finding(1), finding(2), finding(3), finding(4, "info"), finding(5, rule="b"))
    assert gathered(few, ["a", "b"]) == few


def test_other_rules_are_left_alone() -> None:
    many = tuple(finding(line, rule="c") for line in range(1, 9))
    assert gathered(many, ["a", "b"]) == many


def test_an_error_goes_first() -> None:
    found = (finding(1, "warning"), finding(2, "warning"), finding(3), finding(4))
    assert severities(*found) == ["info", "info", "error", "info"]


@pytest.mark.parametrize(("known", "loud"), [((0, 1, 2, 3), 0), ((0, 1, 3), 2), ((), 0)])
def test_what_a_baseline_does_not_know_goes_first(known: tuple[int, ...], loud: int) -> None:
    found = [replace(finding(number + 1), known=number in known) for number in range(4)]
    assert [number for number, one in enumerate(severities(*found)) if one != "info"] == [loud]
