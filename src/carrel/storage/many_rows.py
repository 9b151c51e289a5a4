"""One statement for many rows, on a connection of the driver itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

__all__ = ["ROWS", "execute_rows"]

ROWS: Final = 64
"""The most rows of one statement: more text for it is only worth parsing for what is often done."""


def execute_rows(
    connection: sqlite3.Connection, rows: Sequence[tuple[object, ...]], before: str, after: str = ""
) -> None:
    """Execute `before (?, …), (?, …) after` with the values of the rows, which are all of one length.

    Between two statements the thread may have to wait for the interpreter, so that a statement for each row, which is
    what `executemany` does, can take longer than what it does.
    """
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        row = f"({', '.join('?' * len(part[0]))})"
        statement = f"{before} {', '.join([row] * len(part))} {after}"
        connection.execute(statement, [value for values in part for value in values])
