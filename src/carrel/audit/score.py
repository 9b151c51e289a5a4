"""The score: how far a code base keeps its users apart, in figures that can be checked by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from carrel.findings import Finding, PackageScore, RuleScore, Score, Severity

__all__ = ["WEIGHTS", "score"]

WEIGHTS: Final[Mapping[Severity, float]] = MappingProxyType({"error": 10.0, "warning": 3.0, "info": 0.2})
"""Points that a finding costs when an entry point leads to it."""
_UNREACHED: Final = 0.5
_START: Final = 10.0
_LINES: Final = 100


def score(
    findings: Iterable[Finding], lines: Mapping[str, int], *, has_entry_points: bool, previous: float | None = None
) -> Score:
    """The score of a code base: 100 * S / (S + P).

    S is the size: 10, and 1 for every 100 lines. P are the points: each finding costs the weight of its severity, half
    of it where entry points are known and none leads there. `lines` are those of each file, by path. The score of a
    package is that of its own files; what each rule costs is its share of what is missing from 100.
    """
    findings = tuple(findings)
    points = {id(finding): _points(finding, has_entry_points) for finding in findings}
    total = sum(points.values())
    size = _size(sum(lines.values()))
    value = _value(size, total)
    by_package: dict[str, list[Finding]] = defaultdict(list)
    by_rule: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_package[_package(finding.location.path)].append(finding)
        by_rule[finding.rule].append(finding)
    lines_of: dict[str, int] = defaultdict(int)
    for path, count in lines.items():
        lines_of[_package(path)] += count
    packages = [
        PackageScore(
            package=package,
            value=_value(_size(lines_of[package]), sum(points[id(one)] for one in by_package[package])),
            lines=lines_of[package],
            findings=len(by_package[package]),
        )
        for package in sorted(lines_of)
    ]
    rules = [
        RuleScore(
            rule=rule,
            cost=round((100 - value) * sum(points[id(one)] for one in of_rule) / total, 2) if total else 0.0,
            findings=len(of_rule),
        )
        for rule, of_rule in by_rule.items()
    ]
    return Score(
        value=value,
        formula=_formula(findings, sum(lines.values()), size, total, value, has_entry_points=has_entry_points),
        per_package=tuple(sorted(packages, key=lambda one: (one.value, one.package))),
        per_rule=tuple(sorted(rules, key=lambda one: (-one.cost, one.rule))),
        previous=previous,
    )


def _points(finding: Finding, has_entry_points: bool) -> float:  # noqa: FBT001 - private, and named in every call
    reached = bool(finding.reachable_from) or not has_entry_points
    return WEIGHTS[finding.severity] * (1 if reached else _UNREACHED)


def _size(lines: int) -> float:
    return _START + lines / _LINES


def _value(size: float, points: float) -> float:
    return round(100 * size / (size + points), 1)


def _package(path: str) -> str:
    return path.rpartition("/")[0] or "."


def _formula(
    findings: tuple[Finding, ...], lines: int, size: float, points: float, value: float, *, has_entry_points: bool
) -> str:
    terms = []
    for severity, weight in WEIGHTS.items():
        of_severity = [one for one in findings if one.severity == severity]
        reached = sum(bool(one.reachable_from) or not has_entry_points for one in of_severity)
        terms += [
            f"{count} {severity}{which} x {each:g}"
            for count, which, each in (
                (reached, "", weight),
                (len(of_severity) - reached, " that no entry point leads to", weight * _UNREACHED),
            )
            if count
        ]
    return (
        f"100 * S / (S + P) = {value:g}, with S = {_START:g} + {lines} lines / {_LINES} = {size:.2f} "
        f"and P = {' + '.join(terms) or '0'} = {points:.2f}"
    )
