"""Times in the forms that exports use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.optimizer.imports.refusal import RowRefusedError
from carrel.optimizer.imports.times import parse_time

NOON = 1_793_448_000_000_000


@pytest.mark.parametrize(
    "value",
    [
        *("2026-10-31T12:00:00Z", "2026-10-31 12:00:00", "2026-10-31T12:00", "2026-10-31T14:00:00+02:00"),
        *("2026-10-31T12:00:00.000", "2026-10-31 12:00:00 UTC", "2026-10-31t07:30:00-0430", " 2026-10-31T12:00:00+00 "),
        *("1793448000", 1793448000, 1793448000.0, "1793448000000", 1793448000000, "1793448000000000", "1793448000.000"),
    ],
)
def test_one_moment_in_many_forms(value: Any) -> None:
    assert parse_time(value) == NOON


@pytest.mark.parametrize(
    ("value", "microseconds"),
    [("2026-10-31 12:00:00.9799600", 979_960), ("2026-10-31T12:00:00.1", 100_000), ("1793448000.25", 250_000)],
)
def test_digits_of_a_second_are_kept_up_to_microseconds(value: str, microseconds: int) -> None:
    assert parse_time(value) == NOON + microseconds


def test_a_day_begins_at_midnight() -> None:
    assert parse_time("2026-10-31") == NOON - 12 * 3600 * 10**6


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "is empty"),
        (None, "is empty"),
        (True, "is empty"),
        ([1], "is empty"),
        ("yesterday", "is not a time"),
        ("2026-13-01", "is not a time"),
        ("2026-02-30T00:00:00Z", "is not a time"),
        ("31.10.2026", "is not a time"),
        ("-5", "is not a time"),
        ("9" * 30, "is not a time"),
        ("9" * 20, "is not a time"),
        ("x" * 500, "is not a time"),
        ("1999-12-31", "not between 2010 and 2100"),
        ("0", "not between 2010 and 2100"),
        ("2100-01-01", "not between 2010 and 2100"),
        ("٢٠٢٦-10-31", "is not a time"),
    ],
)
def test_what_is_no_time_is_refused(value: Any, says: str) -> None:
    with pytest.raises(RowRefusedError, match=says) as caught:
        parse_time(value)
    assert caught.value.field == "time"
    assert len(caught.value.reason) < 120


@given(st.integers(1_262_304_000_000_000, 4_102_444_799_999_999))
def test_what_python_writes_is_read_back(microseconds: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    assert parse_time(moment.isoformat()) == microseconds
