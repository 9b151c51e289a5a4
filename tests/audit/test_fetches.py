"""Fetches by an id, and the questions that are asked about their owner."""

from __future__ import annotations

import ast
import re

import pytest

from carrel.audit.fetches import Fetch, asks_whose, fetches, is_owned_here, names_owner
from tests.audit.checking import view

ID = re.compile(r"(?:^|_)id$")
HEAD = """
from fastapi import FastAPI, Depends
app = FastAPI()
NOTES = {}
@app.get("/n/{note_id}")
async def read(note_id: str, form: Form, user=Depends(get_user)):
"""


def found(body: str) -> list[tuple[str, str, bool]]:
    seen = view(HEAD + "".join(f"    {line}\n" for line in body.splitlines()))
    (function,) = seen.functions
    return [(ast.unparse(one.node), one.name, asks_whose(seen, function, one)) for one in fetches(seen, function, ID)]


@pytest.mark.parametrize(
    ("body", "node"),
    [
        ("return NOTES[note_id]", "NOTES[note_id]"),
        ("return NOTES.get(note_id)", "NOTES.get(note_id)"),
        ("return db.get(Note, note_id)", "db.get(Note, note_id)"),
        ("return db.query(Note).filter(Note.id == note_id).one()", "db.query(Note).filter(Note.id == note_id).one()"),
        ("return notes.find_one({'_id': note_id})", "notes.find_one({'_id': note_id})"),
        ("return Note.objects.get(pk=note_id)", "Note.objects.get(pk=note_id)"),
        ("return get_object_or_404(Note, note_id)", "get_object_or_404(Note, note_id)"),
    ],
)
def test_a_fetch_by_the_id_alone(body: str, node: str) -> None:
    assert found(body) == [(node, "note_id", False)]


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
    ],
)
def test_a_fetch_that_asks_whose_it_is(body: str) -> None:
    assert [asks for *_, asks in found(body)] == [True]


@pytest.mark.parametrize(
    "body", ["return note_id", "return print(note_id)", "return get_settings(note_id)", "NOTES[note_id] = 1"]
)
def test_what_fetches_nothing(body: str) -> None:
    assert found(body) == []


def test_a_comparison_with_nothing_asks_nobody() -> None:
    assert found("note = NOTES.get(note_id)\nif user is None: raise E\nreturn note")[0][2] is False


def test_owners_that_a_file_knows_of() -> None:
    assert is_owned_here(
        view("def f(note, user):\n    return note.owner_id == user.id\n".replace("user.id", "user_id"))
    )
    assert not is_owned_here(view("def f(note, size):\n    return note.length == size\n"))
    stores = view(
        "NOTES = {}\ndef put(name, user):\n    NOTES[name] = (user, 1)\ndef get(name):\n    return NOTES[name]\n"
    )
    get = next(one for one in stores.functions if one.name == "get")
    (item,) = get.nodes(ast.Subscript)
    assert names_owner(stores, Fetch(item, item.slice, "", item.value), get)


def test_the_object_that_a_handler_is_a_method_of_is_no_store() -> None:
    text = """
class Mail:
    def show(self, message_id):
        return {0}.fetch(message_id)
    def send(self, current_user):
        {0}.create_draft(current_user, "hello")
"""
    for receiver, expected in (("self", False), ("self.drafts", True)):
        seen = view(text.format(receiver))
        show = next(one for one in seen.functions if one.name == "show")
        (call,) = show.nodes(ast.Call)
        assert isinstance(call.func, ast.Attribute)
        assert names_owner(seen, Fetch(call, call.args[0], "", call.func.value), show) is expected
