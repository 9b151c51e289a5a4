"""Days that questions speak of."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.optimizer.questions.periods import find_period

LAST = date(2026, 10, 31)
TODAY = date(2026, 11, 20)


def october(first: int, last: int) -> tuple[date, date]:
    return date(2026, 10, first), date(2026, 10, last)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("last week", october(25, 31)),
        ("this week", october(25, 31)),
        ("in the past 3 days", october(29, 31)),
        ("the last two weeks", october(18, 31)),
        ("last month", october(2, 31)),
        ("last day", october(31, 31)),
        ("this month", october(1, 31)),
        ("in October", october(1, 31)),
        ("in oct 2025", (date(2025, 10, 1), date(2025, 10, 31))),
        ("in December", (date(2025, 12, 1), date(2025, 12, 31))),
        ("2026-09", (date(2026, 9, 1), date(2026, 9, 30))),
        ("on 2026-10-05", october(5, 5)),
        ("from 2026-10-05 to 2026-10-07", october(5, 7)),
        ("between 7 October and 5 October", october(5, 7)),
        ("on the 5th of October", october(5, 5)),
        ("October 5, 2026", october(5, 5)),
        ("since 5 oct", (date(2026, 10, 5), None)),
        ("after 5 oct", (date(2026, 10, 6), None)),
        ("until 5 oct", (None, date(2026, 10, 5))),
        ("before 5 oct", (None, date(2026, 10, 4))),
        ("on 5 november", (date(2025, 11, 5), date(2025, 11, 5))),
        ("yesterday", (date(2026, 11, 19), date(2026, 11, 19))),
        ("today", (TODAY, TODAY)),
    ],
)
def test_periods(text: str, days: tuple[date | None, date | None]) -> None:
    found = find_period(f"what did I spend {text}?", last_day=LAST, today=TODAY)
    assert found is not None
    assert found[:2] == days


@pytest.mark.parametrize(
    "text",
    ["what may I save", "how much in total", "on 2026-02-30", "31 february", "2026-13", "march on", "gpt-4-0613"],
)
def test_what_is_no_period(text: str) -> None:
    assert find_period(text, last_day=LAST, today=TODAY) is None


def test_periods_that_follow_from_the_records_say_so() -> None:
    found = find_period("last week", last_day=LAST, today=TODAY)
    assert found is not None
    assert found.label == "the last 7 days of your records"
    found = find_period("last week", last_day=None, today=TODAY)
    assert found is not None
    assert found.until == TODAY


@given(st.text(max_size=80) | st.from_regex(r"(last|since|from|in) ([0-9]{1,4}[- ]?(feb|may|dec|days|years)? ?){1,3}"))
def test_no_text_breaks_it(text: str) -> None:
    found = find_period(text, last_day=LAST, today=TODAY)
    assert found is None or found.since is not None or found.until is not None
