"""Tests of carrel.storage.many_rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from carrel.storage.many_rows import ROWS, execute_rows


@pytest.mark.parametrize("number", [0, 1, ROWS, ROWS + 1, 3 * ROWS])
def test_every_row_is_written_once_and_in_order(number: int) -> None:
    rows = [(f"user{one % 7}", one) for one in range(number)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE things (user TEXT, number INTEGER)")
        statements: list[str] = []
        connection.set_trace_callback(statements.append)
        execute_rows(connection, rows, "INSERT INTO things VALUES")
        connection.set_trace_callback(None)
        assert connection.execute("SELECT user, number FROM things ORDER BY rowid").fetchall() == rows
        assert len([one for one in statements if one.startswith("INSERT")]) == -(-number // ROWS)


def test_what_follows_the_rows_belongs_to_the_statement() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE things (user TEXT PRIMARY KEY, number INTEGER)")
        for number in (1, 2):
            execute_rows(
                connection,
                [("ada", number), ("bob", number)],
                "INSERT INTO things VALUES",
                "ON CONFLICT (user) DO UPDATE SET number = excluded.number",
            )
        assert connection.execute("SELECT * FROM things ORDER BY user").fetchall() == [("ada", 2), ("bob", 2)]
