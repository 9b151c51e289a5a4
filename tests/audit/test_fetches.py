"""Fetches by an id."""

from __future__ import annotations

import ast
import re

import pytest

from carrel.audit.fetches import fetches
from tests.audit.checking import view

ID = re.compile(r"(?:^|_)id$")
HEAD = """
from fastapi import FastAPI, Depends
app = FastAPI()
NOTES = {}
@app.get("/n/{note_id}")
async def read(note_id: str, form: Form, user=Depends(get_user)):
"""


def found(body: str) -> list[tuple[str, str]]:
    seen = view(HEAD + "".join(f"    {line}\n" for line in body.splitlines()))
    (function,) = seen.functions
    return [(ast.unparse(one.node), one.name) for one in fetches(seen, function, ID)]


@pytest.mark.parametrize(
    ("body", "node"),
    [
        ("return NOTES[note_id]", "NOTES[note_id]"),
        ("return NOTES.get(note_id)", "NOTES.get(note_id)"),
        ("return db.get(Note, note_id)", "db.get(Note, note_id)"),
        ("return db.query(Note).filter(Note.id == note_id).one()", "db.query(Note).filter(Note.id == note_id).one()"),
        ("return notes.find_one({'_id': note_id})", "notes.find_one({'_id': note_id})"),
        ("return Note.objects.get(pk=note_id)", "Note.objects.get(pk=note_id)"),
        ("return desk.join(note_id)", "desk.join(note_id)"),
        (
            "return db.execute('SELECT * FROM notes WHERE id = ?', (note_id,))",
            "db.execute('SELECT * FROM notes WHERE id = ?', (note_id,))",
        ),
        ("return get_object_or_404(Note, note_id)", "get_object_or_404(Note, note_id)"),
    ],
)
def test_a_fetch_by_the_id_alone(body: str, node: str) -> None:
    assert found(body) == [(node, "note_id")]


@pytest.mark.parametrize(
    "body",
    [
        "return note_id",
        "return print(note_id)",
        "return get_settings(note_id)",
        "NOTES[note_id] = 1",
        "return ','.join(note_id)",
        "return os.path.join(note_id)",
        "db.execute('SELECT * FROM notes WHERE id = ? AND shelf = ?', (note_id, shelf))",
        "db.execute('DELETE FROM notes WHERE id = ?', (note_id,))",
    ],
)
def test_what_fetches_nothing(body: str) -> None:
    assert found(body) == []


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("return desk.trips.find(form.trip)", "trip"),
        ("return desk.diaries.open(form.diary)", "diary"),
        ("return desk.trips.find(form.town)", ""),
        ("return desk.trip.find(form.trip)", ""),
    ],
)
def test_what_is_called_as_what_the_store_holds_is_fetched(body: str, name: str) -> None:
    assert [one for _, one in found(body)] == ([name] if name else [])
