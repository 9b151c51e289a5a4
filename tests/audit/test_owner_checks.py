"""Questions that are asked about the owner of what is fetched."""

from __future__ import annotations

import re

import pytest

from carrel.audit.fetches import fetches
from carrel.audit.owner_checks import asks_whose, fetched_model
from tests.audit.checking import view

ID = re.compile(r"(?:^|_)id$")
HEAD = """
import jwt
from fastapi import FastAPI, Depends
def me(form=None):
    return jwt.decode(form)["sub"]
app = FastAPI()
NOTES = {}
@app.get("/n/{note_id}")
async def read(note_id: str, shelf_id: str, form: Form, user=Depends(get_user)):
"""


def asks(body: str) -> list[bool]:
    seen = view(HEAD + "".join(f"    {line}\n" for line in body.splitlines()))
    function = seen.functions[-1]
    return [asks_whose(seen, function, one) for one in fetches(seen, function, ID)]


@pytest.mark.parametrize(
    "body",
    [
        "return notes.find(note_id, user.id)",
        "return notes.find(note_id, owner=user)",
        "note = notes.find(note_id)\nif note.owner_id != user.id: raise E\nreturn note",
        "note = notes.find(note_id)\nensure_access(note)\nreturn note",
        "await index(form, user)\nreturn notes.find(form.id)",
        "note = await notes.find(note_id)\nshow(user, [note])\nreturn note",
        "return db.query(Note).filter(Note.id == note_id, Note.user_id == me).one()",
        "note = notes.find(note_id)\nif str(note.owner_id) != str(me()): raise E\nreturn note",
        "note = notes.find(note_id)\nshelf.judge(user, note.shelf_id)\nreturn note",
        "note = notes.find(note_id)\nif me(form) != note.by: raise E\nreturn note",
        "shelves.judge(shelf_id, user)\nreturn notes.find(note_id, shelf=shelf_id)",
    ],
)
def test_a_fetch_that_asks_whose_it_is(body: str) -> None:
    assert asks(body) == [True]


def test_a_comparison_with_nothing_asks_nobody() -> None:
    assert asks("note = NOTES.get(note_id)\nif user is None: raise E\nreturn note") == [False]


@pytest.mark.parametrize(("said", "asked"), [("raise HTTPUnauthorized()", False), ("authorize(note)", True)])
def test_who_is_refused_has_not_been_asked_whose_it_is(said: str, *, asked: bool) -> None:
    assert asks(f"note = notes.find(note_id)\nif note is None:\n    {said}\nreturn note") == [asked]


def test_what_an_object_is_about_is_not_who_is_calling() -> None:
    assert asks("note = notes.find(note_id)\nawait reply(note.subject, note.turns)\nreturn note") == [False]


def test_what_is_made_of_the_caller_and_of_the_object_is_one_thing() -> None:
    assert asks("note = NOTES[note_id]\nfor note in work(user): keep(note)\nsend(form, note)\nreturn note") == [False]


@pytest.mark.parametrize(("more", "model"), [("", "models.Note"), (", owner=user_id", "")])
def test_the_class_that_a_function_fetches(more: str, model: str) -> None:
    body = f"  def get(self, note_id):\n    return self.db.get(Note, note_id{more})\n"
    seen = view(f"from models import Note\nclass S:\n{body}")
    assert fetched_model(seen, seen.functions[0]) == model


@pytest.mark.parametrize(("given", "model"), [("Note | None", "models.Note"), ("dict", "")])
def test_the_class_that_a_function_says_it_gives(given: str, model: str) -> None:
    body = f"  def get(self, note_id) -> {given}:\n    row = self.pool.fetchrow(ONE, note_id)\n    return Note(**row)\n"
    seen = view(f"from models import Note\nclass S:\n{body}")
    assert fetched_model(seen, seen.functions[0]) == model


@pytest.mark.parametrize(("refuses", "asked"), [("shelf.owner_id != me(request)", True), ("shelf.closed", False)])
def test_what_is_called_before_may_ask_whose_it_is(refuses: str, *, asked: bool) -> None:
    seen = view(
        f"{HEAD}    return 0\ndef shelf_of(request):\n    shelf = NOTES.get(request.headers['shelf-id'])\n"
        f"    if {refuses}:\n        raise E\n    return shelf\n"
        "from fastapi import Request\n@app.delete('/n')\nasync def drop(request: Request):\n"
        "    shelf_of(request)\n    NOTES.pop(request.headers['shelf-id'])\n"
    )
    function = seen.functions[-1]
    assert [asks_whose(seen, function, one) for one in fetches(seen, function, ID)] == [asked]
