"""HTML: one file to keep, send or print, that loads nothing and runs nothing but its own filter."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from itertools import groupby

from carrel.findings import Report
from carrel.reporting.html_findings import finding_card
from carrel.reporting.html_summary import filters, header, tables
from carrel.reporting.markup import Markup, element
from carrel.reporting.product import product_version, title
from carrel.reporting.prose import counted
from carrel.reporting.risk_map import MOST_FILES, FileRisk, file_risks, risk_map

__all__ = ["HtmlFormat"]

FEW = 100
"""Up to so many findings are unfolded when the page opens; all are when it is printed."""


@dataclass(frozen=True, slots=True)
class HtmlFormat:
    """A report as one HTML file.

    Its content security policy names the hashes of its one style sheet and its one script and allows nothing else, so
    that text from the checked code could not run even if it were not escaped. Without scripts everything but the
    filter works.
    """

    name: str = "html"

    def render(self, report: Report) -> str:
        style, script = _file("report.css"), _file("report.js")
        policy = (
            f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
            "base-uri 'none'; form-action 'none'"
        )
        head = element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=policy),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("title", f"{title(report)}: {report.root}"),
            element("style", style),
        )
        risks = file_risks(report.findings)
        main = element("main", _map(risks), tables(report), _findings(report, risks), id="main")
        foot = element("footer", f"{title(report)} {product_version()}")
        body = element("body", _skip(), header(report), main, foot, element("script", script))
        return "<!doctype html>\n" + element("html", head, body, lang="en") + "\n"


def _map(risks: tuple[FileRisk, ...]) -> Markup:
    if not risks:
        return Markup()
    left_out = max(0, len(risks) - MOST_FILES)
    legend = "Area: 10 per error, 3 per warning, 1 per info. Colour: the worst finding."
    if left_out:
        legend += f" {counted(left_out, 'file')} with less risk left out."
    return element(
        "section",
        element("h2", "Where the risk is", id="map-title"),
        element("div", risk_map(risks, width=1040, height=360), class_="wide-only"),
        element("div", risk_map(risks, width=360, height=420), class_="narrow-only"),
        element("p", legend, class_="soft"),
        aria_labelledby="map-title",
        class_="map-section",
    )


def _findings(report: Report, risks: tuple[FileRisk, ...]) -> Markup:
    if not report.findings:
        return Markup()
    anchors = {one.path: one for one in risks}
    open_ = len(report.findings) <= FEW
    pages = {rule.code: rule.page for rule in report.rules}
    sections = []
    for path, found in groupby(sorted(report.findings, key=lambda one: one.location.path), lambda f: f.location.path):
        cards = [finding_card(one, report.sources, open_=open_, page=pages.get(one.code, "")) for one in found]
        count = element("span", counted(anchors[path].findings, "finding"), class_="soft")
        heading = element("h3", element("span", path, class_="path"), " ", count)
        sections.append(element("section", heading, *cards, id=anchors[path].anchor, class_="file"))
    return element(
        "section",
        element("h2", "Findings", id="findings"),
        filters(report),
        *sections,
        element("p", "No finding matches the filter.", id="none-left", class_="soft", hidden=True),
        aria_labelledby="findings",
    )


def _skip() -> Markup:
    return element("a", "Skip to the findings", href="#findings", class_="skip")


def _file(name: str) -> Markup:
    return Markup((files("carrel.reporting") / "page" / name).read_text(encoding="utf-8"))


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
