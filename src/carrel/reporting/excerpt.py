"""The lines of source around a place, and the place in characters instead of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from carrel.findings import Location, Sources

__all__ = ["ExcerptLine", "Position", "excerpt", "position"]

MOST_MARKED: Final = 6


class Position(NamedTuple):
    """A range counted as editors, JSON and SARIF count: lines and characters from 1; all 0 for a place in no file.

    Without a known end, the end is the start.
    """

    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcerptLine:
    """One line of an excerpt, of which the characters from `start` to `end` are marked; none when both are 0."""

    number: int
    text: str
    start: int = 0
    end: int = 0


def position(location: Location, sources: Sources) -> Position:
    """Where the place is; a file that cannot be read is taken to be ASCII."""
    if not location.in_file:
        return Position(0, 0, 0, 0)
    lines = sources(location.path)
    column = _characters(lines, location.line, location.column) + 1
    if location.end_line < location.line:
        return Position(location.line, column, location.line, column)
    end_column = _characters(lines, location.end_line, location.end_column) + 1
    if location.end_line == location.line:
        end_column = max(column, end_column)
    return Position(location.line, column, location.end_line, end_column)


def excerpt(location: Location, sources: Sources, *, context: int = 1) -> tuple[ExcerptLine, ...]:
    """The marked lines of the place, at most six, with `context` lines around them; empty when there is no source."""
    lines = sources(location.path) if location.in_file else ()
    if location.line > len(lines):
        return ()
    place = position(location, sources)
    if lines and location.end_line < location.line and not location.column:
        text = lines[location.line - 1]  # only the line is known: all of it is the place
        place = Position(place.line, len(text) - len(text.lstrip()) + 1, place.line, len(text.rstrip()) + 1)
    last = min(place.end_line, place.line + MOST_MARKED - 1, len(lines))
    if last > place.line and last == place.end_line and place.end_column == 1:
        last -= 1
    shown = range(max(1, place.line - context), min(len(lines), last + context) + 1)
    return tuple(_line(lines[number - 1], number, place, last) for number in shown) if lines else ()


def _line(text: str, number: int, place: Position, last: int) -> ExcerptLine:
    if not place.line <= number <= last:
        return ExcerptLine(number=number, text=text)
    start = place.column - 1 if number == place.line else len(text) - len(text.lstrip())
    end = place.end_column - 1 if number == place.end_line else len(text.rstrip())
    start = min(start, len(text))
    return ExcerptLine(number=number, text=text, start=start, end=max(min(end, len(text)), start + 1))


def _characters(lines: Sequence[str], line: int, column: int) -> int:
    if line > len(lines):
        return column
    return len(lines[line - 1].encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))
