"""Tests of carrel.reporting.html_summary."""

from __future__ import annotations

from dataclasses import replace

from carrel.reporting.html_summary import filters, header, tables
from tests.reporting.page import Reader
from tests.reporting.samples import ARGUMENT, CONTAINER, EMPTY, FULL, report


def test_the_score_stands_with_its_formula_and_trend():
    text = Reader(header(FULL)).text
    for part in (
        "81.2 of 100",
        "+3.2 since the baseline",
        "100 - (1 error x 10",
        "Suppressed: 3",
        "2 errors",
        "0 info",
    ):
        assert part in text
    assert "1 new, 1 known, 2 gone" in text


def test_without_score_and_baseline_neither_is_mentioned():
    text = Reader(header(EMPTY)).text
    assert "of 100" not in text
    assert "baseline" not in text


def test_packages_come_worst_first():
    text = Reader(tables(FULL)).text
    assert text.index("app62.5") < text.index("app.clean100.0")


def test_rules_that_found_nothing_are_named_too():
    text = Reader(tables(FULL)).text
    assert "1 rule found nothing" in text
    assert "CAR030 A closure reads a variable of the loop" in text
    assert "14.4" in text


def test_a_rule_is_as_grave_as_what_it_found():
    informing = report(replace(CONTAINER, severity="info"), replace(CONTAINER, severity="info"), ARGUMENT)
    badges = [have["class"] for have in Reader(tables(informing)).all("span") if "severity" in str(have.get("class"))]
    assert badges == ["severity warning", "severity info"]


def test_without_a_score_the_rules_have_no_cost():
    plain = replace(FULL, summary=EMPTY.summary)
    assert "Cost" in Reader(tables(FULL)).text
    assert "Cost" not in Reader(tables(plain)).text


def test_when_every_rule_found_something_none_is_listed_as_clean():
    assert "found nothing" not in Reader(tables(replace(FULL, rules=FULL.rules[:2]))).text


def test_the_filter_offers_what_there_is():
    reader = Reader(filters(FULL))
    assert [have["value"] for have in reader.all("option")] == ["", "CAR001", "CAR005", "PRB023"]
    assert "only new" in reader.text
    assert "only new" not in Reader(filters(replace(FULL, summary=EMPTY.summary))).text
    assert "hidden" in reader.all("form")[0]
