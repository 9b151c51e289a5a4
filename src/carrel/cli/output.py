"""What commands say: results on standard output, complaints on standard error."""

from __future__ import annotations

import sys

__all__ = ["complain", "say", "table"]

# Rich is asked only where it draws something: plain lines must stay whole when a script reads them.


def say(line: str = "", *, style: str = "") -> None:
    """One line on standard output, never wrapped or interpreted; coloured on a terminal."""
    from rich.console import Console

    Console(soft_wrap=True, highlight=False, markup=False, emoji=False).print(line, style=style or None)


def complain(problem: str) -> None:
    """One line on standard error: `carrel: ` and the problem."""
    print(f"carrel: {' '.join(problem.split())}", file=sys.stderr)  # noqa: T201 - this is the command's output


def table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table on standard output: drawn on a terminal, tab-separated otherwise."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(row))  # noqa: T201 - this is the command's output
        return
    drawn = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*(escape(cell) for cell in row))
    Console(highlight=False, emoji=False).print(drawn)
