"""Tests of carrel.reporting.html, without a browser."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from hypothesis import given, settings

from carrel.findings import Report
from carrel.reporting import HtmlFormat
from carrel.reporting.prose import pieces, visible
from tests.reporting.page import Reader
from tests.reporting.samples import CONTAINER, EMPTY, FULL, large, report
from tests.reporting.strategies import reports

PAGE = HtmlFormat().render(FULL)
LOADING = {"src", "srcset", "style", "action", "formaction", "poster", "data"}


def policy(reader: Reader) -> str:
    (meta,) = reader.all("meta", **{"http-equiv": "Content-Security-Policy"})
    return meta["content"] or ""


def test_the_policy_allows_the_pages_own_style_and_script_and_nothing_else():
    reader = Reader(PAGE)
    for kind in ("style", "script"):
        digest = b64encode(sha256(reader.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy(reader)
    assert policy(reader).startswith("default-src 'none'; ")
    assert "unsafe" not in policy(reader)


def test_nothing_is_loaded_from_anywhere():
    reader = Reader(PAGE)
    assert [(tag, have) for tag, have in reader.tags if LOADING & set(have)] == []
    assert [tag for tag, _ in reader.tags if tag in {"link", "img", "iframe", "object", "base"}] == []
    assert "url(" not in reader.raw["style"]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|eval|fetch|import|document\.write", reader.raw["script"])


def test_the_page_has_one_main_heading_and_landmarks():
    reader = Reader(PAGE)
    assert [len(reader.all(tag)) for tag in ("h1", "main", "header", "footer")] == [1, 1, 1, 1]
    assert reader.all("html", lang="en")
    ids = [have["id"] for _, have in reader.tags if "id" in have]
    assert len(ids) == len(set(ids))


def test_an_empty_report_has_neither_map_nor_filter():
    reader = Reader(HtmlFormat().render(EMPTY))
    assert "Nothing found." in reader.text
    assert reader.all("svg") == reader.all("form") == reader.all("h3") == []


def test_links_of_the_map_lead_to_sections():
    reader = Reader(PAGE)
    sections = {have.get("id") for have in reader.all("section")}
    targets = {(have["href"] or "").lstrip("#") for have in reader.all("a") if "data-path" in have}
    assert targets
    assert targets <= sections


@pytest.mark.parametrize(("count", "unfolded"), [(1, True), (100, True), (101, False)])
def test_few_findings_are_unfolded(count: int, unfolded: bool):
    cards = Reader(HtmlFormat().render(large(count))).all("details", **{"class": "finding"})
    assert len(cards) == count
    assert all(("open" in card) is unfolded for card in cards)


def test_what_the_map_leaves_out_is_said():
    assert "80 files with less risk left out." in Reader(HtmlFormat().render(large(200))).text
    assert "left out" not in Reader(PAGE).text


def test_one_finding_is_a_whole_page():
    assert len(Reader(HtmlFormat().render(report(CONTAINER))).all("details", **{"class": "finding"})) == 1


@settings(max_examples=40)
@given(reports())
def test_texts_come_through_and_become_no_markup(report: Report):
    reader = Reader(HtmlFormat().render(report))
    assert reader.raw["script"] == Reader(PAGE).raw["script"]
    assert len(reader.all("script")) == len(reader.all("style")) == 1
    assert [tag for tag, _ in reader.tags if tag in {"img", "iframe", "object", "base", "link"}] == []
    assert [name for _, have in reader.tags for name in have if name.startswith("on") or name == "style"] == []
    links = [have["href"] or "" for have in reader.all("a")]
    assert [link for link in links if not link.startswith(("#", "https://", "http://"))] == []
    for finding in report.findings:
        for sentence in (finding.message, finding.why, finding.fix.description):
            assert visible("".join(piece.text for piece in pieces(sentence)), "\n\t") in reader.text
        assert visible(finding.location.path, "\n\t") in reader.text
        assert visible(finding.evidence, "\n\t") in reader.text
