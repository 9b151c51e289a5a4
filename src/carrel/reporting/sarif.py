"""SARIF 2.1.0 (OASIS, with errata 1), in the shape that code scanning services take in."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from carrel.findings import Finding, Location, Report, RuleInfo, Severity, Sources, Unparsable
from carrel.reporting.document import storable
from carrel.reporting.excerpt import position
from carrel.reporting.product import product_version, title
from carrel.reporting.prose import encodable, is_address

__all__ = ["SarifFormat"]

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT: Final = "%SRCROOT%"
# In a message, `[text](1)` is a link to the related location 1; a bracket that only looks like it is escaped.
ACCIDENTAL_LINK: Final = re.compile(r"\[(?=[^\]]*\]\()")


@dataclass(frozen=True, slots=True)
class SarifFormat:
    """A report as one SARIF run.

    The places that meet are related locations, linked from the message; the way from an entry point is a stack, since
    its steps are names and code flows need places. What SARIF has no field for is in `properties`.
    """

    name: str = "sarif"

    def render(self, report: Report) -> str:
        log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}
        return json.dumps(storable(log), ensure_ascii=False, indent=2) + "\n"


def _run(report: Report) -> dict[str, Any]:
    indices = {rule.code: index for index, rule in enumerate(report.rules)}
    root: dict[str, Any] = {"description": {"text": "The root of what was checked."}}
    if PurePosixPath(report.root).is_absolute():
        root["uri"] = f"file://{_uri(report.root.rstrip('/'))}/"
    return {
        "tool": {
            "driver": {
                "name": "carrel",
                "semanticVersion": product_version(),
                "rules": [_rule(rule) for rule in report.rules],
            }
        },
        "automationDetails": {"id": f"{title(report).replace(' ', '/')}/"},
        "originalUriBaseIds": {ROOT: root},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [_notification(file) for file in report.summary.unparsable],
            }
        ],
        "results": [_result(finding, report, indices) for finding in report.findings],
    }


def _rule(rule: RuleInfo) -> dict[str, Any]:
    classes = [f"leak-class-{number}" for number in rule.leak_classes]
    more = f"\n\n[{rule.code}]({rule.page})" if is_address(rule.page) else ""
    descriptor: dict[str, Any] = {
        "id": rule.code,
        "name": "".join(word.capitalize() for word in rule.rule.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"{rule.why}\n\nFix: {rule.fix}",
            "markdown": f"{rule.why}\n\n**Fix:** {rule.fix}{more}",
        },
        "defaultConfiguration": {"level": _level(rule.severity)},
        "properties": {
            "tags": ["security", "isolation", *classes][:20],
            "precision": "high" if rule.severity == "error" else "medium",
            "problem.severity": "recommendation" if rule.severity == "info" else rule.severity,
            "security-severity": _security_severity(rule.severity),
        },
    }
    if is_address(rule.page):
        descriptor["helpUri"] = rule.page
    return descriptor


def _result(finding: Finding, report: Report, indices: dict[str, int]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": _level(finding.severity),
        "message": {"text": _message(finding)},
        "locations": [_location(finding.location, report.sources, finding.symbol)],
        "partialFingerprints": {
            "carrelFinding/v1": finding.fingerprint,
            # Named as GitHub names its own, which it would otherwise compute from the text of the line alone.
            "primaryLocationLineHash": finding.fingerprint,
        },
        "properties": {
            "rule": finding.rule,
            "message": finding.message,
            "why": finding.why,
            "fix": finding.fix.description,
            "diff": finding.fix.diff,
            "reachableFrom": list(finding.reachable_from),
            "evidence": finding.evidence,
        },
    }
    if finding.code in indices:
        result["ruleIndex"] = indices[finding.code]
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, **_location(place, report.sources), "message": {"text": place.note}}
            for number, place in enumerate(finding.related, 1)
        ]
    if finding.reachable_from:
        result["stacks"] = [_stack(finding.reachable_from)]
    if report.summary.baseline is not None:
        result["baselineState"] = "unchanged" if finding.known else "new"
    return result


def _message(finding: Finding) -> str:
    parts = [_unlinked(finding.message), _unlinked(finding.why)]
    for number, place in enumerate(finding.related, 1):
        note = re.sub(r"([\\\[\]])", r"\\\1", place.note or place.path)
        parts.append(f"See [{note}]({number}).")
    if finding.reachable_from:
        parts.append(f"Reachable from {_unlinked(' > '.join(finding.reachable_from))}.")
    if finding.fix.description:
        parts.append(f"Fix: {_unlinked(finding.fix.description)}")
    return "\n".join(part for part in parts if part)


def _unlinked(text: str) -> str:
    return ACCIDENTAL_LINK.sub(r"\\[", text)


def _location(location: Location, sources: Sources, symbol: str = "") -> dict[str, Any]:
    """A physical location in a file; a logical one for an endpoint; the symbol around it as a logical one too."""
    if not location.in_file:
        return {"logicalLocations": [{"fullyQualifiedName": location.path, "kind": "resource"}]}
    place = position(location, sources)
    region = {"startLine": place.line, "startColumn": place.column}
    if location.end_line:
        region |= {"endLine": place.end_line, "endColumn": place.end_column}
    found: dict[str, Any] = {"physicalLocation": {"artifactLocation": _artifact(location.path), "region": region}}
    if symbol:
        found["logicalLocations"] = [{"fullyQualifiedName": symbol}]
    return found


def _stack(steps: tuple[str, ...]) -> dict[str, Any]:
    """SARIF lists the innermost frame first."""
    frames = [{"location": {"logicalLocations": [{"fullyQualifiedName": step}]}} for step in reversed(steps)]
    return {"message": {"text": "How the place is reached from outside."}, "frames": frames}


def _notification(file: Unparsable) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": _artifact(file.path)}
    if file.line:
        physical["region"] = {"startLine": file.line}
    return {"level": "warning", "message": {"text": file.message}, "locations": [{"physicalLocation": physical}]}


def _artifact(path: str) -> dict[str, str]:
    return {"uri": _uri(path), "uriBaseId": ROOT}


def _uri(path: str) -> str:
    return quote(encodable(path), safe="/")


def _level(severity: Severity) -> str:
    return "note" if severity == "info" else severity


def _security_severity(severity: Severity) -> str:
    """On the scale of CVSS, by which code scanning ranks: high, medium, low."""
    return {"error": "8.0", "warning": "5.5", "info": "2.0"}[severity]
