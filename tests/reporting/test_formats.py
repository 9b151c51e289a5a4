"""Tests of carrel.reporting.formats: what every format promises."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings

from carrel.findings import Report
from carrel.reporting import FORMATS, Format, format_named
from tests.reporting.samples import EMPTY, FULL, report
from tests.reporting.strategies import reports

each = pytest.mark.parametrize("format_", FORMATS, ids=lambda one: one.name)


def test_the_names_are_those_of_the_command_line():
    assert [one.name for one in FORMATS] == ["text", "json", "sarif", "junit", "markdown", "html"]
    assert [format_named(one.name) for one in FORMATS] == list(FORMATS)


def test_an_unknown_format_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="'yaml'; there are: text, json, sarif, junit, markdown, html"):
        format_named("yaml")


@each
def test_the_same_report_gives_the_same_text(format_: Format):
    again = report(*FULL.findings, summary=FULL.summary)
    assert format_.render(FULL) == format_.render(again)
    assert format_.render(FULL) != format_.render(EMPTY)


@each
@settings(max_examples=15)
@given(report=reports())
def test_every_report_can_be_written(format_: Format, report: Report):
    rendered = format_.render(report)
    assert rendered.encode("utf-8").endswith(b"\n")


def test_carrel_itself_stays_light():
    code = "import sys, carrel; print('rich' in sys.modules, 'carrel.reporting' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]
