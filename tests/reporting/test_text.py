"""Tests of carrel.reporting.text."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from rich.cells import cell_len

from carrel.findings import Fix, Location, Report
from carrel.reporting import TextFormat
from carrel.reporting.prose import one_line, visible
from tests.reporting.samples import ARGUMENT, CONTAINER, EMPTY, FULL, report
from tests.reporting.strategies import reports

ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_finding_is_shown_with_the_two_places_that_meet():
    assert (
        TextFormat()
        .render(report(CONTAINER))
        .startswith(
            """\
app/service.py  1 finding
─────────────────────────
error CAR001 module-level-container
  `run` writes to `SESSIONS`, which every request shares.
  --> app/service.py:6:13 in app.service.Service.run
  5 │         self.user = user
  6 │         ä = SESSIONS[question] = await self.answer(question)
    │             ^^^^^^^^^^^^^^^^^^
  7 │         return ä
  --> app/state.py:1:1: the container is defined here
  1 │ SESSIONS: dict[str, str] = {}
    │ ^^^^^^^^
  --> app/gone.py:3:5: a file that cannot be read
  Why: What one user asked is read by the next who asks the same.
  Reachable: POST /chat app.main.chat → app.service.Service.run
  Fix: Keep the answers in `context.store`.

"""
        )
    )


def test_an_empty_report_is_one_line():
    assert TextFormat().render(EMPTY) == "carrel audit: nothing found in 2 files, 8 lines, 0.2 s\n"


def test_findings_are_grouped_by_file_or_by_rule():
    assert "app/service.py  2 findings" in TextFormat().render(FULL)
    by_rule = TextFormat(group="rule").render(FULL)
    assert "CAR001 module-level-container  1 finding" in by_rule
    assert "app/service.py  2 findings" not in by_rule


def test_what_is_below_the_bar_is_counted_by_rule_alone():
    both = report(CONTAINER, replace(ARGUMENT, severity="info"))
    text = TextFormat(show="warning").render(both)
    assert CONTAINER.message in text
    assert ARGUMENT.message not in text
    assert re.search(rf"{ARGUMENT.code} +{ARGUMENT.rule} +info", text)
    assert "1 finding counted by rule alone: `--show info` shows where" in text
    assert ARGUMENT.message in TextFormat(show="info").render(both)
    assert "counted by rule alone" not in TextFormat(show="info").render(both)
    changed = replace(ARGUMENT, severity="info", fix=Fix(description="Pass it.", diff="-a\n+b\n"))
    assert ARGUMENT.message in TextFormat(show="warning", diff=True).render(report(changed))


def test_the_evidence_of_a_probe_is_shown_instead_of_source():
    assert "  --> GET /threads/{id}\n  │ > GET /threads/17\n  │ > Authorization" in TextFormat().render(FULL)


def test_changes_are_shown_on_request():
    assert "+        ä = 1" not in TextFormat().render(FULL)
    assert "  -        ä = SESSIONS[q]\n  +        ä = 1\n" in TextFormat(diff=True).render(FULL)


def test_colours_change_nothing_but_the_colours():
    coloured = TextFormat(colour=True).render(FULL)
    assert "\x1b[31merror" in coloured
    plain = "\n".join(line.rstrip() for line in ANSI.sub("", coloured).split("\n"))
    assert plain == TextFormat().render(FULL)


def test_sentences_are_wrapped_and_places_are_not():
    lines = TextFormat(width=40).render(report(CONTAINER, ARGUMENT)).split("\n")
    assert all(len(line) <= 40 for line in lines if line.startswith("  ") and "-->" not in line)
    assert "  `run` writes to `SESSIONS`, which" in lines
    assert "  --> app/service.py:6:13 in app.service.Service.run" in lines


def test_the_mark_of_a_long_line_stays_in_sight():
    line = "x = " + "a + " * 200 + "SESSIONS[user]" + " + b" * 200
    start = line.index("SESSIONS")
    place = Location(path="a.py", line=1, column=start, end_line=1, end_column=start + 14)
    rendered = TextFormat(width=80).render(report(replace(CONTAINER, location=place), sources=lambda path: (line,)))
    shown, carets = next(
        (one, other)
        for one, other in zip(rendered.split("\n"), rendered.split("\n")[1:], strict=False)
        if "SESSIONS[" in one and "│" in one
    )
    assert cell_len(shown) <= 80
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "SESSIONS[user]"
    assert "…" in shown


def test_a_mark_longer_than_the_line_is_cut():
    line = "call(" + "argument, " * 50 + ")"
    place = Location(path="a.py", line=1, column=0, end_line=1, end_column=len(line))
    rendered = TextFormat(width=60).render(report(replace(CONTAINER, location=place), sources=lambda path: (line,)))
    assert all(cell_len(one) <= 60 for one in rendered.split("\n") if "│" in one)


def test_carets_stand_under_wide_characters_and_tabs():
    line = "\t漢字 = x"
    place = Location(path="a.py", line=1, column=10, end_line=1, end_column=11)
    rendered = TextFormat().render(report(replace(CONTAINER, location=place), sources=lambda path: (line,)))
    assert "  1 │     漢字 = x\n    │            ^\n" in rendered


def test_nothing_that_was_checked_can_steer_the_terminal():
    hostile = replace(
        CONTAINER, location=Location(path="a\x1b]0;owned\x07.py", line=1), message="m\x1b[2J", symbol="s\u202e"
    )
    rendered = TextFormat(colour=True).render(report(hostile, sources=lambda path: ("x = '\x1b[31m\x9b'",)))
    assert set(re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", ANSI.sub("", rendered))) == set()
    assert "a\\x1b]0;owned\\x07.py" in rendered


def test_a_terminal_has_colours_and_its_width_unless_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert TextFormat.for_stream(Terminal()) == TextFormat(width=72, colour=True)
    assert TextFormat.for_stream(io.StringIO()) == TextFormat()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not TextFormat.for_stream(Terminal()).colour
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not TextFormat.for_stream(Terminal()).colour


@settings(max_examples=40)
@given(reports())
def test_every_text_comes_through(report: Report):
    rendered = TextFormat(width=60).render(report)
    rendered.encode("utf-8")

    def squeezed(text: str) -> str:
        return re.sub(r"\s+", "", text)

    for finding in report.findings:
        for text in (finding.message, finding.why, finding.fix.description):
            assert squeezed(one_line(text)) in squeezed(rendered)
        for name in (finding.location.path, finding.symbol):
            assert squeezed(visible(name)) in squeezed(rendered)
