"""Markdown, for a comment on a pull request: short enough to be posted, the rest counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from carrel.findings import SEVERITIES, Finding, Report, Sources
from carrel.reporting.excerpt import excerpt, position
from carrel.reporting.product import title
from carrel.reporting.prose import counted, one_line, pieces, signed, visible

__all__ = ["MarkdownFormat"]

LONGEST: Final = 60_000
"""Characters; GitHub takes 65,536 in a comment."""
SPECIAL: Final = re.compile(r"[\\`*_\[\]<>&$~|]")
# What begins a heading, a list or a quotation when a line begins with it, and an underline that makes one.
OPENING: Final = re.compile(r"^(?:\d+(?=[.)])|(?=[-+=#>]))")
# An empty comment parts the sign from the name or number behind it, or a person, a team or an issue would be notified.
NOTIFYING: Final = re.compile(r"[@#]")


@dataclass(frozen=True, slots=True)
class MarkdownFormat:
    """A report as GitHub's Markdown, new findings first, then worst first.

    Text from the checked code can neither format anything nor mention anybody.
    """

    name: str = "markdown"

    def render(self, report: Report) -> str:
        blocks = list(_summary(report))
        room = LONGEST - sum(len(block) + 2 for block in blocks)
        findings = sorted(report.findings, key=lambda one: (one.known, SEVERITIES.index(one.severity)))
        for shown, finding in enumerate(findings):
            block = _finding(finding, report.sources)
            room -= len(block) + 2
            if room < 0:
                blocks.append(f"… and {counted(len(findings) - shown, 'more finding')}.")
                break
            blocks.append(block)
        return "\n\n".join(blocks) + "\n"


def _summary(report: Report) -> Iterator[str]:
    looked = report.summary
    score = "" if looked.score is None else f", score {looked.score.value:.1f} of 100"
    found = counted(len(report.findings), "finding") if report.findings else "nothing found"
    yield f"## {title(report)}: {found}{score}"
    counts = ", ".join(f"{report.count(severity):,} {severity}" for severity in SEVERITIES)
    scope = f" in {counted(looked.files, 'file')}, {counted(looked.lines, 'line')}" if looked.files else ""
    yield f"{counts}{scope}, {looked.seconds:.1f} s."
    if looked.baseline is not None:
        known = looked.baseline
        yield f"Against the baseline: {known.new:,} new, {known.known:,} known, {known.gone:,} gone."
    if looked.score is not None:
        before = looked.score.previous
        trend = "" if before is None else f" ({signed(looked.score.value - before)} since the baseline)"
        yield f"Score {looked.score.value:.1f}{trend}: {_prose(looked.score.formula)}"
    if looked.details:
        yield "\n".join(f"- {_prose(label)}: {_prose(value)}" for label, value in looked.details)
    if looked.unparsable:
        shown = [f"- {_code(f'{file.path}:{file.line}')} {_prose(file.message)}" for file in looked.unparsable[:20]]
        rest = len(looked.unparsable) - len(shown)
        more = [f"- and {counted(rest, 'more file')}"] if rest else []
        yield "\n".join([f"{counted(len(looked.unparsable), 'file')} could not be checked:\n", *shown, *more])


def _finding(finding: Finding, sources: Sources) -> str:
    place = position(finding.location, sources)
    where = f"{finding.location.path}:{place.line}:{place.column}" if place.line else finding.location.path
    known = " (in the baseline)" if finding.known else ""
    head = f"**{finding.severity}**{known} {_code(f'{finding.code} {finding.rule}')} at {_code(where)}"
    inside = list(_inside(finding, sources))
    details = ["<details><summary>Source, why and fix</summary>", *inside, "</details>"] if inside else []
    return "\n\n".join([f"{head}<br>\n{_prose(finding.message)}", *details])


def _inside(finding: Finding, sources: Sources) -> Iterator[str]:
    lines = excerpt(finding.location, sources)
    if lines:
        width = len(str(lines[-1].number))
        marked = (f"{'>' if one.end else ' '} {one.number:>{width}} {one.text}" for one in lines)
        yield _fenced("\n".join(marked))
    if finding.evidence:
        yield _fenced(finding.evidence)
    if finding.why:
        yield _prose(finding.why)
    if finding.related:
        yield "\n".join(f"- {_code(f'{place.path}:{place.line}')} {_prose(place.note)}" for place in finding.related)
    if finding.reachable_from:
        yield f"Reachable: {' → '.join(_code(step) for step in finding.reachable_from)}"
    if finding.fix.description:
        yield f"**Fix:** {_prose(finding.fix.description)}"
    if finding.fix.diff:
        yield _fenced(finding.fix.diff, "diff")


def _prose(text: str) -> str:
    """One line of text in which only code between backticks is formatted."""
    return "".join(_code(piece.text) if piece.code else _escaped(piece.text) for piece in pieces(one_line(text)))


def _escaped(text: str) -> str:
    escaped = SPECIAL.sub(r"\\\g<0>", text)
    return NOTIFYING.sub(r"\g<0><!-- -->", OPENING.sub(r"\g<0>\\", escaped))


def _code(text: str) -> str:
    """A code span that holds any text: its fence is longer than any run of backticks inside."""
    text = visible(text)
    if not text:
        return ""
    fence = "`" * (_longest_run(text) + 1)
    space = " " if text.strip(" ") and {"`", " "} & {text[0], text[-1]} else ""
    return f"{fence}{space}{text}{space}{fence}"


def _fenced(text: str, language: str = "") -> str:
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{visible(text, keep=chr(10) + chr(9)).rstrip()}\n{fence}"


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
