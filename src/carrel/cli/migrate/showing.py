"""What migration commands have in common when they show something: tables, JSON, counts, the choice of a format."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import msgspec

from carrel.errors import InputError

__all__ = ["as_json", "as_table", "check_format", "counted"]

_WIDTH: Final = 120


def as_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table as text: cells are never cut, figures stand at the right."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for index, column in enumerate(columns):
        figures = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        drawn.add_column(column, justify="right" if figures else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(str(cell)) for cell in row))
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else _WIDTH, highlight=False, emoji=False, force_terminal=terminal)
    with console.capture() as captured:
        console.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()) + "\n"


def counted(count: int, noun: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def as_json(data: object) -> str:
    """JSON that is easy to read; ends with a newline."""
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"


def check_format(name: str, known: Sequence[str]) -> None:
    """Raises `InputError` naming the formats there are."""
    if name not in known:
        raise InputError("--format", f"is {name!r}; it must be one of {', '.join(known)}")
