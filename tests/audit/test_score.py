"""The score, recalculated by hand."""

from __future__ import annotations

from carrel.audit.score import score
from carrel.findings import Finding, Location, Severity


def finding(severity: Severity, path: str = "a/x.py", *, reached: bool = True, rule: str = "r") -> Finding:
    way = ("GET / f",) if reached else ()
    place = Location(path=path, line=1)
    return Finding(rule=rule, code="C", severity=severity, location=place, message="m", reachable_from=way)


def test_nothing_found_is_100() -> None:
    found = score((), {"a/x.py": 200}, has_entry_points=True)
    assert found.value == 100
    assert found.per_rule == ()
    assert found.formula == "100 * S / (S + P) = 100, with S = 10 + 200 lines / 100 = 12.00 and P = 0 = 0.00"


def test_an_empty_code_base_is_100() -> None:
    assert score((), {}, has_entry_points=False).value == 100


def test_the_formula_by_hand() -> None:
    found = score([finding("error"), finding("warning", reached=False)], {"a/x.py": 5000}, has_entry_points=True)
    # S = 10 + 50 = 60; P = 10 + 1.5 = 11.5
    assert found.value == round(100 * 60 / 71.5, 1) == 83.9
    assert "1 error x 10 + 1 warning that no entry point leads to x 1.5 = 11.50" in found.formula


def test_without_entry_points_every_finding_counts_in_full() -> None:
    lines = {"a/x.py": 0}
    assert score([finding("error", reached=False)], lines, has_entry_points=False).value == 50
    assert score([finding("error", reached=False)], lines, has_entry_points=True).value == 66.7


def test_each_package_has_the_score_of_its_files_the_worst_first() -> None:
    found = score([finding("error", "b/y.py")], {"a/x.py": 100, "b/y.py": 100, "c.py": 0}, has_entry_points=True)
    assert [(one.package, one.value, one.lines, one.findings) for one in found.per_package] == [
        ("b", 52.4, 100, 1),
        (".", 100.0, 0, 0),
        ("a", 100.0, 100, 0),
    ]


def test_what_the_rules_cost_is_what_is_missing() -> None:
    found = score([finding("error"), finding("warning", rule="s"), finding("info")], {}, has_entry_points=True)
    assert [one.rule for one in found.per_rule] == ["r", "s"]
    assert abs(sum(one.cost for one in found.per_rule) - (100 - found.value)) < 0.02


def test_the_score_of_the_baseline_is_carried() -> None:
    assert score((), {}, has_entry_points=True, previous=71.5).previous == 71.5
