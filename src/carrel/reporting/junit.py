"""JUnit XML, for build servers that show tests: one suite per rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from carrel.findings import Finding, Report, RuleInfo, Sources
from carrel.reporting.excerpt import position
from carrel.reporting.product import title
from carrel.reporting.prose import visible

__all__ = ["JunitFormat"]

KEEP: Final = "\n\t"


@dataclass(frozen=True, slots=True)
class JunitFormat:
    """Rules as test suites: an error or a warning is a failed case, what the baseline has is a skipped one.

    A rule without findings is one passed case; a finding that only informs is a passed case with its text; a file that
    could not be checked is a case with an error. XML cannot hold control characters: they are escaped as in Python.
    """

    name: str = "junit"

    def render(self, report: Report) -> str:
        root = Element("testsuites", name=title(report), time=f"{report.summary.seconds:.3f}")
        for code, rule in _checked(report):
            _suite(root, report, code, rule)
        if report.summary.unparsable:
            _unparsable(root, report)
        for count in ("tests", "failures", "errors", "skipped"):
            root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
        indent(root)
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _checked(report: Report) -> Sequence[tuple[str, str]]:
    """Code and name of every rule that was checked or has findings, by code."""
    named: list[RuleInfo | Finding] = [*report.rules, *report.findings]
    return sorted({(one.code, one.rule) for one in named})


def _suite(root: Element, report: Report, code: str, rule: str) -> None:
    suite = SubElement(root, "testsuite", name=visible(f"{code} {rule}"))
    findings = [finding for finding in report.findings if (finding.code, finding.rule) == (code, rule)]
    for finding in findings:
        _case(suite, finding, report.sources)
    if not findings:
        SubElement(suite, "testcase", classname=visible(rule), name="nothing found")
    _count(suite)


def _case(suite: Element, finding: Finding, sources: Sources) -> None:
    place = position(finding.location, sources)
    where = f"{finding.location.path}:{place.line}:{place.column}" if place.line else finding.location.path
    case = SubElement(suite, "testcase", classname=visible(finding.rule), name=visible(f"{where} {finding.symbol}"))
    case.set("file", visible(finding.location.path))
    if place.line:
        case.set("line", str(place.line))
    if finding.known:
        SubElement(case, "skipped", message=visible(f"in the baseline: {finding.message}"))
    elif finding.severity == "info":
        SubElement(case, "system-out").text = visible(_text(finding), KEEP)
    else:
        failure = SubElement(case, "failure", type=finding.severity, message=visible(finding.message))
        failure.text = visible(_text(finding), KEEP)


def _text(finding: Finding) -> str:
    parts = [finding.message, finding.why]
    if finding.reachable_from:
        parts.append("Reachable from: " + " -> ".join(finding.reachable_from))
    parts += [f"{place.path}:{place.line}: {place.note}" for place in finding.related]
    if finding.fix.description:
        parts.append(f"Fix: {finding.fix.description}")
    parts += [finding.fix.diff, finding.evidence, f"Fingerprint: {finding.fingerprint}"]
    return "\n".join(part for part in parts if part)


def _unparsable(root: Element, report: Report) -> None:
    suite = SubElement(root, "testsuite", name="files that could not be checked")
    for file in report.summary.unparsable:
        case = SubElement(suite, "testcase", classname="files", name=visible(file.path), file=visible(file.path))
        SubElement(case, "error", type="unparsable", message=visible(file.message)).text = f"line {file.line}"
    _count(suite)


def _count(suite: Element) -> None:
    suite.set("tests", str(len(suite)))
    for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(count, str(len(suite.findall(f"testcase/{tag}"))))
