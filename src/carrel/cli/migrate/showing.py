"""What migration commands have in common when they show something: tables, JSON, counts, the choice of a format."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from shutil import get_terminal_size
from textwrap import wrap
from typing import Final

import click
import msgspec

__all__ = ["as_json", "as_table", "counted"]

_WIDTH: Final = 120
_NARROWEST: Final = 12
_GAP: Final = "  "


def as_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as text: cells are wrapped and never cut, figures stand at the right."""
    terminal = sys.stdout.isatty()
    width = get_terminal_size().columns if terminal else _WIDTH
    cells = [list(columns), *([str(cell) for cell in row] for row in rows)]
    figures = [bool(rows) and all(isinstance(row[at], int | float) for row in rows) for at in range(len(columns))]
    widths = _narrowed([max(map(len, column)) for column in zip(*cells, strict=True)], width)
    header, *lines = (line for row in cells for line in _lines(row, widths, figures))
    if terminal and not os.environ.get("NO_COLOR"):
        title, header = click.style(title, bold=True), click.style(header, dim=True)
    return "".join(f"{line}\n" for line in (title, header, *lines))


def _narrowed(widths: list[int], whole: int) -> list[int]:
    """The widths of columns that fit side by side: the widest gives way first."""
    spare = sum(widths) + len(_GAP) * (len(widths) - 1) - whole
    while spare > 0 and max(widths) > _NARROWEST:
        widest = widths.index(max(widths))
        widths[widest] -= 1
        spare -= 1
    return widths


def _lines(row: Sequence[str], widths: Sequence[int], figures: Sequence[bool]) -> Iterator[str]:
    """The lines of one row; a cell that is wider than its column goes on below itself."""
    wrapped = [wrap(cell, width) if len(cell) > width else [cell] for cell, width in zip(row, widths, strict=True)]
    for parts in zip_longest(*wrapped, fillvalue=""):
        aligned = zip(parts, widths, figures, strict=True)
        yield _GAP.join(part.rjust(width) if right else part.ljust(width) for part, width, right in aligned).rstrip()


def counted(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def as_json(data: object) -> str:
    """JSON that is easy to read; ends with a newline."""
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"
