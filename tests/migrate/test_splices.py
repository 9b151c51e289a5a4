"""Tests of carrel.migrate.splices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.migrate.splices import Splices
from carrel.source import SourceText


def splices(text: str) -> Splices:
    return Splices(SourceText(text.encode()))


def test_bytes_outside_of_ranges_stay():
    made = splices("one two three")
    made.put(4, 7, "2")
    made.put(0, 3, "first")
    assert made.apply() == b"first 2 three"


def test_a_range_around_others_takes_their_place():
    made = splices("f(a, b)")
    made.put(2, 3, "x")
    assert made.text(0, 7) == "f(x, b)"
    made.put(0, 7, f"g({made.text(2, 3)})")
    assert made.apply() == b"g(x)"


def test_ranges_that_cross_are_refused():
    made = splices("abcdef")
    made.put(1, 3, "x")
    with pytest.raises(ValueError, match="overlap"):
        made.put(2, 5, "y")


def test_a_range_knows_what_it_would_touch():
    made = splices("abcdef")
    made.put(2, 4, "x")
    assert made.touches(3, 6)
    assert not made.touches(4, 6)


def test_insertions_at_one_place_keep_their_order():
    made = splices("ab")
    made.insert(1, "1")
    made.insert(1, "2")
    assert made.apply() == b"a12b"


def test_the_same_text_again_is_no_edit():
    made = splices("ab")
    made.put(0, 1, "a")
    assert made.ranges == []


@given(st.text("abc", min_size=1, max_size=20), st.data())
def test_ranges_side_by_side_are_all_replaced(text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=2, max_size=8, unique=True)))
    ranges = list(zip(cuts[::2], cuts[1::2], strict=False))
    made = splices(text)
    for start, end in data.draw(st.permutations(ranges)):
        made.put(start, end, "<" + text[start:end] + ">")
    expected, at = "", 0
    for start, end in ranges:
        expected += text[at:start] + "<" + text[start:end] + ">"
        at = end
    assert made.apply().decode() == expected + text[at:]
