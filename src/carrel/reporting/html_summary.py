"""What an HTML report says before its findings: the score, counts, tables, the filter."""

from __future__ import annotations

from collections import Counter
from typing import Final

from carrel.findings import SEVERITIES, Report, Score, Severity
from carrel.reporting.html_findings import sentence
from carrel.reporting.markup import Markup, element, joined
from carrel.reporting.product import title
from carrel.reporting.prose import counted, signed

__all__ = ["filters", "header", "tables"]

BAR: Final = 120.0


def header(report: Report) -> Markup:
    """The title, the score with its formula, and the counts."""
    looked = report.summary
    scope = [counted(looked.files, "file"), counted(looked.lines, "line")] if looked.files else []
    facts = [*scope, f"{looked.seconds:.1f} s", *(f"{label}: {value}" for label, value in looked.details)]
    counts = [
        element(
            "li",
            element("strong", f"{report.count(severity):,}", class_=severity if report.count(severity) else "none"),
            f" {severity if severity == 'info' or report.count(severity) == 1 else severity + 's'}",
        )
        for severity in SEVERITIES
    ]
    left = element(
        "div",
        element("p", "carrel", class_="wordmark"),
        element("h1", title(report).removeprefix("carrel ").capitalize(), " of ", element("span", report.root)),
        element("p", " · ".join(facts), class_="soft"),
        element("ul", *counts, class_="counts"),
        *_baseline(report),
    )
    return element("header", left, *((_score(looked.score),) if looked.score else ()), class_="top")


def tables(report: Report) -> Markup:
    """Rules and packages as tables, files that could not be checked as a list; a sentence when nothing was found."""
    parts = []
    if not report.findings:
        parts.append(element("p", "Nothing found.", class_="clean"))
    parts.append(_rules(report))
    if report.summary.score is not None and report.summary.score.per_package:
        parts.append(_packages(report.summary.score))
    if report.summary.unparsable:
        parts.append(_unparsable(report))
    return joined(*parts)


def filters(report: Report) -> Markup:
    """The form that the page's script reads; hidden until the script runs."""
    counts = Counter((finding.code, finding.rule) for finding in report.findings)
    rules = [
        element("option", f"{code} {rule} ({count:,})", value=code) for (code, rule), count in sorted(counts.items())
    ]
    boxes = [
        element(
            "label", element("input", type="checkbox", name="severity", value=severity, checked=True), f" {severity}"
        )
        for severity in SEVERITIES
    ]
    if report.summary.baseline is not None:
        boxes.append(element("label", element("input", type="checkbox", name="new"), " only new"))
    return element(
        "form",
        element("fieldset", element("legend", "Show", class_="unseen"), *boxes),
        element("label", "Rule ", element("select", element("option", "all", value=""), *rules, name="rule")),
        element("label", "Path ", element("input", type="search", name="path", placeholder="part of a path")),
        element("button", "Unfold all", type="button", name="fold"),
        element("p", role="status", id="shown", class_="soft"),
        id="filter",
        hidden=True,
        aria_label="Filter the findings",
    )


def _score(score: Score) -> Markup:
    trend = [] if score.previous is None else [f"{signed(score.value - score.previous)} since the baseline"]
    return element(
        "div",
        element("p", element("strong", f"{score.value:.1f}"), element("span", " of 100"), class_="figure"),
        _bar(score.value, 240.0),
        *(element("p", text, class_="soft") for text in trend),
        element("p", sentence(score.formula), class_="formula"),
        class_="score",
    )


def _baseline(report: Report) -> list[Markup]:
    known = report.summary.baseline
    if known is None:
        return []
    text = f"Against the baseline: {known.new:,} new, {known.known:,} known, {known.gone:,} gone."
    return [element("p", text)]


def _rules(report: Report) -> Markup:
    counts = Counter((finding.code, finding.severity) for finding in report.findings)
    by_rule = {rule.code: [counts[rule.code, severity] for severity in SEVERITIES] for rule in report.rules}
    costs = {one.rule: one.cost for one in report.summary.score.per_rule} if report.summary.score else {}
    found = [rule for rule in report.rules if any(by_rule[rule.code])]
    clean = [rule for rule in report.rules if not any(by_rule[rule.code])]
    rows = [
        element(
            "tr",
            element("th", element("code", rule.code), " ", rule.title, scope="row"),
            *(_count(severity, counts[rule.code, severity]) for severity in SEVERITIES),
            *((element("td", f"{costs.get(rule.rule, 0):.1f}", class_="number"),) if costs else ()),
        )
        for rule in sorted(found, key=lambda one: ([-count for count in by_rule[one.code]], one.code))
    ]
    columns = ("Rule", "Errors", "Warnings", "Info", *(("Cost",) if costs else ()))
    table = _table("Rules that found something", columns, rows) if rows else Markup()
    if not clean:
        return table
    names = (element("li", element("code", rule.code), " ", rule.title) for rule in clean)
    heading = element("summary", f"{counted(len(clean), 'rule')} found nothing")
    return joined(table, element("details", heading, element("ul", *names), class_="clean-rules"))


def _count(severity: Severity, count: int) -> Markup:
    shown = (element("span", f"{count:,}", class_=f"severity {severity}"),) if count else ()
    return element("td", *shown, class_="number")


def _packages(score: Score) -> Markup:
    rows = [
        element(
            "tr",
            element("th", element("code", one.package), scope="row"),
            element("td", _bar(one.value, BAR), class_="bar-cell"),
            element("td", f"{one.value:.1f}", class_="number"),
            element("td", f"{one.lines:,}", class_="number"),
            element("td", f"{one.findings:,}", class_="number"),
        )
        for one in sorted(score.per_package, key=lambda one: (one.value, -one.findings, one.package))
    ]
    return _table("Score by package", ("Package", "", "Score", "Lines", "Findings"), rows)


def _unparsable(report: Report) -> Markup:
    files = report.summary.unparsable
    items = (element("li", element("code", f"{file.path}:{file.line}"), f" {file.message}") for file in files)
    return element("section", element("h2", "Could not be checked"), element("ul", *items, class_="unparsable"))


def _table(caption: str, columns: tuple[str, ...], rows: list[Markup]) -> Markup:
    numeric = {"Errors", "Warnings", "Info", "Cost", "Score", "Lines", "Findings"}
    head = (
        element("th", column, scope="col", class_="number" if column in numeric else "text")
        if column
        else element("td")
        for column in columns
    )
    table = element("table", element("thead", element("tr", *head)), element("tbody", *rows))
    region = element("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)
    return element("section", element("h2", caption), region)


def _bar(value: float, width: float) -> Markup:
    """A score as a bar; the figure stands beside it, so it says nothing to a screen reader."""
    full = min(100.0, max(0.0, value)) * width / 100
    kind = "good" if value >= 90 else "fair" if value >= 60 else "poor"
    return element(
        "svg",
        element("rect", x=0.0, y=0.0, width=width, height=8.0, rx=4.0, class_="bar-ground"),
        element("rect", x=0.0, y=0.0, width=full, height=8.0, rx=4.0, class_=f"bar {kind}"),
        viewBox=f"0 0 {width:g} 8",
        class_="bar-box",
        aria_hidden="true",
    )
