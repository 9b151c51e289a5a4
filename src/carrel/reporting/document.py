"""A report as plain values, as `docs/reference/report.schema.json` describes them."""

from __future__ import annotations

from typing import Any, Final

from carrel.findings import SEVERITIES, Finding, Location, Report, RuleInfo, Score, Sources, Summary
from carrel.reporting.excerpt import position
from carrel.reporting.product import product_version
from carrel.reporting.prose import encodable

__all__ = ["SCHEMA_VERSION", "document", "storable"]

SCHEMA_VERSION: Final = 1
"""Goes up when a field changes its meaning or goes away; new fields do not change it."""


def document(report: Report) -> dict[str, Any]:
    """The report as JSON holds it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tool": report.tool,
        "version": product_version(),
        "root": report.root,
        "summary": _summary(report, report.summary),
        "rules": [_rule(rule) for rule in report.rules],
        "findings": [_finding(finding, report.sources) for finding in report.findings],
    }


def storable(value: Any) -> Any:
    """The value with every string in it, at any depth, as UTF-8 can hold it."""
    match value:
        case str():
            return encodable(value)
        case dict():
            return {key: storable(item) for key, item in value.items()}
        case list() | tuple():
            return [storable(item) for item in value]
        case _:
            return value


def _summary(report: Report, summary: Summary) -> dict[str, Any]:
    baseline = summary.baseline
    return {
        "files": summary.files,
        "lines": summary.lines,
        "seconds": round(summary.seconds, 3),
        "findings": len(report.findings),
        "counts": {severity: report.count(severity) for severity in SEVERITIES},
        "score": None if summary.score is None else round(summary.score.value, 2),
        "score_details": None if summary.score is None else _score(summary.score),
        "baseline": None if baseline is None else {"new": baseline.new, "known": baseline.known, "gone": baseline.gone},
        "unparsable": [{"path": file.path, "line": file.line, "message": file.message} for file in summary.unparsable],
        "details": [{"label": label, "value": value} for label, value in summary.details],
    }


def _score(score: Score) -> dict[str, Any]:
    return {
        "formula": score.formula,
        "previous": None if score.previous is None else round(score.previous, 2),
        "per_package": [
            {"package": one.package, "score": round(one.value, 2), "lines": one.lines, "findings": one.findings}
            for one in score.per_package
        ],
        "per_rule": [
            {"rule": one.rule, "cost": round(one.cost, 2), "findings": one.findings} for one in score.per_rule
        ],
    }


def _rule(rule: RuleInfo) -> dict[str, Any]:
    return {
        "rule": rule.rule,
        "code": rule.code,
        "severity": rule.severity,
        "title": rule.title,
        "why": rule.why,
        "fix": rule.fix,
        "page": rule.page,
        "leak_classes": list(rule.leak_classes),
    }


def _finding(finding: Finding, sources: Sources) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "code": finding.code,
        "severity": finding.severity,
        **_place(finding.location, sources),
        "symbol": finding.symbol,
        "message": finding.message,
        "why": finding.why,
        "fix": finding.fix.description,
        "diff": finding.fix.diff,
        "reachable_from": list(finding.reachable_from),
        "related": [{**_place(place, sources), "note": place.note} for place in finding.related],
        "evidence": finding.evidence,
        "known": finding.known,
        "fingerprint": finding.fingerprint,
    }


def _place(location: Location, sources: Sources) -> dict[str, Any]:
    return {"path": location.path, **position(location, sources)._asdict()}
