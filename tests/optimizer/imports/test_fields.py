"""Each field is checked, and what is wrong with it is said."""

from __future__ import annotations

from typing import Any

import pytest

from carrel.optimizer.imports.fields import make_record
from carrel.optimizer.imports.refusal import RowRefusedError

GOOD = {"time": "2026-10-31T12:00:00Z", "model": "gpt-4o", "input_tokens": "10", "output_tokens": "2"}


def make(**changes: Any) -> Any:
    return make_record({**GOOD, **changes}, lambda model: f"provider of {model}")


def test_what_is_not_given_has_its_default() -> None:
    record = make()
    assert record[1:] == ("provider of gpt-4o", "gpt-4o", 10, 2, 0, "", 1, False, None, None)


def test_everything_that_can_be_given() -> None:
    record = make(
        provider="azure", cached_input_tokens="4", latency_ms="12.5", cost_usd="0.000001234", tag=" bot ", requests=3,
        batch="TRUE",
    )  # fmt: skip
    assert record.provider == "azure"
    assert record[5:] == (4, "bot", 3, True, 12.5, 1234)


@pytest.mark.parametrize("value", ["59200.0", 59200, 59200.0, "59200", "5.92e4", "+59200", " 59200 "])
def test_whole_numbers_may_be_written_as_exports_write_them(value: Any) -> None:
    assert make(input_tokens=value).input_tokens == 59200


@pytest.mark.parametrize("value", [None, "", "  "])
def test_blank_optional_fields_are_not_given(value: Any) -> None:
    record = make(cached_input_tokens=value, latency_ms=value, cost_usd=value, requests=value, tag=value, batch=value)
    assert record[5:] == (0, "", 1, False, None, None)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("model", "", "is empty"),
        ("model", None, "is empty"),
        ("model", "x" * 201, "longer than 200"),
        ("model", "a\x07b", "control character"),
        ("model", ["gpt-4o"], "not a text"),
        ("tag", {"a": 1}, "not a text"),
        ("input_tokens", "", "is empty"),
        ("input_tokens", "-1", "negative"),
        ("input_tokens", -1, "negative"),
        ("input_tokens", "NaN", "not a number"),
        ("input_tokens", float("nan"), "not a number"),
        ("input_tokens", float("inf"), "not a number"),
        ("input_tokens", "1.5", "not a whole number"),
        ("input_tokens", "1,234", "without separators"),
        ("input_tokens", "1_000", "not a number"),
        ("input_tokens", "١٠", "not a number"),
        ("input_tokens", "1e99", "is more than"),
        ("input_tokens", "1e999999999", "not a number"),
        ("input_tokens", "9" * 40, "not a number"),
        ("input_tokens", 10**30, "not a number"),
        ("input_tokens", "1000000000001", "is more than"),
        ("input_tokens", True, "not a number"),
        ("input_tokens", [1], "not a number"),
        ("output_tokens", "ten", "not a number"),
        ("cached_input_tokens", "11", "more than the 10 input tokens"),
        ("requests", "0", "is 0"),
        ("latency_ms", "-3", "negative"),
        ("cost_usd", "-0.01", "negative"),
        ("cost_usd", "1e10", "is more than"),
        ("batch", "maybe", "neither true nor false"),
    ],
)
def test_what_is_wrong_is_said_with_its_field(field: str, value: Any, says: str) -> None:
    with pytest.raises(RowRefusedError, match=says) as caught:
        make(**{field: value})
    assert caught.value.field == field


def test_a_cost_is_kept_to_the_nano_dollar() -> None:
    assert make(cost_usd="0.1").cost == 100_000_000
    assert make(cost_usd="0.0000000005").cost == 0
    assert make(cost_usd=1.5e-06).cost == 1500
