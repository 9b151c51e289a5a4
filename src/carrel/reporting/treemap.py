"""A treemap: nested rectangles whose areas are weights, as square as can be (Bruls, Huizing and van Wijk, 2000)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Rectangle", "squarified"]


class Rectangle(NamedTuple):
    """A place on the plane, `x` to the right and `y` downwards."""

    x: float
    y: float
    width: float
    height: float

    def inset(self, by: float, *, top: float = 0) -> Rectangle:
        """The rectangle without a border of `by` all around and `top` more at its upper side; never negative."""
        return Rectangle(
            self.x + by, self.y + by + top, max(0.0, self.width - 2 * by), max(0.0, self.height - 2 * by - top)
        )


def squarified(weights: Sequence[float], room: Rectangle) -> tuple[Rectangle, ...]:
    """One rectangle per weight, together filling the room, each area in proportion to its weight.

    The weights are positive and come largest first.
    """
    total = sum(weights)
    scale = room.width * room.height / total if total else 0.0
    areas = [weight * scale for weight in weights]
    placed: list[Rectangle] = []
    while len(placed) < len(areas):
        rest = areas[len(placed) :]
        row = rest[: _row_length(rest, min(room.width, room.height))]
        laid, room = _laid(row, room)
        placed += laid
    return tuple(placed)


def _row_length(areas: Sequence[float], side: float) -> int:
    """How many of the areas the next row takes: one more as long as that makes its worst rectangle squarer."""
    length = 1
    while length < len(areas) and _worst(areas[: length + 1], side) <= _worst(areas[:length], side):
        length += 1
    return length


def _worst(row: Sequence[float], side: float) -> float:
    """The greatest ratio of a rectangle's longer to its shorter side, when the row lies along `side`."""
    thickness = sum(row) / side if side else 0.0
    if not thickness or not row[-1]:
        return float("inf")
    return max(max(area / thickness**2, thickness**2 / area) for area in (row[0], row[-1]))


def _laid(row: Sequence[float], room: Rectangle) -> tuple[list[Rectangle], Rectangle]:
    """The row's rectangles along the shorter side of the room, and the room that is left."""
    upright = room.width >= room.height
    side = room.height if upright else room.width
    thickness = sum(row) / side if side else 0.0
    placed = []
    at = room.y if upright else room.x
    for area in row:
        length = area / thickness if thickness else 0.0
        placed.append(Rectangle(room.x, at, thickness, length) if upright else Rectangle(at, room.y, length, thickness))
        at += length
    if upright:
        return placed, Rectangle(room.x + thickness, room.y, max(0.0, room.width - thickness), room.height)
    return placed, Rectangle(room.x, room.y + thickness, room.width, max(0.0, room.height - thickness))
