"""Tests of carrel.delivery.payload."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections import UserDict
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.delivery.payload import MAX_DATA_BYTES, event_data


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int


class Stubborn:
    def __str__(self) -> str:
        raise RuntimeError("no")


class Plain:
    def __str__(self) -> str:
        return "plain"


class HalfText:
    def __str__(self) -> str:
        return "half \ud800"


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, None),
        ([1, 2.5, True, "x"], [1, 2.5, True, "x"]),
        ({1: "one"}, {"1": "one"}),
        ((1, 2), [1, 2]),
        (dt.date(2026, 11, 20), "2026-11-20"),
        (Colour.RED, "red"),
        (Point(3), {"x": 3}),
        (Plain(), "plain"),
        (Stubborn(), "<Stubborn>"),
        (HalfText(), "half ?"),
        ("half \ud800", "half ?"),
        ({"half \ud800": {"n": None}}, {"half ?": {"n": None}}),
        (["half \ud800", {1}, (2.5, True)], ["half ?", [1], [2.5, True]]),
        (float("nan"), None),
        (10**5_000, "<int>"),
        (["half \ud800", 2**70], ["half ?", str(2**70)]),
        (ValueError("what happened"), "what happened"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_value_gets_a_form(value: object, written: object):
    assert event_data({"result": value}) == {"result": written}


def test_a_mapping_that_is_no_dict_is_written_as_one():
    assert event_data({"a": "\ud800", "b": UserDict({"c": 1})})["b"] == {"c": 1}


def test_a_list_that_holds_itself_is_cut():
    endless: list[Any] = []
    endless.append(endless)
    assert "nested too deep" in str(event_data({"result": endless}))


def test_deep_nesting_that_json_can_carry_stays():
    assert event_data({"result": nested(100)}) == {"result": nested(100)}


def test_deep_nesting_that_is_too_large_is_cut_short():
    data = event_data({"result": nested(100), "other": "x" * MAX_DATA_BYTES})
    assert "nested too deep" in str(data["result"])


def test_the_copy_is_the_callers_no_more():
    arguments = {"a": [1]}
    data = event_data({"arguments": arguments})
    arguments["a"].append(2)
    assert data == {"arguments": {"a": [1]}}


def test_a_long_string_is_cut_visibly_and_the_rest_stays():
    data = event_data({"status": "succeeded", "result": "x" * 1_000_000, "duration_ms": 5})
    assert data["status"] == "succeeded"
    assert data["duration_ms"] == 5
    kept, mark = data["result"].split("…")
    assert mark == f" [cut: {1_000_000 - len(kept)} characters]"
    assert len(msgspec.json.encode(data)) <= MAX_DATA_BYTES
    assert len(kept) >= MAX_DATA_BYTES // 4


def test_long_lists_and_objects_are_cut_visibly():
    data = event_data({"list": list(range(200_000)), "object": {str(n): n for n in range(200_000)}})
    assert data["list"][:3] == [0, 1, 2]
    assert data["list"][-1].startswith("… [cut: ")
    assert data["object"]["0"] == 0
    assert data["object"]["…"].startswith("[cut: ")
    assert len(msgspec.json.encode(data)) <= MAX_DATA_BYTES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_plain_json_of_normal_size_stays_as_it_is(data: dict[str, Any]):
    # What JSON itself does to a number is not the payload's doing.
    assert event_data(data) == msgspec.json.decode(msgspec.json.encode(data))


@given(st.dictionaries(st.sampled_from("abc"), JSON, min_size=1), st.integers(1, 400_000))
def test_whatever_is_inside_it_fits_afterwards(data: dict[str, Any], size: int):
    assert len(msgspec.json.encode(event_data({**data, "long": "é\x01" * size}))) <= MAX_DATA_BYTES
