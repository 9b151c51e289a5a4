"""One finding as HTML, with the source that it is about."""

from __future__ import annotations

from carrel.findings import Finding, Location, Sources
from carrel.reporting.excerpt import ExcerptLine, excerpt, position
from carrel.reporting.markup import Markup, element, joined
from carrel.reporting.prose import is_address, pieces

__all__ = ["finding_card", "sentence"]


def finding_card(finding: Finding, sources: Sources, *, open_: bool, page: str) -> Markup:
    """A foldable card; `page` is the address of the rule's documentation, empty for none."""
    place = position(finding.location, sources)
    where = f"line {place.line}" if place.line else "endpoint"
    head = element(
        "summary",
        element("span", finding.severity, class_=f"severity {finding.severity}"),
        " ",
        element("span", sentence(finding.message), class_="message"),
        " ",
        element("span", where, class_="where soft"),
    )
    return element(
        "details",
        head,
        element("div", *_body(finding, sources, page), class_="body"),
        class_="finding",
        open=open_,
        data_severity=finding.severity,
        data_rule=finding.code,
        data_path=finding.location.path,
        data_known="yes" if finding.known else "no",
    )


def sentence(text: str) -> Markup:
    """Text in which code between backticks is set as code."""
    return joined(*(element("code", piece.text) if piece.code else piece.text for piece in pieces(text)))


def _body(finding: Finding, sources: Sources, page: str) -> list[Markup]:
    parts = [_place(finding.location, sources, finding.symbol, context=2)]
    parts += [_place(place, sources, context=1) for place in finding.related]
    if finding.evidence:
        parts.append(element("pre", finding.evidence, class_="evidence", tabindex="0"))
    facts = [_fact("Why", sentence(finding.why))] if finding.why else []
    if finding.reachable_from:
        steps = (element("li", element("code", step)) for step in finding.reachable_from)
        facts.append(_fact("Reachable", element("ol", *steps, class_="steps")))
    if finding.fix.description:
        facts.append(_fact("Fix", sentence(finding.fix.description)))
    facts.append(_fact("Rule", joined(_rule(finding, page), *((" · in the baseline",) if finding.known else ()))))
    parts.append(element("dl", *facts))
    if finding.fix.diff:
        parts.append(element("pre", *_diff(finding.fix.diff), class_="diff", tabindex="0"))
    return parts


def _fact(label: str, text: Markup) -> Markup:
    return element("div", element("dt", label), element("dd", text))


def _rule(finding: Finding, page: str) -> Markup:
    name = joined(element("code", finding.code), " ", finding.rule)
    # A report may come from anywhere: only addresses of the web become links.
    return element("a", name, href=page, rel="noreferrer") if is_address(page) else name


def _place(place: Location, sources: Sources, symbol: str = "", *, context: int) -> Markup:
    at = position(place, sources)
    where = f"{place.path}:{at.line}:{at.column}" if place.in_file else place.path
    caption = [element("code", where)]
    caption += [joined(" in ", element("code", symbol))] if symbol else []
    caption += [joined(": ", sentence(place.note))] if place.note else []
    lines = excerpt(place, sources, context=context)
    source = element("pre", *(_line(one) for one in lines), class_="source", tabindex="0") if lines else Markup()
    return element("figure", element("figcaption", *caption), source)


def _line(line: ExcerptLine) -> Markup:
    marked = element("mark", line.text[line.start : line.end] or " ") if line.end else Markup()
    number = element("span", str(line.number), class_="number", aria_hidden="true")
    text = joined(line.text[: line.start], marked, line.text[line.end :])
    return element("span", number, text, "\n", class_="line marked" if line.end else "line")


def _diff(diff: str) -> list[Markup]:
    return [element("span", f"{line}\n", class_=f"line {_kind(line)}") for line in diff.rstrip("\n").split("\n")]


def _kind(line: str) -> str:
    if line.startswith(("--- ", "+++ ", "@@")):
        return "hunk"
    return {"+": "added", "-": "removed"}.get(line[:1], "same")
