"""Tests of carrel.reporting.markdown, read by a parser of Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from carrel.findings import Report
from carrel.reporting import MarkdownFormat
from carrel.reporting.prose import one_line, pieces, visible
from tests.reporting.samples import ARGUMENT, CONTAINER, EMPTY, FULL, large, report
from tests.reporting.strategies import reports

# What the format writes itself; anything else would have come from a text.
INLINE = {"text", "code_inline", "html_inline", "softbreak", "strong_open", "strong_close"}
BLOCKS = {"heading", "paragraph", "bullet_list", "list_item"}
HTML = {"<br>", "<!-- -->"}


def tokens(report: Report) -> list[Token]:
    return MarkdownIt("gfm-like", {"linkify": False}).parse(MarkdownFormat().render(report))


def inline(report: Report) -> list[Token]:
    return [child for token in tokens(report) for child in token.children or []]


def text(report: Report) -> str:
    return "".join(
        "\n" if one.type == "softbreak" else one.content for one in inline(report) if one.content not in HTML
    )


def said(sentence: str) -> str:
    return "".join(piece.text for piece in pieces(one_line(sentence)))


def test_an_empty_report_is_short():
    assert MarkdownFormat().render(EMPTY) == (
        "## carrel audit: nothing found\n\n0 error, 0 warning, 0 info in 2 files, 8 lines, 0.2 s.\n"
    )


def test_a_full_report_says_everything():
    rendered = MarkdownFormat().render(FULL)
    for part in (
        "## carrel audit: 3 findings, score 81.2 of 100",
        "Against the baseline: 1 new, 1 known, 2 gone.",
        "(+3.2 since the baseline)",
        "- Suppressed: 3",
        "`app/broken.py:7` '(' was never closed",
        "**error** `CAR001 module-level-container` at `app/service.py:6:13`<br>",
        "> 6         ä = SESSIONS[question]",
        "- `app/state.py:1` the container is defined here",
        "Reachable: `POST /chat app.main.chat` → `app.service.Service.run`",
        "**Fix:** Keep the answers in `context.store`.",
        "```diff\n--- a/app/service.py",
        "< 200 … (canary of the first user)",
    ):
        assert part in rendered


def test_new_findings_come_first():
    known = replace(CONTAINER, known=True)
    rendered = MarkdownFormat().render(report(known, replace(ARGUMENT, known=False)))
    assert rendered.index("**warning**") < rendered.index("**error** (in the baseline)")


def test_a_long_report_can_still_be_posted():
    rendered = MarkdownFormat().render(large(500))
    assert len(rendered) < 65_536
    shown = rendered.count("<details>")
    assert rendered.endswith(f"… and {500 - shown:,} more findings.\n")


def test_nobody_is_mentioned():
    rendered = MarkdownFormat().render(report(replace(CONTAINER, message="@app.post of #12, see `@app`")))
    assert "@<!-- -->app.post of #<!-- -->12, see `@app`" in rendered


def test_evidence_cannot_end_its_block():
    shown = tokens(report(replace(CONTAINER, evidence="```\n# out\n````")))
    assert "```\n# out\n````\n" in [token.content for token in shown if token.type == "fence"]


def test_a_file_list_is_cut():
    broken = FULL.summary.unparsable * 25
    rendered = MarkdownFormat().render(replace(FULL, summary=replace(FULL.summary, unparsable=broken)))
    assert "- and 5 more files" in rendered


@pytest.mark.parametrize("line", ["1. one", "1) one", "- one", "+ one", "* one", "# one", "> one", "---", "===", "~~~"])
def test_a_message_begins_no_block(line: str):
    assert said(line) in text(report(replace(CONTAINER, message=line)))
    assert {token.type for token in tokens(report(replace(CONTAINER, message=line)))} == {
        token.type for token in tokens(report(CONTAINER))
    }


@settings(max_examples=40)
@given(reports())
def test_texts_come_through_and_format_nothing(report: Report):
    assert {one.type for one in inline(report)} <= INLINE
    assert {one.content for one in inline(report) if one.type == "html_inline"} <= HTML
    kinds = {re.sub("_(open|close)$", "", token.type) for token in tokens(report)} - {"inline", "fence", "html_block"}
    assert kinds <= BLOCKS
    html = {token.content.strip() for token in tokens(report) if token.type == "html_block"}
    assert html <= {"<details><summary>Source, why and fix</summary>", "</details>"}
    shown = text(report)
    fences = "".join(token.content for token in tokens(report) if token.type == "fence")
    for finding in report.findings:
        assert said(finding.message) in shown
        assert said(finding.why) in shown
        for step in finding.reachable_from:
            assert visible(step) in shown
        assert visible(finding.evidence, "\n\t").rstrip() in fences
