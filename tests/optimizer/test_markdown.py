"""How figures and names are written."""

from __future__ import annotations

import json

import pytest

from carrel.optimizer.markdown import chart, days_text, escape, money, percent, table, tag_name, whole


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0.00"), (1234.5, "$1,234.50"), (1, "$1.00"), (0.5, "$0.5000"), (0.002018, "$0.002018"), (-2.5, "-$2.50"),
        (1e-9, "$0.000000"),
    ],
)  # fmt: skip
def test_money(amount: float, text: str) -> None:
    assert money(amount) == text


def test_shares_and_numbers() -> None:
    assert [percent(share) for share in (0, 0.004, 0.0951, 0.65, 1)] == ["0%", "0.4%", "9.5%", "65%", "100%"]
    assert whole(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2026-10-02", "2026-10-31", "2 to 31 October 2026"),
        ("2026-09-30", "2026-10-31", "30 September to 31 October 2026"),
        ("2025-12-30", "2026-01-02", "30 December 2025 to 2 January 2026"),
        ("2026-10-02", "2026-10-02", "2 October 2026"),
        (None, None, "no days"),
    ],
)
def test_days(first: str | None, last: str | None, text: str) -> None:
    assert days_text(first, last) == text


def test_names_from_a_file_cannot_be_markup() -> None:
    assert escape("<b>|`x`*_[a](b)") == r"\<b\>\|\`x\`\*\_\[a\](b)"
    assert tag_name("") == "(no tag)"


def test_a_table_aligns_its_numbers() -> None:
    assert table(["A", "B"], [["x", "1"]]) == "| A | B |\n| --- | ---: |\n| x | 1 |\n"


def test_a_chart_is_json_that_no_label_can_leave() -> None:
    text = chart("bar", "T", "USD", ["a```b", "ü"], [("s", [1, 2.5])])
    fence, body, end = text.strip().split("\n")
    assert (fence, end) == ("```carrel-chart", "```")
    assert json.loads(body) == {
        "type": "bar",
        "title": "T",
        "unit": "USD",
        "labels": ["a'''b", "ü"],
        "series": [{"name": "s", "values": [1, 2.5]}],
    }
    assert chart("bar", "T", "USD", [], []) == ""
