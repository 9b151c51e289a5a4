"""Tests of carrel.reporting.treemap."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrel.reporting.treemap import Rectangle, squarified

ROOM = Rectangle(10, 20, 600, 400)


def area(rectangle: Rectangle) -> float:
    return rectangle.width * rectangle.height


def test_the_example_of_the_paper():
    places = squarified([6, 6, 4, 3, 2, 2, 1], Rectangle(0, 0, 6, 4))
    assert [(round(one.x, 2), round(one.y, 2), round(one.width, 2), round(one.height, 2)) for one in places] == [
        (0, 0, 3, 2),
        (0, 2, 3, 2),
        (3, 0, 1.71, 2.33),
        (4.71, 0, 1.29, 2.33),
        (3, 2.33, 1.2, 1.67),
        (4.2, 2.33, 1.2, 1.67),
        (5.4, 2.33, 0.6, 1.67),
    ]


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=40).map(lambda some: sorted(some, reverse=True)))
def test_areas_are_in_proportion_inside_the_room_and_apart(weights: list[int]):
    places = squarified(weights, ROOM)
    for weight, place in zip(weights, places, strict=True):
        assert area(place) == pytest.approx(area(ROOM) * weight / sum(weights), rel=1e-6)
        assert place.x >= ROOM.x - 1e-6
        assert place.y >= ROOM.y - 1e-6
        assert place.x + place.width <= ROOM.x + ROOM.width + 1e-6
        assert place.y + place.height <= ROOM.y + ROOM.height + 1e-6
    for one, other in combinations(places, 2):
        across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
        down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
        assert min(across, down) <= 1e-6


def test_equal_weights_become_nearly_square():
    places = squarified([1] * 24, ROOM)
    assert max(max(one.width / one.height, one.height / one.width) for one in places) < 2


def test_no_weights_and_no_room_are_no_problem():
    assert squarified([], ROOM) == ()
    assert [area(one) for one in squarified([3, 2, 1], Rectangle(0, 0, 0, 5))] == [0, 0, 0]


def test_an_inset_is_never_negative():
    assert Rectangle(0, 0, 3, 10).inset(2, top=4) == Rectangle(2, 6, 0, 2)
