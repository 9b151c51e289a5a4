"""Who the client says that somebody is, compared and not compared."""

from __future__ import annotations

import ast

import pytest

from carrel.audit.blocks import Block
from carrel.audit.file_view import FileView
from carrel.audit.said_checks import is_compared, is_refused, is_within, looks_up_person
from tests.audit.checking import view

HEAD = """
from fastapi import Depends, FastAPI
from models import Note, Organization, User
app = FastAPI()
@app.post("/x")
async def handle(user_id: str, chat_id: str, user=Depends(get_current_user)):
"""


def handler(body: str) -> tuple[FileView, Block]:
    seen = view(HEAD + "".join(f"    {line}\n" for line in body.splitlines()))
    return seen, seen.functions[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("if user_id != user.id: raise E", True),
        ("ensure_own(user_id)", True),
        ("return store.find(user_id, user.id)", True),
        ("rows = Rows(db, user)\nreturn rows.find(user_id)", True),
        ("other = store.find(User, user_id)\nblock(by=user, of=other)", True),
        ("if user_id != 'me': raise E", False),
        ("return db.query(Note).filter(Note.user_id == user_id)", False),
        ("store.add(user_id, {'by': user.id})", False),
        ("notes = store.find(Note, user_id)\nreturn show(user, notes)", False),
    ],
)
def test_what_is_compared_with_who_is_calling(body: str, *, expected: bool) -> None:
    assert is_compared(*handler(body), "user_id") is expected


@pytest.mark.parametrize(("check", "expected"), [("ensure_own(chat_id)", True), ("log(chat_id)", False)])
def test_a_user_within_what_was_checked(check: str, *, expected: bool) -> None:
    seen, function = handler(f"{check}\nreturn store.find(chat_id, user_id)")
    (found,) = (one.value for one in function.nodes(ast.Return) if one.value is not None)
    assert is_within(seen, found, function) is expected


@pytest.mark.parametrize(("answer", "expected"), [("raise E", True), ("log(user_id)", False)])
def test_a_choice_that_is_refused(answer: str, *, expected: bool) -> None:
    seen, function = handler(f"who = user_id or user.id\nif not can_see(who):\n    {answer}")
    (choice,) = function.nodes(ast.BoolOp)
    assert is_refused(seen, choice, function) is expected


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("(user_id or user.id) != user.id", True),
        ("user.id != (user_id or user.id)", True),
        ("(user_id or user.id) != 'me'", False),
        ("other != user.id", False),
    ],
)
def test_a_choice_that_is_compared_and_refused(test: str, *, expected: bool) -> None:
    seen, function = handler(f"if {test}:\n    raise HTTPException(403)\nwho = user_id or user.id")
    choice = next(iter(function.nodes(ast.BoolOp)))
    assert is_refused(seen, choice, function) is expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [("get(User, user_id)", True), ("get(Organization, user_id)", True), ("get(Note, user_id)", False)],
)
def test_a_call_that_looks_somebody_up(call: str, *, expected: bool) -> None:
    seen, function = handler(call)
    (found,) = function.nodes(ast.Call)
    assert looks_up_person(seen, found) is expected


@pytest.mark.parametrize(
    ("call", "is_person"),
    [
        ("User.query.get(user_id)", True),
        ("get_object_or_404(User, id=user_id)", True),
        ("Note.query.get(user_id)", False),
    ],
)
def test_who_is_looked_up_is_not_who_is_asking(call: str, *, is_person: bool) -> None:
    seen = view(f"{HEAD}    return {call}\n")
    (found,) = (one.value for one in seen.functions[0].nodes(ast.Return) if one.value is not None)
    assert looks_up_person(seen, found) is is_person
