"""What commands say: results on standard output, complaints on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from carrel.errors import InputError

__all__ = ["complain", "deliver", "reading", "say", "table"]

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


def deliver(text: str, output: Path | None) -> None:
    """Write a result to standard output, or to the file that was asked for."""
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError("--output", f"{output} cannot be written: {error.strerror}") from None


@contextmanager
def reading(what: str = "files") -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error, on a terminal; gives what to tell it: how many of how many are done."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TextColumn(what), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
