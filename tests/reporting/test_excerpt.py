"""Tests of carrel.reporting.excerpt."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.findings import Location
from carrel.reporting.excerpt import excerpt, position

LINES = ("one", "ä = 漢[x]", "\tthree", "", "five", "six", "seven", "eight", "nine")


def sources(path: str) -> tuple[str, ...]:
    return LINES if path == "a.py" else ()


def place(line: int, column: int = 0, end_line: int = 0, end_column: int = 0, path: str = "a.py") -> Location:
    return Location(path=path, line=line, column=column, end_line=end_line, end_column=end_column)


def marks(location: Location, context: int = 0) -> list[tuple[int, str]]:
    return [(one.number, one.text[one.start : one.end]) for one in excerpt(location, sources, context=context)]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        (place(2, 0, 2, 2), (2, 1, 2, 2)),
        (place(2, 5, 2, 11), (2, 5, 2, 9)),
        (place(2, 6, 2, 11), (2, 5, 2, 9)),  # within the bytes of a character
        (place(1, 2), (1, 3, 1, 3)),
        (place(1, 2, 1, 1), (1, 3, 1, 3)),
        (place(1, 2, 3, 1), (1, 3, 3, 2)),
        (place(1, 99, 1, 120), (1, 4, 1, 4)),
        (place(50, 4, 50, 9), (50, 5, 50, 10)),
        (place(7, 4, 7, 9, path="gone.py"), (7, 5, 7, 10)),
        (place(0), (0, 0, 0, 0)),
    ],
)
def test_bytes_become_characters_from_one(location: Location, expected: tuple[int, ...]):
    assert position(location, sources) == expected


def test_the_range_is_marked():
    assert marks(place(2, 5, 2, 11)) == [(2, "漢[x]")]


def test_lines_around_it_are_not_marked():
    assert marks(place(2, 5, 2, 8), context=1) == [(1, ""), (2, "漢"), (3, "")]
    assert marks(place(1, 0, 1, 3), context=2) == [(1, "one"), (2, ""), (3, "")]
    assert marks(place(9, 0, 9, 4), context=2) == [(7, ""), (8, ""), (9, "nine")]


def test_several_lines_are_marked_without_their_indentation():
    assert marks(place(2, 5, 3, 3)) == [(2, "漢[x]"), (3, "th")]
    assert marks(place(2, 5, 4, 0)) == [(2, "漢[x]"), (3, "three")]


def test_of_a_long_range_six_lines_are_shown():
    assert [number for number, _ in marks(place(1, 0, 9, 4))] == [1, 2, 3, 4, 5, 6]


def test_a_range_that_ends_behind_the_file_ends_with_it():
    assert marks(place(8, 0, 20, 4)) == [(8, "eight"), (9, "nine")]


@pytest.mark.parametrize("location", [place(0), place(10), place(1, path="gone.py")])
def test_without_source_there_is_no_excerpt(location: Location):
    assert excerpt(location, sources) == ()


@given(st.builds(place, *[st.integers(0, 12)] * 4), st.integers(0, 3), st.lists(st.text(st.characters()), max_size=5))
def test_every_place_has_a_position_and_marks_something(location: Location, context: int, lines: list[Any]):
    found = excerpt(location, lambda path: lines, context=context)
    at = position(location, lambda path: lines)
    assert (at.line, at.column) <= (at.end_line, at.end_column)
    if 0 < location.line <= len(lines):
        assert [one.text for one in found] == lines[found[0].number - 1 : found[-1].number]
        assert any(one.end > one.start for one in found)
    else:
        assert found == ()


def test_a_place_of_which_only_the_line_is_known_is_the_line():
    (line,) = excerpt(Location(path="a.py", line=1), lambda path: ("    return x  ",), context=0)
    assert (line.start, line.end) == (4, 12)
