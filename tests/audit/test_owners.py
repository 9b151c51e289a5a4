"""Whose objects are."""

from __future__ import annotations

import ast
import re

import pytest

from carrel.audit.fetches import Fetch, fetches
from carrel.audit.owners import asked_kinds, names_owner, owner_field
from tests.audit.checking import view


@pytest.mark.parametrize(
    ("field", "owner"),
    [
        ("student = models.ForeignKey('auth.User', on_delete=models.CASCADE)", "student"),
        ("student = models.OneToOneField(get_user_model(), on_delete=CASCADE)", "student"),
        ("student = models.ForeignKey(to=settings.AUTH_USER_MODEL, on_delete=models.CASCADE)", "student"),
        ("student_id: int = Field(foreign_key='user.id')", "student_id"),
        ("student_id: Mapped[int] = mapped_column(ForeignKey('users.id'))", "student_id"),
        ("student = models.ForeignKey('auth.User', on_delete=models.SET_NULL)", ""),
        ("approved_by = models.ForeignKey('auth.User', on_delete=models.CASCADE)", ""),
        ("course = models.ForeignKey('Course', on_delete=models.CASCADE)", ""),
        ("student = 1", ""),
        ("student: int", ""),
    ],
)
def test_the_field_that_links_to_a_user(field: str, owner: str) -> None:
    seen = view(f"from django.db import models\nclass Grade(Base):\n    {field}\n")
    assert owner_field(seen, seen.classes[0]) == owner


def test_without_a_mapper_nothing_links() -> None:
    seen = view("class Grade:\n    student = ForeignKey('auth.User')\n")
    assert owner_field(seen, seen.classes[0]) == ""


def test_a_store_that_is_told_whose_an_object_is() -> None:
    stores = view(
        "NOTES = {}\ndef put(name, user):\n    NOTES[name] = (user, 1)\ndef get(name):\n    return NOTES[name]\n"
    )
    get = next(one for one in stores.functions if one.name == "get")
    (item,) = get.nodes(ast.Subscript)
    assert names_owner(stores, Fetch(item, item.slice, "", item.value), get)


@pytest.mark.parametrize(("value", "is_told"), [("json.dumps(note)", True), ("json.dumps(rest)", False)])
def test_what_is_stored_is_somebodys_under_another_name_too(value: str, *, is_told: bool) -> None:
    seen = view("def put(name, text, me=Depends(current_user)):\n    note = {'by': me, 'at': 1}\n    rest = [text]\n"
                f"    redis.set(f'note:{{name}}', {value})\ndef get(name):\n    return redis.get(f'note:{{name}}')\n"
                "from stores import redis\n")  # fmt: skip
    get = next(one for one in seen.functions if one.name == "get")
    (call,) = get.nodes(ast.Call)
    assert isinstance(call.func, ast.Attribute)
    assert names_owner(seen, Fetch(call, call.args[0], "", call.func.value), get) is is_told


def test_the_object_that_a_handler_is_a_method_of_is_no_store() -> None:
    text = """
class Mail:
    def show(self, message_id):
        return {0}.fetch(message_id)
    def send(self, current_user):
        {0}.create_draft({1}current_user)
"""
    cases = (("self", "", False), ("self.drafts", "", True), ("self.drafts", "created_by=", False))
    for receiver, keyword, expected in cases:
        seen = view(text.format(receiver, keyword))
        show = next(one for one in seen.functions if one.name == "show")
        (call,) = show.nodes(ast.Call)
        assert isinstance(call.func, ast.Attribute)
        assert names_owner(seen, Fetch(call, call.args[0], "", call.func.value), show) is expected


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ("note = db.get(Note, note_id)\nassert note.owner_id == user_id", ["models.Note"]),
        ("note = NOTES[note_id]\nassert note['owner'] == user_id", ["app.NOTES"]),
        ("note = load(note_id)\nassert str(note.owner_id) == str(user_id)", ["app.load"]),
        ("return db.query(Note).filter(Note.user_id == user_id).all()", ["models.Note"]),
        ("return Note.query.filter_by(user_id=user_id)", ["models.Note"]),
        ("assert shown.owner == user_id", ["models.Note"]),
        ("return db.query(Note).filter(Note.addressee == me).all()", ["models.Note"]),
        ("return Note.objects.filter(visit__patient__login=me)", ["models.Note"]),
        ("return Note.objects.filter(visit__patient__login=name)", []),
        ("assert shown.version == me.version", []),
        # Who made it is written down, and never asked for.
        ("db.add(Note(user_id=user_id))", []),
        ("return Note.objects.create(user_id=user_id)", []),
        ("return notes.update_note(note_id, user_id=user_id)", []),
        ("return Note.objects.filter(approved_by=user_id)", []),
        # Nobody asks who is calling.
        ("note = NOTES[note_id]\nassert note.owner_id == other.owner_name", []),
        ("note = NOTES[note_id]\nassert note.length == user_id", []),
    ],
)
def test_the_kinds_of_objects_whose_owner_is_asked_for(body: str, kinds: list[str]) -> None:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    head = "from models import Note\nNOTES = {}\ndef load(note_id): ...\n"
    seen = view(f"{head}def f(db, note_id, user_id, name, shown: Note, me=Depends(current_user)):\n{lines}")
    found = asked_kinds(seen, seen.functions[-1])
    assert set(kinds) <= set(found)
    assert bool(kinds) == bool(found)


@pytest.mark.parametrize(
    ("make", "fetch", "is_told"),
    [
        ("create_site(user)", "get_product_by_name(product_name)", False),
        ("create_site(user)", "get_site(pk)", True),
        ("create_site(user)", "get_sites_of(pk)", True),
        ("create_order(user)", "get_lines(order_id)", True),
        ("create_site(user)", "get(pk)", True),
        ("insert_one(user)", "get_site(pk)", True),
        ("create(user)", "get_product(product_id)", True),
    ],
)
def test_a_store_of_several_kinds(make: str, fetch: str, *, is_told: bool) -> None:
    seen = view(
        f"from app import store\ndef put(user):\n    store.{make}\ndef get(**sent):\n    return store.{fetch}\n"
    )
    (call,) = next(one for one in seen.functions if one.name == "get").nodes(ast.Call)
    (key,) = call.args
    assert isinstance(call.func, ast.Attribute)
    assert isinstance(key, ast.Name)
    found = Fetch(call, key, key.id, call.func.value, method=call.func.attr)
    assert names_owner(seen, found, seen.functions[-1]) is is_told


@pytest.mark.parametrize(("told", "is_told"), [("self.current_user", True), ("self.size", False)])
def test_a_store_that_an_application_of_tornado_holds(told: str, *, is_told: bool) -> None:
    seen = view(
        "import tornado.web\n"
        f"class New(tornado.web.RequestHandler):\n    def post(self):\n        self.application.maps.create({told})\n"
        "class One(tornado.web.RequestHandler):\n    def get(self):\n"
        "        return self.application.maps.find(self.get_argument('map'))\n"
    )
    get = next(one for one in seen.functions if one.name == "get")
    (fetch,) = fetches(seen, get, re.compile("id$"))
    assert names_owner(seen, fetch, get) is is_told
