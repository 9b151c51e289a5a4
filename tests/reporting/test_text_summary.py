"""Tests of carrel.reporting.text_summary."""

from __future__ import annotations

from dataclasses import replace

from carrel.findings import PackageScore
from carrel.reporting import TextFormat
from tests.reporting.samples import EMPTY, FULL, FULL_SUMMARY, SCORE


def test_the_end_says_what_it_all_amounts_to():
    assert (
        TextFormat()
        .render(FULL)
        .endswith(
            """\
rule                            severity  cost  findings
CAR001  module-level-container  error     14.4         1
PRB023  foreign-object          error      0.0         1
CAR005  shared-object-argument  warning    4.3         1

package    score  lines  findings
app         62.5      8         2
app.clean  100.0    200         0

could not be checked: app/broken.py:7: '(' was never closed
Suppressed: 3
Score 81.2 of 100 (+3.2 since the baseline)
  100 - (1 error x 10 + 1 warning x 3) / 7 lines x 10 = 81.25
carrel audit: 3 findings (2 errors, 1 warning, 0 info) in 3 files, 208 lines, 0.4 s
against the baseline: 1 new, 1 known, 2 gone
"""
        )
    )


def test_of_many_packages_the_worst_are_shown():
    packages = tuple(
        PackageScore(package=f"p{number}", value=100 - number, lines=1, findings=0) for number in range(30)
    )
    summary = replace(FULL_SUMMARY, score=replace(SCORE, per_package=packages))
    rendered = TextFormat().render(replace(FULL, summary=summary))
    assert "p29 " in rendered
    assert "p17 " not in rendered
    assert "and 18 packages with 83.0 or more" in rendered


def test_a_probe_of_a_server_counts_no_files():
    probe = replace(EMPTY, tool="probe", summary=replace(EMPTY.summary, files=0, lines=0))
    assert TextFormat().render(probe) == "carrel probe: nothing found, 0.2 s\n"


def test_a_score_without_a_baseline_has_no_trend():
    summary = replace(EMPTY.summary, score=replace(SCORE, previous=None, per_package=(), per_rule=()))
    assert "Score 81.2 of 100\n" in TextFormat().render(replace(EMPTY, summary=summary))
