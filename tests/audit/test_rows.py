from __future__ import annotations

import ast

import pytest

from carrel.audit.rows import asked_tables, listed, table, tables
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        ("db.execute('SELECT id FROM notes WHERE patient_id = ?', (session['patient_id'],))", ["table:notes"]),
        ("db.fetch('SELECT id FROM Notes WHERE patient_id = $1', session['patient_id'])", ["table:notes"]),
        ("db.execute(text('SELECT * FROM notes WHERE owner_id = :x'), {'x': session['user_id']})", ["table:notes"]),
        ("db.execute('SELECT id FROM notes WHERE patient_id = ?', (number,))", []),
        ("db.execute('SELECT id FROM notes WHERE topic = ?', (session['user_id'],))", []),
        ("db.execute('SELECT id FROM patients WHERE patient_id = ?', (session['patient_id'],))", []),
        ("db.execute('SELECT id FROM notes')", ["listed-table:notes"]),
        ("db.execute('UPDATE notes SET seen = 1 WHERE patient_id = ?', (session['patient_id'],))", []),
        ("log('SELECT id FROM notes')", []),
    ],
)
def test_whose_rows_a_function_selects(call: str, asked: list[str]) -> None:
    looked = view(f"from flask import session\ndef notes(db, number):\n    return {call}\n")
    assert list(asked_tables(looked, looked.functions[0])) == asked


def test_the_tables_of_an_expression() -> None:
    expression = ast.parse("db().execute('select a from Notes where id = ?', (1,)).fetchone()", mode="eval").body
    assert tables(expression) == (table("notes"),)
    assert listed(table("notes")) == "listed-table:notes"
